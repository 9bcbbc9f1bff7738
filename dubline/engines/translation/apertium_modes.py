"""Which pairs Apertium can translate here: directly, or by way of other languages that are installed."""

from __future__ import annotations

import hashlib
from collections import deque
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from dubline.domain.languages import LANGUAGES

DATA = Path("/usr/share/apertium")
"""Where Debian's packages put modes and dictionaries."""
PACKAGES = {
    ("en", "es"): "apertium-eng-spa",
    ("en", "ca"): "apertium-eng-cat",
    ("en", "gl"): "apertium-en-gl",
    ("es", "fr"): "apertium-fr-es",
    ("ca", "fr"): "apertium-fra-cat",
    ("es", "pt"): "apertium-es-pt",
    ("ca", "pt"): "apertium-por-cat",
    ("gl", "pt"): "apertium-pt-gl",
    ("es", "it"): "apertium-spa-ita",
    ("ca", "it"): "apertium-cat-ita",
    ("ca", "es"): "apertium-spa-cat",
    ("es", "gl"): "apertium-es-gl",
    ("ast", "es"): "apertium-spa-ast",
    ("es", "oc"): "apertium-oc-es",
    ("nn", "no"): "apertium-nno-nob",
    ("da", "sv"): "apertium-swe-dan",
    ("no", "sv"): "apertium-swe-nor",
    ("da", "no"): "apertium-dan-nor",
    ("be", "ru"): "apertium-bel-rus",
    ("ru", "uk"): "apertium-rus-ukr",
    ("af", "nl"): "apertium-afr-nld",
    ("br", "fr"): "apertium-br-fr",
    ("en", "is"): "apertium-isl-eng",
    ("bg", "mk"): "apertium-mk-bg",
    ("en", "mk"): "apertium-mk-en",
}
"""Debian package of a pair, its languages in order of the alphabet; not all of them translate both ways."""
_VARIANTS = {"pt": ("_BR", "")}
"""Of a target language, the best first: the Portuguese voices are Brazilian."""
Route = tuple[str, ...]


@lru_cache(maxsize=1)
def _modes() -> frozenset[str]:
    return frozenset(path.stem for path in (DATA / "modes").glob("*.mode"))


def mode(source: str, target: str) -> str | None:
    """The installed mode for a pair; packages name it by two-letter or three-letter codes."""

    def names(code: str) -> tuple[str, ...]:
        return (code, LANGUAGES[code].iso3) if code in LANGUAGES else (code,)

    candidates = (
        f"{s}-{t}{variant}" for variant in _VARIANTS.get(target, ("",)) for s in names(source) for t in names(target)
    )
    return next((name for name in candidates if name in _modes()), None)


def automaton(source: str, target: str) -> Path | None:
    """The morphological analyser that a pair's mode begins with; None where it does not begin with one."""
    name = mode(source, target)
    return _analyser(name) if name else None


def _analyser(mode_name: str) -> Path | None:
    command = (DATA / "modes" / f"{mode_name}.mode").read_text(encoding="utf-8").split("|")[0]
    path = next((Path(word.strip("'\"")) for word in command.split() if word.strip("'\"").endswith(".bin")), None)
    return path if path and path.is_file() else None


@lru_cache(maxsize=32)
def analysers(language: str) -> tuple[Path, ...]:
    """The analysers of every installed mode that translates from a language."""
    codes = {language, LANGUAGES[language].iso3} if language in LANGUAGES else {language}
    names = sorted(name for name in _modes() if name.split("-")[0] in codes and name.count("-") == 1)
    return tuple(dict.fromkeys(path for name in names if (path := _analyser(name))))


@lru_cache(maxsize=256)
def route(source: str, target: str) -> Route | None:
    """The shortest way over installed modes, source and target included; None where there is none.

    Of several of one length the one through Spanish, the language with most pairs, then the first of the alphabet.
    """
    known = {code: {code, language.iso3} for code, language in LANGUAGES.items()}
    steps = [tuple(name.split("-")) for name in _modes() if name.count("-") == 1]
    edges = {(s, t) for first, second in steps for s in known if first in known[s] for t in known if second in known[t]}
    return shortest(edges, source, target)


def shortest(edges: set[tuple[str, str]], source: str, target: str) -> Route | None:
    """Breadth first; None where the target cannot be reached, or is the source."""
    ways: deque[Route] = deque([(source,)])
    seen = {source}
    while ways:
        way = ways.popleft()
        for step in sorted(
            (t for s, t in edges if s == way[-1] and t not in seen), key=lambda code: (code != "es", code)
        ):
            if step == target:
                return (*way, step)
            seen.add(step)
            ways.append((*way, step))
    return None


def missing_packages(source: str, target: str) -> tuple[str, ...]:
    """Packages that would make a pair possible, beside those installed; empty where none would."""
    installed = {(s, t) for s, t in _both_ways() if mode(s, t)}
    way = shortest(_both_ways(), source, target)
    if way is None:
        return ()
    steps = [pair for pair in pairwise(way) if pair not in installed]
    # A package that is here and does not translate this way is no remedy.
    if any(mode(t, s) for s, t in steps):
        return ()
    return tuple(PACKAGES[min(pair), max(pair)] for pair in steps)


def _both_ways() -> set[tuple[str, str]]:
    return set(PACKAGES) | {(t, s) for s, t in PACKAGES}


@lru_cache(maxsize=1)
def data_digest() -> str:
    """Hex digest of the installed dictionaries and modes, and of our own words: they decide the translation."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.yaml")):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for path in sorted(DATA.glob("*/*")):
        if path.suffix in {".bin", ".mode", ".prob"}:
            digest.update(f"{path.parent.name}/{path.name}".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
