from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from clips import Clips, ffmpeg

from dubline.domain.errors import DublineError, InvalidMedia
from dubline.media.extract import extract_audio
from dubline.media.hashing import frames_hash, picture_hash, sound_hash
from dubline.media.looks import looks
from dubline.media.loudness import loudness
from dubline.media.mux import mux
from dubline.media.order import put_in_order
from dubline.media.probe import probe
from dubline.storage.artifacts import reference


def playlists(secret: Path) -> dict[str, str]:
    """Files that make a careless decoder open another one."""
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "hls-relative": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{secret.name}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile {secret.name}\n",
        "dash": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
            'mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
            f'bandwidth="1"><BaseURL>{secret.name}</BaseURL></Representation></AdaptationSet></Period></MPD>'
        ),
        "sdp": "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "remote": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    }


@pytest.mark.parametrize("kind", sorted(playlists(Path())))
def test_a_playlist_in_disguise_is_refused_and_opens_nothing(clips: Clips, tmp_path: Path, kind: str) -> None:
    """Each way in refuses it: the probe, and every other function that opens a user's file."""
    secret, disguised = tmp_path / "secret.ts", tmp_path / "holiday.mp4"
    secret.write_bytes(clips.path("plain.ts").read_bytes())
    disguised.write_text(playlists(secret)[kind])
    innocent = probe(reference(clips.path("plain.mp4")))
    with pytest.raises(InvalidMedia, match="cannot be read"):
        probe(reference(disguised))
    out = tmp_path / "out"
    out.mkdir()
    for attempt in (
        lambda: extract_audio(disguised, innocent, out),
        lambda: mux(disguised, innocent, None, (), "es", out),
        lambda: picture_hash(disguised),
        lambda: frames_hash(disguised),
        lambda: loudness(disguised),
        lambda: sound_hash(disguised, 0),
        lambda: put_in_order(disguised, 0, out),
        lambda: looks(disguised),
    ):
        with pytest.raises(DublineError):
            attempt()
    assert not any(file.stat().st_size for file in out.iterdir())


def test_the_playlists_do_open_the_secret_where_nothing_is_whitelisted(clips: Clips, tmp_path: Path) -> None:
    """Otherwise the test above would prove nothing."""
    secret, disguised = tmp_path / "secret.ts", tmp_path / "holiday.mp4"
    secret.write_bytes(clips.path("plain.ts").read_bytes())
    for kind in ("hls-relative", "concat"):
        disguised.write_text(playlists(secret)[kind])
        ffmpeg("-i", disguised, "-map", "0:v", "-c", "copy", "-f", "null", "-")


@pytest.mark.parametrize(
    "name",
    ["with space.mp4", 'it\'s "quoted".mp4', "früh 東京 🎬.mp4", "-y.mp4", "two\nlines.mp4", "a:b;c|d%03d[x],=.mp4"],
)
def test_odd_names_are_read_as_they_are_and_the_file_stays_untouched(clips: Clips, tmp_path: Path, name: str) -> None:
    video, out = tmp_path / name, tmp_path / "out"
    out.mkdir()
    video.write_bytes(clips.path("plain.mp4").read_bytes())
    before = (video.stat().st_mtime_ns, hashlib.sha256(video.read_bytes()).hexdigest())
    source = probe(reference(video))
    full, _, _, _ = extract_audio(video, source, out)
    dubbed, _ = mux(video, source, full, (), "es", out)
    assert picture_hash(dubbed) == picture_hash(video)
    assert (video.stat().st_mtime_ns, hashlib.sha256(video.read_bytes()).hexdigest()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "out"])


def test_a_name_with_a_newline_stays_on_one_line_of_the_message(tmp_path: Path) -> None:
    broken = tmp_path / "two\nlines.mp4"
    broken.write_text("nothing")
    with pytest.raises(InvalidMedia) as raised:
        probe(reference(broken))
    assert "\n" not in str(raised.value)
    assert "two\\nlines.mp4" in str(raised.value)


def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    bomb, stream = tmp_path / "bomb.mp4", tmp_path / "bomb.ts"
    picture = "color=black:s=16000x2400:r=1:d=1"
    ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", "1", "-c:v", "libx264", "-preset", "ultrafast", bomb)
    ffmpeg("-i", bomb, "-c", "copy", stream)
    for video in (bomb, stream):
        with pytest.raises(InvalidMedia, match=r"larger than 8K|8K or less"):
            probe(reference(video))


def test_a_file_of_hundreds_of_streams_is_refused(tmp_path: Path) -> None:
    crowd = tmp_path / "crowd.mkv"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=0.1", *["-map", "0:a"] * 200, "-c:a", "pcm_u8", crowd)
    with pytest.raises(InvalidMedia, match="more than 128 streams"):
        probe(reference(crowd))


def test_sound_that_is_noise_instead_of_packets_is_invalid_and_not_a_crash(clips: Clips, tmp_path: Path) -> None:
    content = bytearray(clips.path("short-sound.mp4").read_bytes())
    start, end = content.index(b"mdat") + 4, content.rindex(b"moov") - 4
    content[start:end] = b"\xff" * (end - start)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    with pytest.raises(InvalidMedia, match="cannot be read"):
        extract_audio(broken, probe(reference(broken)), tmp_path)
