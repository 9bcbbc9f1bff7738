"""A run that works for a session: it takes texts from the database, tells how far it is, and what came of it.

The run's own id decides whether it may: a session belongs to the run that was noted for it first, until it ends, is
cancelled, edited or resumed. What another run writes is dropped, so nothing is written behind a cancellation's back.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from prefect.context import FlowRunContext
from prefect.events import emit_event
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from dubline.domain.errors import DublineError, InvalidRequest, ServiceUnavailable
from dubline.domain.past_run import PastRun
from dubline.estimate import Estimate
from dubline.publication import Manifest
from dubline.request import SessionReference, TranslateRequest
from dubline.storage import run_times
from dubline.storage.database import Database
from dubline.storage.results import Judged
from dubline.storage.sessions import failing, store
from dubline.storage.sessions.model import ENDED, WAITING, Failure, Session, State
from dubline.storage.sessions.store import OnlyIf
from dubline.storage.sessions.told import for_tenants
from dubline.telemetry.progress import Broken, Event, StageProgress, VideoLength, listening
from tasks.stage import Timing

EVERY_S = 0.5
"""How often progress is written: at most twice a second."""
STEP = 0.005
"""Change of the finished share that is worth telling."""
AGAIN_S = 5.0
"""How often what is left is told though nothing else happens."""
SPOKEN = ("translate", "plan-speech", "synthesize", "place", "mix", "subtitle", "mux", "publish")
"""Stages that a further language needs."""
PATIENCE_S = 120
"""A database that is started again is back by then; work that is finished is not thrown away for it."""
WOKEN = "dubline.session"
"""Prefix of the events that wake who follows a session; what happened stands in the database."""
_log = logging.getLogger(__name__)
Told = tuple[str, dict[str, Any]]
"""Kind and data of an event."""
patient = retry(
    retry=retry_if_exception_type(ServiceUnavailable),
    wait=wait_fixed(2),
    stop=stop_after_delay(PATIENCE_S),
    reraise=True,
)


class SessionRun:
    """What the flow sees of its session; without one, nothing is told to anybody."""

    def __init__(self, request: TranslateRequest, told: _Told | None = None) -> None:
        self.request = request
        """With the texts that its parameters only refer to."""
        self._told = told

    async def done(self, manifest: Manifest, judged: Sequence[Judged] = (), timings: Sequence[Timing] = ()) -> None:
        """The results are published; the session shows them from now on."""
        if self._told:
            await self._told.done(manifest, judged, timings)


@asynccontextmanager
async def session_of(request: TranslateRequest) -> AsyncIterator[SessionRun]:
    """The session of a request, kept up to date while the block runs. Raises InvalidRequest for one that is over."""
    reference, context = request.session, FlowRunContext.get()
    if reference is None or context is None or context.flow_run is None:
        yield SessionRun(request)
        return
    async with Database.opened() as database:
        told = await _begun(database, request, reference, str(context.flow_run.id))
        asked = {"video": told.session.source.location}
        asked |= await store.asked(database, told.session, reference.revision)
        whole = TranslateRequest.model_validate(request.model_dump(mode="json") | asked)
        try:
            async with told.telling():
                yield SessionRun(whole, told)
        except DublineError as error:
            await told.failed(error)
            raise


@patient
async def _begun(database: Database, request: TranslateRequest, reference: SessionReference, run: str) -> _Told:
    free = OnlyIf((*WAITING, *ENDED), attempt=reference.attempt, run=run, or_free=True)
    began = {"state": State.RUNNING, "run": run, "running": reference.revision, "fraction": 0.0, "error": None}
    told: Told = ("state", {"state": State.RUNNING, "revision": reference.revision})
    if not await store.change(database, reference.id, free, [told], **began):
        raise InvalidRequest("The session of this run is over, or goes on with another run; nothing is to be done.")
    session = await store.existing(database, reference.id)
    past = await run_times.known(database, request.profile)
    estimate = Estimate(60.0, session.languages, past, again=reference.revision > 0)
    return _Told(database, session, request, run, estimate)


class _Told:
    """The telling side: events are gathered as the stages' threads make them, and written twice a second."""

    def __init__(
        self, database: Database, session: Session, request: TranslateRequest, run: str, estimate: Estimate
    ) -> None:
        self.session = session
        self._database, self._request, self._run, self._estimate = database, request, run, estimate
        self._mine = OnlyIf((State.RUNNING,), run=run)
        self._guard = threading.Lock()
        self._writing = asyncio.Lock()
        self._events: list[Told] = []
        self._started, self._foretold_s = time.monotonic(), 0.0
        self._fraction, self._written_at, self._after_s = -1.0, 0.0, 0.0

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        with listening(self._heard):
            task = asyncio.create_task(self._tell())
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def _heard(self, event: Event) -> None:
        with self._guard:
            self._estimate.observe(event)
            if isinstance(event, VideoLength):
                self._foretold_s = time.monotonic() - self._started + self._estimate.remaining_s
            if isinstance(event, StageProgress):
                data = {"name": event.stage, "state": event.state, "fraction": round(event.fraction, 3)}
                # Of a stage's shares only the last one counts.
                self._events = [e for e in self._events if e[0] != "stage" or not _share_of(e[1], event.stage)]
                self._events.append(("stage", data))
            elif isinstance(event, Broken):
                found = {"rule": event.rule, "severity": event.severity, "language": event.language}
                self._events.append(("warning", found | {"lines": list(event.subjects)}))

    async def _tell(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                if time.monotonic() - looked >= AGAIN_S:
                    looked = time.monotonic()
                    await self._look_behind()
                await self._write()
            except ServiceUnavailable:  # kept, and written when the database is back
                pass
            except Exception:  # noqa: BLE001 - what nobody foresaw, or a session that was deleted
                _log.exception("The session's progress could not be told")

    async def _write(self) -> None:
        """Whoever returns from here has nothing left to write: the last of it may be under way already."""
        async with self._writing:
            await self._written()

    async def _written(self) -> None:
        with self._guard:
            events, fraction, left_s = self._events, self._estimate.fraction, self._left_s()
            self._events = []
        moved = abs(fraction - self._fraction) >= STEP or time.monotonic() - self._written_at >= AGAIN_S
        if not events and not moved:
            return
        stage = next((data["name"] for kind, data in reversed(events) if kind == "stage"), None)
        shown = {"fraction": round(fraction, 4), "eta_s": None if left_s is None else round(left_s, 1)}
        try:
            values = shown | ({"stage": stage} if stage else {})
            await store.change(self._database, self.session.id, self._mine, [*events, ("progress", shown)], **values)
        except ServiceUnavailable:
            with self._guard:
                self._events = [*events, *self._events]
            raise
        self._fraction, self._written_at = fraction, time.monotonic()
        self._wake()

    def _left_s(self) -> float | None:
        """With what comes after this run; None as long as nothing can be said."""
        if not self._estimate.known:
            return None
        return self._estimate.remaining_s + self._after_s

    async def _look_behind(self) -> None:
        """What was changed since this run began is another run's, after this one."""
        now = await store.existing(self._database, self.session.id)
        running = self.session.running or 0
        if now.revision <= running:
            self._after_s = 0.0
            return
        new = tuple(code for code in now.languages if code not in self.session.languages)
        known = self._estimate
        edited = Estimate(known.video_s, self.session.languages, known.past, again=True)
        added = Estimate(known.video_s, new, known.past, stages=SPOKEN) if new else None
        self._after_s = edited.remaining_s + (added.remaining_s if added else 0.0)

    @patient
    async def done(self, manifest: Manifest, judged: Sequence[Judged], timings: Sequence[Timing]) -> None:
        await self._write()
        result = _result(manifest, judged) | {
            "foretold_s": self._foretold_s,
            "took_s": time.monotonic() - self._started,
        }
        ended = {"dubbed": self.session.running, "result": result, "fraction": 1.0, "eta_s": None, "stage": None}
        last = self.session.running
        up_to_date = OnlyIf((State.RUNNING,), run=self._run, revision=last)
        events: list[Told] = [("result", {"revision": last}), ("state", {"state": State.DONE})]
        if not await store.change(self._database, self.session.id, up_to_date, events, state=State.DONE, **ended):
            # Somebody edited meanwhile: these results are there, and another run makes the next.
            again = {"state": State.QUEUED, "run": None, "running": None}
            events = [("result", {"revision": last}), ("state", {"state": State.QUEUED})]
            await store.change(self._database, self.session.id, self._mine, events, **ended | again)
        self._wake()
        await self._learn(manifest, timings)

    async def _learn(self, manifest: Manifest, timings: Sequence[Timing]) -> None:
        """For the next estimate; a run that found checkpoints says nothing of a whole one."""
        if not timings or (not self._estimate.again and any(timing.cached for timing in timings)):
            return
        ran = PastRun(
            video_s=manifest.duration_ms / 1000,
            languages=len(self.session.languages),
            seconds=time.monotonic() - self._started,
            spans=self._estimate.spans,
            again=self._estimate.again,
        )
        await run_times.note(self._database, self._request.profile, ran)

    @patient
    async def failed(self, error: DublineError) -> None:
        await failing.failed(self._database, self.session, self._mine, Failure.of(error))
        self._wake()

    def _wake(self) -> None:
        emit_event(f"{WOKEN}.changed", {"prefect.resource.id": f"{WOKEN}.{self.session.id}"})


def _share_of(data: dict[str, Any], stage: str) -> bool:
    return bool(data["name"] == stage and data["state"] == "running" and data["fraction"] > 0)


def _result(manifest: Manifest, judged: Sequence[Judged]) -> dict[str, Any]:
    """What lists of sessions show; everything else stands in the report."""
    flagged = {(one.language, line) for one in judged for found in one.verdict.findings for line in found.subjects}
    return {
        "duration_s": manifest.duration_ms / 1000,
        "source_language": manifest.source_language,
        "warnings": [for_tenants(text) for text in manifest.warnings],
        "flagged": len(flagged),
    }
