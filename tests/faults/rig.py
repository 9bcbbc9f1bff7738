"""The real stack with fake engines: submit videos, strike what runs, and look at what is left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import tenacity

from infra.stack import Stack
from tests.faults import strikes
from tests.faults.ledger import Ledger
from tests.pipeline.workshop import ROOT, Workshop, make_video

FINAL = frozenset(("COMPLETED", "FAILED", "CANCELLED", "CRASHED"))
DEPLOYMENT = "translate-video/translate-video"
_patient = tenacity.retry(
    retry=tenacity.retry_if_exception_type(httpx.HTTPError),
    wait=tenacity.wait_fixed(1),
    stop=tenacity.stop_after_delay(90),
    reraise=True,
)
"""Whoever submits a video tries again while the server is away; the idempotency key makes that harmless."""


@dataclass
class Rig:
    root: Path
    workers: int = 2
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of the workers, beside the rig's own."""

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.workshop = Workshop(self.root, "")
        # No two videos say the same, or a checkpoint of one would be one of the other as well.
        self.workshop.profile(asr={"signed": True})
        self.strikes, self.ledger_path = self.root / "strikes", self.root / "ledger.jsonl"
        self.strikes.mkdir()
        environment = {
            "DUBLINE_PROFILES": str(self.root / "profiles"),
            "DUBLINE_LEDGER": str(self.ledger_path),
            "DUBLINE_STRIKES": str(self.strikes),
            "PYTHONPATH": os.pathsep.join((str(ROOT / "tests" / "faults" / "site"), str(ROOT))),
            **self.settings,
        }
        self.stack = Stack(workers=self.workers, worker_environment=environment)
        self._deployments: dict[str, str] = {}

    def __enter__(self) -> Rig:
        try:
            self.stack.start(deploy=True)
        except BaseException:
            self.stack.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.stop()

    @property
    def ledger(self) -> Ledger:
        return Ledger.read(self.ledger_path)

    @_patient
    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the Prefect server, again and again while it is away."""
        answer = httpx.request(method, f"{self.stack.url}/api{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def video(self, name: str, pitch: int = 300) -> Path:
        path = self.root / "videos" / f"{name}.mp4"
        path.parent.mkdir(exist_ok=True)
        return path if path.exists() else make_video(path, "-f", "lavfi", "-i", f"sine=f={pitch}:d=2")

    def request(self, video: Path, out: str | None = None) -> dict[str, Any]:
        folder = self.root / "out" / (out or video.stem)
        basics = {"languages": ["es"], "source_language": "en", "profile": "fake"}
        return {"video": str(video), "out": str(folder), **basics}

    def submit(self, video: Path, key: str | None = None, out: str | None = None) -> str:
        """Start a run that translates; its id."""
        return self.start(DEPLOYMENT, {"request": self.request(video, out)}, key or f"{video.stem}-{out}")

    def start(self, deployment: str, parameters: dict[str, Any], key: str | None = None) -> str:
        """Start a run of a deployment; its id."""
        if deployment not in self._deployments:
            self._deployments[deployment] = self.ask("GET", f"/deployments/name/{deployment}")["id"]
        body = {"parameters": parameters, "idempotency_key": key}
        path = f"/deployments/{self._deployments[deployment]}/create_flow_run"
        found: str = self.ask("POST", path, body)["id"]
        return found

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """The runs of a flow, the last one first."""
        body = {"flows": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_DESC"}
        found: list[dict[str, Any]] = self.ask("POST", "/flow_runs/filter", body)
        return found

    def state(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/flow_runs/{run}")["state"]
        return found

    def history(self, run: str) -> list[dict[str, Any]]:
        """Every state that it was in."""
        found: list[dict[str, Any]] = self.ask("GET", f"/flow_run_states/?flow_run_id={run}")
        return found

    def states(self, run: str) -> list[str]:
        return [state["name"] for state in self.history(run)]

    def wait(self, run: str, *names: str, timeout_s: float = 180) -> dict[str, Any]:
        """The run's state once it has one of these names."""
        deadline = time.monotonic() + timeout_s
        while (state := self.state(run))["name"] not in names:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The run is {state['name']} and not {names}; it was {self.states(run)}.")
            time.sleep(0.5)
        return state

    def set_state(self, run: str, kind: str, name: str | None = None) -> None:
        self.ask(
            "POST", f"/flow_runs/{run}/set_state", {"state": {"type": kind, "name": name}, "force": name is not None}
        )

    def revive(self, silent_s: float = 120) -> None:
        """What housekeeping does on its schedule."""
        self.stack.run(sys.executable, "-m", "tests.faults.revive", str(silent_s))

    def processes(self) -> list[psutil.Process]:
        """Every process of a flow run, and what it started: whatever has the rig's ledger in its environment."""
        found = []
        workers = {worker.pid for worker in self.stack.workers if worker.alive}
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("DUBLINE_LEDGER") == str(self.ledger_path)
                if ours and process.pid not in workers and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def leftovers(self) -> list[Path]:
        """Temporary files of the workers' homes and of output folders."""
        homes = [self.stack.folder / worker.name for worker in self.stack.workers]
        inside = [path for home in homes for path in home.glob("*/tmp/*")]
        return inside + list((self.root / "out").glob("*/.partial-*"))

    def published(self, name: str) -> dict[str, str]:
        """sha256 by file name of all that does not speak of the run itself."""
        return published(self.root / "out" / name)

    def undisturbed(self, videos: Iterable[Path]) -> dict[str, dict[str, str]]:
        """What the same requests publish in one calm process with a home of its own."""
        calm = self.root / "calm"
        videos = list(videos)
        subprocess.run(
            [sys.executable, "-m", "tests.faults.calm", str(calm), *map(str, videos)],
            env=os.environ
            | {
                "DUBLINE_HOME": str(calm / "home"),
                "DUBLINE_PROFILES": str(self.root / "profiles"),
                "PREFECT_API_URL": f"{self.stack.url}/api",
            },
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        return {video.stem: published(calm / video.stem) for video in videos}


def published(out: Path) -> dict[str, str]:
    from dubline import publication

    manifest = publication.read(out)
    assert manifest is not None, f"{out} has no manifest"
    return {file.path: file.sha256 for file in manifest.files if not file.role.startswith("report")}


__all__ = ["FINAL", "Rig", "published", "strikes"]
