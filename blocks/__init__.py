"""Prefect blocks: what a team configures once, in the UI, for all workers. `prefect block register -m blocks`."""

from blocks.engine_profile import EngineProfile
from blocks.media_store import MediaStore
from blocks.notification import Notification
from blocks.watch_folder import WatchFolder

__all__ = ["EngineProfile", "MediaStore", "Notification", "WatchFolder"]
