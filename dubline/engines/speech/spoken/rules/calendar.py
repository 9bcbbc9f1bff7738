"""Dates in figures or with a month's name, and times of day."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubline.engines.speech.spoken.language import Language
from dubline.engines.speech.spoken.rules import Rule, alternatives, around

_ISO = re.compile(r"(?<![\w.,/-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?![\w/-]|[.,]\d)")
_SLASHED = re.compile(r"(?<![\w.,/-])(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?![\w/-]|[.,]\d)")
_HALF = r"(?:\s?(?P<half>[aApP]\.?\s?[mM]\b\.?))"


def rules(language: Language) -> Iterator[Rule]:
    yield from _numeric(language)
    yield from language.named_dates()
    if language.words.weekdays:
        days = alternatives(language.words.weekdays + language.words.months)
        yield (
            re.compile(rf"\b({days})\s?[-–—]\s?(?=(?:{days})\b)", re.IGNORECASE),
            lambda m: f"{m.group(1)} {language.words.range} ",
        )
    yield from _clocks(language)


def _numeric(language: Language) -> Iterator[Rule]:
    def said(day: int, month: int, year: int | None, written: str) -> str:
        if not (1 <= day <= 31 and 1 <= month <= 12):
            return written
        return language.date(day, month, year)

    def iso(match: re.Match[str]) -> str:
        return said(int(match.group(4)), int(match.group(3)), int(match.group(1)), match.group())

    def slashed(match: re.Match[str]) -> str:
        first, second, year = int(match.group(1)), int(match.group(3)), match.group(4)
        if len(year) == 2 and match.group(2) == ".":
            return match.group()
        month_first = (language.month_first and match.group(2) == "/" and first <= 12) or second > 12
        day, month = (second, first) if month_first else (first, second)
        century = 0 if len(year) == 4 else 2000 if int(year) < 50 else 1900
        return said(day, month, century + int(year), match.group())

    part = re.compile(rf"\s(?:{alternatives(language.words.parts_of)})(?<=[\s'’])(?!\d)")

    def short(match: re.Match[str]) -> str:
        first, second = int(match.group(2)), int(match.group(3))
        if language.words.parts_of and part.match(match.string, match.end()):
            return match.group()
        day, month = (second, first) if (language.month_first and first <= 12) or second > 12 else (first, second)
        return match.group(1) + said(day, month, None, match.group()[len(match.group(1)) :])

    def padded(match: re.Match[str]) -> str:
        return said(int(match.group(1)), int(match.group(2)), None, match.group())

    yield _ISO, iso
    yield _SLASHED, slashed
    if not language.month_first:
        yield re.compile(r"(?<![\w.,/-])([0-3]?\d)/(0[1-9])(?![\w/]|[.,]\d)"), padded
    if language.words.dated:
        yield (
            re.compile(
                rf"\b((?i:{alternatives(language.words.dated)})\s*(?<=[\s'’]))(\d{{1,2}})/(\d{{1,2}})(?![\w/]|[.,]\d)"
            ),
            short,
        )
        # No range climbs down.
        yield (
            re.compile(
                rf"\b((?i:{alternatives(language.words.dated)})\s+)(1[3-9]|2\d|3[01])-(0?[1-9]|1[0-2])(?![\w/-]|[.,]\d)"
            ),
            short,
        )


def _clocks(language: Language) -> Iterator[Rule]:
    def clock(match: re.Match[str]) -> str:
        hours, minutes = int(match.group("h")), int(match.groupdict().get("m") or 0)
        half = re.sub(r"[\s.]", "", match.groupdict().get("half") or "").lower()
        if hours > 24 or minutes > 59:
            return match.group()
        before, after = around(match)
        said = language.clock(hours, minutes, half, before, bool(match.groupdict().get("sign")))
        seconds = match.groupdict().get("s")
        if seconds:
            said += f" {language.joined(language.number(seconds.lstrip('0') or '0'), language.unit('s')[1])}"
        ended = match.group().rstrip().endswith(".") and (not after.strip() or re.match(r"\s+[A-ZÀ-Ý¿¡]", after))
        return said + ("." if ended and not said.endswith(".") else "")

    yield (
        re.compile(r"(?<![\w:.,/])(\d+)\s?h\s?(\d{1,2})\s?(?:min|mn|m)\b"),
        lambda match: f"{match.group(1)} h {match.group(2)} min",
    )
    edge = r"(?<![\w:.,/])"
    yield (
        re.compile(
            rf"{edge}(?P<h>\d{{1,2}}):(?P<m>\d\d)(?::(?P<s>\d\d))?(?:{_HALF}|\s?(?P<sign>hrs?|hs?|h)\b\.?)?(?![\w:]|[.,]\d)"
        ),
        clock,
    )
    yield re.compile(rf"{edge}(?P<h>\d{{1,2}})(?:\.(?P<m>\d\d))?{_HALF}(?!\w)"), clock
    yield re.compile(rf"{edge}(?P<h>\d{{1,2}})\s?(?P<sign>[hH])\s?(?P<m>\d\d)(?!\s?(?:min|mn|m)\b|[\w:]|[.,]\d)"), clock
    if language.words.clocks:
        spoken = alternatives(language.words.clocks)
        yield (
            re.compile(r"(?<=\s)(?P<h>\d{1,2})[.:](?P<m>[0-5]\d)(?:\s?(?P<sign>hrs?|hs?)\b\.?)?(?![\w:%€$]|[.,]\d)"),
            lambda match: (
                clock(match)
                if re.search(rf"\b(?:{spoken})\s$", match.string[: match.start()], re.IGNORECASE)
                else match.group()
            ),
        )
        yield (
            re.compile(r"(?<=\s)(?P<h>\d{1,2})\s?(?P<sign>h)\b\.?(?![\w:]|[.,/]\d)"),
            lambda match: (
                clock(match)
                if re.search(rf"\b(?:{spoken})\s$", match.string[: match.start()], re.IGNORECASE)
                else match.group()
            ),
        )
