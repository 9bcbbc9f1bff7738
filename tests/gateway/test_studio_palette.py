"""The page's colours have the contrast that WCAG 2.2 AA asks for, and the page needs nobody but its own gateway."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dubline.gateway.app import STUDIO

TEXT, SHAPE = 4.5, 3.0
"""Contrast of text (WCAG 2.2, 1.4.3), and of borders and marks that mean something (1.4.11)."""
ON_TEXT = [
    *((ink, ground) for ink in ("ink", "quiet", "accent") for ground in ("ground", "surface")),
    *(("ink", ground) for ground in ("soft", "now", "accent-soft", *(f"s{number}" for number in range(8)))),
    *((ink, "now") for ink in ("quiet", "accent")),
    *((name, f"{name}-soft") for name in ("accent", "warn", "bad", "good")),
    *((name, "surface") for name in ("warn", "bad", "good")),
    *(("warn", f"s{number}") for number in range(8)),
    ("quiet", "soft"),
    ("accent-ink", "accent"),
]
ON_SHAPE = [
    *((name, ground) for name in ("edge", "accent", "source", "bad") for ground in ("ground", "surface")),
    *((f"e{number}", "surface") for number in range(8)),
    ("warn-bar", "surface"),
]


def palettes() -> dict[str, dict[str, str]]:
    css = (STUDIO / "css" / "base.css").read_text(encoding="utf-8")
    blocks = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)
    ]
    return {"light": blocks[0], "dark": blocks[0] | blocks[1]}


def luminance(colour: str) -> float:
    """Relative luminance, 0..1 (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_marks_can_be_told_from_their_ground(scheme: str) -> None:
    colours = palettes()[scheme]
    asked = [(pair, TEXT) for pair in ON_TEXT] + [(pair, SHAPE) for pair in ON_SHAPE]
    found = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair, _ in asked}
    assert {pair: found[pair] for pair, least in asked if found[pair] < least} == {}


@pytest.mark.parametrize("path", sorted(path.relative_to(STUDIO).as_posix() for path in STUDIO.rglob("*.*")))
def test_the_page_names_no_other_host_and_has_no_inline_code(path: str) -> None:
    text = (STUDIO / Path(path)).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"https?://[\w.]", text)
    assert not re.findall(
        r"innerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|<script>|<style|\son\w+=\"|style=\"", text
    )


def test_no_module_grows_out_of_sight() -> None:
    assert max(len(path.read_text(encoding="utf-8").splitlines()) for path in STUDIO.rglob("*.js")) <= 400
