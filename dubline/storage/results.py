"""What stages hand on: small values that refer to artifacts. These are what Prefect persists as checkpoints.

Texts and media are artifacts, never fields: a result that leaks holds no transcript. Each value is validated when it is
loaded, so a record of an older shape counts as no record.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from dubline.storage.value import Value


class ArtifactRef(Value):
    """An immutable file: where it is, what it holds. Equal content has equal `sha256`, whatever its place."""

    model_config = ConfigDict(title="File")

    uri: str = Field(title="Address", description="Where it is, as file:// or s3://.")
    sha256: str = Field(title="SHA-256", description="Digest of its content, in hex.")
    size: int = Field(title="Size in bytes", description="How long the file is.")


class Track(Value):
    """An audio stream of the source."""

    index: int
    """ffmpeg's stream index in the file."""
    codec: str
    channels: int
    language: str | None = None
    default: bool = False
    samples: str = ""
    """ffmpeg's name of the format that it decodes to, such as `s16p` or `flt`."""
    bits: int = 0
    """Those of a sample that count; 0 where all do."""
    title: str | None = None
    aside: bool = False
    """Whether it is no main track: commentary, or made for those who see or hear badly."""


class Picture(Value):
    """The video stream of the source."""

    index: int
    codec: str
    width: int
    height: int
    frame_rate: float
    """Average frames a second."""
    rotation: int = 0
    """Degrees by which it is turned to be shown, as phones do for portrait."""
    disordered: bool = False
    """Whether its packets say no time, or a wrong one, and are not in the order in which the frames are shown."""
    dolby_vision: int | None = None
    """Profile of Dolby Vision."""
    matroska: bool = True
    """Whether Matroska gives it back as it was."""

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height as they are shown."""
        return (self.height, self.width) if self.rotation % 180 == 90 else (self.width, self.height)

    @property
    def drawable(self) -> bool:
        """Whether text can be drawn into it: Dolby Vision's profile 5 has colours that only its own decoders know."""
        return self.dolby_vision != 5


class Beside(Value):
    """A stream of the source that Dubline does not work on. It leaves as it came, where the container can hold it."""

    index: int
    kind: Literal["picture", "cover", "attachment", "sound", "data"]
    """A further angle, a still picture, an attached file such as a font, sound that cannot be decoded, or data."""
    codec: str
    name: str | None = None
    """File name of a cover or an attachment."""
    mime: str | None = None


class Source(Value):
    """An accepted input video. `file` stays where the user has it and is never written to."""

    file: ArtifactRef
    container: str
    duration_ms: int
    picture: Picture | None
    tracks: tuple[Track, ...]
    dubbed_track: int | None
    """Stream index of the audio track to dub; None where the video has no sound."""
    subtitles: tuple[tuple[int, str], ...] = ()
    """(stream index, codec) of the source's own subtitle streams."""
    subtitle_languages: tuple[str | None, ...] = ()
    """Language of each of them, in the same order."""
    shown_subtitles: bool = False
    """Whether one of them is on without being asked for."""
    beside: tuple[Beside, ...] = ()
    beyond_mp4: bool = False
    """Whether titles, marks or tags are in it that only Matroska has a place for."""


class OrderedPicture(Value):
    """The picture of a source that has it in disorder: MP4, its packets with the times at which frames are shown."""

    artifact: ArtifactRef
    begin_s: float
    """At which second of the source it begins."""
    tags: dict[str, str]
    """Title, language and name that the source has of it."""
    marks: tuple[str, ...]
    """Dispositions, as ffmpeg names them."""


class SurveyedTrack(Value):
    """How much of an audio track is voices."""

    index: int
    """ffmpeg's stream index in the file."""
    voices_ms: int
    """In what was listened to: the whole of a short track, else windows of it."""
    decodable: bool = True
    sample: ArtifactRef | None = None
    """FLAC, 16 kHz, mono: some of the voices, one after another; None where there are none."""


class Survey(Value):
    """What is heard on several audio tracks, in the order in which they were asked for."""

    tracks: tuple[SurveyedTrack, ...]


class Heard(Value):
    """Which language is heard, in the recognizer's ears."""

    language: str
    """ISO 639-1 of the most probable one."""
    probability: float
    """Of that language, 0..1."""
    asked: float
    """Probability of the language that was asked for."""


class Audio(Value):
    """The sound to work on, on the picture's time axis (silence before a late start)."""

    full: ArtifactRef
    """FLAC, 48 kHz, channels as in the source."""
    speech: ArtifactRef
    """FLAC, 16 kHz, mono."""
    duration_ms: int
    channels: int


class Words(Value):
    """An artifact with a TranscriptionResult."""

    artifact: ArtifactRef
    language: str
    confidence: float
    """The recognizer's in the language, 0..1; 1.0 where the request named it."""
    count: int
    heard: Heard | None = None
    """What was heard where the request named the language; None where it did not, or nobody speaks."""


class Turns(Value):
    """An artifact with a DiarizationResult."""

    artifact: ArtifactRef
    speakers: int


class Stems(Value):
    """The sound taken apart. The voices are `Audio.full` minus the background, so they are not stored."""

    background: ArtifactRef
    """FLAC, 48 kHz, channels and length of `Audio.full`."""


class Script(Value):
    """An artifact with a Transcript."""

    artifact: ArtifactRef
    language: str
    segments: int


class Edits(Value):
    """An artifact with Mends: what a person edited in single lines, in the source or for one target language."""

    artifact: ArtifactRef


class Lines(Value):
    """An artifact with a Translation."""

    artifact: ArtifactRef
    language: str
    alternatives: bool
    """Whether the engine offers other wordings of a line."""


class Plan(Value):
    """An artifact with a SpeechPlan: for each line its wording and voice, for each of its phrases text and speed."""

    artifact: ArtifactRef


class Clip(Value):
    """One spoken phrase: FLAC, mono, the engine's rate, silence at both ends trimmed."""

    artifact: ArtifactRef
    duration_ms: int
    sample_rate: int


class SpokenPhrase(Value):
    """A phrase of the plan and its clip; `clip` is None where the engine could not speak it, and `error` says why."""

    phrase: str
    clip: Clip | None
    error: str | None = None


class Clips(Value):
    phrases: tuple[SpokenPhrase, ...]


class Take(Value):
    """What was spoken in the end, and the plan it was spoken by."""

    plan: Plan
    clips: Clips


class Timeline(Value):
    """An artifact with a FittedTimeline: for each phrase its place, stretch and flags."""

    artifact: ArtifactRef


class Mix(Value):
    """The dubbed sound track: FLAC, 48 kHz, channels as in the source."""

    artifact: ArtifactRef


class Subtitles(Value):
    """Cues of one language."""

    language: str
    srt: ArtifactRef
    vtt: ArtifactRef
    ass: ArtifactRef


class Video(Value):
    """The finished video."""

    artifact: ArtifactRef
    container: str
    """`mp4`, `mkv` or `mov`."""


class Burned(Value):
    """A further video with the subtitles in its picture."""

    artifact: ArtifactRef
    missing: str
    """Characters that no font on the machine could draw."""


class Finding(Value):
    """One rule that did not hold."""

    suite: str
    rule: str
    severity: str
    """`critical` or `review`."""
    subjects: tuple[str, ...]
    """Ids of the segments (or names of the files) that broke it; empty where it is about the whole."""
    message: str


class Verdict(Value):
    """What a gate found; empty findings mean that all rules held."""

    suite: str
    rules: int
    """How many rules were checked."""
    findings: tuple[Finding, ...] = ()


class Dub(Value):
    """All that was made for one target language. Without speech to dub there is only the video."""

    language: str
    video: Video
    lines: Lines | None = None
    plan: Plan | None = None
    cast: Plan | None = None
    """The plan whose voices are the speakers' own: `plan` before a person gave single lines others."""
    clips: Clips | None = None
    timeline: Timeline | None = None
    subtitles: Subtitles | None = None
    source_subtitles: Subtitles | None = None
    mix: Mix | None = None
    burned: Burned | None = None


class Judged(Value):
    """A verdict, and the target language it is about; None where it is about the source."""

    language: str | None
    verdict: Verdict
