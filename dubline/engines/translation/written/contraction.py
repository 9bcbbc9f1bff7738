"""A preposition before an article: 'de el' is 'del', 'in gli' is 'negli', 'à les' is 'aux'."""

from __future__ import annotations

import re

_ITALIAN_STEMS = {"di": "de", "a": "a", "da": "da", "in": "ne", "su": "su"}
_ITALIAN_ENDS = {"il": "l", "lo": "llo", "la": "lla", "l'": "ll'", "i": "i", "gli": "gli", "le": "lle"}
_JOINED: dict[str, dict[tuple[str, str], str]] = {
    "es": {("de", "el"): "del", ("a", "el"): "al"},
    "fr": {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
    | {
        ("jusqu'à", "le"): "jusqu'au",
        ("en", "le"): "au",
        ("en", "les"): "dans les",
        ("en", "la"): "à la",
        ("en", "l'"): "à l'",
    },
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


_ITALIAN_PAIR = re.compile(r"\b(di|a|da|in|su) (?:(il|lo|la|i|gli|le) |(l['’]))", re.IGNORECASE)
_BEFORE_S = re.compile(r"\b(i|dei|ai|dai|nei|sui) (?=(?:s[bcdfglmnpqrtv]|z|gn|ps)[a-zàèéìòù])", re.IGNORECASE)
_GLI = {"i": "gli", "dei": "degli", "ai": "agli", "dai": "dagli", "nei": "negli", "sui": "sugli"}


def joined(text: str) -> str:
    """Italian with its prepositions and articles in one word, and 'gli' before such words as 'stati'."""

    def one(match: re.Match[str]) -> str:
        article = (match[2] or "l'").lower()
        word = _JOINED["it"][match[1].lower(), article]
        word = word.capitalize() if match[1][0].isupper() else word
        return word if match[3] else word + " "

    def gli(match: re.Match[str]) -> str:
        word = _GLI[match[1].lower()]
        return (word.capitalize() if match[1][0].isupper() else word) + " "

    return _BEFORE_S.sub(gli, _ITALIAN_PAIR.sub(one, text))
