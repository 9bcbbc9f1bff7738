"""A preposition before an article: 'de el' is 'del', 'in gli' is 'negli', 'à les' is 'aux'."""

from __future__ import annotations

import re

_ITALIAN_STEMS = {"di": "de", "a": "a", "da": "da", "in": "ne", "su": "su"}
_ITALIAN_ENDS = {"il": "l", "lo": "llo", "la": "lla", "l'": "ll'", "i": "i", "gli": "gli", "le": "lle"}
_JOINED: dict[str, dict[tuple[str, str], str]] = {
    "es": {("de", "el"): "del", ("a", "el"): "al"},
    "fr": {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
    | {("jusqu'à", "le"): "jusqu'au", ("en", "le"): "au", ("en", "les"): "dans les"},
    "it": {(p, a): stem + end for p, stem in _ITALIAN_STEMS.items() for a, end in _ITALIAN_ENDS.items()},
    "pt": {(p, a): stem + a for p, stem in (("de", "d"), ("em", "n")) for a in ("o", "a", "os", "as")}
    | {("a", "o"): "ao", ("a", "os"): "aos", ("a", "a"): "à", ("a", "as"): "às"}
    | {("por", a): f"pel{a}" for a in ("o", "a", "os", "as")},
}
_LAST_WORD = re.compile(r"(?<![\w'’])(\w+(?:['’]\w+)?) $")
_ARTICLE = re.compile(r"(?:(?P<elided>[lL]['’])(?=\w)|(?P<plain>\w+) )")


def contracted(before: str, phrase: str, language: str) -> str:
    """Both together; the phrase may begin with an article that goes into the preposition before it."""
    word, article = _LAST_WORD.search(before), _ARTICLE.match(phrase)
    if not word:
        return before + phrase
    name = ("l'" if article["elided"] else article["plain"].lower()) if article else ""
    joined = _JOINED.get(language, {}).get((word[1].lower(), name))
    if article and joined:
        joined = joined.capitalize() if word[1][0].isupper() else joined
        space = "" if joined.endswith("'") else " "
        return before[: word.start(1)] + joined + space + phrase[article.end() :]
    if language == "fr" and word[1].lower() == "de" and re.match(r"[aeiouéèêâh]", phrase, re.IGNORECASE):
        return before[: word.start(1)] + word[1][0] + "'" + phrase
    if language == "it" and word[1].lower() == "a" and phrase[:1].lower() == "a":
        return before[: word.end(1)] + "d " + phrase
    return before + phrase
