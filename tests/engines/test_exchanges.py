"""Short utterances judged by their own voice, with vectors in place of sound."""

from collections.abc import Callable

import numpy as np

from dubline.domain.time import Span
from dubline.engines.diarization.exchanges import SHORT_MS, Vector, judged

Said = list[tuple[Span, str]]


def exchange(*turns: tuple[str, int], pause_ms: int = 300) -> Said:
    """(voice, duration in ms) one after the other."""
    at, said = 0, []
    for voice, length in turns:
        said.append((Span(at, at + length), voice))
        at += length + pause_ms
    return said


def voices(said: Said, apart: float, scatter: float = 0.25) -> Callable[[Span], Vector]:
    """An embedding for each utterance: near that of its voice, which is `apart` (0..1) from the other's."""
    draw = np.random.default_rng(1)
    axes = np.eye(256)
    means = {name: axes[0] + apart * axes[1 + number] for number, name in enumerate(sorted({name for _, name in said}))}
    found = {}
    for span, name in said:
        vector = means[name] / np.linalg.norm(means[name]) + draw.normal(0, scatter / 16, 256)
        found[span] = vector / np.linalg.norm(vector)
    return found.__getitem__


def who(tracks: dict[str, list[Span]], said: Said) -> list[str]:
    """To whom each utterance is given."""
    return [max(tracks, key=lambda name: sum(t.overlap_ms(span) for t in tracks[name])) for span, _ in said]


QUICK = [("A", 500), ("B", 450)] * 5


def test_a_quick_exchange_that_was_taken_for_one_voice_is_told_apart() -> None:
    said = exchange(*QUICK)
    found = judged({"S1": [Span(0, 8000)]}, [span for span, _ in said], voices(said, apart=1.0))
    assert who(found, said) in (["S1", "S1'"] * 5, ["S1'", "S1"] * 5)


def test_alike_voices_are_told_apart_where_they_take_turns() -> None:
    turns = exchange(*QUICK)
    found = judged({"S1": [Span(0, 8000)]}, [span for span, _ in turns], voices(turns, apart=0.33))
    assert who(found, turns) in (["S1", "S1'"] * 5, ["S1'", "S1"] * 5)
    blocks = exchange(*(("A" if number < 5 else "B", length) for number, (_, length) in enumerate(QUICK)))
    assert list(judged({"S1": [Span(0, 8000)]}, [span for span, _ in blocks], voices(blocks, apart=0.33))) == ["S1"]


def test_one_voice_that_says_short_things_stays_one() -> None:
    said = exchange(*(("A", length) for length in (500, 450, 700, 400, 620, 380, 540, 900)))
    found = judged({"S1": [Span(0, 8000)]}, [span for span, _ in said], voices(said, apart=1.0, scatter=0.6))
    assert list(found) == ["S1"]
    assert found["S1"] == [Span(0, 8000)]


def test_too_few_words_tell_nothing() -> None:
    said = exchange(*QUICK[:4])
    found = judged({"S1": [Span(0, 8000)]}, [span for span, _ in said], voices(said, apart=1.0))
    assert list(found) == ["S1"]


def test_words_between_longer_turns_go_to_the_voice_they_have() -> None:
    said = exchange(("A", 4000), ("B", 4000), *QUICK, ("A", 4000), ("B", 4000))
    first, second, *_, third, fourth = (span for span, _ in said)
    blurred = {"S1": [first, Span(second.end_ms, third.end_ms)], "S2": [second, fourth]}
    found = judged(blurred, [span for span, _ in said], voices(said, apart=1.0))
    assert who(found, said) == ["S1", "S2"] * 7
    assert sorted(span for turns in found.values() for span in turns)[0].start_ms == 0


def test_a_word_that_could_be_either_voices_is_left_where_it_was() -> None:
    said = exchange(("A", 4000), ("B", 4000), ("C", 500))
    tracks = {"S1": [said[0][0], said[2][0]], "S2": [said[1][0]]}
    both = voices(said, apart=1.0, scatter=0.01)
    assert judged(tracks, [span for span, _ in said], both) == tracks


def test_longer_utterances_are_left_to_the_pipeline() -> None:
    said = exchange(("A", 4000), ("B", 4000), ("B", SHORT_MS + 1), ("A", 3000))
    tracks = {"S1": [said[0][0], said[2][0], said[3][0]], "S2": [said[1][0]]}
    assert judged(tracks, [span for span, _ in said], voices(said, apart=1.0)) == tracks
