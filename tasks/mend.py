"""Apply a person's edits of single lines to what was heard, translated and planned; what was not edited stays as it is.

Each stage takes the first value and all edits that hold, so a result never depends on what was edited before.
"""

from __future__ import annotations

from dubline.domain import mending
from dubline.domain.mending import Mends, Told
from dubline.domain.timeline import SpeechPlan
from dubline.domain.transcript import Transcript, Translation
from dubline.engines.registry import EngineSpec, engine_class
from dubline.storage.chosen import keep
from dubline.storage.results import Edits, Lines, Plan, Script
from tasks.plan_speech import predictor
from tasks.stage import artifacts, stage


def stored(mends: Mends) -> Edits:
    """Edits as stages take them: a stage's inputs may become parameters of a Prefect run, which hold no texts."""
    edits = artifacts().put_value(mends)
    keep(edits)
    return Edits(artifact=edits)


@stage("mend-source", result=Script)
def mend_source(script: Script, edits: Edits, duration_ms: int) -> Script:
    transcript = artifacts().load_value(script.artifact, Transcript)
    mended = mending.mended_source(transcript, artifacts().load_value(edits.artifact, Mends), duration_ms)
    return script.model_copy(update={"artifact": artifacts().put_value(mended)})


@stage("mend-lines", result=Lines)
def mend_lines(lines: Lines, again: Lines | None, edits: Edits) -> Lines:
    """`again` has the lines whose source was edited, translated anew."""
    mended = mending.mended_translation(
        artifacts().load_value(lines.artifact, Translation),
        artifacts().load_value(again.artifact, Translation) if again else None,
        artifacts().load_value(edits.artifact, Mends),
    )
    return lines.model_copy(update={"artifact": artifacts().put_value(mended)})


@stage("mend-plan", result=Plan)
def mend_plan(
    heard: Script,
    script: Script,
    told: Lines,
    lines: Lines,
    plan: Plan,
    edits: Edits,
    engine: EngineSpec,
    duration_ms: int,
) -> Plan:
    """`heard`, `told` and `plan` are without the edits, `script` and `lines` with them."""
    chosen = mending.mended_plan(
        artifacts().load_value(plan.artifact, SpeechPlan),
        _together(heard, told),
        _together(script, lines),
        artifacts().load_value(edits.artifact, Mends),
        predictor(engine, lines.language),
        engine_class(engine).rates,
        duration_ms,
    )
    return Plan(artifact=artifacts().put_value(chosen))


def _together(script: Script, lines: Lines) -> Told:
    return Told(
        artifacts().load_value(script.artifact, Transcript), artifacts().load_value(lines.artifact, Translation)
    )
