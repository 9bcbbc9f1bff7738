"""Edits as a request and a file have them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from dubline import edits
from dubline.domain.errors import InvalidRequest
from dubline.domain.mending import Mend, Mends
from dubline.domain.time import Span
from dubline.edits import LineEdit
from dubline.request import TranslateRequest, accept
from flows.key import request_key
from tasks import mend

TEXT = LineEdit(segment="0002", language="es", text="Hola")


def request(*said: LineEdit, languages: tuple[str, ...] = ("es",)) -> TranslateRequest:
    return TranslateRequest(video=Path("/v.mp4"), languages=languages, out=Path("/out"), edits=said)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "nothing is edited"),
        ({"text": "Hola"}, "for one target language"),
        ({"voice": "ef_dora"}, "for one target language"),
        ({"start_ms": 5}, "give both or none"),
        ({"end_ms": 5}, "give both or none"),
        ({"start_ms": 5, "end_ms": 5}, "not after start_ms"),
        ({"start_ms": -1, "end_ms": 5}, "greater than or equal to 0"),
        ({"source_text": ""}, "it is empty"),
        ({"source_text": "a\nb"}, "control characters"),
        ({"source_text": "a\x00"}, "control characters"),
        ({"source_text": "a\ud800"}, ""),
        ({"source_text": "a\u2028b"}, "control characters"),
        ({"source_text": "...?!"}, "no letter or digit"),
        ({"source_text": "x" * 1001}, "at most 1000"),
        ({"segment": " ", "keep_original": True}, "it is empty"),
        ({"language": "e\ts", "keep_original": True}, "control characters"),
        ({"language": "es", "voice": "x" * 101}, "at most 100"),
        ({"txt": "Hola", "keep_original": True}, "not permitted"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        LineEdit.model_validate({"segment": "0001"} | fields)


def test_a_refusal_does_not_quote_what_was_said() -> None:
    with pytest.raises(ValidationError) as refused:
        LineEdit(segment="0001", text="my secret")
    assert "secret" not in str(refused.value)


def test_text_is_composed_and_trimmed() -> None:
    assert LineEdit(segment="1", source_text=" Cafe\u0301 ").source_text == "Caf\u00e9"


def test_the_later_edit_of_the_same_thing_holds_and_others_add_up() -> None:
    said = [
        LineEdit(segment="2", language="es", text="uno", voice="v"),
        LineEdit(segment="1", keep_original=True),
        LineEdit(segment="2", language="es", text="dos", start_ms=1, end_ms=2),
        LineEdit(segment="2", language="fr", text="deux"),
        LineEdit(segment="2", source_text="two"),
    ]
    assert edits.speaking(said, "es") == Mends((Mend("1", keep_original=True), Mend("2", text="dos", voice="v")))
    assert edits.speaking(said, "fr") == Mends((Mend("1", keep_original=True), Mend("2", text="deux")))
    assert edits.in_source(said) == Mends((Mend("1"), Mend("2", source_text="two", span=Span(1, 2))))
    assert edits.edited(said, "it") == {"1", "2"}


def test_keeping_the_original_can_be_taken_back() -> None:
    said = [LineEdit(segment="1", keep_original=True), LineEdit(segment="1", language="es", keep_original=False)]
    assert edits.speaking(said, "es") == Mends()
    assert edits.speaking(said, "fr") == Mends((Mend("1", keep_original=True),))
    assert edits.edited(said, "es") == frozenset()
    assert edits.edited(said, "fr") == {"1"}


def test_an_edit_for_another_language_is_none_for_this_one() -> None:
    assert edits.edited([TEXT], "fr") == frozenset()
    assert edits.edited([TEXT], "es") == {"0002"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "e.yaml",
            "- segment: 0002\n  language: no\n  text: 12\n  start_ms: 3\n  end_ms: 40\n  keep_original: false\n",
        ),
        (
            "e.json",
            '[{"segment": "0002", "language": "no", "text": "12", "voice": null},'
            ' {"segment": "0002", "start_ms": 3, "end_ms": 40, "keep_original": false}]',
        ),
    ],
)
def test_a_file_of_edits_is_read(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    found = edits.read(path)
    assert edits.speaking(found, "no") == Mends((Mend("0002", text="12"),))
    assert edits.in_source(found) == Mends((Mend("0002", span=Span(3, 40)),))


def test_an_empty_file_is_no_edit(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text("# none yet\n")
    assert edits.read(tmp_path / "e.yaml") == ()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("e.yaml", b"segment: 1\n", "is no list; begin each edit with '- segment: ...'"),
        ("e.yaml", b"- segment: [\n", "neither YAML nor JSON"),
        ("e.yaml", b"- !!python/name:os.system\n", "neither YAML nor JSON"),
        ("e.json", b"[", "neither YAML nor JSON"),
        ("e.json", b"[" * 100_000, "neither YAML nor JSON"),
        ("e.yaml", b"- hello\n", "wrong at edit 1"),
        ("e.yaml", b"- {segment: 1, keep_original: true}\n- {segment: 2, txt: a}\n", "wrong at edit 2, txt"),
        ("e.yaml", b"- {segment: 1, text: a}\n", "wrong at edit 1: text and voice are for one target language"),
        ("e.yaml", b"- {segment: 1, keep_original: 7}\n", "wrong at edit 1, keep_original"),
        ("e.yaml", "- segment: é\n".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_a_wrong_file_is_answered_with_one_sentence(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=words) as refused:
        edits.read(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        edits.read(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (LineEdit(segment="1", language="fr", text="Oui"), "is for 'fr', into which the video is not translated"),
        (LineEdit(segment="1", language="es", voice="nobody"), r"no voice 'nobody' for 'es'.*use one of: ef_dora"),
    ],
)
def test_what_can_be_known_before_a_run_is_refused_then(edit: LineEdit, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        accept(request(edit))


def test_edits_are_a_part_of_what_was_asked() -> None:
    keys = [request_key(request(*said), "0" * 64) for said in ((), (TEXT,), (TEXT, TEXT), ())]
    assert len(set(keys)) == 3
    assert keys[0] == keys[3]


def test_stages_get_edits_without_their_text() -> None:
    """Their inputs may become parameters of a Prefect run."""
    kept = mend.stored(edits.speaking([LineEdit(segment="0002", language="es", text="secreto")], "es"))
    assert "secreto" not in repr(mend.mend_lines.dumped({"edits": kept}))
    assert mend.mend_lines.loaded(mend.mend_lines.dumped({"edits": kept})) == {"edits": kept}


def test_a_request_with_edits_survives_the_way_through_json() -> None:
    asked = request(TEXT, LineEdit(segment="1", keep_original=False))
    assert TranslateRequest.model_validate_json(asked.model_dump_json()) == asked
