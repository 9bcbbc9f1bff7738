"""Portuguese of Brazil: "duzentas mil pessoas", "duas horas", "Luís catorze", "meia xícara"."""

from __future__ import annotations

import re
from typing import ClassVar

from dubline.engines.speech.spoken.language import WORD, first_word
from dubline.engines.speech.spoken.numerals import GROUPED
from dubline.engines.speech.spoken.romance import Romance


class Portuguese(Romance):
    code = "pt"
    phone_pattern: ClassVar[str] = r"(?!\d*00-|(?:19|20)\d\d-)[2-9]\d{3}-\d{4}"
    agrees: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:(?<!1)[12]|[2-9]\d\d)$|(?:(?<!1)[12]|[2-9]\d\d|[2-9]\d)\d{3}$|[2-9]\d\d\d{3}$"
    )

    def is_one(self, written: str) -> bool:
        """All below two is in the singular."""
        return 0 < float(written.lstrip(GROUPED).replace(",", ".")) < 2

    def crossed(self, match: re.Match[str]) -> str:
        """The score of a match is written with a cross, too."""
        if any(word in self.words.score for word in WORD.findall(match.string[: match.start()].lower())):
            return self.words.range
        return super().crossed(match)

    def day(self, number: int) -> str:
        return "primeiro" if number == 1 else self.cardinal(number)

    def fraction(self, above: int, below: int, after: str) -> str:
        noun = first_word(after)
        if (above, below) == (1, 2):
            if self.counts(after) and noun not in self.words.scale_words:
                return "meia" if self.is_feminine(noun) else "meio"
            return "meio"
        said = super().fraction(above, below, after)
        return f"{said} de" if self.counts(after) else said

    def denominator(self, below: int) -> tuple[str, str]:
        if below in (100, 1000):
            return self.ordinal(below), f"{self.ordinal(below)}s"
        return f"{self.cardinal(below)} avos", f"{self.cardinal(below)} avos"

    def mixed(self, whole: str, above: int, below: int, noun: str) -> str:
        counted = noun and noun not in self.words.functions
        noun = self.one_of(noun) if counted and whole == "1" else noun
        feminine = bool(counted) and self.is_feminine(noun)
        half = (above, below) == (1, 2)
        part = "e " + (("meia" if feminine else "meio") if half else super().fraction(above, below, ""))
        number = self.integer(whole, "feminine" if feminine else "masculine")
        return f"{number} {noun} {part}" if counted else f"{number} {part} {noun}".strip()

    def one_of(self, nouns: str) -> str:
        return re.sub(r"(?<=[rz])es$|s$", "", nouns)

    def clock(self, hours: int, minutes: int, half: str, before: str, named: bool) -> str:
        said = self.cardinal(hours, "feminine")
        if minutes:
            if self.lasts(hours, before, named):
                said += " hora" if hours == 1 else " horas"
            said += f" e {self.cardinal(minutes)}"
        elif named or not half:
            said += " hora" if hours == 1 else " horas"
        if half:
            said += " da " + ("manhã" if half == "am" else "noite" if 6 <= hours < 12 else "tarde")
        return said

    def roman_ordinal(self, number: int, before: str) -> str:
        return self.ordinal(number) if number <= 10 else self.cardinal(number)

    def spelled_ordinal(self, number: int, suffix: str, before: str, after: str) -> str | None:
        suffix = suffix.lstrip(".")
        noun = first_word(after)
        if not number or not re.fullmatch(r"[ºª°]|[oa]s?", suffix) or re.match(r"\s?[CF]\b", after):
            return None
        if self.is_degrees(suffix, before, after):
            return None
        feminine = suffix.startswith(("ª", "a")) or (suffix == "°" and self.is_feminine(noun))
        said = self.ordinal(number, "feminine" if feminine else "masculine")
        return said + "s" if suffix.endswith("s") else said
