"""Apertium: rule-based translation from Debian packages, offline and quick."""

from __future__ import annotations

import hashlib
import re
import subprocess
from functools import lru_cache
from pathlib import Path

from dubline.domain.errors import EngineFailed, ModelMissing, UnsupportedLanguage
from dubline.domain.languages import LANGUAGES
from dubline.domain.transcript import Line
from dubline.engines.contracts import Progress, TranslationRequest, TranslationResult, no_progress
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec

DATA = Path("/usr/share/apertium")
"""Where Debian's packages put modes and dictionaries."""
TIMEOUT_S = 300
# Apertium's marks: * the word is in no dictionary, @ it has no translation, # it could not be inflected.
_MARKED = re.compile(r"(?<!\S)([*@#])(?=\w)")
_UNKNOWN = re.compile(r"(?<!\S)[*@]([\w'’-]+)")
_PAIRS = {
    frozenset(("en", "es")): "apertium-eng-spa",
    frozenset(("en", "ca")): "apertium-eng-cat",
    frozenset(("fr", "es")): "apertium-fr-es",
    frozenset(("fr", "ca")): "apertium-fra-cat",
    frozenset(("es", "pt")): "apertium-es-pt",
    frozenset(("es", "it")): "apertium-spa-ita",
    frozenset(("es", "ca")): "apertium-spa-cat",
}
"""Debian package of each pair that the missing one is suggested from."""


@lru_cache(maxsize=1)
def _modes() -> frozenset[str]:
    return frozenset(path.stem for path in (DATA / "modes").glob("*.mode"))


def _mode(source: str, target: str) -> str | None:
    """The installed mode for a pair; packages name it by two-letter or three-letter codes."""

    def names(code: str) -> tuple[str, ...]:
        return (code, LANGUAGES[code].iso3) if code in LANGUAGES else (code,)

    candidates = (f"{s}-{t}" for s in names(source) for t in names(target))
    return next((name for name in candidates if name in _modes()), None)


@lru_cache(maxsize=1)
def data_digest() -> str:
    """Hex digest of the installed dictionaries and modes: they decide the translation."""
    digest = hashlib.sha256()
    for path in sorted(DATA.glob("*/*")):
        if path.suffix in {".bin", ".mode", ".prob"}:
            digest.update(f"{path.parent.name}/{path.name}".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


class Apertium:
    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        """Takes no model and no options: the pairs are what the system has installed."""

    @staticmethod
    def supports(source: str, target: str) -> bool:
        return _mode(source, target) is not None

    @staticmethod
    def unsupported(source: str, target: str) -> str:
        package = _PAIRS.get(frozenset((source, target)))
        remedy = f"install it with: apt-get install {package}" if package else "choose another language or profile"
        return f"Apertium has no translation from '{source}' to '{target}' here; {remedy}."

    def translate(self, request: TranslationRequest, progress: Progress = no_progress) -> TranslationResult:
        mode = _mode(request.source, request.target)
        if mode is None:
            raise UnsupportedLanguage(self.unsupported(request.source, request.target))
        # One text a line: a text must not bring line breaks of its own.
        texts = [" ".join(text.split()) for _, text in request.texts]
        marked = _run(mode, texts) if any(texts) else [""] * len(texts)
        progress(1.0)
        lines = tuple(
            Line(segment, _clean(text), tuple(_UNKNOWN.findall(text)))
            for (segment, _), text in zip(request.texts, marked, strict=True)
        )
        return TranslationResult(lines, (request.source, request.target))


def _run(mode: str, texts: list[str]) -> list[str]:
    """Translate all texts in one process; a blank line keeps neighbours from being read as one sentence."""
    try:
        done = subprocess.run(
            ["apertium", "-f", "txt", mode],
            input="\n\n".join(texts) + "\n",
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=True,
        )
    except FileNotFoundError:
        raise ModelMissing("The program 'apertium' is missing; install it with: apt-get install apertium.") from None
    except subprocess.TimeoutExpired as error:
        raise EngineFailed(f"Apertium did not finish within {TIMEOUT_S} s.") from error
    except subprocess.CalledProcessError as error:
        raise EngineFailed(f"Apertium failed with: {error.stderr.strip()[-200:]}.") from error
    translated = done.stdout.removesuffix("\n").split("\n\n")
    if len(translated) != len(texts):
        raise EngineFailed(f"Apertium gave {len(translated)} lines back for {len(texts)}.")
    return translated


def _clean(text: str) -> str:
    """Without Apertium's marks and doubled spaces."""
    return " ".join(_MARKED.sub("", text).split())
