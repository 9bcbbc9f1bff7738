"""Speak every line. Each line is a checkpoint of its own, so editing one line speaks one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import soundfile

from dubline.checkpoints import content_key
from dubline.domain.errors import EngineFailed
from dubline.domain.fitting import PlannedLine, SpeechPlan
from dubline.engines.contracts import SpeechRequest, SpeechResult
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec, engine_class
from dubline.storage.results import Clip, Clips, Plan, SpokenLine
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, recall, refreshing, remember, stage

PEAK = 0.98
"""Largest magnitude of a stored clip's samples."""
SPEAK_VERSION = 1
"""Raised when the same line, voice and speed are to sound different."""


@stage("synthesize", result=Clips)
def synthesize(plan: Plan, engine: EngineSpec) -> Clips:
    speech_plan = artifacts().load_value(plan.artifact, SpeechPlan)
    keys = {line.segment: _key(line, speech_plan.language, engine) for line in speech_plan.lines}
    spoken = {} if refreshing() else dict(_recorded(keys))
    missing = [line for line in speech_plan.lines if line.segment not in spoken]
    progress = teller()
    for done, line in _speak(missing, keys, speech_plan.language, engine):
        spoken[line.segment] = line
        progress(done / len(missing))
    return Clips(lines=tuple(spoken[line.segment] for line in speech_plan.lines))


def _key(line: PlannedLine, language: str, engine: EngineSpec) -> str:
    said = {"text": line.text, "voice": line.voice, "speed": line.speed, "language": language, "engine": engine}
    return content_key("speak", SPEAK_VERSION, said)


def _recorded(keys: dict[str, str]) -> Iterator[tuple[str, SpokenLine]]:
    for segment, key in keys.items():
        if clip := recall(key, Clip):
            yield segment, SpokenLine(segment=segment, clip=clip)


def _speak(
    lines: list[PlannedLine], keys: dict[str, str], language: str, engine: EngineSpec
) -> Iterator[tuple[int, SpokenLine]]:
    """Speak in the engine's batches; a batch that fails is spoken line by line, so one bad line costs only itself."""
    queue = list(lines)
    size = engine_class(engine).batch_size
    while queue:
        batch, queue = queue[:size], queue[size:]
        done = len(lines) - len(queue)
        try:
            results = _spoken(batch, keys, language, engine)
        except EngineFailed as error:
            if error.retryable:
                raise
            if len(batch) > 1:
                queue, size = batch + queue, 1
                continue
            yield done, SpokenLine(segment=batch[0].segment, clip=None, error=str(error))
            continue
        for line, result in zip(batch, results, strict=True):
            clip = _kept(result)
            remember(keys[line.segment], clip)
            yield done, SpokenLine(segment=line.segment, clip=clip)


def _spoken(
    batch: list[PlannedLine], keys: dict[str, str], language: str, engine: EngineSpec
) -> tuple[SpeechResult, ...]:
    if not all(any(character.isalnum() for character in line.text) for line in batch):
        raise EngineFailed("The line has no text that could be spoken.")
    requests = [
        SpeechRequest(line.text, language, line.voice, line.speed, seed=int(keys[line.segment][-8:], 16))
        for line in batch
    ]
    with manager().use(engine, [keys[line.segment] for line in batch]) as speech:
        results: tuple[SpeechResult, ...] = speech.synthesize(requests)
    return results


def _kept(result: SpeechResult) -> Clip:
    # Engines may overshoot full scale; 16 bits would cut that off, so the whole clip is turned down instead.
    quieter = result.samples / max(1.0, float(abs(result.samples).max()) / PEAK)
    with artifacts().workspace() as folder:
        path = Path(folder) / "clip.flac"
        soundfile.write(path, quieter, result.sample_rate, subtype="PCM_16")
        ref = artifacts().adopt(path)
    return Clip(
        artifact=ref,
        duration_ms=round(1000 * len(result.samples) / result.sample_rate),
        sample_rate=result.sample_rate,
    )
