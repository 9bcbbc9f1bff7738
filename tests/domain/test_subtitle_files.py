"""SubRip, WebVTT and ASS."""

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubline.domain.errors import InvalidMedia
from dubline.domain.subtitles import Cue, parse_srt, to_ass, to_srt, to_vtt
from dubline.domain.time import Span

payload = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30).filter(
    lambda text: text.strip() == text
)


@st.composite
def cue_lists(draw):
    starts = sorted(draw(st.lists(st.integers(0, 400_000_000), max_size=8)))
    lines = st.lists(payload, min_size=1, max_size=3).map(tuple)
    return tuple(Cue(Span(start, start + draw(st.integers(0, 7000))), draw(lines)) for start in starts)


@settings(max_examples=80)
@given(cue_lists())
def test_srt_comes_back_as_it_was_written(cues):
    assert parse_srt(to_srt(cues)) == cues
    assert parse_srt("\ufeff" + to_srt(cues).replace("\n", "\r\n")) == cues


def test_srt_looks_as_players_expect():
    cues = [Cue(Span(3_661_001, 3_662_500), ("-One", "-Two"))]
    assert to_srt(cues) == "1\n01:01:01,001 --> 01:01:02,500\n-One\n-Two\n\n"


def test_srt_drops_control_characters_and_blank_lines():
    cues = [Cue(Span(0, 1000), ("a\x00b\nc\x1b", " ", "d\u2028e")), Cue(Span(2000, 3000), ("\x07",))]
    assert to_srt(cues) == "1\n00:00:00,000 --> 00:00:01,000\nab c\nd e\n\n"


def test_vtt_escapes_what_could_be_markup_or_a_timing_line():
    text = to_vtt([Cue(Span(0, 1000), ("<b>Tom</b> & 00:01 --> 00:02",))])
    assert text == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n&lt;b&gt;Tom&lt;/b&gt; &amp; 00:01 --&gt; 00:02\n\n"


@settings(max_examples=60)
@given(cue_lists())
def test_vtt_has_one_timing_line_a_cue(cues):
    text = to_vtt(cues)
    assert text.startswith("WEBVTT\n\n")
    assert text.endswith("\n")
    assert text.count("-->") == len(cues)


def test_no_cues_make_files_that_are_still_well_formed():
    assert to_srt([]) == ""
    assert parse_srt("") == ()
    assert to_vtt([]) == "WEBVTT\n\n"


@pytest.mark.parametrize(
    "text",
    [
        "00:00:00,000 --> 00:00:01,000\nno number\n",
        "1\n00:00:00 --> 00:00:01\nno milliseconds\n",
        "1\n00:00:02,000 --> 00:00:01,000\nends before it starts\n",
        "1\n00:00:00,000 --> 00:00:01,000\n\n2\n",
        "1\n00:00:61,000 --> 00:00:62,000\nsixty-one seconds\n",
    ],
)
def test_srt_that_is_not_well_formed_is_refused_by_the_number_of_its_cue(text):
    with pytest.raises(InvalidMedia, match="Cue 1 of the subtitles"):
        parse_srt(text)


# ASS, read back by ffmpeg


def read_back(text: str, folder: Path) -> list[tuple[int, int, str]]:
    """(start ms, end ms, text) of the cues that ffmpeg finds in an ASS file."""
    path = folder / "cues.ass"
    path.write_text(text, encoding="utf-8")
    shown = ["ffprobe", "-v", "error", "-show_entries", "packet=pts_time,duration_time", "-of", "json", path]
    packets = json.loads(subprocess.run(shown, capture_output=True, check=True).stdout)["packets"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-c:s", "text", "-f", "srt", "-"]
    srt = subprocess.run(command, capture_output=True, check=True).stdout.decode().replace("\r\n", "\n")
    texts = [block.split("\n", 2)[2] for block in srt.strip().split("\n\n")] if srt.strip() else []
    times = [(round(float(p["pts_time"]) * 1000), round(float(p["duration_time"]) * 1000)) for p in packets]
    return [(start, start + length, text) for (start, length), text in zip(times, texts, strict=True)]


def test_ass_is_read_by_ffmpeg_with_its_times_and_lines(tmp_path):
    cues = [
        Cue(Span(1230, 2340), ("-Hello?", "-Who is it?")),
        Cue(Span(3_661_000, 3_662_500), ("¡Mira, allí está!",)),
    ]
    assert read_back(to_ass(cues), tmp_path) == [
        (1230, 2340, "-Hello?\n-Who is it?"),
        (3_661_000, 3_662_500, "¡Mira, allí está!"),
    ]


def test_braces_and_backslashes_are_text_in_ass(tmp_path):
    cues = [Cue(Span(0, 1000), (r"a {\b1} C:\Nero\new \h",))]
    (event,) = [line for line in to_ass(cues).splitlines() if line.startswith("Dialogue")]
    assert event.endswith(",a \\{\\\u2060b1\\} C:\\\u2060Nero\\\u2060new \\\u2060h")
    ((_, _, text),) = read_back(to_ass(cues), tmp_path)
    assert "C:" in text
    assert "Nero" in text
    assert "new" in text
    assert "\n" not in text


def test_a_comma_and_a_line_that_looks_like_an_event_stay_in_their_cue(tmp_path):
    cues = [Cue(Span(0, 1000), ("Well, yes", "Dialogue: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,no\n[Events]"))]
    ((_, _, text),) = read_back(to_ass(cues), tmp_path)
    assert text == "Well, yes\nDialogue: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,no [Events]"


def test_lines_from_right_to_left_are_marked_in_ass():
    ass = to_ass([Cue(Span(0, 1000), ("مرحبا!", "Hello!"))])
    assert ass.endswith(",\u202bمرحبا!\u202c\\NHello!\n")


def test_the_style_follows_the_size_of_the_picture():
    def size(width, height):
        ass = to_ass([], width, height)
        assert f"PlayResX: {width}\nPlayResY: {height}\n" in ass
        return int(ass.split("Style: Default,Arial,")[1].split(",")[0])

    assert size(1920, 1080) == 59
    assert size(1080, 1920) == 45
    assert size(64, 36) == 8


@settings(max_examples=60)
@given(cue_lists())
def test_ass_keeps_the_order_and_never_lets_cues_overlap_that_did_not(cues):
    def hundredths(stamp):
        hours, minutes, seconds = stamp.split(":")
        return (int(hours) * 60 + int(minutes)) * 6000 + int(seconds.replace(".", ""))

    events = [line.split(",")[1:3] for line in to_ass(cues).splitlines() if line.startswith("Dialogue")]
    assert len(events) == len(cues)
    for (one, (_, end)), (other, (start, _)) in pairwise(zip(cues, events, strict=True)):
        if one.span.end_ms <= other.span.start_ms:
            assert hundredths(end) <= hundredths(start)
