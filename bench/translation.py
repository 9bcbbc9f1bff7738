"""Quality and length of each translation engine: `python -m bench.translation`.

On isometric-mt-test, English to Spanish (bench/data/isometric-mt-test): chrF++ and BLEU by sacrebleu, and the share of
lines whose characters are within 10% of the source's; where an engine offers alternatives, the same for the wording
that is nearest to the source's length. Engines whose weights are not here are listed as not measured. Writes
bench/results/translation.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import sacrebleu

from dubline.domain.errors import DublineError
from dubline.domain.transcript import Line
from dubline.engines.contracts import TranslationRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create, engine_class
from dubline.settings import settings

DATA = Path(__file__).parent / "data" / "isometric-mt-test"
RESULTS = Path(__file__).parent / "results" / "translation.json"
SOURCE, TARGET = "en", "es"
NEAR = 0.1
"""Share of the source's characters (Lakew et al. 2022)."""
ALTERNATIVES = 4
ENGINES: dict[str, EngineSpec] = {
    "Apertium": EngineSpec(capability="translation", engine="apertium"),
    "OPUS-MT en-es": EngineSpec(capability="translation", engine="opus-mt", model="opus-mt-en-es"),
    "NLLB-200 600M": EngineSpec(capability="translation", engine="nllb", model="nllb-200-distilled-600M"),
    "NLLB-200 3.3B": EngineSpec(capability="translation", engine="nllb", model="nllb-200-3.3B"),
}
PUBLISHED = (
    ("IWSLT 2022, strong baseline", 57.8, 36.0),
    ("IWSLT 2022, HW-TSC, length-controlled", 54.3, 29.9),
)
"""System, chrF++, BLEU (Anastasopoulos et al. 2022, isometric task)."""


@dataclass(frozen=True)
class Row:
    engine: str
    chrf: float | None = None
    """chrF++, 0..100."""
    bleu: float | None = None
    near: float | None = None
    """Share of lines within 10% of the source's characters."""
    chrf_by_length: float | None = None
    """The same three where each line is the wording nearest to its source's length."""
    bleu_by_length: float | None = None
    near_by_length: float | None = None
    remark: str = ""


def main() -> None:
    sources, references = (
        (DATA / f"en-es.test.{language}").read_text(encoding="utf-8").splitlines() for language in (SOURCE, TARGET)
    )
    rows = [untouched(sources, references)]
    rows += [measured(name, spec, sources, references) for name, spec in ENGINES.items()]
    rows += [Row(name, chrf, bleu, remark="published") for name, chrf, bleu in PUBLISHED]
    print(f"{'engine':<40}{'chrF++':>8}{'BLEU':>8}{'near':>8}   {'by length: chrF++, BLEU, near'}")
    for row in rows:
        figures = [_shown(row.chrf), _shown(row.bleu), _share(row.near)]
        chosen = [_shown(row.chrf_by_length), _shown(row.bleu_by_length), _share(row.near_by_length)]
        print(f"{row.engine:<40}{''.join(f'{figure:>8}' for figure in figures)}   {', '.join(chosen)}  {row.remark}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


def untouched(sources: Sequence[str], references: Sequence[str]) -> Row:
    """What the program apertium gives by itself, its marks of unknown words taken off: what our engine adds to."""
    done = subprocess.run(
        ["apertium", "-u", "-f", "txt", "eng-spa"],
        input="\n\n".join(sources) + "\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    texts = [" ".join(text.split()) for text in done.stdout.removesuffix("\n").split("\n\n")]
    return Row("apertium, the program alone", *figures(texts, sources, references))


def measured(name: str, spec: EngineSpec, sources: Sequence[str], references: Sequence[str]) -> Row:
    try:
        engine = create(spec, ModelStore(settings().models))
        asked = TranslationRequest(
            tuple((str(n), text) for n, text in enumerate(sources)), SOURCE, TARGET, ALTERNATIVES
        )
        lines: tuple[Line, ...] = engine.translate(asked).lines
    except DublineError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return Row(name, remark="not measured: its weights are not here")
    own = figures([line.text for line in lines], sources, references)
    if not engine_class(spec).offers_alternatives:
        return Row(name, *own, remark="offers no alternatives")
    chosen = [nearest(line, source) for line, source in zip(lines, sources, strict=True)]
    return Row(name, *own, *figures(chosen, sources, references))


def figures(texts: Sequence[str], sources: Sequence[str], references: Sequence[str]) -> tuple[float, float, float]:
    """chrF++, BLEU, share of lines near the source's length."""
    near = sum(_distance(text, source) <= NEAR for text, source in zip(texts, sources, strict=True)) / len(sources)
    chrf = sacrebleu.corpus_chrf(texts, [references], word_order=2).score
    bleu = sacrebleu.corpus_bleu(texts, [references]).score
    return round(chrf, 2), round(bleu, 2), round(near, 3)


def nearest(line: Line, source: str) -> str:
    """The best wording that is near the source's length, else the one that comes nearest."""
    wordings = (line.text, *line.alternatives)
    near = [text for text in wordings if _distance(text, source) <= NEAR]
    return near[0] if near else min(wordings, key=lambda text: _distance(text, source))


def _distance(text: str, source: str) -> float:
    return abs(len(text) - len(source)) / len(source)


def _shown(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.1f}"


def _share(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.1%}"


if __name__ == "__main__":
    main()
