"""No other way to cut a text into cues, and to time them, breaks fewer rules."""

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.cue_cuts import MAX_PAUSE_MS
from dubline.domain.linebreaks import tokens, wrapped
from dubline.domain.subtitles import CueLimits, Utterance, layout
from dubline.domain.time import Span

ENGLISH = CueLimits.of("en")
OFF_MS = (-120, -60, 0, 60, 120, 400, 1000)
"""In-times that the search by hand tries, against the sound: a cue may come in up to 120 ms off it."""


@st.composite
def hurried_talks(draw):
    """Two or three brief lines, a word or two each, spoken so fast that the rules can hardly be kept."""
    utterances, cursor, left = [], draw(st.integers(0, 300)), 5
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, max(1, min(3, left))))
        left -= size
        text = " ".join(draw(st.sampled_from(["No.", "w" * 9 + ",", "w" * 17, "w" * 26 + "."])) for _ in range(size))
        span = Span(cursor, cursor + draw(st.integers(50, 2500)))
        utterances.append(Utterance(span, text, draw(st.sampled_from("AB"))))
        cursor = span.end_ms + draw(st.sampled_from([0, 40, 200, 700, 1500]))
        if left <= 0:
            break
    return utterances, cursor + draw(st.sampled_from([0, 300, 3000]))


def words_of(utterances: Sequence[Utterance]) -> list[tuple[str, str, int, int, int]]:
    """(word, speaker, utterance, start ms, end ms), time shared out by letters."""
    result = []
    for number, said in enumerate(utterances):
        words = said.text.split()
        letters, done = sum(map(len, words)), 0
        for word in words:
            start, done = done, done + len(word)
            times = [round(said.span.start_ms + place / letters * said.span.len_ms) for place in (start, done)]
            result.append((word, said.speaker, number, *times))
    return result


def reading_ms(cue: Sequence[tuple[str, str, int, int, int]]) -> int | None:
    """How long it takes to read the cue, None where it may not be one."""
    turns = [(who, " ".join(word[0] for word in said)) for who, said in groupby(cue, key=lambda word: word[1])]
    if len(turns) > 2 or cue[-1][4] - cue[0][3] > ENGLISH.max_ms:
        return None
    if any(two[2] != one[2] and two[3] - one[4] > MAX_PAUSE_MS for one, two in pairwise(cue)):
        return None
    if len(turns) == 2:
        lines = tuple(f"-{text}" for _, text in turns)
        return ENGLISH.reading_ms(lines) if max(map(len, lines)) <= ENGLISH.line_width else None
    lines = wrapped(tokens(turns[0][1], ENGLISH), ENGLISH)
    return ENGLISH.reading_ms(lines) if lines else None


def fewest(cues: Sequence[tuple[int, int]], duration_ms: int, best: int) -> int:
    """Rules that must be broken by cues of (sound ms, reading ms), by trying all in-times; `best` is known before."""

    def short(room: int, reading: int) -> int:
        return (room < ENGLISH.min_ms) + (room < reading)

    def go(number: int, start: int, broken: int) -> None:
        nonlocal best
        if broken >= best:
            return
        reading = cues[number][1]
        if number == len(cues) - 1:
            best = min(best, broken + short(duration_ms - start, reading))
            return
        for at in in_times(number + 1):
            room = at - ENGLISH.gap_ms - start
            if room >= ENGLISH.frame_ms:
                go(number + 1, at, broken + short(room, reading) + late(number + 1, at))

    def in_times(number: int) -> Iterator[int]:
        return (cues[number][0] + off for off in OFF_MS if 0 <= cues[number][0] + off < duration_ms)

    def late(number: int, at: int) -> int:
        return abs(at - cues[number][0]) > ENGLISH.in_time_ms

    for at in in_times(0):
        go(0, at, late(0, at))
    return best


@settings(max_examples=120)
@given(hurried_talks())
def test_no_other_layout_breaks_fewer_rules(talk):
    utterances, duration_ms = talk
    found = sum(len(cue.flags) for cue in layout(utterances, limits=ENGLISH, duration_ms=duration_ms))
    words = words_of(utterances)
    for count in range(len(words)):
        for places in combinations(range(1, len(words)), count):
            bounds = pairwise([0, *places, len(words)])
            cues = [(words[start][3], reading_ms(words[start:stop])) for start, stop in bounds]
            if all(reading is not None for _, reading in cues):
                assert fewest(cues, duration_ms, found) >= found, places
