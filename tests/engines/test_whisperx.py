"""WhisperX with real whisper-base on real speech, and with a tiny wav2vec 2.0 model for its alignment."""

from difflib import SequenceMatcher
from statistics import mean

import jiwer
import numpy as np
import pytest
import soundfile

from dubline.domain.errors import EngineFailed, EngineUnavailable, InvalidRequest
from dubline.domain.time import Span
from dubline.domain.transcript import Word
from dubline.engines.asr import whisperx as module
from dubline.engines.asr.ear import Ear
from dubline.engines.asr.faster_whisper import FasterWhisper
from dubline.engines.asr.whisperx import WhisperX
from dubline.engines.contracts import TranscriptionRequest
from dubline.engines.registry import EngineSpec, create
from tests.engines.conftest import Folders

RATE = 16_000


def spec(**options):
    return EngineSpec(capability="asr", engine="whisperx", model="whisper", options=options)


def letters(text):
    return "".join(character for character in text.lower() if character.isalnum())


def spoken(words):
    return [letters(word.text) for word in words]


@pytest.fixture(scope="module")
def engine(whisper_base):
    return create(spec(), Folders(whisper=whisper_base))


@pytest.fixture(scope="module")
def heard(engine, sample_speech):
    seen = []
    return engine.transcribe(TranscriptionRequest(sample_speech), seen.append), seen


@pytest.fixture(scope="module")
def clip(sample_speech, tmp_path_factory):
    """Eight seconds of the sample, as FLAC."""
    samples, _ = soundfile.read(sample_speech, start=RATE * 12, frames=RATE * 8)
    path = tmp_path_factory.mktemp("clip") / "clip.flac"
    soundfile.write(path, samples, RATE)
    return path


@pytest.fixture
def short_chunks(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_S", 2.5)


@pytest.fixture
def one_look(monkeypatch):
    """Without the second, which hears doubtful utterances anew."""
    monkeypatch.setattr(Ear, "second_look", lambda _, words, *__: list(words))


@pytest.mark.models
def test_the_language_is_heard_and_its_confidence_told(heard):
    result, _ = heard
    assert result.language == "en"
    assert 0.8 < result.language_confidence <= 1.0


@pytest.mark.models
def test_the_language_of_each_window_is_told(engine, sample_speech):
    found = engine.languages(sample_speech, [Span(7_000, 17_000), Span(0, 30_000)])
    assert all(max(one, key=one.get) == "en" and one["en"] > 0.8 for one in found)
    assert engine.languages(sample_speech, []) == ()


def test_words_and_times_agree_with_faster_whisper(heard, whisper_base, sample_speech):
    result, _ = heard
    other = FasterWhisper(
        EngineSpec(capability="asr", engine="faster-whisper", model="whisper"), Folders(whisper=whisper_base)
    ).transcribe(TranscriptionRequest(sample_speech, "en"))
    assert jiwer.wer(" ".join(spoken(other.words)), " ".join(spoken(result.words))) < 0.15
    pairs = matched(result.words, other.words)
    assert len(pairs) > 50
    assert mean(abs(a.span.start_ms - b.span.start_ms) for a, b in pairs) < 100


@pytest.mark.models
def test_word_times_agree_with_the_reference(heard, sample_speech, record_property):
    """The reference gives times of utterances: those of their first and last words, where both were recognized."""
    result, _ = heard
    reference, starts, ends = [], {}, {}
    for line in sample_speech.with_suffix(".stm").read_text().splitlines():
        _, _, _, start, end, text = line.split(maxsplit=5)
        starts[len(reference)] = float(start) * 1000
        reference += text.split()
        ends[len(reference) - 1] = float(end) * 1000
    reference = [Word(word, Span(place, place), 1.0) for place, word in enumerate(reference)]
    pairs = [(word.span, at.span.start_ms) for word, at in matched(result.words, reference)]
    errors = [abs(span.start_ms - starts[i]) for span, i in pairs if i in starts]
    errors += [abs(span.end_ms - ends[i]) for span, i in pairs if i in ends]
    record_property("mean_word_time_error_ms", mean(errors))
    assert len(errors) > 15
    assert mean(errors) < 250


def matched(words, others):
    blocks = SequenceMatcher(None, spoken(words), spoken(others), autojunk=False).get_matching_blocks()
    return [(words[b.a + i], others[b.b + i]) for b in blocks for i in range(b.size)]


@pytest.mark.models
def test_words_are_in_order_with_confidences_and_without_white_space(heard):
    result, seen = heard
    starts = [word.span.start_ms for word in result.words]
    assert starts == sorted(starts)
    assert all(word.text == word.text.strip() != "" for word in result.words)
    assert all(0.0 <= word.confidence <= 1.0 for word in result.words)
    assert result.words[-1].span.end_ms <= 30_000
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.models
def test_the_text_is_that_of_whisperx_itself_whatever_the_batch(engine, clip, short_chunks, one_look, monkeypatch):
    samples, _ = soundfile.read(clip, dtype="float32", frames=5 * RATE)
    soundfile.write(clip.with_name("short.flac"), samples, RATE)
    segments = engine._pipeline.transcribe(samples, batch_size=1, language="en", chunk_size=module.CHUNK_S)["segments"]
    assert len(segments) > 1
    expected = "".join(segment["text"] for segment in segments).split()
    for size in (1, 8):
        monkeypatch.setattr(engine, "_options", engine._options.model_copy(update={"batch_size": size}))
        words = engine.transcribe(TranscriptionRequest(clip.with_name("short.flac"), "en")).words
        assert "".join(word.text for word in words) == "".join(expected)


@pytest.mark.models
@pytest.mark.parametrize(("language", "expected"), [(None, ("und", 0.0)), ("en", ("en", 1.0))])
@pytest.mark.parametrize("seconds", [0, 0.05, 3])
def test_where_nobody_speaks_there_are_no_words(engine, tmp_path, language, expected, seconds):
    noise = np.random.default_rng(1).normal(0, 1e-4, int(seconds * RATE)).astype(np.float32)
    soundfile.write(tmp_path / "quiet.wav", noise, RATE)
    result = engine.transcribe(TranscriptionRequest(tmp_path / "quiet.wav", language))
    assert result.words == ()
    assert (result.language, result.language_confidence) == expected


@pytest.mark.models
@pytest.mark.parametrize(
    ("message", "kind"), [("bad state", EngineFailed), ("CUDA failed with error out of memory", EngineUnavailable)]
)
def test_a_failure_to_recognize_is_an_error_and_not_an_empty_text(engine, clip, monkeypatch, message, kind):
    def fail(*_, **__):
        raise RuntimeError(message)

    monkeypatch.setattr(engine._whisper, "generate_segment_batched", fail)
    with pytest.raises(EngineFailed) as raised:
        engine.transcribe(TranscriptionRequest(clip, "en"))
    assert type(raised.value) is kind


@pytest.mark.models
def test_words_that_get_lost_between_text_and_times_are_an_error(engine, clip, monkeypatch):
    monkeypatch.setattr(engine._whisper, "word_times", lambda chunks, *_: [[] for _ in chunks])
    with pytest.raises(EngineFailed, match=r"lost words of '.*Diane"):
        engine.transcribe(TranscriptionRequest(clip, "en"))


@pytest.mark.models
def test_sound_of_another_shape_is_refused(engine, tmp_path):
    soundfile.write(tmp_path / "wide.wav", np.zeros((800, 2), np.float32), 44_100)
    with pytest.raises(EngineFailed, match="mono, 16 kHz"):
        engine.transcribe(TranscriptionRequest(tmp_path / "wide.wav", "en"))


@pytest.mark.models
def test_an_alignment_model_gives_the_times_for_its_language(engine, whisper_base, tiny, clip, one_look):
    folders = Folders(whisper=whisper_base, aligner=tiny("wav2vec2"))
    aligned = create(spec(align_model="aligner", align_language="en"), folders)
    request = TranscriptionRequest(clip, "en")
    words, plain = aligned.transcribe(request).words, engine.transcribe(request).words
    assert [word.text for word in words] == [word.text for word in plain]
    assert [word.span for word in words] != [word.span for word in plain]
    (chunk,) = aligned._chunks(module._read(clip))
    assert words == tuple(aligned._aligner.word_times(chunk, " ".join(word.text for word in words)))
    aligned._options = aligned._options.model_copy(update={"align_language": "de"})
    assert aligned.transcribe(request).words == plain, "speech in another language keeps Whisper's own times"


@pytest.fixture(scope="module")
def aligner(tiny):
    from dubline.engines.asr.aligning_whisper import Wav2Vec2Aligner

    return Wav2Vec2Aligner(tiny("wav2vec2"), "en", "cpu")


def stretch(seconds, start=10.0):
    from dubline.engines.asr.aligning_whisper import Chunk

    samples = np.random.default_rng(3).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)
    return Chunk(start, start + seconds, samples)


def test_alignment_is_whisperxs_own_moved_to_the_chunks_place(aligner, monkeypatch):
    import nltk
    import whisperx.alignment

    monkeypatch.setattr(nltk, "download", lambda *_, **__: pytest.fail("it would use the network"))
    chunk, text = stretch(4.0), "Hello there, it costs 20 dollars."
    words = aligner.word_times(chunk, f" {text}")
    segment = {"text": text, "start": 0.0, "end": 4.0}
    direct = whisperx.alignment.align([segment], aligner._model, aligner._metadata, chunk.samples, "cpu")
    assert [word.text for word in words] == [word["word"] for word in direct["word_segments"]] == text.split()
    assert [word.span for word in words] == [
        Span.from_seconds(10.0 + word["start"], 10.0 + word["end"]) for word in direct["word_segments"]
    ]
    assert all(10_000 <= word.span.start_ms <= word.span.end_ms <= 14_000 for word in words)


def test_text_that_cannot_be_aligned_whole_is_left_to_whisper(aligner):
    assert aligner.word_times(stretch(0.1), "far more words than a tenth of a second has frames for") is None


def test_the_table_tells_which_languages_are_recognized():
    assert WhisperX.recognizes("jv")
    assert WhisperX.recognizes("la")
    assert not WhisperX.recognizes("ceb")
    assert not WhisperX.recognizes("xx")


def test_an_unknown_option_is_refused_with_those_there_are():
    with pytest.raises(
        InvalidRequest, match=r"'beam'.*align_language, align_model, batch_size, beam_size, compute_type"
    ):
        WhisperX(spec(beam=1), Folders())
