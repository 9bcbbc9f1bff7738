"""Progress of a run's stages inside one process: stages tell, whoever watches listens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

State = Literal["running", "done", "cached", "failed"]


@dataclass(frozen=True, slots=True)
class StageProgress:
    stage: str
    """Stage, with its language where it has one: `translate-es`."""
    state: State
    fraction: float
    """Finished share of the stage, 0..1."""


@dataclass(frozen=True, slots=True)
class VideoLength:
    seconds: float


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule of a quality gate that did not hold."""

    rule: str
    severity: str
    subjects: tuple[str, ...]
    """Ids of the lines that broke it; empty where it is about the whole."""
    language: str | None


Event = StageProgress | VideoLength | Broken
Listener = Callable[[Event], None]
_log = logging.getLogger(__name__)
_listeners: list[Listener] = []
_stage: ContextVar[str] = ContextVar("stage", default="")


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear of every stage while the block runs. Listeners are called from the stages' threads."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell(stage: str, state: State, fraction: float) -> None:
    _publish(StageProgress(stage, state, min(max(fraction, 0.0), 1.0)))


def announce(video_s: float) -> None:
    """Tell how long the video is, as soon as that is known."""
    _publish(VideoLength(video_s))


def found(broken: Broken) -> None:
    """Tell what a gate found, as soon as it did."""
    _publish(broken)


def _publish(event: Event) -> None:
    """What is wrong with a listener is no fault of the stage that tells. Out of memory is this process's."""
    for listener in tuple(_listeners):
        try:
            listener(event)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is
            _log.exception("Progress could not be taken in")


@contextmanager
def working(stage: str) -> Iterator[None]:
    """Say that a stage runs, and how it ended; `teller` inside the block speaks for this stage."""
    token = _stage.set(stage)
    tell(stage, "running", 0.0)
    try:
        yield
    except BaseException:
        tell(stage, "failed", 1.0)
        raise
    else:
        tell(stage, "done", 1.0)
    finally:
        _stage.reset(token)


def teller() -> Callable[[float], None]:
    """The callback that the stage at work hands to its engine or to ffmpeg."""
    stage = _stage.get()
    return lambda fraction: tell(stage, "running", fraction)
