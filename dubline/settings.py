"""Settings of the process, from the environment (`DUBLINE_...`). README.md lists each one."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from dubline import machine
from dubline.domain.errors import InvalidRequest

STORE = r"s3://[a-z0-9][a-z0-9.-]+(/[\w.=-]+)*/?|/.+"
"""What an address of the store looks like."""
ENDPOINT = r"^https?://[\w.:\[\]-]+/?$"
"""What the address of an S3-compatible server looks like."""

S = TypeVar("S", bound=BaseSettings)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DUBLINE_", env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("dubline")))
    """Where models, checkpoints, artifacts and the local Prefect server's database live."""
    store: str = Field(default="", pattern=f"^({STORE})?$")
    """Where artifacts and checkpoints live: `s3://bucket/prefix`, or a folder's absolute path; `home` when empty."""
    s3_endpoint: str | None = Field(default=None, pattern=ENDPOINT)
    """Address of an S3-compatible server, without credentials; AWS when not set."""
    threads: int = Field(default_factory=machine.cores, ge=1)
    """Cores that torch, CTranslate2 and onnxruntime share in one run. A worker gives each of its runs its part."""
    server_port: int = Field(default=4200, ge=1, le=65535)
    """Where the local Prefect server is started; another free port is taken when this one is in use."""
    runs_at_once: int = Field(default_factory=machine.runs_at_once, ge=1)
    """Videos that `dubline serve` works on at once; the others wait."""
    media_timeout_s: int = Field(default=3600, ge=1)
    """How long one run of ffmpeg may take."""
    media_memory_mb: int = Field(default=8000, ge=64)
    """Memory that one run of ffmpeg may take, in 10^6 bytes."""
    media_file_mb: int = Field(default=50_000, ge=1)
    """How large a file may become that ffmpeg writes, in 10^6 bytes."""
    max_duration_s: int = Field(default=86_400, ge=1)
    """How long a video may last."""
    max_source_mb: int = Field(default=50_000, ge=1)
    """How large a video may be, wherever it comes from, in 10^6 bytes."""
    url_hosts: str = Field(default="", pattern=r"^(\s*(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?\s*(,|$))*$")
    """Hosts, each with or without a port, from which videos are fetched though they are private; commas between."""
    url_http: bool = False
    """Whether videos are fetched over plain http from public hosts, too."""
    url_timeout_s: int = Field(default=14_400, ge=1)
    """How long fetching one video from a URL may take."""
    clamd: str = Field(default="", pattern=r"^(unix:/.+|tcp://([\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5})?$")
    """Where clamd listens that scans users' files, as `unix:/path` or `tcp://host:port`; none when empty."""
    sandbox: Literal["on", "off"] = "on"
    """Whether ffmpeg runs without sockets. `off` is for kernels that cannot do it."""
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
    tenant: str = Field(default="", pattern="^([a-z0-9][a-z0-9-]{0,62})?$")
    """Whose artifacts and checkpoints are used: no tenant finds what another's videos left. Runs of sessions set it."""
    scratch: Path | None = None
    """Where a sealed session's run keeps opened copies as long as it lives. It makes the folder, and names it here."""
    key_file: Path | None = None
    """File with the keys that wrap those of sessions; with it new sessions are sealed. Gateways and workers need it."""
    ledger: Path | None = None
    """Append-only file that gets a line of JSON for every call of an engine and every stage; fault tests read it."""
    database: str | None = None
    """SQLAlchemy URL of the database with sessions, accounts and the watched folders' ledger; SQLite below `home` when
    not given."""

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def in_bucket(self) -> bool:
        """Whether artifacts and checkpoints live in S3."""
        return self.store.startswith("s3://")

    @property
    def bucket(self) -> str:
        """Prefix in S3 below which artifacts and checkpoints live."""
        return f"{self.store.rstrip('/')}/tenants/{self.tenant}" if self.tenant else self.store.rstrip("/")

    @property
    def artifacts(self) -> Path:
        return self._own_folder / "artifacts"

    @property
    def checkpoints(self) -> Path:
        return self._own_folder / "checkpoints"

    @property
    def _own_folder(self) -> Path:
        return self.shared_folder / "tenants" / self.tenant if self.tenant else self.shared_folder

    @property
    def shared_folder(self) -> Path:
        """The store where it is a folder."""
        return self.home if self.in_bucket or not self.store else Path(self.store)

    @property
    def cache(self) -> Path:
        """Copies of what lies in S3 or is sealed, and videos fetched from the web."""
        return self.scratch or self.home / "cache"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Read once for each process. Tests that change the environment call `settings.cache_clear()`.

    Raises InvalidRequest, naming the variables that are wrong.
    """
    return read(Settings)


def read(kind: type[S]) -> S:
    """Settings from the environment. Raises InvalidRequest, naming the variables that are wrong."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config["env_prefix"]
        wrong = "; ".join(f"{prefix}{one['loc'][0]}".upper() + f": {one['msg']}" for one in error.errors())
    except SettingsError as error:  # a list that is no JSON
        wrong = str(error)
    raise InvalidRequest(f"The environment has a setting that is wrong: {wrong}. Correct it; README.md lists them all.")


def share_threads(runs: int = 1) -> None:
    """Give the native runtimes one budget; must run before any of them is imported.

    It is that of one of so many `runs` at once, for which DUBLINE_THREADS is set here where nobody has set it.
    """
    whole = settings().threads
    if runs > 1 and not os.environ.get("DUBLINE_THREADS"):
        os.environ["DUBLINE_THREADS"] = str(machine.share(whole, runs))
        settings.cache_clear()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        if os.environ.get(name, "") in ("", str(whole)):  # as a process above has set it, for itself alone
            os.environ[name] = str(settings().threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
