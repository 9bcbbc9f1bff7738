"""Apertium: rule-based translation from Debian packages, offline and quick.

Its rules need help with speech: set phrases have a phrasebook, and what else goes in is made plain first
(`spoken_english`); what comes out is put right afterwards (`repair`, `spanish`), people's names and the set phrases
inside sentences are honoured like a glossary's terms (`honour`). A pair without a package of its own goes through other
languages (`apertium_modes`).

Neighbouring text is context where it helps: a text that breaks off before its sentence ends is translated together with
the text that continues it, a line break between them, which Apertium carries through.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from dubline.domain.errors import EngineFailed, UnsupportedLanguage
from dubline.domain.glossary import Glossary, Term
from dubline.domain.languages import LANGUAGES
from dubline.domain.transcript import Line
from dubline.engines.contracts import Progress, TranslationRequest, TranslationResult, no_progress
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec
from dubline.engines.translation import phrasebook, spanish, spoken_english
from dubline.engines.translation.apertium_modes import Route, automaton, missing_packages, mode, route
from dubline.engines.translation.apertium_program import call
from dubline.engines.translation.corrections import corrected, prepared
from dubline.engines.translation.honour import hidden, honoured, shown
from dubline.engines.translation.lexicon import looked_over, readings
from dubline.engines.translation.repair import repaired, unknown_words, unmarked
from dubline.engines.translation.sentences import join, sentences
from dubline.engines.translation.written.halves import with_halves_in_figures
from dubline.engines.translation.written.masks import Masked, as_terms, lost, masked, unmasked

_UNFINISHED = re.compile(r"[^\W_][,'’\"”]*$")
"""The end of a text that is no end of a sentence."""
_INNER_NAME = re.compile(r"(?:(?<=[\w,] )|(?<=\b[MDS]r\. )|(?<=\bM[rs]s\. ))[A-ZÀ-Þ][\w-]+")
"""A capitalized word inside a sentence, or after a title."""
_NATIONAL = frozenset(word for language in LANGUAGES.values() for word in language.name.split())
"""Languages, and the people who speak them."""
_DETERMINED = re.compile(
    r"\b(?:an?|the|this|these|those|every|each|some|any|no|many|all|my|your|his|her|our|their) $", re.IGNORECASE
)


class Apertium:
    offers_alternatives: ClassVar[bool] = False

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        """Takes no model and no options: the pairs are what the system has installed."""
        self._spec = spec

    @staticmethod
    def supports(_: EngineSpec, source: str, target: str) -> bool:
        return route(source, target) is not None

    @staticmethod
    def unsupported(_: EngineSpec, source: str, target: str) -> str:
        packages = missing_packages(source, target)
        remedy = (
            f"install it with: apt-get install {' '.join(packages)}"
            if packages
            else "choose another language or profile"
        )
        return f"Apertium has no translation from '{source}' to '{target}' here; {remedy}."

    def translate(self, request: TranslationRequest, progress: Progress = no_progress) -> TranslationResult:
        way = route(request.source, request.target)
        if way is None:
            raise UnsupportedLanguage(self.unsupported(self._spec, request.source, request.target))
        if way[0] == "en":
            request = replace(request, texts=tuple((key, with_halves_in_figures(text)) for key, text in request.texts))
        hidden_parts = {segment: masked(text, way[0], way[-1]) for segment, text in request.texts}
        parts = {segment: _parts(hidden_parts[segment].text, way) for segment, _ in request.texts}
        open_parts = {
            f"{segment}.{number}": part.text
            for segment, own in parts.items()
            for number, part in enumerate(own)
            if part.wording is None
        }
        rendered = {line.segment: line for line in _by_rules(open_parts, request, way)}
        progress(1.0)
        whole = [_whole(segment, own, rendered, way[-1]) for segment, own in parts.items()]
        lines = looked_over(whole, [text for _, text in request.texts], way)
        return TranslationResult(_revealed(lines, hidden_parts, request, way), way)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some sentences of a text, or one of the phrasebook's."""

    text: str
    wording: str | None = None


def _parts(text: str, way: Route) -> list[_Part]:
    """The text cut at sentences that are set phrases; whole where it has none."""
    parts: list[_Part] = []
    for sentence in sentences(text):
        wording = phrasebook.said(sentence, way[0], way[-1])
        if wording is None and parts and parts[-1].wording is None:
            parts[-1] = _Part(join((parts[-1].text, sentence), way[0]))
        else:
            parts.append(_Part(sentence, wording))
    return parts


def _by_rules(texts: Mapping[str, str], request: TranslationRequest, way: Route) -> tuple[Line, ...]:
    english = way[0] == "en"
    made_plain = tuple((key, spoken_english.plain(text) if english else text) for key, text in texts.items())
    plain = replace(request, texts=made_plain, glossary=_own_terms([text for _, text in made_plain], way))
    return honoured(_rendered(plain, way), lambda part: _rendered(part, way), plain)


def _whole(segment: str, parts: Sequence[_Part], rendered: Mapping[str, Line], language: str) -> Line:
    """A text's parts in one line again."""
    texts, unknown = [], list[str]()
    for number, part in enumerate(parts):
        if part.wording is None:
            line = rendered[f"{segment}.{number}"]
            texts.append(line.text)
            unknown += line.unknown
        else:
            texts.append(repaired(part.wording, part.text, language))
    return Line(segment, join(texts, language), tuple(unknown))


def _revealed(
    lines: Sequence[Line], hidden_parts: Mapping[str, Masked], request: TranslationRequest, way: Route
) -> tuple[Line, ...]:
    """The lines with their expressions in the target's written form; where a figure was lost, piece by piece."""
    texts = dict(request.texts)
    broken = [line for line in lines if lost(line.text, hidden_parts[line.segment].masks)]
    pieced: dict[str, Line] = {}
    for line in broken:
        source = texts[line.segment]
        part = replace(
            request,
            texts=((line.segment, source),),
            glossary=as_terms(source, hidden_parts[line.segment].masks, way[-1]),
        )
        whole = replace(line, text="")
        pieced |= {one.segment: one for one in honoured((whole,), lambda asked: _rendered(asked, way), part)}
    return tuple(
        pieced.get(line.segment) or unmasked(line, hidden_parts[line.segment].masks, way[0], way[-1]) for line in lines
    )


def _own_terms(texts: list[str], way: Route) -> Glossary:
    """Set phrases of spoken English, and the names of people, which dictionaries would translate (Smith: Herrero)."""
    people = (Term(name, None) for name in _people(texts, way))
    return Glossary((*phrasebook.inside(way[0], way[-1]).terms, *people))


def _people(texts: list[str], way: Route) -> list[str]:
    """Names of people inside sentences, by the analyser's dictionary; a sentence's first word may be any word."""
    analyser = automaton(way[0], way[1])
    said = [match for text in texts for match in _INNER_NAME.finditer(text)]
    if analyser is None or not said:
        return []
    words = sorted({match.group() for match in said})
    read = readings(words, str(analyser))
    # First names (ant) and family names (cog); a place of the same name may well have one in the target language.
    known = {w for w in words if re.search("<np><(?:ant|cog)>", read.get(w, "")) and "<np><loc>" not in read[w]}
    votes = Counter[str]()
    for match in said:
        if match.group() in known:
            votes[match.group()] += -1 if _described(match, read[match.group()]) else 1
    return sorted(name for name, vote in votes.items() if vote > 0)


def _described(match: re.Match[str], reading: str) -> bool:
    """Whether a word that may be a name is an adjective or a nationality here: 'a German', 'the White House'."""
    if match.group() in _NATIONAL:
        return True
    determined = _DETERMINED.search(match.string[: match.start()])
    family = re.match(r" (?:family|brothers|sisters|twins|case)\b", match.string[match.end() :])
    return bool(determined) and not family and "<adj>" in reading


def _rendered(request: TranslationRequest, way: Route) -> tuple[Line, ...]:
    """Translate along the route, and put each leg's output right before it goes into the next.

    What the first leg left as it was, names and unknown words, is nobody's to translate afterwards: "New Jersey" must
    not become a jersey by way of Spanish.
    """
    # One text a line: a text must not bring line breaks of its own.
    sources = [" ".join(text.split()) for _, text in request.texts]
    texts, unknown, kept = sources, [list[str]() for _ in sources], [Glossary()] * len(sources)
    for leg in pairwise(way):
        texts = [prepared(text, leg) for text in texts]
        marked = _translate(mode(*leg) or "", [hidden(text, terms) for text, terms in zip(texts, kept, strict=True)])
        restored = [shown(text, before, terms) for text, before, terms in zip(marked, texts, kept, strict=True)]
        for words, text in zip(unknown, restored, strict=True):
            words.extend(word for word in unknown_words(text) if word not in words)
        texts = [_put_right(*both, leg) for both in zip(restored, texts, sources, strict=True)]
        kept = [_left(source, text, words) for source, text, words in zip(sources, texts, unknown, strict=True)]
    return tuple(
        Line(segment, text, tuple(words))
        for (segment, _), text, words in zip(request.texts, texts, unknown, strict=True)
    )


def _left(source: str, text: str, unknown: list[str]) -> Glossary:
    """Words that a leg left as they were: unknown ones, and names inside the sentence."""
    names = [name for name in _INNER_NAME.findall(source) if re.search(rf"\b{re.escape(name)}\b", text)]
    return Glossary(tuple(Term(word, None) for word in dict.fromkeys((*unknown, *names))))


def _put_right(marked: str, given: str, source: str, leg: tuple[str, str]) -> str:
    text = " ".join(unmarked(marked, source).split())
    text = corrected(spanish.mended(text) if leg == ("en", "es") else text, given, leg)
    return repaired(text, source, leg[1])


def _translate(mode_name: str, texts: list[str]) -> list[str]:
    """Translate all texts in one process: unfinished ones with what continues them, the others apart."""
    groups = _groups(texts)
    blocks = _run(mode_name, ["\n".join(texts[index] for index in group) for group in groups])
    translated = [""] * len(texts)
    for group, block in zip(groups, blocks, strict=True):
        parts = block.split("\n")
        if len(parts) != len(group) or not all(
            map(str.strip, parts)
        ):  # a rule took the break for a space, or moved all
            parts = _run(mode_name, [texts[index] for index in group])
        for index, part in zip(group, parts, strict=True):
            translated[index] = part
    return translated


def _groups(texts: list[str]) -> list[list[int]]:
    """Indices of the texts that say something, those of one sentence together."""
    groups: list[list[int]] = []
    for index, text in enumerate(texts):
        if not text:
            continue
        before = texts[groups[-1][-1]] if groups and groups[-1][-1] == index - 1 else ""
        if _UNFINISHED.search(before) and text[:1].islower():
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _run(mode_name: str, blocks: list[str]) -> list[str]:
    """Translate blocks of text; a blank line keeps neighbours from being read as one sentence."""
    if not blocks:
        return []
    translated = call(["apertium", "-f", "txt", mode_name], "\n\n".join(blocks) + "\n").removesuffix("\n").split("\n\n")
    if len(translated) != len(blocks):
        raise EngineFailed(f"Apertium gave {len(translated)} texts back for {len(blocks)}.")
    return translated
