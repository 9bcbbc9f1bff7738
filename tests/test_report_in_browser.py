"""The report in a real browser: on any screen every column can be read, and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dubline.reporting.model import (
    CastMember,
    Dub,
    EngineUse,
    FindingReport,
    Measure,
    RunReport,
    StageTiming,
)
from dubline.reporting.page import render_html
from tests.gateway.browsing import PICTURES, chromium
from tests.test_report import dub_of, line, phrase, report_of

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ARABIC = "مرحبا بكم جميعا في هذا العرض الطويل عن البحر وما يعيش فيه من مخلوقات لا تحصى."
CLIPPED = """() => {
    const width = document.documentElement.clientWidth;
    const shown = (one) => one.checkVisibility() && !one.closest(".hidden, .skip, .timeline, thead, .fallback");
    const outside = (one) => {
        const box = one.getBoundingClientRect();
        return box.right > width + 0.5 || box.left < -0.5;
    };
    const cut = (one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible";
    return [...document.querySelectorAll("body *")].filter(shown).filter((one) => outside(one) || cut(one))
        .map((one) => `${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 40)}`);
}"""
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNSEEN = """() => [...document.querySelectorAll("table.lines tbody tr")].flatMap((row) => [...row.cells].slice(1))
    .filter((cell) => cell.textContent.trim() && !(cell.getBoundingClientRect().width > 20 && cell.dataset.head))
    .map((cell) => cell.outerHTML)"""

BROKEN = """() => [...document.querySelectorAll(".badge")].filter((badge) => {
    const word = document.createRange();
    word.selectNodeContents(badge);
    return !/[ -]/.test(badge.textContent) && new Set([...word.getClientRects()].map((box) => box.top)).size > 1;
}).map((badge) => badge.textContent)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def much() -> RunReport:
    """Many phrases and languages, long words, a script that is written from right to left."""
    facts = {"start_ms": 61_000, "end_ms": 75_000, "placed_start_ms": 61_100, "placed_end_ms": 75_900}
    phrases = tuple(phrase(number, facts, speed=1.1, stretch=1.02) for number in range(12))
    names = {"speaker": "S1 " + "X" * 40, "voice": "af_" + "x" * 40, "flags": ("late", "part-silent", "kept-original")}
    texts = {"source": f"{LONG} {LONG}", "translation": ARABIC}
    many = line(1, **facts, **texts, **names, phrases=phrases, edited=True)
    found = tuple(
        FindingReport(suite="timeline", rule="onset-lag", severity=severity, message=f"{LONG}: {ARABIC}",
                      subjects=tuple(f"s{number}.{number}" for number in range(40)))
        for severity in ("review", "critical")
    )  # fmt: skip
    lines = (line(0), many, *(line(number) for number in range(30, 36)))
    cast = (CastMember(speaker="X" * 60, voice="y" * 40, voice_register="high", median_f0_hz=210.0),)
    measures = (Measure(name=f"the share of {LONG}", value="97%", goal=">= 95%", reference="human dubbers 73%"),)
    dubs: tuple[Dub, ...] = tuple(
        dub_of(*lines, language=code, video=f"{LONG}.{code}.mp4", findings=found, cast=cast, measures=measures)
        for code in ("ar", "es", "fr")
    )
    return report_of(
        *dubs,
        warnings=(f"{LONG} {LONG}.",),
        stages=tuple(StageTiming(stage=f"check-translation-{n}", seconds=n + 1.0, cached=n % 2 == 0) for n in range(9)),
        engines=(EngineUse(capability="translation", engine="e" * 40, model="m" * 40, licence="CC", note="n" * 60),),
    )


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_every_column_is_seen(browser: Browser, tmp_path: Path, width: int) -> None:
    report = tmp_path / "report.html"
    report.write_text(render_html(much()), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(report.as_uri())
    assert page.evaluate(WIDE) == 0
    assert page.evaluate(UNSEEN) == []
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate(BROKEN) == []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=PICTURES / "report" / f"{width}-{scheme}.png", full_page=True)
    page.close()
