"""Runs of the real command on 2 s videos with fake engines, each with a home, an output and a ledger of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import certifi
import httpx
import tenacity
import yaml

from tests import forked
from tests.faults import strikes
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parent.parent.parent
TIMEOUT_S = 240
ENGINES = {
    "asr": "FakeTranscriber",
    "diarization": "FakeDiarizer",
    "separation": "FakeSeparator",
    "translation": "FakeTranslator",
    "speech": "FakeSpeech",
}


@dataclass
class Workshop:
    """Everything a run needs, apart from all other runs."""

    root: Path
    api: str

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.jsonl"

    @property
    def strikes(self) -> Path:
        return self.root / "strikes"

    def profile(self, kinds: dict[str, str] | None = None, **options: dict[str, str | int | float | bool]) -> None:
        """Write the profile `fake`: other `kinds` of fakes than the usual ones, and options, by capability."""
        engines = {name: {"engine": f"tests.fakes:{kind}"} for name, kind in (ENGINES | (kinds or {})).items()}
        for name, values in options.items():
            engines[name]["options"] = values
        (self.root / "profiles").mkdir(exist_ok=True)
        text = yaml.safe_dump({"description": "Fakes.", **engines})
        (self.root / "profiles" / "fake.yaml").write_text(text, encoding="utf-8")

    def environment(self) -> dict[str, str]:
        ours = {
            "DUBLINE_HOME": str(self.home),
            "DUBLINE_PROFILES": str(self.root / "profiles"),
            "DUBLINE_LEDGER": str(self.ledger),
            "PREFECT_API_URL": self.api,
            "PREFECT_API_SSL_CERT_FILE": str(one_certificate()),
        }
        return os.environ | ours

    def run(self, *arguments: str | Path, strike: str | None = None) -> subprocess.CompletedProcess[str]:
        """`dubline ARGUMENTS`, killed with SIGKILL at `strike` (`stage@moment`) if that is given."""
        if strike:
            strikes.place(self.strikes, *strike.split("@"))
        return forked.run([*map(str, arguments)], self.environment() | {"DUBLINE_STRIKES": str(self.strikes)})

    def translate(self, video: Path, *more: str, strike: str | None = None) -> subprocess.CompletedProcess[str]:
        basics = ["translate", video, "--from", "en", "--to", "es", "--profile", "fake", "--out", self.out]
        return self.run(*basics, *more, strike=strike)

    def deploy(self) -> str:
        """What `make deploy` said."""
        command = [sys.executable, "-m", "deployments.deploy"]
        done = subprocess.run(
            command, env=self.environment(), cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def worker(self, pool: str, *options: str, limit: int = 4, **settings: str) -> Iterator[int]:
        """A worker of the pool, with settings for its runs; its process id."""
        environment = self.environment() | {"PREFECT_WORKER_QUERY_SECONDS": "1", **settings}
        command = [sys.executable, "-m", "deployments.worker", "--pool", pool, "--limit", str(limit), *options]
        with (self.root / f"worker-{pool}.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.kill()
            process.wait(60)

    def engine_calls(self) -> Counter[str]:
        """How often each engine was called for each of its subjects, as the ledger has it."""
        lines = self.ledger.read_text(encoding="utf-8").splitlines() if self.ledger.exists() else []
        calls = [event for event in map(json.loads, lines) if event["event"] == "engine"]
        return Counter(f"{call['capability']} {' '.join(call['subjects'])}" for call in calls)

    def finished_stages(self) -> list[str]:
        lines = self.ledger.read_text(encoding="utf-8").splitlines()
        return [event["stage"] for event in map(json.loads, lines) if event["event"] == "finished"]

    def manifest(self) -> dict:
        return json.loads((self.out / "manifest.json").read_text(encoding="utf-8"))

    def report(self) -> dict:
        return json.loads((self.out / "report.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def one_certificate() -> Path:
    """Somebody's, where nobody speaks TLS.

    A run makes some thirty clients of Prefect's, and each reads the certificates of all authorities: 30 ms of a core.
    """
    every = Path(certifi.where()).read_text(encoding="utf-8")
    end = "-----END CERTIFICATE-----\n"
    path = Path(tempfile.mkdtemp(dir=os.environ.get("DUBLINE_HOME"))) / "certificate.pem"
    path.write_text(every[every.index("-----BEGIN") : every.index(end)] + end, encoding="utf-8")
    return path


def _busy(error: BaseException) -> bool:
    """SQLite gives 503 under load. Any other lost answer may be to something that was done, and must not be again."""
    status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
    return status == 503 or isinstance(error, httpx.ConnectError)


@tenacity.retry(
    retry=tenacity.retry_if_exception(_busy),
    wait=tenacity.wait_fixed(1),
    stop=tenacity.stop_after_delay(90),
    reraise=True,
)
def ask(api: str, path: str, body: Any = None, method: str | None = None) -> Any:
    """What the Prefect server answers; with a body it is a POST. A busy server is asked again."""
    method = method or ("GET" if body is None else "POST")
    answer = httpx.request(method, f"{api}{path}", json=body, timeout=PATIENCE_S)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def make_video(path: Path, *sound: str, seconds: float = 2, picture: str = "testsrc2=s=160x90:r=25") -> Path:
    """A test picture with the given ffmpeg sound inputs and options; without any, a tone."""
    subprocess.run(
        [
            *["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", f"{picture}:d={seconds}"],
            *(sound or ("-f", "lavfi", "-i", f"sine=f=300:d={seconds}")),
            *["-c:v", "libx264", "-preset", "ultrafast", f"file:{path}"],
        ],
        check=True,
    )
    return path
