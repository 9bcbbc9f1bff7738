"""The report: a value that holds together, a page that is safe to open, files that are whole or not there."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from pydantic import ValidationError

from dubline.reporting.chart import chart
from dubline.reporting.model import (
    CastMember,
    Dub,
    DubFiles,
    EngineUse,
    FindingReport,
    LineReport,
    Measure,
    PhraseReport,
    RunReport,
    SourceFacts,
    StageTiming,
)
from dubline.reporting.page import clock, relative_url, render_html

HOSTILE = """</script><script>alert("1")</script><img src=x onerror='alert(2)'>"&amp;{{ 7 * 7 }}"""


def line(number=0, **changes):
    start = 1000 + 3000 * number
    facts = {
        "segment": f"s{number}",
        "speaker": "AB"[number % 2],
        "start_ms": start,
        "end_ms": start + 2000,
        "source": "Hello?",
        "translation": "¿Hola?",
        "voice": "ef_dora",
        "placed_start_ms": start,
        "placed_end_ms": start + 1900,
    }
    facts |= changes
    if "phrases" not in facts:
        facts["phrases"] = (phrase(number, facts),)
    return LineReport(**facts)


def phrase(number, facts, **changes):
    """The whole of a line as one phrase."""
    span = {name: facts[name] for name in ("start_ms", "end_ms", "placed_start_ms", "placed_end_ms")}
    return PhraseReport(**{**span, "text": "¿Hola?", "clip": f"clips/es/s{number}.wav", **changes})


def dub_of(*lines, language="es", video="talk.es.mp4", **changes):
    return Dub(language=language, language_name="Spanish", files=DubFiles(video=video), lines=lines, **changes)


def report_of(*dubs, **changes):
    source = SourceFacts(
        file_name="talk.mp4", sha256="ab" * 32, duration_ms=30_000, language="en", language_confidence=0.98
    )
    made = datetime(2025, 3, 1, 9, 5, tzinfo=UTC)
    facts = {"dubline_version": "0.1.0", "profile": "offline", "created_at": made, "source": source, "dubs": dubs}
    return RunReport(**facts | changes)


def full_report():
    hurried = line(1, placed_start_ms=4210, placed_end_ms=6000, flags=("late",))
    fast = phrase(1, hurried.model_dump(), speed=1.2, stretch=1.04)
    hurried = hurried.model_copy(update={"phrases": (fast,)})
    dub = dub_of(
        line(0),
        hurried,
        line(2, voice="", phrases=(), flags=("kept-original",)),
        cast=(CastMember(speaker="A", voice="ef_dora", voice_register="high", median_f0_hz=198.4),),
        findings=(
            FindingReport(suite="timeline", rule="onset", severity="review", subjects=("s1",), message="Starts late."),
            FindingReport(suite="output", rule="loudness", severity="critical", message="Too loud."),
        ),
        measures=(Measure(name="Overlap", value="0.81", goal=">= 0.85", reference="human 0.73"),),
    )
    return report_of(
        dub,
        stages=(StageTiming(stage="transcribe", seconds=5.9), StageTiming(stage="mix", seconds=0.6, cached=True)),
        engines=(
            EngineUse(capability="translation", engine="nllb", model="600M", licence="CC-BY-NC", note="No sale."),
        ),
        warnings=("One line keeps the original voice.",),
    )


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.text += data

    def all(self, tag, **attributes):
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]


def page_of(report):
    page = Page(render_html(report))
    assert page.open == []
    return page


def test_json_holds_everything_and_reads_back():
    text = full_report().model_dump_json(by_alias=True)
    assert RunReport.model_validate_json(text) == full_report()
    assert json.loads(text)["dubs"][0]["lines"][1]["flags"] == ["late"]


def test_a_report_refuses_facts_that_it_does_not_know():
    with pytest.raises(ValidationError, match="mood"):
        line(mood="good")


@pytest.mark.parametrize("name", ["/etc/passwd", "../other/talk.mp4", "clips/../../x.wav", ""])
def test_a_report_names_no_file_outside_its_folder(name):
    with pytest.raises(ValidationError, match="inside its own folder"):
        DubFiles(video=name)


def test_the_page_shows_each_line_with_its_timing_rate_and_flags():
    page = page_of(full_report())
    for shown in ["Hello?", "¿Hola?", "0:04.00–0:06.00", "0:04.21–0:06.00", "+210 ms", "1.25×", "1.20 × 1.04", "late"]:
        assert shown in page.text
    assert [row["id"] for row in page.all("tr") if "data-from" in row] == ["line-1-1", "line-1-2", "line-1-3"]


def test_the_page_shows_findings_measures_stages_engines_and_warnings():
    page = page_of(full_report())
    for shown in ["Starts late.", "Too loud.", "critical", "0.81", "human 0.73", "5.90 s", "cached", "CC-BY-NC"]:
        assert shown in page.text
    assert "No sale." in page.text
    assert page.all("a", href="#line-1-2")


def test_warnings_stand_before_the_dubs():
    text = page_of(full_report()).text
    assert text.index("One line keeps the original voice.") < text.index("lines spoken")


def test_buttons_and_bars_say_where_to_seek():
    page = page_of(full_report())
    assert [b["data-seek"] for b in page.all("button")] == ["1.000", "4.210", "7.000"]
    assert all(b["aria-label"].startswith("Play line") for b in page.all("button"))
    assert [b["data-seek"] for b in page.all("rect", **{"class": "flagged"})] == ["4.210"]
    assert len(page.all("rect", **{"class": "source"})) == 3
    assert len(page.all("rect", **{"class": "kept"})) == 1


def test_text_of_strangers_stays_text():
    cast = (CastMember(speaker=HOSTILE, voice=HOSTILE),)
    finding = FindingReport(suite="s", rule="r", severity="review", subjects=(HOSTILE,), message=HOSTILE)
    hostile_line = line(speaker=HOSTILE, source=HOSTILE, translation=HOSTILE, voice=HOSTILE, flags=(HOSTILE,))
    said = phrase(0, hostile_line.model_dump(), text=HOSTILE)
    hostile_line = hostile_line.model_copy(update={"phrases": (said,)})
    report = report_of(
        dub_of(hostile_line, cast=cast, findings=(finding,), language=HOSTILE),
        warnings=(HOSTILE,),
        profile=HOSTILE,
        source=SourceFacts(
            file_name=HOSTILE, sha256=HOSTILE, duration_ms=9000, language=HOSTILE, language_confidence=1
        ),
        stages=(StageTiming(stage=HOSTILE, seconds=1),),
        engines=(EngineUse(capability=HOSTILE, engine=HOSTILE, model=HOSTILE, licence=HOSTILE, note=HOSTILE),),
    )
    page = page_of(report)
    assert len(page.all("script")) == len(page_of(full_report()).all("script")) == 1
    assert page.all("img") == []
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.text.count(HOSTILE) >= 12
    assert page.all("tr", id="line-1-1")


@pytest.mark.parametrize(
    "name",
    [
        "plain.mp4",
        "with space.mp4",
        'it\'s "quoted".mp4',
        "ñandú 動画 😀.mp4",
        "-leading.mp4",
        "javascript:alert(1)",
        "a#b?c%20d&e.mp4",
        "<b>.mp4",
    ],
)
def test_any_file_name_becomes_a_relative_url_of_that_file(name):
    clip = phrase(0, line().model_dump(), clip=f"clips/{name}")
    page = page_of(report_of(dub_of(line(phrases=(clip,)), video=name)))
    (video,) = page.all("video")
    assert unquote(video["src"]) == name
    assert re.fullmatch(r"[\w.~%/-]+", video["src"], re.ASCII)
    assert page.all("a", href=relative_url(f"clips/{name}"))


def test_the_page_names_no_other_host_and_loads_nothing_but_the_video():
    html = render_html(full_report())
    assert "//" not in html.replace("// ", "")
    page = Page(html)
    assert [tag for tag, attributes in page.elements if "src" in attributes] == ["video"]
    assert page.all("link") == []


def test_the_browser_is_told_to_run_only_the_pages_own_script():
    html = render_html(full_report())
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = Page(html).all("meta", http_equiv="Content-Security-Policy")
    assert f"script-src 'sha256-{digest}'" in policy["content"]
    assert policy["content"].startswith("default-src 'none'")


def test_each_language_has_a_section_of_its_own():
    italian = dub_of(line(0), language="it", video="talk.it.mp4", route=("en", "es", "it"))
    page = page_of(report_of(dub_of(line(0)), italian))
    assert [video["src"] for video in page.all("video")] == ["talk.es.mp4", "talk.it.mp4"]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
    assert targets <= set(ids)
    assert "by way of Spanish" in page.text


def test_a_video_without_speech_is_reported_as_such():
    source = SourceFacts(file_name="sea.mp4", sha256="00", duration_ms=0, language="", language_confidence=0)
    page = page_of(report_of(dub_of(), source=source, warnings=("No speech was found: the original audio was kept.",)))
    assert "none found" in page.text
    assert "No line was dubbed" in page.text
    assert "Nothing was dubbed." in page_of(report_of()).text


def test_every_region_of_the_page_that_scrolls_can_be_reached_and_is_labelled():
    regions = page_of(full_report()).all("div", **{"class": "scroll"})
    assert len(regions) == 5
    assert all(region["tabindex"] == "0" and region["aria-label"] for region in regions)


def test_a_page_is_the_same_each_time_it_is_made():
    assert render_html(full_report()) == render_html(full_report())


def test_the_chart_has_a_row_for_each_speaker_and_a_source_bar_above_each_dub_bar():
    drawn = chart((line(0), line(1), line(2)), 30_000)
    assert [row.speaker for row in drawn.rows] == ["A", "B"]
    assert [bar.lane for bar in drawn.rows[0].bars] == ["source", "dub", "source", "dub"]
    source, dub = drawn.rows[0].bars[:2]
    assert source.top + source.height <= dub.top
    assert (source.left, source.width) == pytest.approx((100 / 30, 200 / 30), abs=1e-3)
    assert drawn.rows[1].top >= dub.top + dub.height


def test_the_chart_reaches_past_the_end_of_the_video_where_a_line_does():
    (row,) = chart((line(0, placed_start_ms=1000, placed_end_ms=9000),), 5000).rows
    assert max(bar.left + bar.width for bar in row.bars) == pytest.approx(100, abs=1e-3)


def test_the_axis_of_a_long_video_keeps_its_labels_apart():
    for duration in (1, 4000, 30_000, 600_000, 7_200_000):
        drawn = chart((), duration)
        apart = max(drawn.least_width, 1000) / len(drawn.ticks)
        assert drawn.ticks[0].at_ms == 0
        assert apart >= 60


def test_clock_times_are_cut_and_never_show_sixty_seconds():
    assert [clock(0), clock(59_999), clock(83_450, 2), clock(3_600_000, 0)] == [
        "0:00.0",
        "0:59.9",
        "1:23.45",
        "1:00:00",
    ]
