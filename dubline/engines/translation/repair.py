"""What rule-based translation leaves rough: marks, spacing, case, and the punctuation of the target language."""

from __future__ import annotations

import re
from functools import lru_cache

from dubline.domain.languages import LANGUAGES
from dubline.engines.translation.sentences import sentences
from dubline.engines.translation.written.table import words

# Apertium's marks: * the word is in no dictionary, @ it has no translation, # it could not be inflected.
_MARKED = re.compile(r"(?<![\w@#*])[*@#]+(?=\w)|(?<=['’])[*@#]+(?=\w)")
_UNKNOWN = re.compile(r"(?<![\w@#*])[*@]+([\w'’-]+)")
_ENGLISH_I = re.compile(r"(?<![\w.'’])i(?![\w.])")
_NO_BREAK_SPACE = "\u00a0"
_DOUBLED = re.compile(r"\b(\w+) \1(?![\w@-])", re.IGNORECASE)
_OPENING_MARKS = frozenset(("es", "ast", "gl"))
"""Languages that may open a question with a mark; what a pivot leaves of it in others is dropped."""
_OPENING = "\"'“‘«¿¡(["
_QUESTION_WORDS = {
    "que": "qué",
    "como": "cómo",
    "cuando": "cuándo",
    "donde": "dónde",
    "quien": "quién",
    "quienes": "quiénes",
    "cual": "cuál",
    "cuales": "cuáles",
    "cuanto": "cuánto",
    "cuanta": "cuánta",
    "cuantos": "cuántos",
    "cuantas": "cuántas",
}
_ASKING = re.compile(
    rf"[,:;]\s+(?=(?:por qué|{'|'.join(_QUESTION_WORDS.values())})\b|(?:no|verdad|eh|vale)\?)", re.IGNORECASE
)
"""Where a question begins inside a Spanish sentence: at a question word, or at a tag."""


_LEAD = r"(?:sí|no|bien|vale|bueno|hola|oh|ah|uh|um|hm+|mm+|pues|entonces|oye|gracias|adiós)"
_LEADING = re.compile(rf"(?:{_LEAD}, )+", re.IGNORECASE)
"""Words before a question or an exclamation that are no part of it."""


def unknown_words(marked: str) -> tuple[str, ...]:
    """Words that carry the mark of an unknown one, or of one without translation."""
    return tuple(dict.fromkeys(_UNKNOWN.findall(marked)))


def unmarked(text: str, source: str) -> str:
    """Without the engine's marks; a word that has such a sign in the source (`#one`, `@home`) keeps it."""

    def strip(match: re.Match[str]) -> str:
        word = re.match(r"\S+", text[match.end() :])
        return match.group()[-1] if word and match.group()[-1] + word.group().strip(".,!?;:") in source else ""

    return _MARKED.sub(strip, text)


def repaired(text: str, source: str, language: str) -> str:
    """The translation in the target language's spelling, with the case and the sentences of its source."""
    text = _spaced(unmarked(text, source))
    if not _DOUBLED.search(source):
        text = _DOUBLED.sub(r"\1", text)
    if language not in _OPENING_MARKS:
        text = re.sub("[¿¡]", "", text)
    text = text.upper() if _shouted(source) else _cased(text, source, language)
    if language == "es":
        text = " ".join(_spanish_marks(sentence) for sentence in sentences(text))
    if language == "en":
        text = _ENGLISH_I.sub("I", text)
    return _french_spaces(text) if language == "fr" else text


def _spaced(text: str) -> str:
    """One space between words, none before a stop or inside brackets and quotes."""
    text = " ".join(text.split())
    text = re.sub(r"\s+([,.;:!?…)\]](?![\w]))", r"\1", text)
    text = re.sub(r"([(\[¿¡])\s+", r"\1", text)
    return re.sub(r'"\s*([^"]*?)\s*"', r'"\1"', text)


def _shouted(text: str) -> bool:
    """Whether a text of several words is all in capitals."""
    return text.isupper() and len(re.findall(r"[^\W\d_]{2,}", text)) > 1


def _cased(text: str, source: str, language: str) -> str:
    said, rendered = sentences(source), sentences(text)
    if len(said) != len(rendered):
        return " ".join(
            _begin(sentence, upper=index > 0 or not _starts_low(source)) for index, sentence in enumerate(rendered)
        )
    pairs = zip(rendered, said, strict=True)
    return " ".join(
        _begin(_calmed(sentence, original, language), upper=not _starts_low(original)) for sentence, original in pairs
    )


def _starts_low(text: str) -> bool:
    return text.lstrip(_OPENING + "-–—… .")[:1].islower()


def _begin(sentence: str, upper: bool) -> str:
    """With a capital at the start, or without one."""
    at = next((i for i, c in enumerate(sentence) if c.isalnum()), None)
    if at is None:
        return sentence
    first = re.match(r"\w+", sentence[at:])
    if not upper and first and len(first.group()) > 1 and first.group().isupper():
        return sentence
    return sentence[:at] + (sentence[at].upper() if upper else sentence[at].lower()) + sentence[at + 1 :]


def _calmed(sentence: str, source: str, language: str) -> str:
    """Without capitals inside the sentence that the source has not: engines carry that of the first word on.

    Where the source has names or abbreviations, only short words are known not to be one of them.
    """
    names = {word.lower() for word in re.findall(r"(?<=\s)\W*(?!I\b)([A-ZÀ-Þ][\w-]*)", source)}
    longest = 3 if names or re.search(r"[A-Z]{2}", source) else len(sentence)

    def calm(match: re.Match[str]) -> str:
        word = match.group()
        if language == "en" and word in _english_capitals():
            return word
        return word.lower() if word.istitle() and len(word) <= longest and word.lower() not in names else word

    first, space, rest = sentence.partition(" ")
    return first + space + re.sub(r"(?<!\S)\w+", calm, rest)


@lru_cache(maxsize=1)
def _english_capitals() -> frozenset[str]:
    """Months, weekdays and languages, which have a capital in English alone."""
    table = words("en")
    names = {*table.months, *table.weekdays} if table else set[str]()
    return frozenset(names | {word for language in LANGUAGES.values() for word in language.name.split()})


def _spanish_marks(sentence: str) -> str:
    """Open what a question or an exclamation mark closes (Ortografía de la lengua española, RAE 2010, III 3.4.9)."""
    closing = re.search(r"([!?]+)[\"'”’)»]*$", sentence)
    if not closing or "¿" in sentence or "¡" in sentence:
        return sentence
    mark = "¿" if "?" in closing.group(1) else "¡"
    at = next((i for i, c in enumerate(sentence) if c.isalnum()), 0)
    if mark == "¿":
        clauses = [match.end() for match in _ASKING.finditer(sentence)]
        lead = _LEADING.match(sentence, at)
        at = clauses[-1] if clauses else lead.end() if lead else at
    rest = sentence[at:]
    first = re.match(r"\w+", rest)
    if mark == "¿" and first and (accented := _QUESTION_WORDS.get(first.group().lower())):
        rest = (accented.capitalize() if rest[0].isupper() else accented) + rest[first.end() :]
    return sentence[:at] + mark + rest


def _french_spaces(text: str) -> str:
    """A space that does not break before the tall marks (Lexique des règles typographiques, Imprimerie nationale)."""
    text = re.sub(r"(?<=\w)\s*([!?;]+)", rf"{_NO_BREAK_SPACE}\1", text)
    return re.sub(r"(?<=[^\W\d])\s*:(?=\s|$)", f"{_NO_BREAK_SPACE}:", text)
