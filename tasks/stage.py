"""How every stage runs under Prefect: one task, one checkpoint by content, verified before it is believed.

@stage("transcribe", result=Words)
def transcribe(audio: Audio, ...) -> Words: ...

words = await stages(transcribe, audio, ...)
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache, partial, wraps
from importlib import metadata
from typing import Any, Generic, ParamSpec, TypeVar

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.logging import get_run_logger
from prefect.results import ResultStore
from prefect.serializers import JSONSerializer
from pydantic import BaseModel, TypeAdapter

from dubline import checkpoints
from dubline.domain.errors import DublineError
from dubline.settings import settings
from dubline.stages import INFERENCE, STAGES
from dubline.storage.artifacts import ArtifactStore
from dubline.storage.chosen import artifact_store, checkpoint_place
from dubline.storage.places import keep_young
from dubline.storage.value import Value
from dubline.telemetry import ledger, progress
from tasks.elsewhere import Elsewhere
from tasks.records import RecordFiles

P = ParamSpec("P")
R = TypeVar("R", bound=BaseModel)
RETRY_DELAYS_S = [2.0, 10.0]
AHEAD_S = 20.0
"""A recognizer may have nothing to tell for long, of a video in which nobody speaks."""
_refreshing: ContextVar[bool] = ContextVar("refreshing", default=False)


@lru_cache(maxsize=1)
def artifacts() -> ArtifactStore:
    """The store of this process's settings."""
    return artifact_store()


@lru_cache(maxsize=1)
def records() -> ResultStore:
    """Where Prefect persists the tasks' results. Nothing is remembered in memory: what counts is what is stored."""
    return ResultStore(result_storage=RecordFiles(), serializer=JSONSerializer(), cache_result_in_memory=False)


def recall(key: str, kind: type[R]) -> R | None:
    """The recorded result under a key; None where there is none, or of another shape, or with a damaged artifact.

    One that is believed is marked as used, so that no collection takes it away.
    """
    try:
        value = kind.model_validate(records().read(key).result)
    except ValueError:
        return None
    if not checkpoints.intact(value, artifacts()):
        return None
    keep_young(checkpoint_place(), key)
    return value


def refreshing() -> bool:
    """Whether the stage at work was told to believe no record; Prefect carries the context into the task's thread."""
    return _refreshing.get()


def remember(key: str, value: BaseModel) -> None:
    """Record a result that is smaller than a task's: one spoken line."""
    records().write(value, key=key)


class Stage(Generic[P, R]):
    """A task body with its name and its result's type; its version stands in `dubline.stages`.

    `salt` is what else decides the result, beside the inputs: the rules of a gate, the versions of packages.
    """

    def __init__(
        self, body: Callable[P, R], name: str, result: type[R], checkpoint: bool = True, salt: str = ""
    ) -> None:
        self.name, self.result, self.checkpoint, self._salt = name, result, checkpoint, salt
        self._signature = inspect.signature(body, eval_str=True)
        self.task: Task[P, R] = Task(
            self._telling(body),
            name=name,
            cache_key_fn=(lambda _, inputs: self.key(inputs)) if checkpoint else None,
            persist_result=checkpoint,
            result_serializer="json",
            retries=len(RETRY_DELAYS_S),
            retry_delay_seconds=RETRY_DELAYS_S,
            retry_condition_fn=retry_helps,
        )

    def _telling(self, body: Callable[P, R]) -> Callable[P, R]:
        """The body, telling its progress under its task run's name and leaving its beginning and end in the ledger."""

        @wraps(body)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            context = TaskRunContext.get()
            name = context.task_run.name if context else body.__name__
            key = self.key(self.bind(*args, **kwargs)) if self.checkpoint and ledger.kept() else None
            ledger.record("begun", stage=name, key=key)
            with progress.working(name):
                value = body(*args, **kwargs)
            ledger.record("finished", stage=name, key=key)
            return value

        return run

    def key(self, inputs: dict[str, Any]) -> str:
        salted = {**inputs, "salt": self._salt} if self._salt else inputs
        return checkpoints.content_key(self.name, STAGES[self.name], salted)

    def dumped(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs as plain JSON values, to be `loaded` on another machine."""
        return {name: self._kind(name).dump_python(value, mode="json") for name, value in inputs.items()}

    def loaded(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs again. Raises ValidationError for what is none."""
        return {name: self._kind(name).validate_python(value) for name, value in inputs.items()}

    def _kind(self, name: str) -> TypeAdapter[Any]:
        return TypeAdapter(self._signature.parameters[name].annotation)

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.arguments


def stage(
    name: str, *, result: type[R], checkpoint: bool = True, packages: Sequence[str] = ()
) -> Callable[[Callable[P, R]], Stage[P, R]]:
    """Make a stage of a function. Without `checkpoint` it runs every time: for what looks at the world outside.

    The versions of `packages` decide its result, beside the inputs.
    """
    salt = " ".join(f"{package} {metadata.version(package)}" for package in packages)
    return lambda body: Stage(body, name, result, checkpoint, salt)


def retry_helps(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """The error's type says whether a retry can help. Memory that is short may be free again when others are done."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, MemoryError) or (isinstance(error, DublineError) and error.retryable)


def _under_way(event: progress.Event, stage: str) -> bool:
    """Whether the stage has done something of its work, and not failed at it."""
    if not isinstance(event, progress.StageProgress):
        return False
    return event.stage == stage and event.state == "running" and event.fraction > 0


class Timing(Value):
    """How long a run waited for a stage."""

    stage: str
    seconds: float
    cached: bool


def _log(name: str, value: BaseModel, seconds: float, known: bool) -> None:
    """What the stage found, for people: numbers and names. Texts are artifacts, so none of what was said gets there."""
    facts = [f"{field} {fact}" for field, fact in value if isinstance(fact, str | int | float) and field != "sha256"]
    came = "from its checkpoint" if known else f"after {seconds:.1f} s"
    get_run_logger().info("%s", f"{name}, {came}: {', '.join(facts)}" if facts else f"{name}, {came}")


class Stages:
    """Runs the stages of one flow run, and keeps the time that each took.

    `refresh` names the stage from which on nothing recorded is believed.
    """

    def __init__(self, refresh: str | None = None, suffix: str = "", here: bool | None = None) -> None:
        """`here` runs inference in this process whatever the settings say."""
        self._refresh, self._suffix = refresh, suffix
        inline = settings().inference == "inline" if here is None else here
        self._elsewhere = None if inline else Elsewhere(artifacts())
        order = tuple(STAGES)
        self._refreshed = frozenset(order[order.index(refresh) :] if refresh else ())
        self.timings: list[Timing] = []

    @property
    def timed(self) -> tuple[Timing, ...]:
        return tuple(self.timings)

    def speaking(self, language: str) -> Stages:
        """The same run, with the language in the names of its task runs."""
        other = Stages(self._refresh, f"-{language}")
        other.timings, other._elsewhere = self.timings, self._elsewhere
        return other

    async def __call__(self, step: Stage[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Submit the stage and wait for it without holding up the event loop."""
        name, started = f"{step.name}{self._suffix}", time.monotonic()
        inputs = step.bind(*args, **kwargs)
        refresh, recorded = step.name in self._refreshed, partial(self._recorded, step, inputs)
        if self._elsewhere and step.name in INFERENCE:
            await self._elsewhere.compute(step, self._suffix, inputs, refresh, recorded)
            known = True
        else:
            # Prefect has no hook after a cache hit: record and artifacts are verified before the task is submitted.
            known = not refresh and await asyncio.to_thread(recorded)
        _refreshing.set(refresh)
        options = step.task.with_options(task_run_name=name, refresh_cache=step.checkpoint and not known)
        # Set here and not at the task's making: Prefect accepts no block there that its server does not know.
        options.result_storage = records().result_storage
        future = options.submit(*args, **kwargs)
        value = step.result.model_validate(await asyncio.to_thread(future.result))
        if known:
            progress.tell(name, "cached", 1.0)
        seconds = round(time.monotonic() - started, 3)
        self.timings.append(Timing(stage=name, seconds=seconds, cached=known))
        _log(name, value, seconds, known)
        return value

    async def ahead(self, step: Stage[P, R], *args: P.args, **kwargs: P.kwargs) -> asyncio.Task[R]:
        """Begin the stage, and wait for its first progress only, or for its end, and not longer than AHEAD_S.

        What stages beside it import and load takes cores and Python's lock from it, which is most of a short video's
        time. Elsewhere it is not waited for: what is asked for together is one run there.
        """
        name, loop, told = f"{step.name}{self._suffix}", asyncio.get_running_loop(), asyncio.Event()
        working = asyncio.create_task(self(step, *args, **kwargs))
        if self._elsewhere and step.name in INFERENCE:
            return working

        def hear(event: progress.Event) -> None:
            if _under_way(event, name):
                loop.call_soon_threadsafe(told.set)

        working.add_done_callback(lambda _: told.set())
        with progress.listening(hear):
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(AHEAD_S):
                        await told.wait()
            except asyncio.CancelledError:
                working.cancel()
                raise
        if working.done():
            working.result()  # it may have failed, and then nothing else is to begin
        return working

    def _recorded(self, step: Stage[P, R], inputs: dict[str, Any]) -> bool:
        return step.checkpoint and recall(step.key(inputs), step.result) is not None
