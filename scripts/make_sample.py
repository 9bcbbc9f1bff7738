"""Make the sample video of the demo: 30 s of two people talking, under a picture of their speech.

    .venv/bin/python scripts/make_sample.py OUT.mp4

The sound is the `sample-speech` model; the picture is its waveform, once moving and once whole with a playhead, the
running time and a title. Nothing is done when OUT.mp4 is there already.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import ffmpeg

from dubline.domain.errors import DublineError
from dubline.engines.models import ModelStore
from dubline.settings import settings

if TYPE_CHECKING:
    from ffmpeg.nodes import FilterableStream as Stream

SECONDS, RATE, WIDTH, HEIGHT = 30, 25, 640, 360
BACKGROUND, WAVE, PAST, TEXT = "0x10141c", "0x4fb3ff", "0x35507a", "0xe8edf5"
MARGIN = 32
GAIN = 4
"""Of the picture only: the conversation is quiet."""
BAND_TOP, BAND_HEIGHT = 268, 60
"""Of the whole waveform at the foot of the picture."""


def main() -> int:
    if len(sys.argv) != 2:
        print("Usage: make_sample.py OUT.mp4", file=sys.stderr)
        return 2
    out = Path(sys.argv[1])
    if out.exists():
        return 0
    try:
        speech = ModelStore(settings().models).pull("sample-speech") / "sample.wav"
        make_sample(speech, out, find_font())
    except DublineError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except ffmpeg.Error as error:
        print(f"ffmpeg could not make {out}: {error.stderr.decode(errors='replace').strip()}", file=sys.stderr)
        return 9
    print(f"made {out}")
    return 0


def make_sample(speech: Path, out: Path, font: Path | None, seconds: int = SECONDS) -> None:
    """Write H.264 and AAC in mp4, keyframes 2 s apart; without a font, the picture has no text.

    The same input gives the same bytes with the same ffmpeg.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    heard = ffmpeg.input(f"file:{speech}").audio.filter("aresample", 48_000).filter_multi_output("asplit", 3)
    output = ffmpeg.output(
        picture(heard[0], heard[1], font),
        heard[2],
        f"file:{partial}",
        format="mp4",
        t=seconds,
        vcodec="libx264",
        pix_fmt="yuv420p",
        crf=23,
        preset="veryfast",
        threads=1,
        g=2 * RATE,
        keyint_min=2 * RATE,
        sc_threshold=0,
        acodec="aac",
        audio_bitrate="128k",
        movflags="+faststart",
        fflags="+bitexact",
        **{"flags:v": "+bitexact", "flags:a": "+bitexact", "metadata:s:a:0": "language=eng"},
    )
    try:
        output.global_args("-hide_banner", "-loglevel", "error", "-nostdin").overwrite_output().run(capture_stderr=True)
        partial.rename(out)
    finally:
        partial.unlink(missing_ok=True)


def picture(moving: Stream, whole: Stream, font: Path | None) -> Stream:
    """Two copies of the sound become one video stream of WIDTH x HEIGHT."""
    width = WIDTH - 2 * MARGIN
    waves = moving.filter("volume", GAIN).filter(
        "showwaves", s=f"{width}x150", mode="cline", rate=RATE, colors=WAVE, scale="sqrt", draw="full"
    )
    overview = whole.filter("volume", GAIN).filter(
        "showwavespic", s=f"{width}x{BAND_HEIGHT}", colors=PAST, scale="cbrt", draw="full"
    )
    playhead = ffmpeg.input(f"color=c={TEXT}:s=2x{BAND_HEIGHT}:r={RATE}", format="lavfi")
    ground = ffmpeg.input(f"color=c={BACKGROUND}:s={WIDTH}x{HEIGHT}:r={RATE}", format="lavfi")
    stack = ground.overlay(waves, x=MARGIN, y=96, shortest=0)
    stack = stack.overlay(overview.filter("loop", loop=-1, size=1), x=MARGIN, y=BAND_TOP)
    stack = stack.overlay(playhead, x=f"{MARGIN}+t/{SECONDS}*{width - 2}", y=BAND_TOP)
    return stack if font is None else titled(stack, font)


def titled(stack: Stream, font: Path) -> Stream:
    style = {"fontfile": str(font), "fontcolor": TEXT}
    stack = stack.drawtext("Dubline sample: two people talking", x=MARGIN, y=34, fontsize=24, **style)
    clock = r"%{pts:gmtime:0:%M\:%S}"
    return stack.drawtext(clock, x=f"w-tw-{MARGIN}", y=36, fontsize=22, escape_text=False, **style)


def find_font() -> Path | None:
    """A sans-serif font that ffmpeg can draw with; None where it has no drawtext or there is no font."""
    filters = subprocess.run(["ffmpeg", "-hide_banner", "-filters"], capture_output=True, text=True, check=False)
    if " drawtext " not in filters.stdout:
        return None
    candidates = [Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")]
    if shutil.which("fc-match"):
        found = subprocess.run(["fc-match", "-f", "%{file}", "sans"], capture_output=True, text=True, check=False)
        candidates.append(Path(found.stdout))
    return next((font for font in candidates if font.is_file()), None)


if __name__ == "__main__":
    sys.exit(main())
