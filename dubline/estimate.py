"""How long a run will take, and how far it is: from what stages took in past runs, at the pace that this one has.

Each stage that is not done yet takes what it took before, times this run's pace; what is left is the longest way
through the stages, some of which go on side by side. A stage that takes longer than foretold raises the pace while it
goes on, so what is left grows slowly, not by a jump. Where nothing is known yet, figures of two cores stand in.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median

from dubline.domain.languages import LANGUAGES
from dubline.domain.past_run import PastRun
from dubline.stages import ONCE
from dubline.telemetry.progress import Event, StageProgress, VideoLength

# Seconds a stage takes on two cores with the offline profile: a fixed part (imports, loading) and a part for each
# second of video.
COST: dict[str, tuple[float, float]] = {
    "ingest": (0.3, 0.002),
    "extract-audio": (0.3, 0.005),
    "transcribe": (3.0, 0.12),
    "diarize": (16.0, 0.1),
    "separate": (1.0, 0.05),
    "attribute": (0.1, 0.0),
    "translate": (0.3, 0.002),
    "plan-speech": (0.1, 0.0),
    "synthesize": (1.8, 0.46),
    "place": (0.1, 0.0),
    "mix": (0.3, 0.02),
    "subtitle-source": (0.1, 0.0),
    "subtitle": (0.1, 0.0),
    "mux": (0.4, 0.01),
    "publish": (0.5, 0.01),
}


AFTER: dict[str, tuple[str, ...]] = {
    "ingest": (),
    "extract-audio": ("ingest",),
    "transcribe": ("extract-audio",),
    "diarize": ("extract-audio",),
    "separate": ("extract-audio",),
    "attribute": ("transcribe", "diarize", "separate"),
    "translate": ("attribute",),
    "plan-speech": ("translate",),
    "synthesize": ("plan-speech",),
    "place": ("synthesize",),
    "mix": ("place",),
    "subtitle-source": ("attribute",),
    "subtitle": ("place",),
    "mux": ("mix", "subtitle", "subtitle-source"),
    "publish": ("mux",),
}
"""What each stage waits for, in an order in which all that is waited for comes first."""
MODELS = frozenset(("transcribe", "diarize", "separate", "translate", "synthesize"))
"""Stages that begin with a model that is loaded."""
SHARED = 0.8
"""How much a further language, dubbed beside another, prolongs the stages of both: two cores are busy already."""
AGAIN_SHARE = 0.2
"""Of a whole run, what one after an edit takes, as long as none was seen here: a minute of video, where starting the
process and loading a voice weigh as much as the line (`python -m bench.edit` has ten minutes)."""
LATEST = 20
"""Past runs that count: machines change."""
TRUSTED, GUESSED = 0.04, 0.02
"""Share of a run's work with which past runs, or the table where there are none, stand against what this one does."""
HALF_LIFE = 0.07
"""Of the time that the run has taken, after how much a stage that is done says half as much of the pace."""
ENDING, OVERDUE = 0.03, 0.3
"""What is left at least of a stage that gives no sign: shares of the time that it took, and that it took too long."""
LATELY = 0.4
"""Of a stage, the share by which its speed is measured: phrases are of unlike length."""
OWN_SHARE = 0.4
"""Of a stage, after how much its own speed alone tells when it ends."""
GROWTH = 0.02
"""Of what is left, by how much it grows within a second at most, once it was told: what is learned is told in steps."""
CLEAR = 0.1
"""Share of the whole after which something can be told where no past run is known."""


@dataclass(frozen=True, slots=True)
class _Length:
    gap_s: float
    """From when all that it waits for is done until it begins."""
    own_s: float


@dataclass(slots=True)
class _Seen:
    """A stage of this run. Times are seconds of the run."""

    began: float
    told: float = 0.0
    """When it last told its share."""
    share: float = 0.0
    marks: list[tuple[float, float]] = field(default_factory=list)
    """Shares above zero, and when they were told: what is loaded before the first is no measure of its speed."""
    ended: float | None = None
    found: bool = False
    """It was done before, or left out: it says nothing of the pace."""

    def own(self) -> tuple[float, float] | None:
        """What it takes in all at the speed that it had lately, and the share by which that is known."""
        if len(self.marks) < 2:
            return None
        share, told = self.marks[-1]
        return told - self.began + (1 - share) * self._rate(), share - self.marks[0][0]

    def lately(self) -> float:
        """What it would have taken, now that it is done, at the speed that it had last."""
        if len(self.marks) < 2:
            return (self.ended or self.told) - self.began
        share, told = self.marks[0]
        return told - self.began + (1 - share) * self._rate()

    def _rate(self) -> float:
        """Seconds for the whole of it."""
        share, told = self.marks[-1]
        since, then = next(mark for mark in self.marks if mark[0] >= share - LATELY or mark is self.marks[-2])
        return (told - then) / (share - since)


@dataclass
class Estimate:
    """Follows a run's progress. Any thread may tell it something or ask it at any time."""

    video_s: float
    languages: tuple[str, ...]
    past: Sequence[PastRun] = ()
    again: bool = False
    """Whether it is a run after an edit, which finds most of the work done."""
    stages: Collection[str] = tuple(COST)
    """What the run consists of, without languages; the table has no time for some, and they do not count."""
    started: float = field(default_factory=time.monotonic)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    """As those of a past run, of the stages that were done in this one."""
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _said: tuple[float, float] | None = None
    """What was said to be left, and when."""
    _reached: float = 0.0
    _measured: bool = False
    """Whether the video's length is known."""
    _guard: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    """Stages tell from their threads. What is asked asks for more of the same, so it may be taken again."""

    def __post_init__(self) -> None:
        self._alike = [run for run in self.past if run.again == self.again][:LATEST]
        self._foretell()

    def observe(self, event: Event) -> None:
        """Take in whatever the run tells."""
        with self._guard:
            if isinstance(event, VideoLength):
                self.video_s, self._measured, self._said = event.seconds, True, None
                self._foretell()
            elif isinstance(event, StageProgress) and _base(event.stage):
                self._take(event, self._now())

    def end(self) -> None:
        """It is over, however little there was to do."""
        with self._guard:
            self._reached = 1.0

    @property
    def fraction(self) -> float:
        """Finished share of the run's time, 0..1; it never falls."""
        with self._guard:
            if not self._seen or not self._names:
                return self._reached
            left, second = self.remaining_s, self._now()
            share = second / (second + left) if left else 1.0
            self._reached = max(self._reached, share)
            return self._reached

    @property
    def known(self) -> bool:
        """Whether what is left can be told yet: the video's length is known, and what it takes here."""
        with self._guard:
            if not self._measured:
                return False
            done = sum(expected for expected, _, _ in self._measures(self._now()))
            return bool(self._alike) or done >= CLEAR * self._work_s

    @property
    def loading(self) -> bool:
        """Whether an engine is at work that has not told its share yet."""
        with self._guard:
            at_work = [stage for name, stage in self._seen.items() if stage.ended is None and _base(name) in MODELS]
            return bool(at_work) and not any(stage.marks for stage in at_work)

    @property
    def remaining_s(self) -> float:
        """Seconds left. It falls at once, and grows little by little."""
        with self._guard:
            second = self._now()
            left = self._raw_s(second)
            if self.known:
                before, at = self._said or (left, second)
                left = min(left, before + max(GROWTH * left, 1.0) * (second - at))
                self._said = left, second
            return left

    def _raw_s(self, second: float) -> float:
        pace, heard = self._pace(second)
        ends: dict[str, float] = {}
        for name in self._names:
            ends[name] = self._left(name, ends, (pace, heard), second)
        return max(ends.values(), default=0.0) + (pace * self._tail_s if any(ends.values()) else 0.0)

    def _now(self) -> float:
        return time.monotonic() - self.started

    def _take(self, event: StageProgress, second: float) -> None:
        stage = self._seen.setdefault(event.stage, _Seen(second, second))
        for name in list(self._before(event.stage)):  # it is over, or never comes
            earlier = self._seen.setdefault(name, _Seen(second, second, found=True))
            earlier.ended = second if earlier.ended is None else earlier.ended
        if event.state == "running":
            if event.fraction > stage.share:
                stage.share, stage.told = event.fraction, second
                stage.marks.append((event.fraction, second))
            return
        stage.found |= event.state == "cached"
        stage.ended = second if stage.ended is None else stage.ended
        if event.state == "done" and not stage.found:
            self.spans[event.stage] = stage.began, second

    def _foretell(self) -> None:
        """What each stage of this video takes at the usual pace."""
        bases = [base for base in AFTER if base in self.stages]
        self._names = [
            name
            for base in bases
            for name in ([base] if base in ONCE else [f"{base}-{language}" for language in self.languages])
        ]
        self._lengths = self._usual(bases)
        self._work_s = sum(self._length(name).own_s for name in self._names)
        tails = [run.seconds - max(end for _, end in run.spans.values()) for run in self._alike if run.spans]
        whole = set(bases) == set(AFTER)
        self._tail_s = max(median(tails), 0.0) if tails and whole else 0.0

    def _usual(self, bases: Iterable[str]) -> dict[str, _Length]:
        seen = _lengths(self._alike, self.video_s)
        share = AGAIN_SHARE if self.again and not self._alike else 1.0
        side = _crowd(len(self.languages))
        found = {}
        for base in bases:
            if self._alike and base not in seen:
                found[base] = _Length(0.0, 0.0)  # a stage that runs like this one find done
                continue
            length = seen.get(base) or _Length(0.0, share * _cost(base, self.video_s))
            crowd = 1.0 if base in ONCE else side
            found[base] = _Length(crowd * length.gap_s, crowd * length.own_s)
        return found

    def _before(self, name: str) -> Iterator[str]:
        """All that a stage waits for, and what that waits for, which is not over."""
        base = _base(name) or name
        for earlier in AFTER.get(base, ()):
            for one in self._named(earlier, name.removeprefix(base)):
                if one in self._names and (one not in self._seen or self._seen[one].ended is None):
                    yield one
                    yield from self._before(one)

    def _named(self, base: str, suffix: str) -> list[str]:
        if base in ONCE:
            return [base]
        return [f"{base}{suffix}"] if suffix else [f"{base}-{language}" for language in self.languages]

    def _length(self, name: str) -> _Length:
        return self._lengths[_base(name) or name]

    def _measures(self, second: float) -> Iterator[tuple[float, float, float]]:
        """Of what this run did: seconds that were expected of it, that it took, and since when that is over."""
        for name, stage in self._seen.items():
            if name not in self._names or stage.found:
                continue
            expected = self._length(name).own_s
            if stage.ended is not None:
                yield expected, stage.lately(), second - stage.ended
            elif own := stage.own():
                total, since = own
                yield since * expected, since * total, second - stage.told

    def _pace(self, second: float) -> tuple[float, float]:
        """This run's seconds for one that is foretold, the latest stages counting most; the first of the two also
        counts what is overdue."""
        trusted = (TRUSTED if self._alike else GUESSED) * self._work_s or 1.0
        half_life = max(HALF_LIFE * second, 1.0)
        measures = list(self._measures(second))
        # The more was seen of this run, the less the past ones count.
        expected = taken = trusted**2 / (trusted + sum(foretold for foretold, _, _ in measures))
        newest = min((ago for _, _, ago in measures), default=0.0)  # where nothing is heard, what was heard last holds
        for foretold, took, ago in measures:
            weight = 0.5 ** ((ago - newest) / half_life)
            expected, taken = expected + weight * foretold, taken + weight * took
        heard = taken / expected
        for name, stage in self._seen.items():  # overdue: it takes as long as it did at least
            if stage.ended is None and not stage.marks and name in self._names:
                foretold, took = self._length(name).own_s, second - stage.began
                if took > foretold * taken / expected:
                    expected, taken = expected + foretold, taken + took
        return taken / expected, heard

    def _left(self, name: str, ends: Mapping[str, float], paces: tuple[float, float], second: float) -> float:
        """Seconds until a stage ends."""
        stage, length, (pace, heard) = self._seen.get(name), self._length(name), paces
        if stage and stage.ended is not None:
            return 0.0
        if stage:
            return self._left_of(stage, pace * length.own_s, heard * length.own_s, second)
        base = _base(name) or name
        earlier = [one for e in AFTER[base] for one in self._named(e, name.removeprefix(base)) if one in ends]
        waits = max((ends[one] for one in earlier), default=0.0)
        ready = max((self._seen[one].ended or 0.0 for one in earlier if one in self._seen), default=0.0)
        waited = second - ready if waits == 0 else 0.0
        gap = max(pace * length.gap_s - waited, 0.0)
        return waits + gap + pace * length.own_s

    def _left_of(self, stage: _Seen, usual_s: float, due_s: float, second: float) -> float:
        """Of one that is at work: as usual, then ever more at its own speed."""
        total, silent = usual_s, second - stage.told
        if own := stage.own():
            weight = min(own[1] / OWN_SHARE, 1.0)
            total = (1 - weight) * max(usual_s, stage.told - stage.began) + weight * own[0]
        late = silent - due_s
        return max(total - (second - stage.began), ENDING * silent, OVERDUE * late)


def _lengths(runs: Iterable[PastRun], video_s: float) -> dict[str, _Length]:
    """Stage without language -> what it took in those runs, brought to this video's length and one language."""
    gaps: dict[str, list[float]] = defaultdict(list)
    owns: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for name, (begin, end) in run.spans.items():
            if not (base := _base(name)):
                continue
            scale = _cost(base, video_s) / _cost(base, run.video_s)
            crowd = 1.0 if base in ONCE else _crowd(run.languages)
            before = [span[1] for other, span in run.spans.items() if _waits(base, name, other)]
            gaps[base].append(max(begin - max(before, default=0.0), 0.0) / crowd)
            owns[base].append((end - begin) * scale / crowd)
    return {base: _Length(median(gaps[base]), median(owns[base])) for base in owns}


def _waits(base: str, name: str, other: str) -> bool:
    """Whether a stage waits for another of its language, or of all."""
    earlier = _base(other)
    suffix = other.removeprefix(earlier) if earlier else ""
    return earlier in AFTER[base] and (not suffix or base in ONCE or name == f"{base}{suffix}")


def _crowd(languages: int) -> float:
    return 1 + SHARED * max(languages - 1, 0)


@lru_cache(maxsize=1024)
def _base(name: str) -> str | None:
    """The stage without its language; None for one that is not in the table."""
    return next((stage for stage in COST if name.removeprefix(stage).removeprefix("-") in ("", *LANGUAGES)), None)


def _cost(base: str, video_s: float) -> float:
    fixed, per_second = COST[base]
    return fixed + per_second * video_s
