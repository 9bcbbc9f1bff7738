"""Speak every phrase. Each is a checkpoint of its own, so editing one line speaks one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile

from dubline.checkpoints import content_key
from dubline.domain import planning
from dubline.domain.errors import EngineFailed
from dubline.domain.timeline import PlannedLine, PlannedPhrase, SpeechPlan
from dubline.domain.transcript import Transcript
from dubline.engines.contracts import SpeechRequest, SpeechResult
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec, engine_class
from dubline.media.trimming import trimmed
from dubline.storage.results import Clip, Clips, Plan, Script, SpokenPhrase, Take
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, recall, refreshing, remember, stage

LOOKUPS = 8
"""Records that are looked up side by side: an hour has thousands, and each costs a way to S3 and back."""
PEAK = 0.98
"""Largest magnitude of a stored clip's samples."""
FIRST_TAKES = 0.8
"""Of the time that both takes need: 219 of 275 s for ten minutes (`python -m bench.edit`)."""
SPEAK_VERSION = 2
"""Raised when the same text, voice and speed are to sound different."""


@stage("synthesize", result=Take)
def synthesize(script: Script, plan: Plan, engine: EngineSpec, duration_ms: int) -> Take:
    """Speak every phrase, and once more, at another speed, those that came out much longer or shorter than predicted.

    Both are one stage, so that a process which was started for it loads the model once.
    """
    first = artifacts().load_value(plan.artifact, SpeechPlan)
    transcript = artifacts().load_value(script.artifact, Transcript)
    spoken = {one.phrase: one for one in speak(first, first.phrases, engine, until=FIRST_TAKES)}
    again = planning.retake(transcript, first, _measured(spoken), engine_class(engine).rates, duration_ms)
    return _second(first, again, spoken, engine)


@stage("speak-again", result=Take)
def speak_again(script: Script, take: Take, plan: Plan, engine: EngineSpec, duration_ms: int) -> Take:
    """Speak those lines that `plan` has otherwise than the finished `take`: both takes of each, and nothing else."""
    before = artifacts().load_value(take.plan.artifact, SpeechPlan)
    first = artifacts().load_value(plan.artifact, SpeechPlan)
    transcript = artifacts().load_value(script.artifact, Transcript)
    changed = [line for line, old in zip(first.lines, before.lines, strict=True) if line != old]
    phrases = [phrase for line in changed for phrase in line.phrases]
    spoken = {one.phrase: one for one in speak(first, phrases, engine, until=FIRST_TAKES)}
    measured, rates = _measured(spoken), engine_class(engine).rates
    again = [
        phrase
        for line in changed
        for phrase in planning.retake(*_alone(transcript, first, line), measured, rates, duration_ms)
    ]
    return _second(first, again, {one.phrase: one for one in take.clips.phrases} | spoken, engine)


def _measured(spoken: Mapping[str, SpokenPhrase]) -> dict[str, int]:
    """How long (ms) each phrase came out."""
    return {name: one.clip.duration_ms for name, one in spoken.items() if one.clip}


def _alone(transcript: Transcript, plan: SpeechPlan, line: PlannedLine) -> tuple[Transcript, SpeechPlan]:
    """One line as if there were no other: it is fitted into its own place."""
    own = tuple(segment for segment in transcript.segments if segment.id == line.segment)
    return replace(transcript, segments=own), replace(plan, lines=(line,))


def _second(
    first: SpeechPlan, again: Sequence[PlannedPhrase], spoken: Mapping[str, SpokenPhrase], engine: EngineSpec
) -> Take:
    """What was spoken, with second takes of `again` and their speeds in the plan; where one fails, the first stands."""
    takes = {take.phrase: take for take in speak(first, again, engine, since=FIRST_TAKES) if take.clip}
    plan = first.replacing(phrase for phrase in again if phrase.id in takes)
    clips = {**spoken, **takes}
    return Take(
        plan=Plan(artifact=artifacts().put_value(plan)),
        clips=Clips(phrases=tuple(clips[phrase.id] for phrase in plan.phrases)),
    )


def speak(
    plan: SpeechPlan, phrases: Sequence[PlannedPhrase], engine: EngineSpec, since: float = 0.0, until: float = 1.0
) -> tuple[SpokenPhrase, ...]:
    """A clip for each of the plan's `phrases`, recorded ones included. Tells a progress from `since` to `until`."""
    voices = {phrase.id: line.voice for line in plan.lines for phrase in line.phrases}
    requests = {phrase.id: _asked(phrase, voices[phrase.id], plan, engine) for phrase in phrases}
    spoken = {} if refreshing() else dict(_recorded(requests))
    missing = {phrase: asked for phrase, asked in requests.items() if phrase not in spoken}
    progress = teller()
    for done, one in _speak(missing, engine):
        spoken[one.phrase] = one
        progress(since + (until - since) * done / len(missing))
    return tuple(spoken[phrase] for phrase in requests)


@dataclass(frozen=True, slots=True)
class _Asked:
    key: str
    """Under which the clip is recorded."""
    request: SpeechRequest


def _asked(phrase: PlannedPhrase, voice: str, plan: SpeechPlan, engine: EngineSpec) -> _Asked:
    said = SpeechRequest(
        phrase.text,
        plan.language,
        voice,
        phrase.speed,
        foreign=phrase.names,
        foreign_language=plan.source if phrase.names else None,
    )
    key = content_key("speak", SPEAK_VERSION, {"said": said, "engine": engine})
    return _Asked(key, replace(said, seed=int(key[-8:], 16)))


def _recorded(requests: dict[str, _Asked]) -> Iterator[tuple[str, SpokenPhrase]]:
    with ThreadPoolExecutor(LOOKUPS) as pool:
        found = pool.map(lambda asked: recall(asked.key, Clip), requests.values())
        for phrase, clip in zip(requests, found, strict=True):
            if clip:
                yield phrase, SpokenPhrase(phrase=phrase, clip=clip)


def _speak(requests: dict[str, _Asked], engine: EngineSpec) -> Iterator[tuple[int, SpokenPhrase]]:
    """Speak in the engine's batches; a batch that fails is spoken one by one, so a bad phrase costs only itself."""
    queue = list(requests.items())
    size = engine_class(engine).batch_size
    while queue:
        batch, queue = queue[:size], queue[size:]
        done = len(requests) - len(queue)
        try:
            results = _spoken([asked for _, asked in batch], engine)
        except EngineFailed as error:
            if error.retryable:
                raise
            if len(batch) > 1:
                queue, size = batch + queue, 1
                continue
            yield done, SpokenPhrase(phrase=batch[0][0], clip=None, error=str(error))
            continue
        for (phrase, asked), result in zip(batch, results, strict=True):
            clip = _kept(result)
            remember(asked.key, clip)
            yield done, SpokenPhrase(phrase=phrase, clip=clip)


def _spoken(batch: list[_Asked], engine: EngineSpec) -> tuple[SpeechResult, ...]:
    if not all(any(character.isalnum() for character in asked.request.text) for asked in batch):
        raise EngineFailed("The line has no text that could be spoken.")
    with manager().use(engine, [asked.key for asked in batch]) as speech:
        results: tuple[SpeechResult, ...] = speech.synthesize([asked.request for asked in batch])
    return results


def _kept(result: SpeechResult) -> Clip:
    samples = trimmed(result.samples, result.sample_rate)
    # Engines may overshoot full scale; 16 bits would cut that off, so the whole clip is turned down instead.
    quieter = samples / max(1.0, float(abs(samples).max()) / PEAK)
    with artifacts().workspace() as folder:
        path = Path(folder) / "clip.flac"
        soundfile.write(path, quieter, result.sample_rate, subtype="PCM_16")
        ref = artifacts().adopt(path)
    return Clip(
        artifact=ref,
        duration_ms=round(1000 * len(samples) / result.sample_rate),
        sample_rate=result.sample_rate,
    )
