"""A session of two speakers with media that a browser plays, dubbed as its edits ask: what a worker would have made."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx

from dubline.publication import Folder, Manifest, ManifestDub, ManifestLine, ManifestPhrase
from dubline.storage.sessions import store
from tests.gateway.served import Served
from tests.pipeline.workshop import make_video

SECONDS = 30
LINES = (
    ("0001", "S1", 400, 2100, "Good evening, and welcome.", "Buenas noches y bienvenidos.", ()),
    ("0002", "S1", 2500, 4200, "Tonight we look at the sea.", "Esta noche miramos el mar.", ("late",)),
    ("0003", "S2", 4600, 6300, "It covers most of our planet.", "Cubre la mayor parte del planeta.", ()),
    ("0004", "S2", 6700, 7400, "Oh!", "", ("kept-original",)),
    ("0005", "S1", 7900, 9300, "<b>What</b> lives there?", "¿Qué <i>vive</i> allí?", ("part-silent",)),
    ("0006", "S2", 9800, 11500, "More than we can count.", "Más de lo que podemos contar.", ()),
)
VTT = "WEBVTT\n\n00:00.400 --> 00:02.100\nBuenas noches y bienvenidos.\n"


@cache
def media() -> tuple[Path, Path, Path]:
    """The source, a dub and a clip; made once for all tests."""
    folder = Path(mkdtemp(prefix="dubline-talk-"))
    picture = "testsrc2=s=320x180:r=25"
    source = make_video(folder / "talk.mp4", "-f", "lavfi", "-i", f"sine=f=220:d={SECONDS}", "-pix_fmt", "yuv420p",
                        "-g", "25", "-movflags", "+faststart", seconds=SECONDS, picture=picture)  # fmt: skip
    dub = make_video(folder / "dub.mp4", "-f", "lavfi", "-i", f"sine=f=440:d={SECONDS}", "-pix_fmt", "yuv420p",
                     "-g", "25", "-movflags", "+faststart", seconds=SECONDS, picture=picture)  # fmt: skip
    clip = folder / "clip.flac"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=f=330:d=0.5", str(clip)], check=True)
    return source, dub, clip


def made(gateway: Served, client: httpx.Client, *, dubbed: bool = True, **more: Any) -> str:
    """The id of a session of the talk, with a dub if that is wanted."""
    upload = gateway.upload(client, media()[0].read_bytes(), "talk.mp4")
    answer = client.post("/v1/sessions", json={"source": {"upload": upload}, "languages": ["es"], **more})
    assert answer.status_code == 201, answer.text
    session = str(answer.json()["id"])
    if dubbed:
        finish(gateway, session)
    return session


def finish(gateway: Served, session: str, *, waveforms: bool = True) -> None:
    """Dub it as its edits ask."""
    found = gateway.stored(session)
    asked = gateway.ask(lambda db: store.asked(db, found, found.revision))

    def publish(out: Path, languages: tuple[str, ...]) -> None:
        with Folder(out) as folder:
            dubs = tuple(_dub(folder, code, asked, waveforms) for code in languages)
            _source(folder)
            folder.add("report-json", "report.json", json.dumps(_report(dubs)))
            folder.add("report-html", "report.html", "<script>alert(1)</script>")
            folder.commit(
                Manifest(
                    key="k",
                    source="talk.mp4",
                    source_sha256="0" * 64,
                    source_language="en",
                    duration_ms=SECONDS * 1000,
                    dubbed_track=1,
                    dubs=dubs,
                    files=(),
                )
            )

    gateway.finish(session, tuple(asked["languages"]), publish)


def _source(folder: Folder) -> None:
    folder.add("source-vtt", "talk.en.vtt", VTT.replace("Buenas noches y bienvenidos", "Good evening, and welcome"))


def _dub(folder: Folder, code: str, asked: dict[str, Any], waveforms: bool) -> ManifestDub:
    video = folder.add("video", f"talk.{code}.mp4", media()[1], code)
    folder.add("subtitles-vtt", f"talk.{code}.vtt", VTT, code)
    if waveforms:
        loud = [abs(place % 40 - 20) * 12 for place in range(20 * SECONDS)]
        shown = {"per_second": 20, "source": loud, "dub": loud[::-1]}
        folder.add("waveform", f"waveform.{code}.json", json.dumps(shown), code)
    lines = tuple(_line(folder, code, asked, *line) for line in LINES)
    return ManifestDub(language=code, video=video, lines=lines)


def _line(
    folder: Folder, code: str, asked: dict[str, Any], segment: str, speaker: str, start: int, end: int, said: str,
    spoken: str, flags: tuple[str, ...],
) -> ManifestLine:  # fmt: skip
    edits = [edit for edit in asked.get("edits", ()) if edit["segment"] == segment]
    mended: dict[str, Any] = {name: value for edit in edits for name, value in edit.items()}
    cast = [voice["voice"] for voice in asked["voices"] if voice["speaker"] == speaker]
    text, voice = mended.get("text", spoken), mended.get("voice", cast[-1] if cast else "em_alex")
    kept = mended.get("keep_original", "kept-original" in flags)
    phrases: tuple[ManifestPhrase, ...] = ()
    if not kept:
        clip = folder.add("clip", f"clips/{code}/{segment}.1.flac", media()[2], code)
        phrases = (
            ManifestPhrase(
                id=f"{segment}.1", source_start_ms=start, source_end_ms=end, text=text, speed=1.0, stretch=1.0,
                start_ms=start + 80, end_ms=end - 100, clip=clip, clip_sha256="0" * 64,
            ),
        )  # fmt: skip
    own = {"kept-original"} if kept else set(flags) - {"kept-original"}
    return ManifestLine(
        segment=segment, speaker=speaker, source_start_ms=start, source_end_ms=end,
        source_text=mended.get("source_text", said), text=text, voice="" if kept else voice,
        start_ms=start if kept else start + 80, end_ms=end if kept else end - 100, phrases=phrases, flags=tuple(own),
        edited=bool(edits),
    )  # fmt: skip


def _report(dubs: tuple[ManifestDub, ...]) -> dict[str, Any]:
    late = {"suite": "timeline", "rule": "onset-lag", "severity": "review", "subjects": ["0002.1"],
            "message": "The dub begins 210 ms after the original."}  # fmt: skip
    lost = {"suite": "speech", "rule": "words-heard", "severity": "critical", "subjects": ["0006.1"],
            "message": "Half of the words cannot be heard in the clip."}  # fmt: skip
    return {
        "dubline_version": "0", "profile": "offline", "created_at": "2026-01-01T00:00:00Z",
        "source": {"file_name": "talk.mp4", "sha256": "0" * 64, "duration_ms": SECONDS * 1000, "language": "en",
                   "language_confidence": 1.0},
        "stages": [{"stage": "transcribe", "seconds": 3.2}, {"stage": "translate-es", "seconds": 0.4, "cached": True}],
        "engines": [{"capability": "translation", "engine": "nllb", "model": "nllb-200", "licence": "CC-BY-NC-4.0"}],
        "dubs": [{"language": dub.language, "language_name": dub.language, "files": {"video": dub.video},
                  "findings": [late, lost],
                  "measures": [{"name": "onset lag, median", "value": "80 ms", "goal": "200 ms", "reference": ""}]}
                 for dub in dubs],
    }  # fmt: skip
