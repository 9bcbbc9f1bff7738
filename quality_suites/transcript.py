"""The gate behind recognition: does the text look like what was said?"""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from dubline.domain.time import Span
from dubline.domain.transcript import Segment, Transcript
from dubline.domain.unheard import UNHEARD_MS, talked_over, unheard
from quality_suites.derive import clock, per_second, plain_words
from quality_suites.rules import LINES, WHOLE, Frames, Row, Suite, all_rows, bounded, holds, one_whole

MAX_UNHEARD_MS = 3000
NGRAM = 3
STRETCHES = "stretches"
"""Frame of clear speech that is in no line; its subjects are times."""


def rows(transcript: Transcript, requested: str | None, speech_ms: int) -> Frames:
    """`requested` is the language the user named, if any; `speech_ms` is the speech that diarization found."""
    stretches = _stretches(transcript)
    silent = not any(plain_words(segment.text) for segment in transcript.segments)
    whole: Row = {
        "lines": len(transcript.segments),
        "unheard_ms": speech_ms if silent else 0,
        STRETCHES: len(stretches),
        "language": transcript.language,
        "language_right": None if requested is None else transcript.language == requested,
    }
    runs = _runs(transcript.segments)
    lines = [_row(segment, run) for segment, run in zip(transcript.segments, runs, strict=True)]
    return {WHOLE: [whole], LINES: lines, STRETCHES: stretches}


def _stretches(transcript: Transcript) -> list[Row]:
    """A row for each stretch of clear speech that no word of its speaker covers, however short."""
    alone = [_stretch(span) | {"in_no_line_ms": span.len_ms} for span in unheard(transcript, least_ms=0)]
    over = [
        _stretch(turn.span) | {"talked_over_ms": turn.span.len_ms, "speaker": turn.speaker}
        for turn in talked_over(transcript, least_ms=0)
    ]
    return alone + over


def _stretch(span: Span) -> Row:
    subject = f"{clock(span.start_ms)}-{clock(span.end_ms)}"
    return {"subject": subject, "in_no_line_ms": None, "talked_over_ms": None, "speaker": None}


def _row(segment: Segment, run: int) -> Row:
    rate = per_second(len(segment.text.strip()), segment.span.len_ms)
    return {
        "subject": segment.id,
        "confidence": segment.confidence,
        "repeats": _repeats(plain_words(segment.text)),
        "run": run,
        "characters_a_second": rate,
    }


def _repeats(words: tuple[str, ...]) -> int:
    """How often the commonest sequence of NGRAM words stands in the segment."""
    grams = Counter(zip(*(words[start:] for start in range(NGRAM)), strict=False))
    return max(grams.values(), default=0)


def _runs(segments: tuple[Segment, ...]) -> list[int]:
    """For each segment: how many segments in a row, itself included, have its words. Wordless ones count as one."""
    result: list[int] = []
    for words, group in groupby(plain_words(segment.text) for segment in segments):
        length = len(list(group))
        result += [length if words else 1] * length
    return result


SUITE = Suite(
    name="transcript",
    version=2,
    rows=rows,
    remedy="Name the spoken language with --from, or run again with --refresh transcribe.",
    rules=(
        one_whole(),
        all_rows(LINES),
        all_rows(STRETCHES),
        bounded(
            "speech-heard",
            WHOLE,
            "unheard_ms",
            "review",
            "no words were recognized in {unheard_ms} ms of speech",
            "3 s of detected speech is longer than a cough or a laugh; singing may still be legal",
            most=MAX_UNHEARD_MS,
        ),
        bounded(
            "speech-in-a-line",
            STRETCHES,
            "in_no_line_ms",
            "review",
            "somebody speaks at {subject}, and nothing of it is in a line: the original is heard there",
            "dubline.domain.unheard.UNHEARD_MS: edges of words are right within 200 to 400 ms",
            most=UNHEARD_MS - 1,
        ),
        bounded(
            "talked-over",
            STRETCHES,
            "talked_over_ms",
            "review",
            "{speaker} speaks at {subject} while others do, and only their words are in lines: both are heard there",
            "dubline.domain.unheard.UNHEARD_MS: edges of words are right within 200 to 400 ms",
            most=UNHEARD_MS - 1,
        ),
        holds(
            "language",
            WHOLE,
            "language_right",
            "critical",
            "the transcript is in '{language}', which is not the language that was asked for",
            "every later stage would work in the wrong language",
        ),
        bounded(
            "confidence",
            LINES,
            "confidence",
            "review",
            "segment {subject} was recognized with a confidence of {confidence:.2f}",
            "below 0.5 a word is more likely wrong than right",
            least=0.5,
        ),
        bounded(
            "repeated-phrase",
            LINES,
            "repeats",
            "review",
            "segment {subject} says the same three words {repeats} times",
            "Whisper's decoding loops repeat a phrase; people seldom do so four times",
            most=3,
        ),
        bounded(
            "repeated-segment",
            LINES,
            "run",
            "review",
            "segment {subject} is one of {run} in a row with the same words",
            "Whisper's loops over music and silence repeat whole segments",
            most=2,
        ),
        bounded(
            "speaking-rate",
            LINES,
            "characters_a_second",
            "review",
            "segment {subject} has {characters_a_second:.1f} characters a second",
            "conversation has 10 to 20; beyond 2 to 30 text and times do not belong together",
            least=2,
            most=30,
        ),
    ),
)
