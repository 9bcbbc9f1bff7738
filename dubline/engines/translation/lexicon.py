"""Words that a language does not have, by the dictionaries of Apertium's analysers: the installed pairs' together.

A word of a translation that its language does not know, and that the source or a language on the way knows, was left on
the way, and is told as unknown. What no dictionary knows is not: one word in twelve lines of good Spanish is such. One
kind of those is mended: a Spanish pronoun that stuck to its verb ('nosayudan').
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from dubline.domain.transcript import Line
from dubline.engines.translation.apertium_modes import Route, analysers
from dubline.engines.translation.apertium_program import call
from dubline.engines.translation.spoken_english import HESITATIONS

_READINGS = re.compile(r"\^([^/$]+)/([^$]*)\$")
"""A word and its readings, in Apertium's stream format."""
_WORD = re.compile(r"(?<![\w.@#'’-])[^\W\d_]{3,}(?![\w@'’-])")
_GLUED = re.compile(r"(me|te|se|nos|os|los|las|les|lo|la|le)(\w{3,})")


def readings(words: Collection[str], analyser: str) -> dict[str, str]:
    """What an analyser says of each word; a star where it knows none. Raises EngineFailed, ModelMissing."""
    return dict(_READINGS.findall(call(["lt-proc", "-w", analyser], "\n".join(sorted(words)) + "\n"))) if words else {}


def unread(words: Collection[str], language: str) -> set[str]:
    """Those that no dictionary of the language has; none where no dictionary is installed."""
    paths = analysers(language)
    left = set(words) if paths else set[str]()
    for path in paths:
        known = readings(left, str(path))
        left = {word for word in left if known.get(word, "*").startswith("*")}
    return left


def looked_over(lines: Sequence[Line], sources: Sequence[str], way: Route) -> tuple[Line, ...]:
    """The lines with stuck pronouns parted, and words of another language among the unknown ones."""
    words = {word for line in lines for word in _WORD.findall(line.text) if word.islower()}
    missing = unread(words, way[-1])
    parted = _parted(missing) if way[-1] == "es" else {}
    foreign = missing - parted.keys()
    known_elsewhere = {word for language in way[:-1] for word in foreign - unread(foreign, language)}
    return tuple(_told(line, source, parted, known_elsewhere) for line, source in zip(lines, sources, strict=True))


def _parted(words: Collection[str]) -> dict[str, str]:
    """From a word that is none to the pronoun and the verb that it is made of."""
    split = {word: match.groups() for word in words if (match := _GLUED.fullmatch(word))}
    stuck = unread({verb for _, verb in split.values()}, "es")
    return {word: f"{pronoun} {verb}" for word, (pronoun, verb) in split.items() if verb not in stuck}


def _told(line: Line, source: str, parted: dict[str, str], foreign: set[str]) -> Line:
    text = _WORD.sub(lambda match: parted.get(match.group(), match.group()), line.text)
    said = {word.casefold() for word in re.findall(r"\w+", source)}
    found = [word for word in _WORD.findall(text) if word in foreign and word not in said]
    present = text.casefold()
    # Hesitations are sounds that every language writes much alike: nothing about them is unknown.
    unknown = (w for w in (*line.unknown, *found) if w.casefold() in present and w.lower() not in HESITATIONS)
    return replace(line, text=text, unknown=tuple(dict.fromkeys(unknown)))
