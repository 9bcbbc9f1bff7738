"""Spanish: "doscientas mil personas", "veintiún años", "Luis catorce", "las siete de la tarde"."""

from __future__ import annotations

import re
from typing import ClassVar

from dubline.engines.speech.spoken.language import first_word
from dubline.engines.speech.spoken.numerals import Form
from dubline.engines.speech.spoken.romance import Romance

_MILLIONS = re.compile(r"(.*\bmill(?:ón|ones)\b)?(.*)", re.DOTALL)
_ORDINAL = re.compile(r"\.?(?:[ºª]s?|°|er|[rdtvmn]?[oa]s?)")


class Spanish(Romance):
    code = "es"
    phone_pattern: ClassVar[str] = r"[6789]\d\d \d{3} \d{3}"
    agrees: ClassVar[re.Pattern[str]] = re.compile(r"(?:(?<!1)1|[2-9]\d\d|[2-9]\d\d000)$|[2-9]\d\d\d{3}$")

    def cardinal(self, number: int, form: Form = "numbering") -> str:
        said = super().cardinal(number, form)
        if form != "feminine":
            return said
        large, rest = _MILLIONS.fullmatch(said).groups()  # type: ignore[union-attr]  # both parts may be empty
        return (large or "") + rest.replace("cientos", "cientas").replace("quinientos", "quinientas").replace(
            " un mil", " una mil"
        )

    def denominator(self, below: int) -> tuple[str, str]:
        if below == 100:
            return "centésimo", "centésimos"
        stem = self.cardinal(below).replace(" y ", "i").replace(" ", "").replace("é", "e").removesuffix("a")
        return f"{stem}avo", f"{stem}avos"

    def fraction(self, above: int, below: int, after: str) -> str:
        noun = first_word(after)
        if (
            (above, below) == (1, 2)
            and noun
            and noun not in self.words.functions
            and noun not in self.words.scale_words
        ):
            return "media" if self.is_feminine(noun) else "medio"
        if noun.startswith("parte") and below > 2:
            parts = self.ordinal(below, "feminine")
            return f"{self.cardinal(above, 'feminine')} {parts if above == 1 else f'{parts}s'}"
        said = super().fraction(above, below, after)
        return f"{said} de" if self.counts(after) else said

    def mixed(self, whole: str, above: int, below: int, noun: str) -> str:
        half = (above, below) == (1, 2)
        noun = self.one_of(noun) if whole == "1" else noun
        if not noun or noun in self.words.functions:
            part = "medio" if half else super().fraction(above, below, "")
            return f"{self.integer(whole)} y {part} {noun}".strip()
        feminine = self.is_feminine(noun)
        part = ("media" if feminine else "medio") if half else super().fraction(above, below, "")
        return f"{self.integer(whole, 'feminine' if feminine else 'masculine')} {noun} y {part}"

    def clock(self, hours: int, minutes: int, half: str, before: str, named: bool) -> str:
        said = self.cardinal(hours, "feminine")
        if minutes:
            if self.lasts(hours, before, named):
                said += " hora" if hours == 1 else " horas"
            said += f" {self.cardinal(minutes)}" if minutes > 9 else f" y {self.cardinal(minutes)}"
        elif named or (hours > 12 or hours == 0):
            said += " hora" if hours == 1 else " horas"
        if half:
            said += " de la " + ("mañana" if half == "am" else "noche" if 8 <= hours < 12 else "tarde")
        return said

    def roman_before(self, number: int, noun: str) -> str | None:
        said = super().roman_before(number, noun)
        return said if said is None or self.is_feminine(noun) else self._before_noun(number, said)

    def _before_noun(self, number: int, ordinal: str) -> str:
        """ "tercer", "primer"."""
        return ordinal.removesuffix("o") if number % 10 in (1, 3) and number not in (11, 13) else ordinal

    def sign(self, sign: str, before: str, after: str) -> str:
        if sign == "&" and re.match(r"\s*h?i(?!e)", after, re.IGNORECASE):
            return "e"
        return super().sign(sign, before, after)

    def one_of(self, nouns: str) -> str:
        return re.sub(r"(?<=[lnrdjzs])es$|s$", "", nouns)

    def spelled_ordinal(self, number: int, suffix: str, before: str, after: str) -> str | None:
        if not _ORDINAL.fullmatch(suffix) or not number or re.match(r"\s?[CF]\b", after):
            return None
        suffix = suffix.lstrip(".")
        noun = first_word(after)
        if self.is_degrees(suffix, before, after):
            return None
        feminine = suffix.endswith(("ª", "ªs", "a", "as"))
        said = self.ordinal(number, "feminine" if feminine else "masculine")
        before_noun = suffix == "er" or (suffix in "º°" and len(noun) > 1 and noun not in self.words.functions)
        if not feminine and before_noun:
            said = self._before_noun(number, said)
        return said + "s" if suffix.endswith("s") else said
