"""Columns that more than one suite derives."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence

from dubline.domain.time import Span


def overlaps_ms(placed: Sequence[tuple[Hashable, Span]]) -> list[int]:
    """For each (owner, span): how long it overlaps what the same owner began earlier; in the order given."""
    result = [0] * len(placed)
    busy_until: dict[Hashable, int] = {}
    for index in sorted(range(len(placed)), key=lambda i: placed[i][1]):
        owner, span = placed[index]
        until = busy_until.get(owner, 0)
        result[index] = max(0, min(until, span.end_ms) - span.start_ms)
        busy_until[owner] = max(until, span.end_ms)
    return result


def spoken_length(text: str) -> int:
    """Characters, runs of white space as one; wide ones (Chinese, Japanese) count twice as they carry more speech.

    Wide is what Unicode Standard Annex 11 calls W or F.
    """
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in " ".join(text.split()))


def plain_words(text: str) -> tuple[str, ...]:
    """Words without case and punctuation, for comparing what was said rather than how it was written."""
    kept = "".join(char if char.isalnum() or unicodedata.category(char)[0] == "M" else " " for char in text.casefold())
    return tuple(kept.split())


def clock(instant_ms: int) -> str:
    """83,450 ms as 1:23.45: minutes, and seconds to a hundredth, cut."""
    minutes, ms = divmod(instant_ms, 60_000)
    return f"{minutes}:{ms // 1000:02}.{ms % 1000 // 10:02}"


def per_second(amount: float, duration_ms: int) -> float | None:
    """A rate; None where there is no time to divide by."""
    return amount * 1000 / duration_ms if duration_ms > 0 else None
