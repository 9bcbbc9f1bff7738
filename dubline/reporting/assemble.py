"""Make a run's report out of its manifest and of what the stages said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path

from dubline.domain.languages import language as named
from dubline.domain.transcript import Speaker
from dubline.engines.contracts import Voice
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, engine_class, models_of
from dubline.profiles import Profile
from dubline.publication import Manifest, ManifestDub, ManifestLine, ManifestPhrase
from dubline.reporting.model import (
    CastMember,
    Dub,
    DubFiles,
    EngineUse,
    FindingReport,
    LineReport,
    PhraseReport,
    RunReport,
    SourceFacts,
    StageTiming,
)
from dubline.storage.results import Judged


def assemble(
    manifest: Manifest,
    profile: Profile,
    models: ModelStore,
    *,
    created_at: datetime,
    confidence: float,
    speakers: Sequence[Speaker],
    routes: Mapping[str, tuple[str, ...]],
    timings: tuple[StageTiming, ...],
    judged: Sequence[Judged],
) -> RunReport:
    """`confidence` is the recognizer's in the spoken language (0..1), `routes` the languages each text went through."""
    return RunReport(
        dubline_version=metadata.version("dubline"),
        profile=profile.name,
        created_at=created_at,
        source=SourceFacts(
            file_name=Path(manifest.source).name,
            sha256=manifest.source_sha256,
            duration_ms=manifest.duration_ms,
            language=manifest.source_language or "",
            language_confidence=confidence,
        ),
        stages=timings,
        engines=tuple(_engine(spec, models) for spec in profile.engines) if _dubbed(manifest) else (),
        warnings=manifest.warnings,
        dubs=tuple(
            _dub(dub, manifest, profile, speakers, routes.get(dub.language, ()), judged) for dub in manifest.dubs
        ),
    )


def _dubbed(manifest: Manifest) -> bool:
    return any(dub.lines for dub in manifest.dubs)


def _engine(spec: EngineSpec, models: ModelStore) -> EngineUse:
    known = [models.describe(name) for name in models_of(spec)]
    return EngineUse(
        capability=spec.capability,
        engine=spec.engine,
        model=", ".join(model.name for model in known),
        licence=", ".join(dict.fromkeys(model.licence for model in known)),
        note=" ".join(model.licence_note for model in known if model.licence_note),
    )


def _dub(
    dub: ManifestDub,
    manifest: Manifest,
    profile: Profile,
    speakers: Sequence[Speaker],
    route: tuple[str, ...],
    judged: Sequence[Judged],
) -> Dub:
    def file(role: str, language: str | None) -> str | None:
        return next((f.path for f in manifest.files if f.role == role and f.language == language), None)

    return Dub(
        language=dub.language,
        language_name=named(dub.language).name,
        route=route,
        files=DubFiles(
            video=dub.video,
            srt=file("subtitles-srt", dub.language),
            vtt=file("subtitles-vtt", dub.language),
            source_srt=file("source-srt", manifest.source_language),
            source_vtt=file("source-vtt", manifest.source_language),
        ),
        cast=_cast(dub, profile.speech, speakers),
        lines=tuple(_line(line) for line in dub.lines),
        findings=tuple(_findings(judged, dub.language)),
    )


def _cast(dub: ManifestDub, speech: EngineSpec, speakers: Sequence[Speaker]) -> tuple[CastMember, ...]:
    voices: dict[str, Voice] = {voice.id: voice for voice in engine_class(speech).voices(dub.language)}
    return tuple(
        CastMember(
            speaker=speaker.id,
            voice=dub.voices[speaker.id],
            voice_register=voices[dub.voices[speaker.id]].register,
            median_f0_hz=speaker.median_f0_hz,
        )
        for speaker in speakers
        if speaker.id in dub.voices
    )


def _line(line: ManifestLine) -> LineReport:
    return LineReport(
        segment=line.segment,
        speaker=line.speaker,
        start_ms=line.source_start_ms,
        end_ms=line.source_end_ms,
        source=line.source_text,
        translation=line.text,
        voice=line.voice if line.phrases else "",
        placed_start_ms=line.start_ms,
        placed_end_ms=line.end_ms,
        phrases=tuple(_phrase(phrase) for phrase in line.phrases),
        flags=line.flags,
        edited=line.edited,
    )


def _phrase(phrase: ManifestPhrase) -> PhraseReport:
    return PhraseReport(
        start_ms=phrase.source_start_ms,
        end_ms=phrase.source_end_ms,
        placed_start_ms=phrase.start_ms,
        placed_end_ms=phrase.end_ms,
        text=phrase.text,
        speed=phrase.speed,
        stretch=phrase.stretch,
        clip=phrase.clip,
    )


def _findings(judged: Sequence[Judged], language: str) -> list[FindingReport]:
    """What the gates found in this language, and in the source, which every language shares."""
    return [
        FindingReport(**finding.model_dump())
        for judgement in judged
        if judgement.language in (None, language)
        for finding in judgement.verdict.findings
    ]
