"""Time on a video's axis: spans of integer milliseconds.

`a & b` is the common part (or None), `a | b` the smallest span that holds both, `t in a` asks for an instant,
`len_ms` is the duration. A span is half open: it holds its start and not its end, so neighbours do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """`start_ms <= t < end_ms`, in integer milliseconds. An empty span is allowed, a negative one is not.

    Raises ValueError when the end lies before the start.
    """

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        if self.end_ms < self.start_ms:
            raise ValueError(f"a span cannot end ({self.end_ms} ms) before it starts ({self.start_ms} ms)")

    @classmethod
    def from_seconds(cls, start: float, end: float) -> Span:
        """Round seconds to the nearest millisecond."""
        return cls(round(start * 1000), round(end * 1000))

    @property
    def len_ms(self) -> int:
        return self.end_ms - self.start_ms

    def __bool__(self) -> bool:
        return self.end_ms > self.start_ms

    def __contains__(self, instant_ms: float) -> bool:
        return self.start_ms <= instant_ms < self.end_ms

    def __and__(self, other: Span) -> Span | None:
        start, end = max(self.start_ms, other.start_ms), min(self.end_ms, other.end_ms)
        return Span(start, end) if start < end else None

    def __or__(self, other: Span) -> Span:
        return Span(min(self.start_ms, other.start_ms), max(self.end_ms, other.end_ms))

    def overlap_ms(self, other: Span) -> int:
        """Length of the common part, 0 where there is none."""
        return max(0, min(self.end_ms, other.end_ms) - max(self.start_ms, other.start_ms))

    def shifted(self, by_ms: int) -> Span:
        return Span(self.start_ms + by_ms, self.end_ms + by_ms)

    def seconds(self) -> tuple[float, float]:
        return self.start_ms / 1000, self.end_ms / 1000


def merged(spans: Iterable[Span], gap_ms: int = 0) -> tuple[Span, ...]:
    """The union as ordered, disjoint spans; spans at most `gap_ms` apart become one. Empty spans vanish."""
    result: list[Span] = []
    for span in sorted(s for s in spans if s):
        if result and span.start_ms - result[-1].end_ms <= gap_ms:
            result[-1] |= span
        else:
            result.append(span)
    return tuple(result)


def gaps(spans: Iterable[Span], within: Span) -> tuple[Span, ...]:
    """The parts of `within` that no span covers, in order."""
    result: list[Span] = []
    cursor = within.start_ms
    for span in merged(spans):
        if span.end_ms <= cursor:
            continue
        if span.start_ms >= within.end_ms:
            break
        if span.start_ms > cursor:
            result.append(Span(cursor, span.start_ms))
        cursor = span.end_ms
    if cursor < within.end_ms:
        result.append(Span(cursor, within.end_ms))
    return tuple(result)


def difference(left: Iterable[Span], right: Iterable[Span]) -> tuple[Span, ...]:
    """The time that `left` covers and `right` does not, as ordered, disjoint spans."""
    whole = merged(left)
    return intersection(whole, gaps(right, whole[0] | whole[-1])) if whole else ()


def total_ms(spans: Iterable[Span]) -> int:
    """Time that at least one of the spans covers."""
    return sum(span.len_ms for span in merged(spans))


def intersection(left: Iterable[Span], right: Iterable[Span]) -> tuple[Span, ...]:
    """The time that both sets of spans cover, as ordered, disjoint spans."""
    a, b = merged(left), merged(right)
    i = j = 0
    result: list[Span] = []
    while i < len(a) and j < len(b):
        if common := a[i] & b[j]:
            result.append(common)
        if a[i].end_ms <= b[j].end_ms:
            i += 1
        else:
            j += 1
    return tuple(result)
