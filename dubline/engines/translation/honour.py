"""A glossary honoured around any engine: what the engine's own wording misses is put there.

A text is translated as it is first, for an engine words best what it sees whole. Where a term is missing from the
result, it is hidden behind a name that no language knows, and put back in its fixed wording afterwards. Where even that
name does not come through, the text around the terms is translated piece by piece. So a term is always honoured, and
the same way each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count, islice

from dubline.domain.glossary import Glossary, normal, wording
from dubline.domain.transcript import Line
from dubline.engines.contracts import Progress, TranslationRequest, TranslationResult, Translator, no_progress
from dubline.engines.translation.sentences import join
from dubline.engines.translation.written import sums

Render = Callable[[TranslationRequest], tuple[Line, ...]]
"""Translates each text of a request, without a glossary."""

_SENTENCE_START = re.compile(r"(?:^|[.!?…]\s+)[\"'“«¿¡(\[]*$")
_CLOSING = re.compile(r"^\s*[,.;:!?…)\]»”]")


def translate(
    translator: Translator, request: TranslationRequest, progress: Progress = no_progress
) -> TranslationResult:
    """The engine's translation with sums whole and the request's glossary honoured. Raises what the engine raises."""
    plain = replace(request, glossary=Glossary())
    result = translator.translate(plain, progress)

    def bare(part: TranslationRequest) -> tuple[Line, ...]:
        return translator.translate(part).lines

    def render(part: TranslationRequest) -> tuple[Line, ...]:
        return sums.whole(bare(part), bare, part)

    return replace(result, lines=honoured(sums.whole(result.lines, bare, plain), render, request))


def honoured(lines: tuple[Line, ...], render: Render, request: TranslationRequest) -> tuple[Line, ...]:
    """The lines with every term of the request's glossary in its wording; those that hold them all are left alone."""
    glossary = request.glossary.speaking(request.target)
    texts = {segment: normal(text) for segment, text in request.texts}
    broken = [line.segment for line in lines if glossary.missed(texts[line.segment], line.text)]
    found = {line.segment: line for line in lines}
    if broken:
        chosen = replace(request, texts=tuple((segment, texts[segment]) for segment in broken), glossary=Glossary())
        found |= {line.segment: line for line in _masked(chosen, glossary, render)}
    still = [segment for segment in broken if glossary.missed(texts[segment], found[segment].text)]
    found |= {segment: _pieced(segment, texts[segment], glossary, render, request) for segment in still}
    return tuple(_checked(found[line.segment], texts[line.segment], glossary) for line in lines)


def _checked(line: Line, source: str, glossary: Glossary) -> Line:
    """Without alternatives that miss a term, and without terms among the unknown words."""
    terms = {word.casefold() for found in glossary.find(source) for word in wording(source, found).split()}
    return replace(
        line,
        alternatives=tuple(
            text for text in line.alternatives if text != line.text and not glossary.missed(source, text)
        ),
        unknown=tuple(word for word in line.unknown if word.casefold() not in terms),
    )


def _masked(request: TranslationRequest, glossary: Glossary, render: Render) -> Iterator[Line]:
    """Translate with each term hidden behind a name."""
    texts = tuple((segment, hidden(text, glossary)) for segment, text in request.texts)
    for line, (_, source) in zip(render(replace(request, texts=texts)), request.texts, strict=True):
        yield replace(
            line,
            text=shown(line.text, source, glossary),
            alternatives=tuple(shown(text, source, glossary) for text in line.alternatives),
            unknown=tuple(word for word in line.unknown if not _NAME.fullmatch(word)),
        )


def _name(number: int) -> str:
    """A name that is none, in letters only: digits and signs are what engines split, move or drop."""
    return f"Zq{chr(ord('a') + number // 26 % 26)}{chr(ord('a') + number % 26)}xo"


def _names(text: str, glossary: Glossary) -> list[str]:
    """A name for each of the glossary's terms in a text, none that the text has: it may hold those of other terms."""
    low = text.casefold()
    free = (name for number in count() if (name := _name(number)).casefold() not in low)
    return list(islice(free, len(glossary.find(text))))


_NAME = re.compile(r"[*@#]*(zq[a-z]{2}xo)", re.IGNORECASE)


def hidden(text: str, glossary: Glossary) -> str:
    """The text with each of the glossary's terms behind a name that no language knows."""
    parts, at, names = [], 0, _names(text, glossary)
    for number, found in enumerate(glossary.find(text)):
        name = names[number]
        parts += [text[at : found.start], name if text[found.start].isupper() else name.lower()]
        at = found.end
    return "".join((*parts, text[at:]))


def shown(text: str, source: str, glossary: Glossary) -> str:
    """Put the terms of a source back into the translation of it as `hidden` gave it.

    A name that was lost leaves its term missing, which the caller finds. An engine's marks of an unknown word go with
    the name.
    """
    names = _names(source, glossary)
    terms = {names[number].casefold(): wording(source, found) for number, found in enumerate(glossary.find(source))}

    def put(match: re.Match[str]) -> str:
        term = terms.get(match[1].casefold(), match.group())
        return _begun(term) if _SENTENCE_START.search(text[: match.start()]) and not source[:1].islower() else term

    return _NAME.sub(put, text)


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pieced(segment: str, source: str, glossary: Glossary, render: Render, request: TranslationRequest) -> Line:
    """Translate what stands between the terms, and set the terms between the results."""
    terms = glossary.find(source)
    gaps = [
        source[start:end]
        for start, end in zip([0, *(f.end for f in terms)], [*(f.start for f in terms), len(source)], strict=True)
    ]
    spoken = [number for number, gap in enumerate(gaps) if re.search(r"\w", gap)]
    part = replace(request, texts=tuple((str(n), gaps[n].strip()) for n in spoken), glossary=Glossary(), alternatives=0)
    rendered = dict(zip(spoken, render(part), strict=True))
    pieces = []
    for number, gap in enumerate(gaps):
        pieces.append(_fitted(rendered[number].text, gap) if number in rendered else gap.strip())
        if number < len(terms):
            pieces.append(wording(source, terms[number]))
    text = _joined([piece for piece in pieces if piece], request.target)
    unknown = tuple(word for line in rendered.values() for word in line.unknown)
    return Line(segment, text if source[:1].islower() else _begun(text), unknown)


def _fitted(text: str, source: str) -> str:
    """A piece's translation, without the start and the end of a sentence that its source has not."""
    source = source.strip()
    if source[-1:] not in ".!?…" and not text.endswith("..."):
        text = text.rstrip(".")
    return text[:1].lower() + text[1:] if source[:1].islower() and not text[:2].isupper() else text


def _joined(pieces: Sequence[str], language: str) -> str:
    text = pieces[0]
    for piece in pieces[1:]:
        text = text + piece if _CLOSING.match(piece) else join((text, piece), language)
    return text
