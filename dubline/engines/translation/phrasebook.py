"""Set phrases of conversation: sentences like 'Nice to meet you.', of which word by word nothing is left."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

import yaml

from dubline.domain.glossary import Glossary, Term

_SENTENCE = re.compile(r"[\s\"'“‘«¿¡]*(?P<body>.*?[\w'’])\s*(?P<stop>[.!?…]+)", re.DOTALL)
_COMMA = re.compile(r",\s+")


def said(sentence: str, source: str, target: str) -> str | None:
    """The sentence in the target language if all of its clauses are set phrases, else None.

    A text without a stop may go on in the next one, and is none.
    """
    match = _SENTENCE.fullmatch(sentence.strip())
    if not match:
        return None
    book = _book("sentences", source, target)
    clauses = [book.get(_plain(clause)) for clause in _COMMA.split(match["body"])]
    if None in clauses:
        return None
    text = ", ".join(filter(None, clauses))
    return f"{text[:1].upper()}{text[1:]}{match['stop']}"


def _plain(text: str) -> str:
    return " ".join(text.replace("’", "'").casefold().split())


def inside(source: str, target: str) -> Glossary:
    """The set phrases that stand inside other sentences, too, as terms to be found there."""
    return Glossary(tuple(Term(phrase, wording) for phrase, wording in _book("inside", source, target).items()))


@lru_cache(maxsize=16)
def _book(part: str, source: str, target: str) -> dict[str, str]:
    """From each wording of the source language to the first one of the target; the first entry that has it counts."""
    book: dict[str, str] = {}
    for entry in _entries()[part]:
        for wording in entry.get(source, ()) if target in entry else ():
            book.setdefault(_plain(wording), entry[target][0])
    return book


@lru_cache(maxsize=1)
def _entries() -> dict[str, list[dict[str, list[str]]]]:
    text = files(__package__).joinpath("phrasebook.yaml").read_text(encoding="utf-8")
    entries: dict[str, list[dict[str, list[str]]]] = yaml.safe_load(text)
    return entries
