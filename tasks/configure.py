"""Settings that stand in blocks, for the process that runs a flow. Blocks are imported only where one is named."""

from __future__ import annotations

import os

from dubline import profiles
from dubline.settings import settings


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
