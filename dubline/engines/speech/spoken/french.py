"""French: "vingt et une heures", "une demi-tasse", "Louis quatorze", "un million d'euros"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from dubline.engines.speech.spoken.language import first_word
from dubline.engines.speech.spoken.numerals import GLUE, GROUPED, Form
from dubline.engines.speech.spoken.romance import Romance

if TYPE_CHECKING:
    from dubline.engines.speech.spoken.rules import Rule

_FIRST = re.compile(r"(er|ère|ere|re|nd|nde|de|e|è|ème|eme|ième|ieme|[º°])(s?)")


class French(Romance):
    code = "fr"
    marks: ClassVar[tuple[int, ...]] = (10, 20, 100)
    agrees: ClassVar[re.Pattern[str]] = re.compile(r"(?<!1)1$")
    roman_suffix: ClassVar[str] = r"(?:(?<=I)(?:ers?|ère|re)|(?<=II)nde?|es?|ème)"

    def is_one(self, written: str) -> bool:
        """All below two is in the singular."""
        return float(written.lstrip(GROUPED).replace(",", ".")) < 2

    def form(self, written: str, before: str, after: str) -> Form:
        noun = first_word(after)
        if noun.startswith(("d'", "d’")):
            return "numbering"
        return super().form(written, before, after)

    def standing(self, written: str, before: str, after: str) -> str:
        if written == "1001" and first_word(after) == "nuits":
            return "mille et une"
        return super().standing(written, before, after)

    def day(self, number: int) -> str:
        return "premier" if number == 1 else self.cardinal(number)

    def decimals(self, digits: str) -> str:
        return self.cardinal(int(digits)) if len(digits) < 4 and digits[0] != "0" else self._late_decimals(digits)

    def _late_decimals(self, digits: str) -> str:
        """Zeros first, then what is left as one number."""
        rest = digits.lstrip("0")
        zeros = ["zéro"] * (len(digits) - len(rest))
        return " ".join(
            [*zeros, self.cardinal(int(rest))] if rest and len(rest) < 4 else [self.numerals.digits(digits)]
        )

    def fraction(self, above: int, below: int, after: str) -> str:
        noun = first_word(after)
        counted = self.counts(after)
        if (above, below) == (1, 2):
            if counted:
                return f"{'une' if self.is_feminine(noun) else 'un'} demi"
            return "une demi" if re.match(r"-\w*[ea]\b", after) else "un demi"
        said = super().fraction(above, below, after)
        return self.counting(said, after) if counted else said

    def mixed(self, whole: str, above: int, below: int, noun: str) -> str:
        counted = noun and noun not in self.words.functions
        feminine = bool(counted) and self.is_feminine(noun)
        if (above, below) == (1, 2):
            part = "et demie" if feminine else "et demi"
        else:
            part = f"et {super().fraction(above, below, '')}"
        number = self.integer(whole, "feminine" if feminine else "masculine")
        return f"{number} {noun} {part}" if counted else f"{number} {part} {noun}".strip()

    def clock(self, hours: int, minutes: int, half: str, before: str, named: bool) -> str:
        said = f"{self.cardinal(hours, 'feminine')} {'heure' if hours < 2 else 'heures'}"
        if minutes:
            said += f" {self.cardinal(minutes)}"
        if half:
            said += " du matin" if half == "am" else " du soir" if 6 <= hours < 12 else " de l'après-midi"
        return said

    def million_of(self, name: str) -> str:
        return f"d'{name}" if re.match(r"[aeéèêiouyhœ]", name) and not name.startswith("yen") else f"de {name}"

    def counting(self, said: str, after: str) -> str:
        return f"{said} d'{GLUE}" if self.million_of(first_word(after)).startswith("d'") else f"{said} de"

    def named_dates(self) -> Iterator[Rule]:
        """Also "7j/7", "24h/24" and "XVIIIe s."."""
        yield from super().named_dates()
        yield re.compile(r"(?<=[IVX]e)\ss\.(?!\w)"), lambda _: " siècle"
        yield (
            re.compile(r"(?<![\w.,])(7|24|12)\s?(j|jours|h|heures)\s?/\s?(7|24)(?!\w)"),
            lambda match: f"{match.group(1)} {'jours' if match.group(2)[0] == 'j' else 'heures'} sur {match.group(3)}",
        )

    def elided(self) -> Iterator[Rule]:
        yield re.compile(r"\b([dD]|[qQ]u|[jJ]usqu)e (?=une?\b)"), lambda match: f"{match.group(1)}'"

    def repeated(self, written: str, before: str, after: str) -> str:
        return f"{self.words.fold[1]} {self.number(written)}"

    def cents(self, whole: str, part: str, currency: tuple[str, ...]) -> str:
        """ "trois euros cinquante"; what is below ten is named."""
        number, _, _ = part.rpartition(" ")
        return f"{whole} {number}" if self.large_cents(number) else f"{whole} et {part}"

    def large_cents(self, number: str) -> bool:
        return number not in {self.cardinal(n) for n in range(10)}

    def regnal(self, number: int, name: str) -> str:
        return ("première" if self.is_feminine(name) else "premier") if number == 1 else self.cardinal(number)

    def roman_before(self, number: int, noun: str) -> str | None:
        return None

    def spelled_ordinal(self, number: int, suffix: str, before: str, after: str) -> str | None:
        found = _FIRST.fullmatch(suffix.lstrip(".-"))
        if not found or not number or (suffix in "º°" and number > 1):
            return None
        kind, many = found.groups()
        if kind in ("nd", "nde", "de"):
            said = "second" if kind == "nd" else "seconde"
        else:
            feminine = kind in ("re", "ère", "ere") or (kind == "e" and self.is_feminine(first_word(after)))
            said = self.ordinal(number, "feminine" if feminine else "masculine")
        return said + many

    def phone_group(self, digits: str) -> str:
        """Two by two, as numbers."""
        if len(digits) == 3:
            return self.integer(digits)
        pairs = [digits[max(0, i - 2) : i] for i in range(len(digits), 0, -2)]
        return " ".join(self.integer(pair) for pair in reversed(pairs))
