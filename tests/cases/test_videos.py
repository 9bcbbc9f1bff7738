"""Videos on which the product once failed go through the whole pipeline with the real offline models.

One process translates them all, as a worker would. `scripts/cases` runs these alone.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dubline.domain.subtitle_files import parse_srt
from dubline.engines.speech.spoken import spoken
from tests.cases.inputs import CASES, STRINGS, strings, write

pytestmark = [pytest.mark.models, pytest.mark.server, pytest.mark.cases]
ROOT = Path(__file__).parent.parent.parent
LOST = 0.01
"""Share of the words said that may be missing."""


@dataclass(frozen=True)
class Outcome:
    video: Path
    out: Path
    warnings: tuple[str, ...]
    error: str | None

    def text(self, language: str) -> str:
        """What the subtitles of that language say."""
        cues = parse_srt((self.out / f"{self.video.stem}.{language}.srt").read_text(encoding="utf-8"))
        return " ".join(cue.text for cue in cues).replace("\n", " ")

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads((self.out / "manifest.json").read_text(encoding="utf-8")))

    def dubbed(self, language: str = "es") -> Path:
        return self.out / next(dub["video"] for dub in self.manifest["dubs"] if dub["language"] == language)


@pytest.fixture(scope="module")
def cases(
    tmp_path_factory: pytest.TempPathFactory, prefect_server: str, request: pytest.FixtureRequest
) -> dict[str, Outcome]:
    """Every case that a selected test names, translated."""
    folder = tmp_path_factory.mktemp("cases")
    wanted = sorted({name for item in request.session.items for name in getattr(item.function, "cases", ())})
    videos = {name: write(folder / "in", name) for name in wanted}
    requests = {
        name: {
            "video": str(videos[name]),
            "languages": CASES[name].languages,
            "out": str(folder / "out" / name),
            **CASES[name].options,
        }
        for name in wanted
    }
    listed = folder / "cases.json"
    listed.write_text(json.dumps(requests), encoding="utf-8")
    environment = os.environ | {"PREFECT_API_URL": prefect_server}
    subprocess.run(
        [sys.executable, "-m", "tests.cases.several", listed], cwd=ROOT, env=environment, check=True, timeout=1800
    )
    ended = json.loads(listed.with_suffix(".done.json").read_text(encoding="utf-8"))
    return {
        name: Outcome(videos[name], folder / "out" / name, tuple(ended[name]["warnings"]), ended[name]["error"])
        for name in wanted
    }


def on(*names: str) -> Any:
    """Run the test on each of these cases."""

    def marked(function: Any) -> Any:
        function.cases = names
        return pytest.mark.parametrize("name", names)(function)

    return marked


def streams(path: Path) -> list[dict[str, Any]]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", f"file:{path}"]
    return list(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["streams"])


def plain(text: str) -> list[str]:
    return re.sub(r"[^\w' ]", " ", text.lower()).split()


def lost(said: str, heard: str) -> int:
    """How many of the words said have no counterpart at all."""
    a, b = plain(said), plain(heard)
    changes = difflib.SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes()
    return sum(max(0, (i2 - i1) - (j2 - j1)) for kind, i1, i2, j1, j2 in changes if kind != "equal")


@on("antiphase", "mostly", "half")
def test_channels_that_cancel_out_are_heard(cases: dict[str, Outcome], name: str) -> None:
    heard = plain(cases[name].text("en"))
    assert {"morning", "market", "bread", "cheese", "fruit"} <= set(heard), heard
    assert all(line["phrases"] for line in cases[name].manifest["dubs"][0]["lines"])


def test_no_sentence_is_lost(cases: dict[str, Outcome]) -> None:
    said = {f"string{number}": " ".join(text for _, text in lines) for number, lines in enumerate(strings())}
    missing = {name: lost(text, cases[name].text("en")) for name, text in said.items()}
    assert sum(missing.values()) <= LOST * sum(len(plain(text)) for text in said.values()), missing


test_no_sentence_is_lost.cases = tuple(f"string{number}" for number in range(STRINGS))  # type: ignore[attr-defined]


@on("dual", "dual-mp4", "untagged")
def test_the_track_in_the_language_asked_for_is_heard(cases: dict[str, Outcome], name: str) -> None:
    source = cases[name].manifest["source_language"]
    words = {"es": {"mercado", "queso", "fruta"}, "en": {"market", "cheese", "fruit"}}[source]
    assert words <= set(plain(cases[name].text(source)))
    assert cases[name].warnings, "the note that names the tracks"


@on("microphone", "microphone-mp4", "microphone-off")
def test_the_track_with_speech_is_heard(cases: dict[str, Outcome], name: str) -> None:
    assert {"market", "cheese", "fruit"} <= set(plain(cases[name].text("en")))


@on("m2ts", "vob", "ima4", "s8", "nelly", "swf", "ulaw", "animation", "mxf", "nut", "hdv", "b-frames")
def test_the_file_is_dubbed_with_its_sound(cases: dict[str, Outcome], name: str) -> None:
    case = cases[name]
    assert case.error is None, case.error
    assert {"market", "cheese", "fruit"} <= set(plain(case.text("en")))
    sound = [stream for stream in streams(case.dubbed()) if stream["codec_type"] == "audio"]
    if len(sound) == 1:
        assert any(warning.startswith("Not in the dubbed video") for warning in case.warnings), case.warnings


@on("b-frames")
def test_frames_are_shown_in_their_order(cases: dict[str, Outcome], name: str) -> None:
    """A decoder gives them in their order whatever the times say, so those of the dubbed video have to grow."""
    result = cases[name].dubbed()
    assert digests(result) == digests(cases[name].video)
    times, stored = (shown_at(result, what) for what in ("frame=pts", "packet=pts"))
    assert times == sorted(set(times))
    assert stored != sorted(stored), "or this proves nothing"


def digests(video: Path) -> list[str]:
    """Of each frame, in the order in which a decoder gives them back."""
    form = ["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-"]
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", video, *form], capture_output=True, text=True, check=True)
    return [line.rpartition(",")[2].strip() for line in done.stdout.splitlines() if not line.startswith("#")]


def shown_at(video: Path, what: str) -> list[int]:
    entries = ["-select_streams", "v:0", "-show_entries", what, "-of", "csv=p=0"]
    done = subprocess.run(["ffprobe", "-v", "error", *entries, video], capture_output=True, text=True, check=True)
    return [int(line.strip(",")) for line in done.stdout.split()]


@on("signs", "signs-flac", "signs-chapters")
def test_styled_subtitles_fonts_and_titles_stay(cases: dict[str, Outcome], name: str) -> None:
    result = cases[name].dubbed()
    assert result.suffix == ".mkv"
    found = streams(result)
    (signs,) = [stream for stream in found if stream["codec_name"] == "ass"]
    assert (signs["tags"]["title"], signs["tags"]["language"]) == ("Signs & Songs", "eng")
    assert [s["codec_name"] for s in found if s["codec_type"] == "attachment"] == ["ttf"]
    assert "Commentary" in [s.get("tags", {}).get("title") for s in found if s["codec_type"] == "audio"]
    assert not any(s["disposition"]["default"] for s in found if s["codec_type"] == "subtitle")


@on("signs-chapters")
def test_chapters_and_the_title_stay(cases: dict[str, Outcome], name: str) -> None:
    command = ["ffprobe", "-v", "error", "-show_chapters", "-show_format", "-of", "json", cases[name].dubbed()]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert [chapter["tags"]["title"] for chapter in found["chapters"]] == ["Arrival", "Shopping"]
    assert found["format"]["tags"]["title"] == "Market day"


@on("hdr", "hdr-mkv", "hlg")
def test_burnt_in_subtitles_do_not_make_a_file_that_lies_about_its_colours(
    cases: dict[str, Outcome], name: str
) -> None:
    burned = next(cases[name].out.glob("*.burned.*"))
    picture = next(stream for stream in streams(burned) if stream["codec_type"] == "video")
    kept = picture.get("color_transfer") == ("arib-std-b67" if name == "hlg" else "smpte2084")
    assert ("10" in picture["pix_fmt"]) == kept, picture
    assert kept or picture["color_transfer"] == "bt709", picture


@on("present")
def test_for_is_no_birth_in_italian(cases: dict[str, Outcome], name: str) -> None:
    text = cases[name].text("it").lower()
    assert "partoris" not in text
    assert "per te" in text and "per mia madre" in text and "per vedere" in text, text


@on("months")
def test_months_and_languages_are_translated(cases: dict[str, Outcome], name: str) -> None:
    assert {"marzo", "abril", "agosto"} <= set(plain(cases[name].text("es")))
    assert "alem" in cases[name].text("es").lower()


@on("money")
def test_sums_stay_whole(cases: dict[str, Outcome], name: str) -> None:
    text = cases[name].text("es")
    assert "dollar" not in text and "260 millones de dólares" in text, text
    assert re.search(r"1[,.]5 mil millones de dólares|1[ .]?500 millones de dólares", text), text


@on("music", "rain", "chords")
def test_where_nobody_speaks_no_line_is_made(cases: dict[str, Outcome], name: str) -> None:
    assert cases[name].manifest["dubs"][0]["lines"] == []


@on("thanks")
def test_thanks_that_somebody_says_are_heard(cases: dict[str, Outcome], name: str) -> None:
    assert plain(cases[name].text("en")) == ["thank", "you"]


@on("switch", "switch-end", "switch-start")
def test_a_sentence_in_another_language_is_in_a_line_or_flagged(cases: dict[str, Outcome], name: str) -> None:
    report = json.loads((cases[name].out / "report.json").read_text(encoding="utf-8"))
    flagged = {finding["rule"] for finding in report["dubs"][0]["findings"]}
    heard = set(plain(cases[name].text(cases[name].manifest["source_language"])))
    said = ({"tomorrow", "bread", "cheese"}, {"mañana", "pan", "queso"}, {"demain", "pain", "fromage"})
    assert {"speech-in-a-line", "talked-over"} & flagged or any(words <= heard for words in said), (heard, flagged)


@on("thousands")
@pytest.mark.parametrize(
    ("language", "readings", "scales"),
    [
        ("es", ("tres mil quinient", "doscientas cincuenta mil", "un millón"), (" mil ", "cincuenta mil", "millón")),
        ("fr", ("trois mille cinq cent", "deux cent cinquante mille", "un million"), ("mille", "cinquante", "million")),
        ("it", ("tremilacinquecento", "duecentocinquantamila", "un milione"), ("mila", "cinquanta", "milion")),
        ("pt", ("três mil e quinhent", "duzentas e cinquenta mil", "um milhão"), (" mil ", "cinquenta mil", "milhão")),
    ],
)
def test_thousands_are_spoken_as_one_number(
    cases: dict[str, Outcome],
    name: str,
    language: str,
    readings: tuple[str, ...],
    scales: tuple[str, ...],
    tmp_path: Path,
) -> None:
    """What is given to the voice is whole; whisper-base mishears single words of it, but not the thousands."""
    (dub,) = [dub for dub in cases[name].manifest["dubs"] if dub["language"] == language]
    given = " ".join(spoken(line["text"], language) for line in dub["lines"]).lower().replace("-", " ")
    assert all(reading in given for reading in readings), given
    heard = heard_in_words(cases[name].dubbed(language), language, tmp_path)
    assert all(scale in heard for scale in scales), heard
    assert not any(zero in heard for zero in ("cero", "zéro", "zero")), heard


def heard_in_words(video: Path, language: str, folder: Path) -> str:
    """What whisper-base hears when it may write no digit."""
    from faster_whisper import WhisperModel

    from dubline.engines.models import ModelStore
    from dubline.settings import settings

    sound = folder / f"{language}.wav"
    command = ["ffmpeg", "-v", "error", "-i", video, "-map", "0:a:0", "-ac", "1", "-ar", "16000", sound]
    subprocess.run(command, check=True)
    model = WhisperModel(str(ModelStore(settings().models).path("whisper-base")), device="cpu", compute_type="int8")
    digits = [
        number for token, number in model.hf_tokenizer.get_vocab().items() if re.search(r"\d", token.split("<|")[0])
    ]
    segments, _ = model.transcribe(
        str(sound), language=language, condition_on_previous_text=False, suppress_tokens=[-1, *digits]
    )
    return " ".join(segment.text.strip() for segment in segments).lower()
