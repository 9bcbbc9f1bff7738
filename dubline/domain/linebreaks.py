"""Where a subtitle's text may break, and how well: words, line widths, and the cost of each place.

The order of preference is that of the "Line Treatment" section of Netflix' Timed Text Style Guide: after punctuation,
before conjunctions and prepositions, never between a word and the little word that leads on to it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from dubline.domain.cues import CueLimits

_SPACE = re.compile(r"[^\S\u00a0\u202f]+")  # a no-break space holds French punctuation to its word
SENTENCE_END = re.compile(r"[.?!…。？！।॥؟۔][\"'”’»)\]」』）]*$")
_CLAUSE_END = re.compile(r"[,;:，、；：،؛—–][\"'”’»)\]」』）]*$")
_HANGING = re.compile(r"[?!:;%»…।॥؟،؛.,]+")
_OPENING = "「『（〈《【〔“‘(\\[{"
_CLOSING = "、。，．！？!?」』）〉》】〕”’)\\]}…‥ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ：；:;,."
_IDEOGRAPH = "\u3040-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_KATAKANA = "\u30a0-\u30ff\uff66-\uff9f"
_CJK_UNIT = re.compile(
    f"[{_OPENING}]*(?:[{_KATAKANA}]+|[^{_IDEOGRAPH}{_KATAKANA}{_OPENING}{_CLOSING}]+|.)[{_CLOSING}]*", re.DOTALL
)
"""A character, a katakana word or a run of another script, with the marks that may not be parted from it."""
_LEADING_VOWEL = "\u0e40-\u0e44\u0ec0-\u0ec4"
_THAI_UNIT = re.compile(f"[{_LEADING_VOWEL}]?(?:[^{_LEADING_VOWEL}])*")
"""Thai and Lao have no spaces between words; a vowel that is written before its consonant always begins a syllable."""
_THAI = frozenset(("th", "lo"))
_CLUSTER = re.compile(".[ะาำๅๆฯະາຳໆຯ]{0,2}", re.DOTALL)
"""A character with the letters that continue its syllable in Thai and Lao."""

_BREAK_BEFORE = {
    "ca": "i o però que perquè quan si on com de del dels a al als amb en per sense sobre entre des",
    "de": "und oder aber dass weil wenn als ob wo wie denn in im an am auf mit von vom zu zum zur für aus nach über",
    "en": "and or but that because when if while where who which so than as of to in on at with for from by about into",
    "es": "y e o u pero que porque cuando si donde como de del a al en con por para sin sobre entre desde hasta",
    "fr": "et ou mais que parce quand si où comme de du des à au aux en dans avec pour par sans sur chez depuis",
    "it": "e o ma che perché quando se dove come di del della dei a al alla in nel nella con per senza su tra da dal",
    "pt": "e ou mas que porque quando se onde como de do da dos das a ao à em no na com por para sem sobre entre desde",
}
_NEVER_AFTER = {
    "ca": "el la els les un una uns unes el meu la meva no jo tu ell ella molt més em et es ha he",
    "de": "der die das den dem des ein eine einen einem einer kein mein dein sein nicht ich du er sie es wir ihr sehr",
    "en": "the a an my your his her its our their this these those no not i you he she it we they is are was very",
    "es": "el la los las un una unos unas mi tu su mis tus sus este esta no yo tú él ella me te se lo le muy más es",
    "fr": "le la les un une mon ma mes ton ta tes son sa ses ce cette ne je tu il elle on nous vous me te se très plus",
    "it": "il lo la i gli le un uno una mio mia tuo suo questo questa non io tu lui lei mi ti si ci vi molto più è ha",
    "pt": "o os as um uma uns umas meu minha seu sua este esta não eu tu ele ela me te se lhe muito mais é há",
}
_HIRAGANA = frozenset(map(chr, range(0x3041, 0x3097)))
_PARTICLES = frozenset("はがをにでともへの")
"""A Japanese phrase ends with its particle, and an inflection continues in hiragana."""
_LEADING = {code: frozenset(words.split()) for code, words in _BREAK_BEFORE.items()}
_HOLDING = {code: frozenset(words.split()) | _LEADING[code] for code, words in _NEVER_AFTER.items()}


@dataclass(frozen=True, slots=True)
class Token:
    """Text that stays on one line."""

    text: str
    spaced: bool
    """White space stands before it, unless it begins a line."""
    width: float


def cleaned(text: str) -> str:
    """The text with single spaces, without control characters and halves of surrogate pairs."""
    kept = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in {"Cc", "Cs"})
    return _SPACE.sub(" ", kept).strip()


def tokens(text: str, limits: CueLimits) -> tuple[Token, ...]:
    """Cut a text where lines may break; a word that is wider than a line is cut at the line's width."""
    result: list[Token] = []
    for word in cleaned(text).split(" "):
        if result and _HANGING.fullmatch(word) and result[-1].width + 1 + limits.width(word) <= limits.line_width:
            result[-1] = _token(f"{result[-1].text} {word}", result[-1].spaced, limits)
            continue
        units = _units(word, limits)
        pieces = [piece for unit in units for piece in _cut(unit, limits)]
        result += [_token(piece, place == 0, limits) for place, piece in enumerate(pieces)]
    return tuple(result)


def _token(text: str, spaced: bool, limits: CueLimits) -> Token:
    return Token(text, spaced, limits.width(text))


def _units(word: str, limits: CueLimits) -> list[str]:
    if limits.full_width:
        return _CJK_UNIT.findall(word)
    if limits.language in _THAI:
        return [unit for unit in _THAI_UNIT.findall(word) if unit]
    return [word]


def _cut(unit: str, limits: CueLimits) -> Iterator[str]:
    piece, used = "", 0.0
    for cluster in _CLUSTER.findall(unit):
        width = limits.width(cluster)
        if piece and used + width > limits.line_width:
            yield piece
            piece, used = "", 0.0
        piece, used = piece + cluster, used + width
    if piece:
        yield piece


def joined(line: Sequence[Token]) -> str:
    return "".join((" " if token.spaced and place else "") + token.text for place, token in enumerate(line))


def break_cost(before: Token, after: Token, language: str) -> int:
    """0 (a sentence ends) to 6 (an article would be left hanging, or a word may be cut)."""
    if SENTENCE_END.search(before.text):
        return 0
    if _CLAUSE_END.search(before.text):
        return 1
    if language in _THAI:
        return 2 if after.spaced else 6
    if language == "ja":
        return 6 if after.text[0] in _HIRAGANA else 2 if before.text[-1] in _PARTICLES else 4
    if before.text.lower() in _HOLDING.get(language, ()):
        return 6
    return 2 if after.text.lower() in _LEADING.get(language, ()) else 4


class Ruler:
    """Measures any stretch of a text at once: how wide it is, where its line breaks best."""

    def __init__(self, text: Sequence[Token], limits: CueLimits) -> None:
        self._text, self._limits = text, limits
        self._space = 0.5 if limits.full_width else 1.0
        self._ends = [0.0, *accumulate(token.width + self._space * token.spaced for token in text)]
        self.break_costs = [0, *(break_cost(one, other, limits.language) for one, other in pairwise(text)), 0]
        """Of the place before each token."""

    def space(self, place: int) -> float:
        """Characters that the white space before a token takes."""
        return self._space if self._text[place].spaced else 0.0

    def width(self, start: int, stop: int) -> float:
        """Characters that tokens `start` to `stop` take on one line."""
        return self._ends[stop] - self._ends[start] - self.space(start) if start < stop else 0.0

    def reach(self, start: int) -> int:
        """Where a line that begins at token `start` ends at the latest."""
        return bisect_right(self._ends, self._ends[start] + self.space(start) + self._limits.line_width) - 1

    def line_break(self, start: int, stop: int) -> int | None:
        """The token that best begins a second line of like length; None where two lines cannot hold the text."""
        best: tuple[float, int] | None = None
        for at in range(min(self.reach(start), stop - 1), start, -1):
            upper, lower = self.width(start, at), self.width(at, stop)
            if lower > self._limits.line_width:
                break
            cost = 3 * self.break_costs[at] + abs(upper - lower) + (upper > lower)
            best = min(best or (cost, at), (cost, at))
        return best[1] if best else None


def wrapped(text: Sequence[Token], limits: CueLimits) -> tuple[str, ...] | None:
    """One line where it fits, else two of like length broken at the best place, else None."""
    ruler = Ruler(text, limits)
    if ruler.width(0, len(text)) <= limits.line_width:
        return (joined(text),)
    at = ruler.line_break(0, len(text))
    return (joined(text[:at]), joined(text[at:])) if at else None


def poured(text: Sequence[Token], limits: CueLimits) -> tuple[str, ...]:
    """As many lines as it takes, each as full as it can be: for text that must be shown though it is too much."""
    lines: list[list[Token]] = []
    for token in text:
        longer = [*lines[-1], token] if lines else []
        if longer and Ruler(longer, limits).width(0, len(longer)) <= limits.line_width:
            lines[-1].append(token)
        else:
            lines.append([token])
    return tuple(joined(line) for line in lines)
