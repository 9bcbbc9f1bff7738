"""Measure a finished dub from its media and clips alone. None of the run's own figures is believed.

The manifest says which clip stands where and what its text is; speech, errors, loudness and picture are measured anew.
Whether the dub covers the source is measured on the placed clips without the original under them: the ducked original
would make every overlap look perfect.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import soundfile

from dubline import publication
from dubline.domain.cues import CueLimits, violations
from dubline.domain.errors import InvalidRequest
from dubline.domain.isochrony import fit
from dubline.domain.original_sound import with_margin
from dubline.domain.subtitle_files import parse_srt
from dubline.domain.time import Span, difference, intersection, total_ms
from dubline.domain.timeline import EARLY_MS, LATE_MS, MAX_RATE, MAX_STRETCH, MIN_RATE, SMALL_STRETCH
from dubline.domain.unheard import UNHEARD_MS
from dubline.domain.word_times import IMPLAUSIBLE, natural_ms
from dubline.engines.contracts import TranscriptionRequest
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec
from dubline.media.hashing import picture_equal
from dubline.media.listening import islands, sound_of, speech, voices_alone
from dubline.media.loudness import integrated_loudness, loudness
from dubline.media.mixing import MixLine
from dubline.media.muted import muted
from dubline.media.probe import probe
from dubline.publication import Manifest, ManifestDub, ManifestPhrase
from dubline.storage.artifacts import reference, sha256_of
from dubline.storage.chosen import artifact_store

JUDGE = EngineSpec(capability="asr", engine="faster-whisper", model="whisper-base", options={"batched": False})
"""Who transcribes the dub back."""
JUDGED_AT_DB = (0.0, 6.0, 12.0)
"""He listens at several volumes and the middle result counts: small recognizers skip whole sentences now and then, and
at another volume others or none."""
LENGTH_SHARE = 0.10
NEEDS_REFERENCE = "needs a reference"
_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """A measure beside its goal and what others reach. `met` is None where the goal cannot be judged."""

    measure: str
    language: str
    reached: str
    goal: str
    reference: str
    met: bool | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Scene:
    """What the rows are measured on."""

    folder: Path
    manifest: Manifest
    dub: ManifestDub
    work: Path
    source_speech: Sequence[Span] | None = None

    @property
    def video(self) -> Path:
        return self.folder / self.dub.video

    @property
    def spoken(self) -> tuple[ManifestPhrase, ...]:
        return tuple(phrase for line in self.dub.lines for phrase in line.phrases)

    def clip(self, phrase: ManifestPhrase) -> Path:
        path = self.folder / phrase.clip
        if not path.is_file() or sha256_of(path) != phrase.clip_sha256:
            raise InvalidRequest(
                f"The clip {path} is not the one that the manifest names; run `dubline translate` again."
            )
        return path

    def cues_file(self) -> Path | None:
        name = next(
            (f.path for f in self.manifest.files if f.role == "subtitles-srt" and f.language == self.dub.language), None
        )
        return self.folder / name if name else None


def rows(folder: Path, source_speech: Sequence[Span] | None = None) -> tuple[Row, ...]:
    """Every measure that can be computed for every language. Raises InvalidRequest for a folder without a manifest.

    `source_speech` is when somebody speaks in the source, where that is known; else it is detected.
    """
    manifest = publication.read(folder)
    if manifest is None:
        raise InvalidRequest(f"There is no finished dub in {folder}: no {publication.MANIFEST} that can be read.")
    measured: list[Row] = []
    for dub in manifest.dubs:
        with artifact_store().workspace() as work:
            scene = Scene(folder, manifest, dub, work, source_speech)
            for measure in MEASURES if dub.lines else (picture,):
                measured += measure(scene)
    return tuple(measured)


def isochrony(scene: Scene) -> Iterator[Row]:
    known = scene.source_speech
    source = islands(
        speech(sound_of(scene.video, scene.manifest.original_track, scene.work)) if known is None else known
    )
    lines = [MixLine(scene.clip(phrase), phrase.start_ms, phrase.stretch, Span(0, 0)) for phrase in scene.spoken]
    dubbed = speech(voices_alone(lines, scene.manifest.duration_ms, scene.work))
    fits = fit(source, dubbed, scene.manifest.duration_ms)
    if not fits:
        yield Row("speech overlap, median", scene.dub.language, "no speech found in the source", ">= 0.85", "", None)
        return
    overlaps = [one.overlap for one in fits]
    zero = sum(overlap == 0 for overlap in overlaps) / len(overlaps)
    median = statistics.median(overlaps)
    yield Row(
        "speech overlap, median",
        scene.dub.language,
        f"{median:.3f}, {zero:.1%} at zero, {len(fits)} islands",
        ">= 0.85, none at zero",
        "human dubbers 0.731, 4.3% at zero (TACL 2023)",
        median >= 0.85 and zero == 0,
    )
    inside = sum(one.onset_ms is not None and -EARLY_MS <= one.onset_ms <= LATE_MS for one in fits) / len(fits)
    yield Row(
        f"onset within -{EARLY_MS}..+{LATE_MS} ms",
        scene.dub.language,
        f"{inside:.1%} of islands",
        ">= 99%",
        "published studio dubs 40-60%",
        inside >= 0.99,
    )


def rate(scene: Scene) -> Iterator[Row]:
    totals = [phrase.speed * phrase.stretch for phrase in scene.spoken]
    stretches = [phrase.stretch for phrase in scene.spoken]
    if not totals:
        return
    inside = all(MIN_RATE - 1e-9 <= total <= MAX_RATE + 1e-9 for total in totals)
    yield Row(
        "total rate",
        scene.dub.language,
        f"{min(totals):.2f}-{max(totals):.2f}",
        f"all within {MIN_RATE}-{MAX_RATE}",
        "MOS 4.37 at 1.10, 3.45 at 1.25 (QoMEX 2019)",
        inside,
    )
    small = sum(abs(stretch - 1) <= SMALL_STRETCH for stretch in stretches) / len(stretches)
    yield Row(
        "stretch of finished speech",
        scene.dub.language,
        f"{small:.1%} within 5%, at most {max(stretches):.2f}",
        f">= 95% within 5%, never above {MAX_STRETCH}",
        "peers 1.3-2.1 or no cap",
        small >= 0.95 and max(stretches) <= MAX_STRETCH + 1e-9,
    )


def length(scene: Scene) -> Iterator[Row]:
    close = [
        abs(len(line.text) - len(line.source_text)) <= LENGTH_SHARE * len(line.source_text) for line in scene.dub.lines
    ]
    share, offered = sum(close) / len(close), scene.dub.alternatives
    yield Row(
        "translation length within 10%",
        scene.dub.language,
        f"{share:.1%} of lines" + ("" if offered else " (no other wordings available)"),
        ">= 90% where the engine offers alternatives",
        "human translators 57-72%",
        share >= 0.9 if offered else None,
    )


def lost(scene: Scene) -> Iterator[Row]:
    """Clear speech of the source that is not heard in the dub, and that no line says instead."""
    original = sound_of(scene.video, scene.manifest.original_track, scene.work)
    spoken = speech(original) if scene.source_speech is None else scene.source_speech
    out = muted(original, sound_of(scene.video, 0, scene.work), moved=scene.manifest.loudness is not None)
    gone = [span for span in difference(intersection(spoken, out), _said(scene)) if span.len_ms >= UNHEARD_MS]
    told = len(scene.manifest.unrecognized)
    yield Row(
        "clear speech muted without a line",
        scene.dub.language,
        f"{total_ms(gone)} ms in {len(gone)} stretches" + (f"; {told} more flagged" if told else ""),
        "none",
        "",
        not gone,
    )


def _said(scene: Scene) -> Iterator[Span]:
    """What lines say, with the margin that words have; a line whose text is too short for its time says nothing."""
    for line in scene.dub.lines:
        phrases = [Span(one.source_start_ms, one.source_end_ms) for one in line.phrases]
        whole = Span(line.source_start_ms, line.source_end_ms)
        told = [whole] if not phrases or "part-silent" in line.flags else phrases
        takes_ms = sum(natural_ms(word) for word in line.source_text.split())
        if total_ms(told) <= IMPLAUSIBLE * takes_ms:
            yield from map(with_margin, told)


def kept(scene: Scene) -> Iterator[Row]:
    share = sum(not line.phrases for line in scene.dub.lines) / len(scene.dub.lines)
    yield Row("lines kept in the original voice", scene.dub.language, f"{share:.1%}", "<= 1%", "", share <= 0.01)


def intelligibility(scene: Scene) -> Iterator[Row]:
    if not scene.spoken:
        return
    text = " ".join(phrase.text for phrase in scene.spoken)
    dubbed = _errors(sound_of(scene.video, 0, scene.work), text, scene.dub.language)
    untouched = _errors(_clips_in_a_row(scene), text, scene.dub.language)
    yield Row(
        "WER of the dub, transcribed back",
        scene.dub.language,
        f"{dubbed:.3f} (clips untouched {untouched:.3f})",
        "<= 0.15 and <= 1.1 x the untouched clips' (or 0.021)",
        "human speech 0.021 (Seed-TTS-eval, large models)",
        dubbed <= 0.15 and dubbed <= max(1.1 * untouched, 0.021),
    )


def sound(scene: Scene) -> Iterator[Row]:
    ours, peak = loudness(scene.video)
    source = integrated_loudness(scene.video, _audio_stream(scene.video, scene.manifest.original_track))
    wanted = source if scene.manifest.loudness is None else scene.manifest.loudness
    yield Row(
        "loudness against the source" if scene.manifest.loudness is None else "loudness against the target",
        scene.dub.language,
        f"{ours - wanted:+.1f} LU ({ours:.1f} LUFS)",
        "within 0.5 LU",
        "EBU R128: -23 +-0.2 LU",
        abs(ours - wanted) <= 0.5,
    )
    yield Row("true peak", scene.dub.language, f"{peak:.1f} dBTP", "<= -1 dBTP", "EBU R128", peak <= -1.0)


def subtitles(scene: Scene) -> Iterator[Row]:
    path = scene.cues_file()
    if path is None:
        return
    cues = parse_srt(path.read_text(encoding="utf-8"))
    picture_rate = probe(reference(scene.video)).picture
    limits = CueLimits.of(scene.dub.language, 1000 / picture_rate.frame_rate if picture_rate else 40.0)
    broken = {violation.cue for violation in violations(cues, limits, scene.manifest.duration_ms)}
    share = len(broken) / max(1, len(cues))
    yield Row(
        "subtitle cues that break a rule",
        scene.dub.language,
        f"{len(broken)} of {len(cues)} ({share:.1%})",
        "<= 5%",
        "Netflix timed-text rules",
        share <= 0.05,
    )


def picture(scene: Scene) -> Iterator[Row]:
    source = Path(scene.manifest.source)
    if not source.is_file() or sha256_of(source) != scene.manifest.source_sha256:
        yield Row("picture", scene.dub.language, "the source is not at hand", "equal hash", "", None)
        return
    before, after = probe(reference(source)), probe(reference(scene.video))
    equal = picture_equal(source, scene.video)
    off = after.duration_ms - before.duration_ms
    frame = 1000 / before.picture.frame_rate if before.picture and before.picture.frame_rate else 40
    yield Row(
        "picture",
        scene.dub.language,
        f"{'equal' if equal else 'other'} hash, {off:+d} ms",
        "stream copy: equal hash, duration within a frame",
        "peers encode it again",
        equal and abs(off) <= frame + 1,
    )


def referred(scene: Scene) -> Iterator[Row]:
    """Measures against what a person wrote down, which a dub alone does not hold."""
    for measure, goal, reference_point, bench in (
        ("diarization error", "<= 5%", "by hand 4.3%", "diarization"),
        ("utterance edges, mean error", "<= 100 ms", "WhisperX about 110 ms, MFA 20 ms", "words"),
        ("translation, chrF++ / BLEU", "reported", "IWSLT 2022, neural: 57.8 / 36.0", "translation"),
    ):
        reached = f"{NEEDS_REFERENCE}: python -m bench.{bench}"
        yield Row(measure, scene.dub.language, reached, goal, reference_point, None)


MEASURES: tuple[Callable[[Scene], Iterator[Row]], ...] = (
    isochrony,
    rate,
    length,
    lost,
    kept,
    intelligibility,
    sound,
    subtitles,
    picture,
    referred,
)


def table(measured: tuple[Row, ...]) -> str:
    """The rows as GitHub-flavoured Markdown."""
    mark = {True: "yes", False: "no", None: "-"}
    lines = ["| measure | language | reached | goal | met | reference |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| {r.measure} | {r.language} | {r.reached} | {r.goal} | {mark[r.met]} | {r.reference} |" for r in measured
    ]
    return "\n".join(lines)


def plain(text: str) -> str:
    """Words alone, lower case: what a word error rate is counted on. Punctuation and case are not spoken."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())


def _errors(audio: Path, text: str, language: str) -> float:
    """Word error rate of what the judge hears against the text: the median over JUDGED_AT_DB."""
    import jiwer

    samples, sample_rate = soundfile.read(audio, dtype="float32")
    errors = []
    for volume_db in JUDGED_AT_DB:
        louder = audio.with_name(f"{audio.stem}-{volume_db:.0f}.wav")
        soundfile.write(louder, (samples * 10 ** (volume_db / 20)).clip(-1, 1), sample_rate)
        with manager().use(JUDGE, [str(louder)]) as judge:
            heard = judge.transcribe(TranscriptionRequest(louder, language))
        errors.append(float(jiwer.wer(plain(text), plain(" ".join(word.text for word in heard.words)))))
    return statistics.median(errors)


def _clips_in_a_row(scene: Scene) -> Path:
    """The untouched clips one after another, with pauses."""
    lines = []
    start = 0
    for phrase in scene.spoken:
        lines.append(MixLine(scene.clip(phrase), start, 1.0, Span(0, 0)))
        info = soundfile.info(scene.clip(phrase))
        start += round(1000 * (info.frames / info.samplerate + _PAUSE_S))
    folder = scene.work / "untouched"
    folder.mkdir()
    return voices_alone(lines, start, folder)


def _audio_stream(video: Path, place: int) -> int:
    return probe(reference(video)).tracks[place].index
