"""What a leg of Apertium always gets wrong, put right by a table: whole words, with the case of what they replace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files

import yaml

from dubline.engines.translation.written.contraction import joined

Leg = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Correction:
    wrong: re.Pattern[str]
    right: str
    """A template: \\1 is what the first group holds."""
    said: re.Pattern[str] | None
    """What the leg must have been given for the words to be wrong."""
    before: bool
    """Whether it is what goes into the leg that is put right."""


def prepared(text: str, leg: Leg) -> str:
    """A text as the leg understands it."""
    return _applied(text, text, [entry for entry in table(leg) if entry.before])


def corrected(text: str, given: str, leg: Leg) -> str:
    """A leg's output without what is always wrong; `given` is what went in."""
    text = _applied(text, given, [entry for entry in table(leg) if not entry.before])
    return joined(text) if leg[1] == "it" else text


def _applied(text: str, given: str, entries: Sequence[Correction]) -> str:
    for entry in entries:
        if entry.said is None or entry.said.search(given):
            text = entry.wrong.sub(partial(_worded, entry.right), text)
    return text


def _worded(right: str, match: re.Match[str]) -> str:
    text = match.expand(right)
    if (first := match.group().split()[0]).istitle():
        text = re.sub(rf"(?<=\s){first}\b", first.lower(), text)
    return text[:1].upper() + text[1:] if match.group()[:1].isupper() else text


@lru_cache(maxsize=32)
def table(leg: Leg) -> tuple[Correction, ...]:
    """The entries for a leg, in the order in which they are applied."""
    text = files(__package__).joinpath("corrections.yaml").read_text(encoding="utf-8")
    return tuple(_entry(**entry) for entry in yaml.safe_load(text).get("-".join(leg), ()))


def _entry(wrong: str, right: str, why: str, said: str | None = None, before: bool = False) -> Correction:
    """`why` is for the reader of the table."""
    ends_in_word = not re.search(r"[ )?]$", wrong)
    pattern = re.compile(rf"(?<!\w)(?:{wrong})" + (r"(?!\w)" if ends_in_word else ""), re.IGNORECASE)
    return Correction(pattern, right, re.compile(said, re.IGNORECASE) if said else None, before)
