"""Every row of dub quality on a set of videos: `python -m bench.quality` writes bench/results/quality.{json,md,svg}.

The set: recordings of a conversation and of an audiobook (bench/recordings.py), and made scenes (bench/scenes.py) with
two speakers, a long monologue, fast speech, numbers and names, a music bed, noise, and one in Spanish. Each is
translated by the offline profile and measured as `dubline evaluate` does; in the made scenes speech is detected without
its background, and the times that Dubline found are held against the true ones. Give names of scenes to run only those;
their rows replace the older ones.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.recordings import recordings
from bench.scenes import Said, scenes
from dubline.domain.time import Span
from dubline.evaluation import NEEDS_REFERENCE, Row, rows
from dubline.media.listening import speech
from dubline.publication import Manifest
from dubline.request import TranslateRequest
from dubline.settings import settings, share_threads

RESULTS = Path(__file__).parent / "results" / "quality"
TARGETS = {"en": ("es",), "es": ("en",)}


def main() -> None:
    share_threads()
    from flows import launch

    wanted = sys.argv[1:]
    known: dict[str, list[dict[str, Any]]] = _read() if wanted else {}
    for scene in [*recordings(), *scenes(wanted)]:
        if wanted and scene.name not in wanted:
            continue
        out = settings().home / "bench" / "quality" / scene.video.stem
        request = TranslateRequest(
            video=scene.video, languages=TARGETS[scene.language], source_language=scene.language, out=out
        )
        manifest = launch.run(request)
        spoken = speech(scene.speech) if scene.speech else None
        measured = (row for row in rows(out, spoken) if not row.reached.startswith(NEEDS_REFERENCE))
        found = [*measured, *words(scene.said, manifest)]
        known[scene.name] = [row.as_dict() for row in found]
        missed = ", ".join(f"{row.measure} {row.reached}" for row in found if row.met is False)
        print(f"{scene.name}: {missed or 'every goal met'}", flush=True)
    launch.close()
    RESULTS.with_suffix(".json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(table(known), encoding="utf-8")
    draw(known)


def words(said: Sequence[Said], manifest: Manifest) -> list[Row]:
    """How far the phrases' edges that were found lie from the true ones, and how many phrases were not found."""
    dub = manifest.dubs[0]
    found = [Span(p.source_start_ms, p.source_end_ms) for line in dub.lines for p in line.phrases]
    errors, lost = [], 0
    for one in said:
        own = [span for span in found if 2 * span.overlap_ms(one.span) > span.len_ms]
        if not own:
            lost += 1
            continue
        errors += [abs(own[0].start_ms - one.span.start_ms), abs(own[-1].end_ms - one.span.end_ms)]
    if not errors:
        return []
    mean = statistics.mean(errors)
    text = f"{mean:.0f} ms, {lost} of {len(said)} phrases not found"
    reference = "WhisperX about 110 ms, MFA 20 ms"
    return [Row("phrase edges, mean error", dub.language, text, "<= 100 ms", reference, mean <= 100)]


def table(known: dict[str, list[dict[str, Any]]]) -> str:
    """Goal, reference and what was reached, a measure a row and a video a column."""
    measures = {row["measure"]: row for found in known.values() for row in found}
    lines = [
        "Made by `python -m bench.quality`. Bold: the goal is missed.",
        "",
        f"| measure | goal | reference | {' | '.join(known)} |",
        "| --- " * (3 + len(known)) + "|",
    ]
    for measure, row in measures.items():
        cells = [next((_cell(r) for r in found if r["measure"] == measure), "-") for found in known.values()]
        lines.append(f"| {measure} | {row['goal']} | {row['reference'] or '-'} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_apart()]) + "\n"


def _apart() -> list[str]:
    """Rows that need a reference and have a bench of their own, from its results."""
    folder = RESULTS.parent
    diarization = json.loads((folder / "diarization.json").read_text(encoding="utf-8"))
    words_found = json.loads((folder / "words.json").read_text(encoding="utf-8"))
    translation = json.loads((folder / "translation.json").read_text(encoding="utf-8"))
    lines = [
        "Measured apart, each by the command named:",
        "",
        "| measure | goal | reference | reached |",
        "| --- " * 4 + "|",
    ]
    for row in diarization:
        met = row["name"] != "sample" or (row["der"] <= 0.05 and row["real_time_factor"] <= 0.15)
        reached = f"{row['der']:.1%}, {row['found']} of {row['speakers']} speakers, {row['real_time_factor']:.2f}"
        goal, known = ("<= 5% at <= 0.15", "4.3% by hand, number given") if row["name"] == "sample" else ("-", "-")
        name = f"DER, speakers and real-time factor, {row['name']} (`bench.diarization`)"
        lines.append(f"| {name} | {goal} | {known} | {reached if met else f'**{reached}**'} |")
    mean = next(figures["mean_ms"] for name, figures in words_found.items() if name.endswith("0.35"))
    lines.append(
        f"| utterance edges of the sample, mean error (`bench.words`) | <= 100 ms | WhisperX 110 ms | {mean} ms |"
    )
    for row in translation:
        near = "" if row["near"] is None else f", {row['near']:.0%} within 10%"
        reached = row["remark"] if row["chrf"] is None else f"{row['chrf']} / {row['bleu']}{near}"
        name = f"chrF++ / BLEU and length, {row['engine']} (`bench.translation`)"
        lines.append(f"| {name} | reported | 57.8 / 36.0 (IWSLT 2022, neural) | {reached} |")
    return lines


def _cell(row: dict[str, Any]) -> str:
    return f"**{row['reached']}**" if row["met"] is False else str(row["reached"])


def draw(known: dict[str, list[dict[str, Any]]]) -> None:
    """Overlap with the source's speech and onsets in time, beside the goals and what human dubbers reach."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "dubline"  # the same figures give the same file
    charts = (
        ("speech overlap, median", 0.85, 0.731, "human dubbers, TACL 2023"),
        ("onset within -40..+120 ms", 0.99, 0.5, "published studio dubs, about"),
    )
    figure, axes = plt.subplots(1, len(charts), figsize=(11, 0.5 * len(known) + 1.5), sharey=True)
    for axis, (measure, goal, reference, who) in zip(axes, charts, strict=True):
        values = [_share(next(r["reached"] for r in found if r["measure"] == measure)) for found in known.values()]
        axis.barh(list(known), values, color=["#2a7f62" if value >= goal else "#c8862b" for value in values])
        axis.axvline(goal, color="black", linewidth=1.2, label=f"goal {goal}")
        axis.axvline(reference, color="gray", linewidth=1.2, linestyle="--", label=f"{who} {reference}")
        axis.set(title=measure, xlim=(0, 1))
        axis.legend(loc="lower left", fontsize=8)
    axes[0].invert_yaxis()
    figure.tight_layout()
    figure.savefig(RESULTS.with_suffix(".svg"), metadata={"Date": None})


def _share(reached: str) -> float:
    """The figure that a row begins with; a percentage as a share."""
    first = reached.split()[0].rstrip(",")
    return float(first.rstrip("%")) / 100 if first.endswith("%") else float(first)


def _read() -> dict[str, Any]:
    path = RESULTS.with_suffix(".json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


if __name__ == "__main__":
    main()
