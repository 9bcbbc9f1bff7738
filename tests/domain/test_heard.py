from __future__ import annotations

import pytest

from dubline.domain.heard import WINDOW_MS, is_other, told, windows
from dubline.domain.time import Span


def words(*starts_s: int) -> list[Span]:
    return [Span(s * 1000, s * 1000 + 500) for s in starts_s]


def test_a_short_video_is_listened_to_once_and_whole() -> None:
    assert windows(words(1, 4, 9)) == (Span(1000, 9500),)


def test_a_long_one_in_several_places_where_people_speak() -> None:
    found = windows(words(*range(100, 700), *range(3000, 3600)))
    assert len(found) == 4
    assert all(window.len_ms == WINDOW_MS for window in found)
    assert all(w.start_ms >= 100_000 and w.end_ms <= 3_600_000 for w in found)
    assert sum(window.end_ms < 701_000 for window in found) == 2


def test_where_nobody_speaks_there_is_nothing_to_listen_to() -> None:
    assert not windows(())


def test_the_language_is_that_of_all_windows_together() -> None:
    heard, probability, asked = told([{"en": 0.9, "es": 0.1}, {"en": 0.3, "es": 0.7}, {"en": 0.9}], "es")
    assert (heard, round(probability, 3), round(asked, 3)) == ("en", 0.7, 0.267)


@pytest.mark.parametrize(
    ("heard", "probability", "asked_for", "asked", "other"),
    [
        ("en", 0.98, "es", 0.01, True),
        ("es", 0.98, "es", 0.98, False),
        ("en", 0.55, "es", 0.02, False),  # nothing is clear
        ("en", 0.75, "es", 0.2, False),  # both are spoken, or it is an accent
        ("ca", 0.9, "es", 0.05, False),  # taken for each other
        ("no", 0.9, "nn", 0.0, False),
        ("ru", 0.9, "uk", 0.05, False),
        ("de", 0.9, "nl", 0.02, True),
    ],
)
def test_another_language_is_one_that_is_clearly_heard(
    heard: str, probability: float, asked_for: str, asked: float, other: bool
) -> None:
    assert is_other(heard, probability, asked_for, asked) is other
