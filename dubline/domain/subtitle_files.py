"""SubRip (.srt) and WebVTT (.vtt) text from cues, and cues from SubRip."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from dubline.domain.cues import Cue
from dubline.domain.errors import InvalidMedia
from dubline.domain.time import Span

_TIMING = re.compile(
    r"(\d{2,}):([0-5]\d):([0-5]\d)[,.](\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)[,.](\d{3})(?:\s+[XY][12]:.*)?"
)


def to_srt(cues: Sequence[Cue]) -> str:
    """SubRip: numbered cues, times with a comma, a blank line after each. No cues give an empty file.

    The format has no escapes: control characters are dropped, all else stands as it is.
    """
    blocks = _blocks(cues, ",", lambda line: line)
    return "".join(f"{number}\n{block}\n" for number, block in enumerate(blocks, 1))


def to_vtt(cues: Sequence[Cue]) -> str:
    """WebVTT: the characters that could be taken for markup or for a timing line are escaped (W3C WebVTT, 3.3)."""
    return "WEBVTT\n\n" + "".join(f"{block}\n" for block in _blocks(cues, ".", _escaped))


def _blocks(cues: Sequence[Cue], decimal: str, write: Callable[[str], str]) -> list[str]:
    """Timing and lines of each cue that has text, every line ended; a blank line inside would end the cue early."""
    blocks: list[str] = []
    for cue in cues:
        lines = [write(plain) for line in cue.lines if (plain := _plain(line))]
        if lines:
            timing = f"{_stamp(cue.span.start_ms, decimal)} --> {_stamp(cue.span.end_ms, decimal)}"
            blocks.append("\n".join([timing, *lines, ""]))
    return blocks


def _plain(line: str) -> str:
    """Without control characters, line and paragraph separators and what cannot be written as UTF-8."""
    spaced = re.sub(r"[\t\n\r\v\f\x85\u2028\u2029]+", " ", line)
    return "".join(c for c in spaced if unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"}).strip()


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _stamp(instant_ms: int, decimal: str) -> str:
    seconds, ms = divmod(instant_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal}{ms:03}"


def parse_srt(text: str) -> tuple[Cue, ...]:
    """Cues of a SubRip file. Raises InvalidMedia naming the cue that is not well formed."""
    unified = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    blocks = [block for block in re.split(r"\n[ \t]*\n", unified) if block.strip()]
    return tuple(_cue(place, block.strip("\n").split("\n")) for place, block in enumerate(blocks, 1))


def _cue(place: int, lines: list[str]) -> Cue:
    timing = _TIMING.fullmatch(lines[1].strip()) if len(lines) > 2 and lines[0].strip().isdigit() else None
    if timing is None:
        raise InvalidMedia(f"Cue {place} of the subtitles is not SubRip: it needs a number, a timing line and text.")
    start, end = _instant(timing.groups()[:4]), _instant(timing.groups()[4:])
    if end < start:
        raise InvalidMedia(f"Cue {place} of the subtitles ends before it starts; correct its timing line.")
    return Cue(Span(start, end), tuple(lines[2:]))


def _instant(fields: Sequence[str]) -> int:
    hours, minutes, seconds, ms = map(int, fields)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms
