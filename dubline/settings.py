"""Settings of the process, from the environment (`DUBLINE_...`). README.md lists each one."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0))


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DUBLINE_", extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("dubline")))
    """Where models, checkpoints, artifacts and the local Prefect server's database live."""
    store: str = Field(default="", pattern=r"^(s3://[a-z0-9][a-z0-9.-]+(/[\w.=-]+)*/?)?$")
    """Where artifacts and checkpoints live, `s3://bucket/prefix`; below `home` when empty."""
    s3_endpoint: str | None = Field(default=None, pattern=r"^https?://[\w.:\[\]-]+/?$")
    """Address of an S3-compatible server, without credentials; AWS when not set."""
    threads: int = Field(default_factory=_usable_cores, ge=1)
    """Cores that torch, CTranslate2 and onnxruntime share."""
    server_port: int = Field(default=4200, ge=1, le=65535)
    """Where the local Prefect server is started; another free port is taken when this one is in use."""
    media_timeout_s: int = Field(default=3600, ge=1)
    """How long one run of ffmpeg may take."""
    device: str = Field(default="auto", pattern="^(auto|cpu|cuda)$")
    """Where the hub engines run: `auto` takes a GPU when there is one."""
    profiles: Path = Path(__file__).parent.parent / "deployments" / "profiles"
    """Folder with the profiles' YAML files."""
    inference: Literal["inline", "deployment"] = "inline"
    """Where models work: in the run itself, or in runs of the deployment `infer` on the GPU work pool."""
    gpu_limit: str | None = None
    """Name of Prefect's global concurrency limit of which a run of `infer` takes one slot."""
    media_store: str | None = None
    """Name of the Prefect block `dubline-media-store` from which deployed runs take the store's settings."""
    ledger: Path | None = None
    """Append-only file that gets a line of JSON for every call of an engine and every stage; fault tests read it."""
    database: str | None = None
    """SQLAlchemy URL of the database with the watched folders' ledger; SQLite below `home` when not given."""

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"

    @property
    def checkpoints(self) -> Path:
        return self.home / "checkpoints"

    @property
    def cache(self) -> Path:
        """Copies of what lies in S3."""
        return self.home / "cache"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Read once for each process. Tests that change the environment call `settings.cache_clear()`."""
    return Settings()


def share_threads() -> None:
    """Give the native runtimes one budget; must run before any of them is imported."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        os.environ.setdefault(name, str(settings().threads))
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
