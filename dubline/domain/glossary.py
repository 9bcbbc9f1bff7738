"""Terms that a person wants translated one way, or not at all.

A term is found as whole words, whatever its case, the longest first. Scripts that put no space between words (Chinese,
Japanese, Thai, Lao, Khmer, Burmese) have no word edges to look at: there a term is found wherever its characters stand.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from dubline.domain.errors import InvalidRequest, UnsupportedLanguage
from dubline.domain.languages import language as known_language

KEEP = "keep"
"""Stands in a glossary for: leave the term as it is in the source."""
TERM, ANY = "term", "translation"
"""Column names: the term, and its translation in every language that has no column of its own."""

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_EDGE = rf"[^\W{_UNSPACED}]"
"""A letter or digit of a script that puts spaces between words."""


# Forms show the metadata of fields.
@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase that is always translated alike."""

    source: str = field(metadata={"description": "The term, as it is said in the source."})
    target: str | None = field(
        metadata={"description": "Its fixed translation; None leaves the term as the source has it."}
    )
    language: str | None = field(
        default=None, metadata={"description": "The target language that it is for; all of them when not given."}
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A term where it stands in a text, as `text[start:end]`."""

    start: int
    end: int
    term: Term


@dataclass(frozen=True, slots=True)
class Glossary:
    """Terms with their fixed translations."""

    terms: tuple[Term, ...] = field(
        default=(), metadata={"description": "Each term once; one for a single target language wins over one for all."}
    )

    def speaking(self, language: str) -> Glossary:
        """The terms for one target language; those of that language alone win over those for all."""
        chosen: dict[str, Term] = {}
        for term in sorted(self.terms, key=lambda term: term.language is not None):
            if term.language in (None, language):
                chosen[normal(term.source).casefold()] = term
        return Glossary(tuple(chosen.values()))

    def within(self, texts: Sequence[str]) -> Glossary:
        """The terms that occur in one of the texts."""
        used = {found.term for text in texts for found in self.find(text)}
        return Glossary(tuple(term for term in self.terms if term in used))

    def find(self, text: str) -> tuple[Found, ...]:
        """Where terms stand in a text that is in Unicode's composed form, in order; none overlaps another."""
        longest_first = sorted(self.terms, key=lambda term: -len(term.source))
        taken: list[Found] = []
        for term in longest_first:
            for match in _pattern(term.source).finditer(text):
                if all(match.end() <= other.start or other.end <= match.start() for other in taken):
                    taken.append(Found(match.start(), match.end(), term))
        return tuple(sorted(taken, key=lambda found: found.start))

    def missed(self, source: str, target: str) -> tuple[str, ...]:
        """What a translation should hold and does not: the wording of each term, as often as the source asks for it."""
        source, target = normal(source), normal(target)
        wanted = [wording(source, found) for found in self.find(source)]
        counts = {text.casefold(): sum(text.casefold() == other.casefold() for other in wanted) for text in wanted}
        # A short wording is not to be found inside a longer one: look for the longest first and strike it out.
        missing = set()
        for text in sorted(counts, key=len, reverse=True):
            target, found = _pattern(text).subn("\0", target)
            if found < counts[text]:
                missing.add(text)
        return tuple(dict.fromkeys(text for text in wanted if text.casefold() in missing))


NO_GLOSSARY = Glossary()


def wording(text: str, found: Found) -> str:
    """How a term that was found in the source is to stand in the translation."""
    return text[found.start : found.end] if found.term.target is None else normal(found.term.target)


def normal(text: str) -> str:
    """Composed characters (NFC), so that an accent is written one way."""
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=4096)
def _pattern(term: str) -> re.Pattern[str]:
    """Whole words, in any case, with any white space where the term has some."""
    text = normal(term)
    body = r"\s+".join(re.escape(word) for word in text.split())
    before = rf"(?<!{_EDGE})" if re.match(_EDGE, text) else ""
    after = rf"(?!{_EDGE})" if re.match(_EDGE, text[-1]) else ""
    return re.compile(before + body + after, re.IGNORECASE)


class Collector:
    """Gathers a glossary's entries and says which line is wrong. `name` is the file's, for messages."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._terms: dict[tuple[str, str | None], tuple[Term, int]] = {}

    def add(self, source: str, target: str, language: str | None, line: int) -> None:
        """Raises InvalidRequest for an empty term or translation, an unknown language, or a term given twice."""
        source, target = " ".join(source.split()), " ".join(target.split())
        if not re.search(r"\w", source):
            raise self.broken(line, "has no term", "write the words to look for first")
        if not target:
            raise self.broken(
                line, f"has no translation for '{source}'", f"write one, or '{KEEP}' to leave it as it is"
            )
        if language is not None:
            self.require_language(language, line)
        key = (normal(source).casefold(), language)
        if key in self._terms:
            raise self.broken(line, f"has '{source}' again, after line {self._terms[key][1]}", "remove one of them")
        self._terms[key] = (Term(source, None if target.casefold() == KEEP else target, language), line)

    def require_language(self, code: str, line: int) -> None:
        try:
            known_language(code)
        except UnsupportedLanguage as error:
            raise self.broken(line, f"names a language that is none ({str(error).rstrip('.')})", "correct it") from None

    def broken(self, line: int, what: str, remedy: str) -> InvalidRequest:
        return InvalidRequest(f"Glossary {self._name}, line {line}, {what}; {remedy}.")

    def glossary(self) -> Glossary:
        return Glossary(tuple(term for term, _ in self._terms.values()))


def parse_csv(text: str, name: str) -> Glossary:
    """Read a table with a column `term`, and `translation` or one column for each target language, such as `es`.

    Columns are parted by comma, semicolon or tab, whichever the first line uses. Empty cells of a language's column
    fall back on `translation`. Raises InvalidRequest that names file and line.
    """
    collector = Collector(name)
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=True)
    columns: list[str] | None = None
    line = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                if columns is None:
                    columns = _columns(cells, collector, line)
                else:
                    _read_row(cells, columns, collector, line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise collector.broken(line, f"is not a line of a table ({error})", "mend its quotes") from None
    return collector.glossary()


def _columns(cells: list[str], collector: Collector, line: int) -> list[str]:
    columns = [cell.lower() for cell in cells]
    if columns[0] != TERM or len(columns) < 2 or len(set(columns)) < len(columns):
        raise collector.broken(line, "does not name the columns", f"write '{TERM},{ANY}' or '{TERM},es,fr' there")
    for column in columns[1:]:
        if column != ANY:
            collector.require_language(column, line)
    return columns


def _read_row(cells: list[str], columns: list[str], collector: Collector, line: int) -> None:
    if len(cells) > len(columns):
        what = f"has {len(cells)} cells where there are {len(columns)} columns"
        raise collector.broken(line, what, "quote a cell that holds the separator")
    given = [(column, cell) for column, cell in zip(columns[1:], cells[1:], strict=False) if cell]
    if not given:
        collector.add(cells[0], "", None, line)
    for column, cell in given:
        collector.add(cells[0], cell, None if column == ANY else column, line)
