"""SubRip (.srt), WebVTT (.vtt) and ASS (.ass) text from cues, and cues from SubRip."""

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


_ASS = """\
[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,{size},&H00FFFFFF,&H00FFFFFF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,{outline},0,2,\
{side},{side},{below},1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
"""White with a black outline, at the bottom in the middle. Arial stands for any proportional face without serifs: what
a machine lacks is replaced by its own (fontconfig)."""


def to_ass(cues: Sequence[Cue], width: int = 1920, height: int = 1080) -> str:
    """Advanced SubStation Alpha for a picture of `width` x `height` pixels, as it is shown.

    42 characters fit across it (Netflix, "Font information"). Text that could be taken for markup is escaped, a line
    that begins in a script from right to left is marked as such.
    """
    size = max(8, round(min(height * 0.055, width / 24)))
    head = _ASS.format(
        width=width,
        height=height,
        size=size,
        outline=max(1, round(size / 16)),
        side=round(width * 0.05),
        below=round(height * 0.06),
    )
    events = [
        f"Dialogue: 0,{_ass_stamp(cue.span.start_ms)},{_ass_stamp(cue.span.end_ms)},Default,,0,0,0,,{text}\n"
        for cue in cues
        if (text := "\\N".join(_ass_line(plain) for line in cue.lines if (plain := _plain(line))))
    ]
    return head + "".join(events)


def _ass_line(line: str) -> str:
    """A backslash begins a code unless something stands between; braces hold codes unless they are escaped."""
    escaped = line.replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")
    strong = next((kind for kind in map(unicodedata.bidirectional, line) if kind in {"L", "R", "AL"}), "L")
    return escaped if strong == "L" else f"\u202b{escaped}\u202c"


def _ass_stamp(instant_ms: int) -> str:
    """ASS counts hundredths: rounded so that cues keep their order and their gap."""
    hundredths = (instant_ms + 5) // 10
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest // 100:02}.{rest % 100:02}"


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
