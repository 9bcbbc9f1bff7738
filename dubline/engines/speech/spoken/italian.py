"""Italian: "un'ora", "le sette di sera", "Luigi quattordicesimo", "il ventunesimo secolo"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from dubline.engines.speech.spoken.language import first_word, last_word
from dubline.engines.speech.spoken.numerals import GLUE, GROUPED, Form
from dubline.engines.speech.spoken.romance import Romance
from dubline.engines.speech.spoken.rules import alternatives

if TYPE_CHECKING:
    from dubline.engines.speech.spoken.rules import Rule


_ARTICLES = {"l": "il", "L": "Il"}


class Italian(Romance):
    code = "it"
    agrees: ClassVar[re.Pattern[str]] = re.compile(rf"^{GROUPED}?1$")
    phone_pattern: ClassVar[str] = r"[38]\d\d \d{3} \d{3,4}"
    plural_s: ClassVar[bool] = False

    def cardinal(self, number: int, form: Form = "numbering") -> str:
        return super().cardinal(number, form).replace("trémila", "tremila")

    def day(self, number: int) -> str:
        return "primo" if number == 1 else self.cardinal(number)

    def singular(self, noun: str) -> str:
        """Plurals are told by their nouns' list; the endings of `feminine_endings` hold for both."""
        return noun

    def standing(self, written: str, before: str, after: str) -> str:
        form = self.form(written, before, after)
        if not self.is_one(written) or form == "numbering":
            return self.number(written)
        one = self._one(first_word(after), form)
        return one

    def _one(self, noun: str, form: Form) -> str:
        """ "un", "uno", "una", "un'" as the noun begins."""
        if form == "feminine":
            return f"un'{GLUE}" if re.match("[aeiou]", noun) else "una"
        return "uno" if re.match(r"z|s[^aeiou]|gn|ps|pn|x|y|i[aeou]", noun) else "un"

    def joined(self, number: str, name: str) -> str:
        if number in ("un", "una", "uno"):
            return f"{self._one(name, 'feminine' if number == 'una' else 'masculine')} {name}"
        return super().joined(number, name)

    def decade(self, number: int) -> str:
        return self.cardinal(number)

    def between(self, first: str, second: str, match: re.Match[str]) -> str:
        """A range climbs, a score need not; behind a preposition or an article "da" has no place."""
        before, after = match.string[: match.start()], match.string[match.end() :]
        word, low, high = last_word(before), _value(first), _value(second)
        if word in ("da", "dal", "dalle", "dai", "tra", "fra"):
            return f"{first} a {second}"
        if word in self.words.numbered and low < high and low < 1000:
            return f"da {first} a {second}"
        if word in self.words.score or low >= high:
            return f"{first} a {second}"
        if word in self.words.functions or low >= 1000 or not re.match(r"\s?[\w%€$]", after):
            return f"{first} {second}"
        return f"da {first} a {second}"

    @property
    def until(self) -> str:
        return "fino alle"

    def each(self, many: str | None, unit: str) -> str:
        if many:
            return super().each(many, unit)
        one, _, form = self.unit(unit) if unit in self.words.units else (unit, unit, None)
        if one[0] in "aeiou":
            return f"all'{GLUE} {one}"
        return f"alla {one}" if form == "feminine" or (form is None and self.is_feminine(one)) else f"al {one}"

    def elided(self) -> Iterator[Rule]:
        """ "l'1 maggio", "l'1/5" are "il primo maggio"."""
        yield (
            re.compile(
                rf"\b([Ll]|[Dd]el|[Aa]l|[Dd]al|[Nn]el)l?['’]\s?primo(?=\s(?:{alternatives(self.words.months)})\b)"
            ),
            lambda match: f"{_ARTICLES.get(match.group(1), match.group(1))} primo",
        )

    def fraction(self, above: int, below: int, after: str) -> str:
        noun = first_word(after)
        counted = self.counts(after)
        if (above, below) == (1, 2) and counted:
            if self.is_feminine(noun) and noun[0] in "aeiou":
                return f"mezz'{GLUE}"
            return "mezza" if self.is_feminine(noun) else "mezzo"
        said = super().fraction(above, below, after)
        return f"{said} di" if counted else said

    def denominator(self, below: int) -> tuple[str, str]:
        ordinal = self.ordinal(below)
        return ordinal, f"{ordinal[:-1]}i"

    def mixed(self, whole: str, above: int, below: int, noun: str) -> str:
        counted = noun and noun not in self.words.functions
        feminine = bool(counted) and (self.is_feminine(noun) or (whole != "1" and noun.endswith("e")))
        half = (above, below) == (1, 2)
        part = "e " + (("mezza" if feminine else "mezzo") if half else super().fraction(above, below, ""))
        if not counted:
            return f"{self.integer(whole)} {part} {noun}".strip()
        if whole == "1":
            return f"{self.joined('una' if feminine else 'un', self.one_of(noun))} {part}"
        return f"{self.integer(whole)} {noun} {part}"

    def one_of(self, nouns: str) -> str:
        if nouns.endswith("e"):
            return nouns[:-1] + "a" if self.is_feminine(nouns) else nouns
        return nouns[:-1] + "o" if nouns.endswith("i") else nouns

    def clock(self, hours: int, minutes: int, half: str, before: str, named: bool) -> str:
        said = "una" if hours == 1 else self.cardinal(hours)
        if minutes:
            if self.lasts(hours, before, named):
                said = "un'ora" if hours == 1 else f"{said} ore"
            said += f" e {self.cardinal(minutes)}"
        if half:
            said += " di mattina" if half == "am" else " di sera" if 6 <= hours < 12 else " del pomeriggio"
        return said

    def regnal(self, number: int, name: str) -> str:
        return self.ordinal(number, "feminine" if self.is_feminine(name) else "masculine")

    def roman_ordinal(self, number: int, before: str) -> str:
        return self.ordinal(number, "feminine" if self.is_feminine(before.strip()) else "masculine")

    def spelled_ordinal(self, number: int, suffix: str, before: str, after: str) -> str | None:
        suffix = suffix.lstrip(".")
        noun = first_word(after)
        if not number or suffix not in ("º", "ª", "°", "o", "a", "mo", "ma") or re.match(r"\s?[CF]\b", after):
            return None
        if self.is_degrees(suffix, before, after):
            return None
        feminine = suffix in ("ª", "a", "ma") or (
            suffix in "º°" and bool(noun) and noun not in self.words.functions and self.is_feminine(noun)
        )
        return self.ordinal(number, "feminine" if feminine else "masculine")

    def scaled(self, written: str, scale: str) -> str:
        return self.number(written, "masculine") if self.is_one(written) else self.number(written)


def _value(written: str) -> float:
    figures = re.sub(r"[^\d,.]", "", written).strip(",.").replace(",", ".")
    return float(figures) if re.fullmatch(r"\d+(?:\.\d+)?", figures) else 0.0
