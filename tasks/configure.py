"""Settings that stand in blocks or come with a run, for its process. Blocks are imported only where one is named."""

from __future__ import annotations

import atexit
import os
import tempfile

from dubline import profiles
from dubline.settings import settings
from dubline.storage import chosen, sealed, session_files
from dubline.storage.database import Database
from dubline.storage.sessions import store
from tasks.session import patient


async def use_media_store() -> None:
    """Take the store's settings from the block that DUBLINE_MEDIA_STORE names; what the environment has wins.

    To be called before anything is read or written.
    """
    name = settings().media_store
    if name is None:
        return
    from blocks.media_store import MediaStore

    store: MediaStore = await MediaStore.aload(name)
    for variable, value in store.environment().items():
        os.environ.setdefault(variable, value)
    settings.cache_clear()


def use_store_of(tenant: str) -> None:
    """Use a tenant's own artifacts and checkpoints; without a tenant those that the settings name."""
    if tenant != settings().tenant:
        os.environ["DUBLINE_TENANT"] = tenant
        settings.cache_clear()


async def use_store_of_session(tenant: str, session: str) -> None:
    """Use those of a session's tenant, or its own where it is sealed.

    What a sealed one's run opens, it opens in a folder that goes with this process. Raises InvalidRequest for a session
    that was deleted, OutputUnavailable where its key cannot be had.
    """
    use_store_of(tenant)
    key = await _key_of(session)
    if key is None:
        return
    sealed.use(session_files.sealed_place(tenant, session, key))
    scratch = chosen.scratch().begin_workspace()
    atexit.register(chosen.scratch().abandon)
    os.environ["DUBLINE_SCRATCH"] = os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    settings.cache_clear()


@patient
async def _key_of(session: str) -> str | None:
    async with Database.opened() as database:
        return (await store.existing(database, session)).key


async def know_profile(name: str) -> None:
    """Make a profile known that is a block; one that is a file needs nothing."""
    if name in profiles.names():
        return
    from blocks.engine_profile import EngineProfile

    try:
        block: EngineProfile = await EngineProfile.aload(name)
    except ValueError:
        return  # whoever loads the profile says which ones there are
    profiles.add(block.profile(name))
