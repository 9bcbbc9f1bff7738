from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from clips import AAC, H264, PICTURE, Clips, burst_s, ffmpeg

from dubline.media.extract import extract_audio
from dubline.media.probe import probe
from dubline.storage.artifacts import reference
from dubline.storage.results import Source
from tests.speech import SAMPLE


def extracted(path: Path, folder: Path) -> tuple[Path, Path, int, int, Source]:
    source = probe(reference(path))
    return *extract_audio(path, source, folder), source


def rms(path: Path, start: float, end: float, channel: int = 0) -> float:
    sound, rate = soundfile.read(path, always_2d=True)
    part = sound[int(start * rate) : int(end * rate), channel]
    return float(np.sqrt(np.mean(part**2)))


@pytest.mark.parametrize(
    "name", ["plain.mp4", "plain.mov", "pcm.mov", "plain.mkv", "plain.webm", "vp9.webm", "plain.avi", "plain.ts"]
)
def test_a_sound_stands_where_the_video_has_it_at_both_rates(clips: Clips, tmp_path: Path, name: str) -> None:
    full, speech, duration_ms, channels, source = extracted(clips.path(name), tmp_path)
    assert channels == 1
    assert duration_ms == source.duration_ms
    for path, rate in ((full, 48_000), (speech, 16_000)):
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.format) == (rate, 1, "FLAC")
        assert info.frames == pytest.approx(duration_ms * rate / 1000, abs=rate / 1000)
        start, end = burst_s(path)
        delay = 0.05 if name.endswith("avi") else 0.03  # MP3 in AVI has an encoder delay that AVI cannot tell
        assert start == pytest.approx(0.5, abs=delay)
        assert end == pytest.approx(0.7, abs=delay)


@pytest.mark.parametrize("name", ["late-sound.mkv", "late-sound.mp4", "late-sound.ts"])
def test_sound_that_starts_late_has_silence_before_it(clips: Clips, tmp_path: Path, name: str) -> None:
    full, speech, _, _, _ = extracted(clips.path(name), tmp_path)
    for path in (full, speech):
        assert burst_s(path)[0] == pytest.approx(1.3, abs=0.03)
        assert rms(path, 0, 0.75) < 1e-4


def test_a_gap_in_the_sound_is_filled_with_silence(clips: Clips, tmp_path: Path) -> None:
    """Packets between 0.9 and 1.4 s are gone; the second burst stays in its place."""
    gapped = tmp_path / "gap.mkv"
    two = "aevalsrc='if(between(t,0.5,0.7)+between(t,1.6,1.8),0.5*sin(2*PI*1000*t),0)':s=48000:d=2"
    drop = "noise=drop='between(n,42,65)'"
    ffmpeg(*PICTURE, "-f", "lavfi", "-i", two, *H264, "-c:a", "pcm_s16le", "-bsf:a", drop, gapped)
    full, _, _, _, _ = extracted(gapped, tmp_path)
    start, end = burst_s(full)
    assert start == pytest.approx(0.5, abs=0.02)
    assert end == pytest.approx(1.8, abs=0.02)


def test_short_sound_is_filled_up_to_the_picture(clips: Clips, tmp_path: Path) -> None:
    full, speech, duration_ms, _, _ = extracted(clips.path("short-sound.mp4"), tmp_path)
    assert duration_ms == 2000
    assert rms(full, 0.2, 0.8) > 0.05
    assert rms(full, 1.2, 2.0) == 0
    assert soundfile.info(speech).frames == 32_000


def test_sound_that_is_longer_than_the_picture_is_kept_to_its_end(clips: Clips, tmp_path: Path) -> None:
    full, _, duration_ms, _, _ = extracted(clips.path("long-sound.mp4"), tmp_path)
    assert duration_ms == pytest.approx(3000, abs=30)
    assert rms(full, 2.7, 2.95) > 0.05


def test_the_default_track_is_the_one_that_is_read(clips: Clips, tmp_path: Path) -> None:
    full, _, _, _, _ = extracted(clips.path("tracks.mkv"), tmp_path)
    assert rms(full, 0.1, 0.4) < 1e-3  # the first track has a tone there, the default one a pause before its burst
    assert burst_s(full)[0] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("name", ["surround.mp4", "surround.mkv"])
def test_surround_keeps_its_channels_and_the_speech_copy_weighs_the_centre_most(
    clips: Clips, tmp_path: Path, name: str
) -> None:
    full, speech, _, channels, _ = extracted(clips.path(name), tmp_path)
    assert channels == soundfile.info(full).channels == 6
    levels = [rms(full, 0.5, 1.5, channel) for channel in range(6)]
    assert int(np.argmax(levels)) == 2
    assert levels[4] == pytest.approx(0.1 / np.sqrt(2), rel=0.15)
    assert max(levels[0], levels[1], levels[3], levels[5]) < 0.01
    sound, rate = soundfile.read(speech)
    spectrum = np.abs(np.fft.rfft(sound[rate // 2 : rate * 3 // 2]))
    assert spectrum[500] > 6 * spectrum[300] > 0


def test_loud_surround_does_not_clip_in_the_speech_copy(tmp_path: Path) -> None:
    loud = tmp_path / "loud.mkv"
    same = "|".join(["0.9*sin(2*PI*500*t)"] * 6)
    sound = f"aevalsrc='{same}':s=48000:d=2:c=5.1"
    ffmpeg(*PICTURE, "-f", "lavfi", "-i", sound, *H264, "-c:a", "pcm_s16le", loud)
    _, speech, _, _, _ = extracted(loud, tmp_path)
    assert 0.5 < float(np.abs(soundfile.read(speech)[0]).max()) <= 0.95


def test_a_track_without_a_single_packet_is_silence(tmp_path: Path) -> None:
    bare = tmp_path / "bare.mkv"
    ffmpeg(*PICTURE, "-f", "lavfi", "-i", "sine=d=2", *H264, *AAC, "-bsf:a", "noise=drop=1", bare)
    full, speech, duration_ms, _, _ = extracted(bare, tmp_path)
    assert duration_ms == pytest.approx(2000, abs=30)
    assert not soundfile.read(full)[0].any()
    assert soundfile.info(speech).frames == pytest.approx(32_000, abs=480)


def test_progress_rises_to_one(clips: Clips, tmp_path: Path) -> None:
    seen: list[float] = []
    path = clips.path("plain.mp4")
    extract_audio(path, probe(reference(path)), tmp_path, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


SPOKEN = "0.3*sin(2*PI*500*t)*gt(sin(2*PI*2*t),0)"


@pytest.mark.parametrize(
    ("layout", "channels"),
    [
        ("stereo", f"{SPOKEN}|-1*{SPOKEN}"),
        ("stereo", f"{SPOKEN}|-0.7*{SPOKEN}"),
        ("stereo", f"{SPOKEN}|(1-2*gt(t,1))*{SPOKEN}"),
        ("5.1", f"{SPOKEN}|-1*{SPOKEN}|0|0|0|0"),
    ],
    ids=["opposite", "mostly", "in a part", "in front of 5.1"],
)
def test_what_is_said_in_opposite_phase_is_in_the_speech_copy_all_the_time(
    tmp_path: Path, layout: str, channels: str
) -> None:
    video = tmp_path / "turned.mkv"
    sound = f"aevalsrc='{channels}':s=48000:d=2:c={layout}"
    ffmpeg(*PICTURE, "-f", "lavfi", "-i", sound, *H264, "-c:a", "pcm_s16le", video)
    full, speech, _, _, _ = extracted(video, tmp_path)
    share = 0.5 * rms(full, 0, 2) if layout == "stereo" else 0.2 * rms(full, 0, 2)
    assert all(rms(speech, start, start + 0.25) > share for start in (0, 0.5, 1, 1.5))
    assert not (tmp_path / "middle.flac").exists() and not (tmp_path / "side.flac").exists()


def test_the_speech_copy_of_common_stereo_is_its_middle(tmp_path: Path) -> None:
    video = tmp_path / "common.mkv"
    room, wide = "0.05*sin(2*PI*300*t)", "0.03*sin(2*PI*400*t)"
    sound = f"aevalsrc='{SPOKEN}+{room}+{wide}|{SPOKEN}+{room}-{wide}':s=48000:d=2:c=stereo"
    ffmpeg(*PICTURE, "-f", "lavfi", "-i", sound, *H264, "-c:a", "pcm_s16le", video)
    _, speech, _, _, _ = extracted(video, tmp_path)
    samples, rate = soundfile.read(speech)
    pause = np.abs(np.fft.rfft(samples[rate // 4 : rate // 2]))
    assert pause[300 // 4] > 100 * pause[400 // 4]
    assert rms(speech, 0, 0.25) == pytest.approx(0.3 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize(
    "graph",
    [
        "[1:a]aresample=48000[v];[v][2:a]join=inputs=2:channel_layout=stereo[a]",
        "[1:a]pan=stereo|c0=c0|c1=-1*c0[v];[2:a]pan=stereo|c0=c0|c1=c0[m];[v][m]amix=normalize=0[a]",
    ],
    ids=["voice left, music right", "voice in opposite phase, music in phase"],
)
def test_a_voice_that_the_middle_has_not_for_itself_is_heard_without_the_music(tmp_path: Path, graph: str) -> None:
    video, seconds = tmp_path / "beside.mkv", 6
    music = f"aevalsrc='0.04*sin(2*PI*220*t)+0.04*sin(2*PI*277*t)':s=48000:d={seconds}"
    inputs = [
        *PICTURE[:-1],
        f"testsrc2=s=160x90:r=25:d={seconds}",
        "-ss",
        "8",
        "-i",
        SAMPLE,
        "-f",
        "lavfi",
        "-i",
        music,
    ]
    mapped = ["-filter_complex", graph, "-map", "0:v", "-map", "[a]", "-t", str(seconds)]
    ffmpeg(*inputs, *mapped, *H264, "-c:a", "pcm_s16le", video)
    _, speech, _, _, _ = extracted(video, tmp_path)
    said = soundfile.read(SAMPLE, start=8 * 16_000, frames=5 * 16_000)[0]
    found = soundfile.read(speech, frames=5 * 16_000)[0]
    gain = found @ said / (said @ said)
    assert gain > 0.8 and np.square(found - gain * said).sum() < 0.1 * np.square(found).sum()
