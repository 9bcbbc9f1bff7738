"""Numbers as words, by the rules of Unicode's CLDR (`unicode-rbnf`)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Literal

Form = Literal["numbering", "masculine", "feminine"]
"""How a number stands: by itself ("uno"), or before a noun of a gender ("un", "una")."""

GROUPED = "\ue000"
"""Stands before a number whose thousands were set apart: it is no year."""
GLUE = "\ue001"
"""Stands where two words are one: "un'ora"."""
LONGEST = 15
"""Digits. A longer row of digits is a code, and is read digit by digit."""


class Numerals:
    """The numbers of one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def cardinal(self, number: int, form: Form = "numbering") -> str:
        return self._said(number, "cardinal", form)

    def ordinal(self, number: int, form: Form = "masculine") -> str:
        return self._said(number, "ordinal", form)

    def digits(self, text: str) -> str:
        """Digit by digit; what is no digit is passed over."""
        return " ".join(self.cardinal(int(digit)) for digit in re.findall(r"\d", text))

    def _said(self, number: int, kind: str, form: Form) -> str:
        if number >= 10**LONGEST:
            return self.digits(str(number))
        return _spelled(self._language, number, kind, form)


@cache
def _spelled(language: str, number: int, kind: str, form: Form) -> str:
    engine = _engine(language)
    wanted = ["spellout-numbering"] if (kind, form) == ("cardinal", "numbering") else []
    wanted += [f"spellout-{kind}-{form}", f"spellout-{kind}", f"spellout-{kind}-masculine"]
    name = next(name for name in wanted if name in engine.rulesets)
    return str(engine.format_number(number, ruleset_names=[name]).text)


@cache
def _engine(language: str) -> Any:
    from unicode_rbnf import RbnfEngine

    return RbnfEngine.for_language(language)
