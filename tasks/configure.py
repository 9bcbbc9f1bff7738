"""Settings that stand in blocks or come with a run, for its process. Blocks are imported only where one is named."""

from __future__ import annotations

import atexit
import os
import tempfile
from typing import TypeVar

from prefect.blocks.core import Block
from pydantic import ValidationError

from dubline import profiles
from dubline.domain.errors import InvalidRequest
from dubline.settings import settings
from dubline.storage import chosen, sealed, session_files
from dubline.storage.database import Database
from dubline.storage.sessions import store
from tasks.session import patient

B = TypeVar("B", bound=Block)
CREDENTIALS = frozenset(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"))
"""They are one: a key goes with no other's secret or token."""


async def block_of(kind: type[B], name: str) -> B | None:
    """The block of this name; None where nobody has made one. Raises InvalidRequest for one with a fault."""
    try:
        block: B = await kind.aload(name)
    except ValueError:
        return None
    except RuntimeError as error:  # Prefect's, which says neither where the fault is nor what it is
        if not isinstance(error.__cause__, ValidationError):
            raise
        fault = error.__cause__.errors(include_input=False)[0]
    else:
        return block
    place, reason = ".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")
    where = f"{kind.get_block_type_slug()}/{name}"
    # Not raised from the error, whose text may have secrets.
    raise InvalidRequest(f"The block {where} is wrong at {place} ({reason}); correct it in the Prefect UI.")


async def use_media_store() -> None:
    """Take the store's settings from the block that DUBLINE_MEDIA_STORE names; what the environment has wins.

    To be called before anything is read or written. Raises InvalidRequest where there is no such block, or one of which
    the store could not do all that it says.
    """
    name = settings().media_store
    if name is None:
        return
    from blocks.media_store import MediaStore

    store = await block_of(MediaStore, name)
    if store is None:
        slug = MediaStore.get_block_type_slug()
        raise InvalidRequest(
            f"DUBLINE_MEDIA_STORE names the block {slug}/{name}, which is not there; make it in the UI."
        )
    own = {variable for variable in os.environ if os.environ[variable]}
    kept = own | CREDENTIALS if own & CREDENTIALS else own
    os.environ.update({variable: value for variable, value in store.environment().items() if variable not in kept})
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

    if block := await block_of(EngineProfile, name):  # else whoever loads the profile says which ones there are
        profiles.add(block.profile(name))
