"""What a session asks for at one of its revisions: its request as it was made, and what people changed since."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LINE, UNDO, CAST, LANGUAGE = "line", "undo", "cast", "language"
"""Kinds of an edit: a LineEdit; all edits of a line taken back; a speaker's voice; a further target language."""


def asked(request: dict[str, Any], edits: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The request with the edits in it, in their order."""
    languages, voices = list(request["languages"]), list(request.get("voices", ()))
    lines: list[dict[str, Any]] = []
    for edit in edits:
        kind = edit["kind"]
        if kind == LANGUAGE and edit["language"] not in languages:
            languages.append(edit["language"])
        elif kind == CAST:
            voices.append(edit["voice"])
        elif kind == LINE:
            lines.append(edit["line"])
        elif kind == UNDO:
            lines = [line for line in lines if not _taken_back(line, edit)]
    return request | {"languages": languages, "voices": voices} | ({"edits": lines} if lines else {})


def _taken_back(line: dict[str, Any], undo: dict[str, Any]) -> bool:
    """What holds for the source is taken back in whichever language that is asked for."""
    return line["segment"] == undo["segment"] and line.get("language") in (None, undo["language"])
