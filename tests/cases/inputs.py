"""The videos on which sound, tracks, containers and numbers once went wrong, and how each is translated.

Every kind stands here with at least two others of its kind.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.cases.films import RATE, Line, Samples, clip, ffmpeg, film, notes, talk, wav

MARKET: tuple[Line, ...] = (
    ("am_michael", "Good morning, everybody. Today we are going to visit the old market in the city."),
    ("af_bella", "That sounds wonderful. What can we buy there?"),
    ("am_michael", "You can buy bread, cheese and fresh fruit."),
)
MERCADO: tuple[Line, ...] = (
    ("em_alex", "Buenos días a todos. Hoy vamos a visitar el mercado antiguo de la ciudad."),
    ("ef_dora", "Eso suena muy bien. ¿Qué podemos comprar allí?"),
    ("em_alex", "Puedes comprar pan, queso y fruta fresca."),
)
SENTENCES = (
    "The train leaves the station at seven in the morning.",
    "Nobody told me that the meeting was moved.",
    "I lost my keys somewhere in the garden.",
    "Could you open the window, please?",
    "The doctor said that I should rest for a week.",
    "They painted the kitchen yellow last summer.",
    "Our neighbours have two dogs and a parrot.",
    "The bridge was closed because of the storm.",
    "This box is too heavy for one person.",
    "The film was longer than I expected.",
    "Let us go home before it gets dark.",
    "We missed the bus by half a minute.",
    "There is nothing left in the fridge.",
    "The new library opens on Saturday.",
    "Everyone clapped when the music stopped.",
    "She wrote the letter but never sent it.",
)
STRINGS = 6
VOICES = ("am_michael", "af_bella", "bm_george", "bf_emma")
STYLED = r"""[Script Info]
ScriptType: v4.00+
PlayResX: 320
PlayResY: 180
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, Bold, BorderStyle, Outline, Alignment, Encoding
Style: Sign,DejaVu Sans,20,&H0000FFFF,&H00000000,0,1,2,8,1
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:04.00,Sign,,0,0,0,,{\pos(100,40)\c&H0000FF&}MARKET {\b1}OPEN{\b0}
"""
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
HDR10 = (
    "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1:max-cll=1000,400:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
)
HLG = "log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc"


@dataclass(frozen=True)
class Case:
    make: Callable[[Path], Path]
    """Writes the video into a folder."""
    languages: tuple[str, ...] = ("es",)
    options: dict[str, Any] = field(default_factory=dict)
    """Further fields of the request."""


def _talk(folder: Path) -> Path:
    path = folder / "talk.wav"
    return path if path.exists() else wav(path, talk(*MARKET))


def _in_channels(name: str, *channels: Callable[[Samples], Samples]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        sound = talk(*MARKET)
        return film(folder / name, [wav(folder / f"{name}.wav", *(channel(sound) for channel in channels))])

    return make


def _half_turned(sound: Samples) -> Samples:
    turned = sound.copy()
    turned[len(turned) // 2 :] *= -1
    return turned


def strings() -> Iterator[tuple[Line, ...]]:
    """Five sentences each, two voices in turn."""
    drawn = random.Random(11)  # noqa: S311 - it draws examples
    for _ in range(STRINGS):
        voices = drawn.sample(VOICES, 2)
        yield tuple((voices[number % 2], text) for number, text in enumerate(drawn.sample(SENTENCES, 5)))


def _string(number: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        lines = list(strings())[number]
        sound = talk(*lines, pauses_s=(0.3, 0.55, 0.8, 0.4))
        return film(folder / f"string{number}.mp4", [wav(folder / f"string{number}.wav", sound)])

    return make


def _two_tracks(name: str, first: str, second: str, *options: str) -> Callable[[Path], Path]:
    """Tracks of `en`, `es`, `notes` or `hush`, in which nobody has switched the microphone on."""

    def make(folder: Path) -> Path:
        length = len(talk(*MARKET))
        sounds = {"en": talk(*MARKET), "es": talk(*MERCADO, language="es"), "notes": notes(length / RATE)}
        sounds["hush"] = np.random.default_rng(5).normal(0, 1e-4, length)
        files = [
            wav(folder / f"{name}-{place}.wav", np.pad(sounds[kind], (0, max(0, length - len(sounds[kind]))))[:length])
            for place, kind in enumerate((first, second))
        ]
        return film(folder / name, files, *options)

    return make


def _tagged(*languages: str) -> tuple[str, ...]:
    tags = tuple(x for n, code in enumerate(languages) for x in (f"-metadata:s:a:{n}", f"language={code}"))
    return (*tags, "-disposition:a:0", "default", "-disposition:a:1", "0")


def _as(name: str, *options: str) -> Callable[[Path], Path]:
    return lambda folder: film(folder / name, [_talk(folder)], *options)


def _styled(name: str, sound: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "signs.ass").write_text(STYLED, encoding="utf-8")
        plain = film(folder / "plain.mkv", [_talk(folder)])
        ffmpeg(
            *[
                "-i",
                plain,
                "-i",
                folder / "signs.ass",
                "-map",
                "0",
                "-map",
                "1",
                "-c",
                "copy",
                "-c:a",
                sound,
                "-c:s",
                "ass",
            ],
            *["-metadata:s:s:0", "language=eng", "-metadata:s:s:0", "title=Signs & Songs", "-attach", FONT],
            *["-metadata:s:t", "mimetype=application/x-truetype-font", "-disposition:s:0", "0"],
            *["-metadata:s:a:0", "language=eng", "-metadata:s:a:0", "title=Commentary", folder / name],
        )
        return folder / name

    return make


def _styled_with_chapters(folder: Path) -> Path:
    chapters = folder / "chapters.txt"
    chapters.write_text(
        ";FFMETADATA1\ntitle=Market day\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=5000\ntitle=Arrival\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=5000\nEND=9000\ntitle=Shopping\n",
        encoding="utf-8",
    )
    signs = _styled("signs-inner.mkv", "copy")(folder)
    out = folder / "signs-chapters.mkv"
    ffmpeg("-i", signs, "-i", chapters, "-map", "0", "-c", "copy", "-map_metadata", "1", "-map_chapters", "1", out)
    return out


def _hdr(name: str, *options: str, transfer: str = "smpte2084", told: str = HDR10) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        colours = ["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"]
        encoder = ["-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", told, "-tag:v", "hvc1", *colours]
        return film(folder / name, [_talk(folder)], *encoder, *options)

    return make


def _said(name: str, *lines: Line) -> Callable[[Path], Path]:
    return lambda folder: film(folder / name, [wav(folder / f"{name}.wav", talk(*lines))])


def _music(folder: Path) -> Path:
    return film(folder / "music.mp4", [wav(folder / "music.wav", notes(8))])


def _noise(folder: Path) -> Path:
    rain = np.random.default_rng(3).normal(0, 0.05, 8 * RATE)
    return film(folder / "rain.mp4", [wav(folder / "rain.wav", rain)])


def _chords(folder: Path) -> Path:
    at = np.arange(8 * RATE) / RATE
    sound = sum(0.08 * np.sin(2 * np.pi * f * at + 3 * np.sin(2 * np.pi * 5 * at)) for f in (262, 330, 392, 523))
    return film(folder / "chords.mp4", [wav(folder / "chords.wav", np.asarray(sound))])


def _thanks(folder: Path) -> Path:
    room = np.random.default_rng(4).normal(0, 3e-4, 6 * RATE)
    said = clip("af_heart", "Thank you.")
    room[2 * RATE : 2 * RATE + len(said)] += said
    return film(folder / "thanks.mp4", [wav(folder / "thanks.wav", room)])


def _foreign_sentence(folder: Path) -> Path:
    """An English talk in which somebody says one sentence in Spanish."""
    english = talk(*MARKET[:1], first_s=0.5)
    spanish = clip("ef_dora", "Mañana por la mañana vamos a comprar pan y queso en la tienda.", "es")
    sound = np.concatenate([english, spanish, np.zeros(RATE // 2), talk(*MARKET[2:], first_s=0.1)])
    return film(folder / "switch.mp4", [wav(folder / "switch.wav", sound)])


def _foreign_end(folder: Path) -> Path:
    """An English talk that ends in the middle of a French sentence."""
    english = talk(*MARKET, first_s=0.5)
    french = clip("ff_siwis", "Demain matin nous allons acheter du pain et du fromage au marché.", "fr")
    sound = np.concatenate([english, french[: len(french) * 3 // 4]])
    return film(folder / "switch-end.mp4", [wav(folder / "switch-end.wav", sound)])


def _foreign_start(folder: Path) -> Path:
    """A Spanish talk that begins with a sentence in English."""
    english = clip("am_michael", "Tomorrow morning we are going to buy bread and cheese in the shop.")
    sound = np.concatenate([english, talk(*MERCADO, language="es", first_s=0.4)])
    return film(folder / "switch-start.mp4", [wav(folder / "switch-start.wav", sound)])


CASES: dict[str, Case] = {
    # Channels that cancel out
    "antiphase": Case(_in_channels("antiphase.mp4", lambda s: s, lambda s: -s)),
    "mostly": Case(_in_channels("mostly.mp4", lambda s: s, lambda s: -0.7 * s)),
    "half": Case(_in_channels("half.mp4", lambda s: s, _half_turned)),
    # Sentences that batched decoding lost
    **{f"string{number}": Case(_string(number)) for number in range(STRINGS)},
    # Which track is heard
    "dual": Case(_two_tracks("dual.mkv", "en", "es", *_tagged("eng", "spa")), ("en",), {"source_language": "es"}),
    "dual-mp4": Case(_two_tracks("dual.mp4", "es", "en", *_tagged("spa", "eng")), ("es",), {"source_language": "en"}),
    "untagged": Case(_two_tracks("untagged.mkv", "en", "es"), ("es",), {"source_language": "en"}),
    "microphone": Case(_two_tracks("obs.mkv", "notes", "en", "-disposition:a", "default")),
    "microphone-mp4": Case(_two_tracks("obs.mp4", "notes", "en")),
    "microphone-off": Case(_two_tracks("obs.mov", "hush", "en", *_tagged("eng", "eng"))),
    # Sound that no container of ours holds, and containers
    "m2ts": Case(_as("avchd.m2ts", "-c:a", "pcm_bluray", "-ac", "2")),
    "vob": Case(_as("dvd.vob", "-c:v", "mpeg2video", "-c:a", "pcm_dvd", "-ac", "2", "-f", "dvd")),
    "ima4": Case(_as("ima4.mov", "-c:a", "adpcm_ima_qt", "-ac", "1", "-ar", "22050")),
    "s8": Case(_as("s8.mov", "-c:a", "pcm_s8")),
    "nelly": Case(_as("nelly.flv", "-c:v", "flv", "-c:a", "nellymoser", "-ar", "22050", "-ac", "1")),
    "swf": Case(_as("swf.flv", "-c:v", "flv", "-c:a", "adpcm_swf", "-ar", "44100")),
    "ulaw": Case(_as("ulaw.avi", "-c:v", "mpeg4", "-c:a", "pcm_mulaw", "-ar", "8000")),
    "animation": Case(_as("animation.mov", "-c:v", "qtrle", "-pix_fmt", "rgb24")),
    "mxf": Case(_as("camera.mxf", "-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "pcm_s16le", "-ar", "48000")),
    "nut": Case(_as("clip.nut")),
    "hdv": Case(_as("tape.m2t", "-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "mp2", "-ar", "48000")),
    "b-frames": Case(_as("disordered.avi", "-bf", "2", "-g", "25", "-x264-params", "b-adapt=0", "-c:a", "libmp3lame")),
    # What is the source's own
    "signs": Case(_styled("signs.mkv", "copy")),
    "signs-flac": Case(_styled("signs-flac.mkv", "flac")),
    "signs-chapters": Case(_styled_with_chapters),
    "hdr": Case(_hdr("hdr.mp4"), options={"burn_in": True}),
    "hlg": Case(_hdr("hlg.mp4", transfer="arib-std-b67", told=HLG), options={"burn_in": True}),
    "hdr-mkv": Case(_hdr("hdr.mkv"), options={"burn_in": True}),
    # Numbers that were spoken in pieces
    "thousands": Case(
        _said(
            "thousands.mp4",
            ("am_michael", "The museum has 3,500 paintings."),
            ("af_bella", "About 250,000 people come here every year."),
            ("am_michael", "The whole building cost 1,000,000 dollars."),
        ),
        ("es", "fr", "it", "pt"),
    ),
    "present": Case(
        _said(
            "present.mp4",
            ("af_bella", "This is a present for you."),
            ("am_michael", "Thank you, it is for my mother."),
            ("af_bella", "We came here to see the city."),
        ),
        ("it",),
    ),
    "months": Case(
        _said(
            "months.mp4",
            ("am_michael", "We meet in March and again in April."),
            ("af_bella", "My holiday begins in August."),
            ("am_michael", "She speaks English, French and German."),
        )
    ),
    "money": Case(
        _said(
            "money.mp4",
            ("am_michael", "They raised two hundred and sixty million dollars last year."),
            ("af_bella", "The new phone costs three dollars and fifty cents."),
            ("am_michael", "The company lost one and a half billion dollars in twenty twenty."),
        )
    ),
    # Where nobody speaks, and where one word is all
    "music": Case(_music),
    "rain": Case(_noise),
    "chords": Case(_chords),
    "thanks": Case(_thanks, options={"source_language": "en"}),
    "switch": Case(_foreign_sentence, options={"source_language": "en"}),
    "switch-end": Case(_foreign_end, options={"source_language": "en"}),
    "switch-start": Case(_foreign_start, ("fr",), {"source_language": "es"}),
}


def write(folder: Path, name: str) -> Path:
    """The case's video, in a folder of its own."""
    own = folder / name
    own.mkdir(parents=True)
    made = CASES[name].make(own)
    assert made.stat().st_size > 0
    for rest in own.iterdir():
        if rest != made:
            rest.unlink() if rest.is_file() else shutil.rmtree(rest)
    return made
