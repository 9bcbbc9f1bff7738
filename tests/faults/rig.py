"""The real stack with fake engines: submit videos, strike what runs, and look at what is left."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import s3fs
import tenacity
from prefect.client.orchestration import PrefectClient

from dubline import publication
from dubline.storage.artifacts import sha256_of
from dubline.storage.places import WORKSPACES, LocalPlace
from infra.loopback import inherited
from infra.process import Process
from infra.stack import Stack
from tasks.revive import SILENT_S, STARTING_S, SURE_S, mark_lost, resume_lost
from tests.fault_proxy import FaultProxy
from tests.faults import strikes
from tests.faults.invariants import Aftermath, violations
from tests.faults.ledger import Ledger
from tests.pipeline.workshop import Workshop, make_video, one_certificate
from tests.waiting import PATIENCE_S, until

FAULTS = Path(__file__).parent
HUNG_S = 30
"""An ffmpeg that works on two seconds of video for so long hangs."""
SETTLED_S = 3
"""By then the worker has reported the crash that a test waited for."""
HEARD = {"signed": True}
"""No two videos say the same, or a checkpoint of one would be one of the other as well."""
DEPLOYMENT = "translate-video/translate-video"
BUCKET = "dubline"
"""Of the stack's store."""
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
    gateways: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of the workers and gateways, beside the rig's own."""

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.workshop = Workshop(self.root, "")
        self.workshop.profile(asr=HEARD)
        self.strikes, self.ledger_path = self.root / "strikes", self.root / "ledger.jsonl"
        self.strikes.mkdir()
        self.proxy = FaultProxy(matches=lambda method, path: method in ("GET", "PUT") and "/store/" in path)
        """Between the workers and their store."""
        environment = {
            "PATH": os.pathsep.join((str(FAULTS / "bin"), inherited()["PATH"])),
            "DUBLINE_S3_ENDPOINT": self.proxy.endpoint,
            "DUBLINE_MEDIA_TIMEOUT_S": str(HUNG_S),
            "DUBLINE_PROFILES": str(self.root / "profiles"),
            "DUBLINE_LEDGER": str(self.ledger_path),
            "DUBLINE_STRIKES": str(self.strikes),
            "PYTHONPATH": strikes.PYTHONPATH,
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            # For as long as a server takes that starts on a busy machine.
            "PREFECT_CLIENT_MAX_RETRIES": "8",
            "PREFECT_API_SSL_CERT_FILE": str(one_certificate()),
            **self.settings,
        }
        self.stack = Stack(
            workers=self.workers,
            gateways=self.gateways,
            worker_environment=environment,
            gateway_environment=self.settings,
        )
        self.proxy.port = self.stack.s3_port
        self._told_before = 0
        self._deleted: dict[str, float] = {}
        self._unwanted: set[str] = set()
        """Where deleted runs were to put their results."""
        self._calm: dict[Path, dict[str, str]] = {}
        self._deployments: dict[str, str] = {}
        self._http = httpx.Client(timeout=30)

    def __enter__(self) -> Rig:
        with ExitStack() as ending:
            ending.callback(self.stack.stop)
            ending.enter_context(self.proxy)
            self.stack.start(deploy=True)
            self._unschedule()
            self.look_for_zombies(False)
            self._ending = ending.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        gone = {process.name: process.last_words() for process in self.stack.processes if not process.alive}
        self._ending.close()
        assert not gone, "whatever the tests killed they started again"

    def _unschedule(self) -> None:
        """What runs on schedule would come in between at times of its own; the tests start what they need of it."""
        for deployment in self.ask("POST", "/deployments/filter", {}):
            for schedule in deployment["schedules"]:
                self.ask("PATCH", f"/deployments/{deployment['id']}/schedules/{schedule['id']}", {"active": False})
        self._forget_schedules()

    def _forget_schedules(self) -> None:
        """Such a watcher would have a test's own cancelled, of which there may be one."""
        for run in self.ask("POST", "/flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}):
            if run["auto_scheduled"]:
                self.ask("DELETE", f"/flow_runs/{run['id']}")

    def look_for_zombies(self, enabled: bool) -> None:
        """Whether runs without a heartbeat are given up. Those heartbeats are lost that meet a server which a test has
        killed, and two of them, on a slow machine, are a live run's end."""
        (automation,) = [one for one in self.ask("POST", "/automations/filter", {}) if one["name"] == "crash-zombies"]
        self.ask("PATCH", f"/automations/{automation['id']}", {"enabled": enabled})

    @contextmanager
    def worker(self, pool: str, name: str) -> Iterator[Process]:
        """One more worker, of this pool."""
        if pool == "service":
            self._forget_schedules()  # the server may have been at it when its schedules were ended
        process = self.stack.add_worker(f"worker-{pool}", name)
        process.start()
        process.wait()
        try:
            yield process
        finally:
            process.stop()
            for workers in (self.stack.workers, self.stack.service_workers):
                if process in workers:
                    workers.remove(process)

    @property
    def _workers(self) -> list[Process]:
        return [*self.stack.workers, *self.stack.service_workers]

    def begin_ledger(self) -> None:
        """From here on `ledger` tells only of what is still to come, nothing is struck, and the store answers as it
        should."""
        for left in self.strikes.iterdir():
            left.unlink(missing_ok=True)
        self._told_before = len(Ledger.read(self.ledger_path).events)
        self.proxy.clear()
        self.proxy.spoiled.clear()

    @property
    def ledger(self) -> Ledger:
        return Ledger(Ledger.read(self.ledger_path).events[self._told_before :])

    @_patient
    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the Prefect server, again and again while it is away."""
        answer = self._http.request(method, f"{self.stack.url}/api{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def video(self, name: str) -> Path:
        """Two seconds of a pitch that no other video has: equal ones would share their checkpoints."""
        path = self.root / "videos" / f"{name}.mp4"
        path.parent.mkdir(exist_ok=True)
        pitch = 300 + 5 * len(list(path.parent.iterdir()))
        return path if path.exists() else make_video(path, "-f", "lavfi", "-i", f"sine=f={pitch}:d=2")

    def out(self, video: Path) -> Path:
        return self.root / "out" / video.stem

    def request(self, video: Path, **more: Any) -> dict[str, Any]:
        basics = {"languages": ["es"], "source_language": "en", "profile": "fake"}
        return {"video": str(video), "out": str(self.out(video)), **basics, **more}

    def submit(
        self, video: Path, key: str | None = None, asked: Mapping[str, Any] | None = None, **settings: str
    ) -> str:
        """Start a run that translates, with what is asked for besides and settings of its own; its id."""
        return self.start(DEPLOYMENT, {"request": self.request(video, **(asked or {}))}, key or video.stem, **settings)

    def lain_in_wait(self, name: str, *struck: tuple[str, str], action: str = "kill") -> dict[str, str]:
        """The setting that makes a run come by strikes of its own: they lie at these stages and moments."""
        folder = self.root / "lain in wait" / name
        folder.mkdir(parents=True, exist_ok=True)
        for stage, moment in struck:
            strikes.place(folder, stage, moment, action)
        return {"DUBLINE_STRIKES": str(folder)}

    def start(self, deployment: str, parameters: dict[str, Any], key: str | None = None, **settings: str) -> str:
        """Start a run of a deployment; its id."""
        if deployment not in self._deployments:
            self._deployments[deployment] = self.ask("GET", f"/deployments/name/{deployment}")["id"]
        body = {"parameters": parameters, "idempotency_key": key, "job_variables": {"env": settings}}
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

    def wait(self, run: str, *names: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The run's state once it has one of these names."""
        deadline = time.monotonic() + timeout_s
        while (state := self.state(run))["name"] not in names:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The run is {state['name']} and not {names}; it was {self.states(run)}.")
            time.sleep(1)
        return state

    def set_state(self, run: str, kind: str, name: str | None = None, **details: str) -> None:
        state = {"type": kind, "name": name, "state_details": details}
        self.ask("POST", f"/flow_runs/{run}/set_state", {"state": state, "force": name is not None})

    def revive(
        self,
        silent_s: float = SILENT_S,
        starting_s: float = STARTING_S,
        sure_s: float = SURE_S,
        settled_s: float = SETTLED_S,
    ) -> None:
        """What the deployment `revive` does on its schedule, with limits of its own."""
        asyncio.run(_revive(f"{self.stack.url}/api", silent_s, starting_s, sure_s, settled_s))

    def resume(self, run: str) -> None:
        """Have whoever looks after lost runs find one that crashed."""
        until(lambda: self.revive() or self.state(run)["name"] != "Crashed")

    def delete(self, run: str) -> None:
        self._unwanted.add(_out_of(self.ask("GET", f"/flow_runs/{run}")))
        self.ask("DELETE", f"/flow_runs/{run}")
        self._deleted[run] = time.time()

    def processes(self) -> list[psutil.Process]:
        """Every process of a flow run, and what it started."""
        workers = {worker.pid for worker in self._workers if worker.alive}
        return [process for process in processes_of_ledger(self.ledger_path) if process.pid not in workers]

    def stopped(self) -> psutil.Process:
        """The process that a strike has frozen, once it is."""

        def found() -> list[psutil.Process]:
            frozen = []
            for process in self.processes():
                with suppress(psutil.NoSuchProcess):
                    frozen += [process] if process.status() == psutil.STATUS_STOPPED else []
            return frozen

        until(lambda: len(found()) == 1, left=found)
        return found()[0]

    def processes_of(self, run: str) -> list[psutil.Process]:
        """Those of one run."""
        found = []
        for process in self.processes():
            with suppress(psutil.Error):
                if UUID(process.environ().get("PREFECT__FLOW_RUN_ID", str(UUID(int=0)))) == UUID(run):
                    found.append(process)
        return found

    def none_left(self) -> None:
        """Wait until every process of the runs has ended."""
        until(lambda: not self.processes(), left=self.processes)

    def told(self, lines: int = 15) -> str:
        """The runs' states, their processes, and the last lines of every log: what explains a failure."""
        runs = [f"{run['name']}: {' '.join(self.states(run['id']))}" for run in self.runs("translate-video")[:5]]
        processes = [f"{one.pid} {one.status()} {' '.join(one.cmdline())[:150]}" for one in self.processes()]
        logs = [
            f"--- {process.name}{'' if process.alive else ', which is gone'}\n"
            + "\n".join(process.log.read_text(errors="replace").splitlines()[-lines:])
            for process in self.stack.processes
        ]
        return "\n".join([*runs, *processes, *logs])

    def leftovers_of(self, processes: Iterable[int]) -> list[Path]:
        """Those of `leftovers` that these had made, whoever else is at work."""
        theirs = re.compile(rf"\.({'|'.join(map(str, processes))})\b")
        return [path for path in self.leftovers() if theirs.search(path.name)]

    def leftovers(self) -> list[Path]:
        """Temporary files of the workers' homes and of output folders."""
        homes = [self.stack.folder / worker.name for worker in self._workers]
        inside = [path for home in homes for path in home.glob("*/tmp/*")]
        return inside + list((self.root / "out").glob("*/.*"))

    def bucket(self) -> s3fs.S3FileSystem:
        """The store as it is, past the proxy."""
        known = self.stack.environment()
        return s3fs.S3FileSystem(
            key=known["AWS_ACCESS_KEY_ID"],
            secret=known["AWS_SECRET_ACCESS_KEY"],
            endpoint_url=f"http://127.0.0.1:{self.stack.s3_port}",
            use_listings_cache=False,
        )

    def uploads(self) -> list[str]:
        """Those in parts that were begun and not finished."""
        found = self.bucket().call_s3("list_multipart_uploads", Bucket=BUCKET)
        return [upload["Key"] for upload in found.get("Uploads", ())]

    def slots_taken(self) -> int:
        """How many of the GPU's are held, or were by a process that was killed and whose lease runs still."""
        taken: int = self.ask("GET", "/v2/concurrency_limits/gpu")["active_slots"]
        return taken

    def ended_well(self, *videos: Path, runs: Iterable[str], **known: Any) -> None:
        """Assert that all holds that must once the runs have ended; `known` is what Aftermath is to know besides.

        The next run of each machine clears up after a killed one, and so does this.
        """
        self.none_left()
        until(lambda: not self.slots_taken())
        self.reap()
        found = violations(self.aftermath(*videos, runs=runs, **known))
        assert not found, "\n".join(found)

    def aftermath(self, *videos: Path, runs: Iterable[str], asked: Sequence[str] = (), **known: Any) -> Aftermath:
        histories = {run: self.history(run) for run in runs}
        unknown, unwanted = self._beside(histories)
        return Aftermath(
            ledger=self.ledger,
            outs=known.pop("outs", [self.out(video) for video in videos]),
            undisturbed=self.undisturbed(videos, *asked),
            histories=histories,
            inferences=self._inferences_of(histories),
            unknown=unknown,
            unwanted=unwanted,
            deleted=self._deleted,
            processes=[" ".join(process.cmdline())[:80] for process in self.processes()],
            uploads=self.uploads(),
            temporary=self.leftovers(),
            **known,
        )

    def _inferences_of(self, runs: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """The histories of the runs that these had for their inference."""
        theirs = (one["id"] for one in self.runs("infer") if one["parameters"]["asked_by"] in runs)
        return {run: self.history(run) for run in theirs}

    def _beside(self, histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[list[str], set[Path]]:
        """Other runs with results where these put theirs; and where only cancelled or deleted ones were to put some."""
        outs = {run["id"]: _out_of(run) for run in self.runs("translate-video")}
        cancelled = {run for run, states in histories.items() if states[-1]["type"] == "CANCELLED"}
        wanted = {outs[run] for run in histories.keys() - cancelled}
        unwanted = {outs[run] for run in cancelled} | self._unwanted
        unknown = [run for run, out in outs.items() if out in wanted and run not in histories]
        return unknown, set(map(Path, unwanted - wanted))

    def reap(self) -> None:
        """What the next run on each machine does first: clear up after killed ones."""
        for worker in self._workers:
            for working in (self.stack.folder / worker.name).glob(f"*/{WORKSPACES}"):
                LocalPlace(working.parent).reap()

    def published(self, name: str) -> dict[str, str]:
        """sha256 by file name of all that does not speak of the run itself."""
        return published(self.root / "out" / name)

    def undisturbed(self, videos: Sequence[Path], *asked: str) -> dict[str, dict[str, str]]:
        """What the same requests publish in calm, one after the other in a home of their own; each is run once."""
        calm = Workshop(self.root / "calm", f"{self.stack.url}/api")
        calm.root.mkdir(exist_ok=True)
        calm.profile(asr=HEARD)
        for video in videos:
            if video in self._calm:
                continue
            out = calm.root / video.stem
            basics = ["translate", video, "--from", "en", "--to", "es", "--profile", "fake", "--out", out]
            done = calm.run(*basics, *asked)
            assert done.returncode == 0, done.stderr
            self._calm[video] = published(out)
        return {video.stem: self._calm[video] for video in videos}


def _out_of(run: Mapping[str, Any]) -> str:
    """Where it puts its results."""
    out: str = run["parameters"]["request"]["out"]
    return out


async def _revive(api: str, silent_s: float, starting_s: float, sure_s: float, settled_s: float) -> None:
    async with PrefectClient(api) as client:
        await mark_lost(client, silent_s, starting_s, sure_s)
        await resume_lost(client, starting_s, settled_s)


def processes_of_ledger(ledger: Path) -> list[psutil.Process]:
    """Those that live with this ledger in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("DUBLINE_LEDGER") == str(ledger)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def published(out: Path) -> dict[str, str]:
    """sha256 by name of the files as they are, without those that speak of the run itself."""
    manifest = publication.read(out)
    assert manifest is not None, f"{out} has no manifest"
    return {file.path: sha256_of(out / file.path) for file in manifest.files if not file.role.startswith("report")}
