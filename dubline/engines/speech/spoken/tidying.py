"""Before the rules: one sign for what Unicode has many of. After them: no trace of what they took away."""

from __future__ import annotations

import re
import unicodedata

from dubline.engines.speech.spoken.numerals import GLUE, GROUPED

_SPACES = re.compile(r"[\u00a0\u2007\u2009\u202f]")
_MINUS = re.compile(r"(?<![\w)\]%€$£])(?<!\d\s)[\u2212\u2013](?=\s?[$€£¥₹]?\d)|\u2212")
_RAISED = re.compile(r"[\u02b0-\u02b8\u02e2\u1d2c-\u1d6a\u207f]+")
"""Small raised letters: "2ᵉ"."""
_POWER = re.compile(r"(?<=[\dA-Za-z])[\u2070\u00b9\u2074-\u2079]+")
"""Raised figures but for those of square and cubic units."""
_VULGAR = re.compile(r"(?<=\d)?\s?[\u00bc-\u00be\u2150-\u215e]")

_ONLY = re.compile(r"(?<=\d)/[-=](?![\w-])")
"""Behind a sum in India: "500/-"."""


_ENDLESS = re.compile(r"[\d.,:/'’-]{60,}")
"""No number, date or address: read in pieces, since rules look far ahead in a row of figures and signs."""


def uniform(text: str) -> str:
    """Digits of any script as 0-9, spaces that do not break as spaces, a minus as "-", vulgar fractions as 1/2."""
    text = "".join(_plain(character) for character in unicodedata.normalize("NFC", text))
    text = _ENDLESS.sub(lambda match: re.sub(r"\D+", " ", match.group()), text)
    text = _POWER.sub(lambda match: f"^{unicodedata.normalize('NFKC', match.group())}", text)
    text = _RAISED.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
    text = _VULGAR.sub(_fraction, text)
    text = _ONLY.sub("", text)
    return _MINUS.sub("-", _SPACES.sub(" ", text)).replace("\u00ad", "").replace("\u2011", "-")


def _plain(character: str) -> str:
    """A digit of any script as 0-9; "①" and "Ⅳ" as they are without their frame."""
    if character > "9" and character.isdecimal():
        return str(unicodedata.digit(character))
    framed = "\u2460" <= character <= "\u249b" or "\u2160" <= character <= "\u217f"
    return unicodedata.normalize("NFKC", character) if framed else character


def _fraction(match: re.Match[str]) -> str:
    written = unicodedata.normalize("NFKC", match.group().strip()).replace("\u2044", "/")
    behind = match.start() and match.string[match.start() - 1].isalnum()
    return f" {written}" if behind or match.group() != match.group().strip() else written


def tidied(text: str) -> str:
    text = re.sub(r"\s+", " ", text.replace(f"{GLUE} ", "").replace(GLUE, "").replace(GROUPED, "")).strip()
    return re.sub(r"\s+([,.;:!?…])(?=\s|$)", r"\1", text)
