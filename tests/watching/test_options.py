"""What a sidecar may say, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubline.domain.errors import InvalidRequest
from dubline.request import TranslateRequest
from dubline.watching.options import Options, complete, parse

FILES = {"terms.csv": b"term,es\nNew Jersey,keep\n", "odd.txt": b"x"}
FILES |= {"deep.yaml": b"[" * 3000, "long.csv": b"term,es\n" + b"".join(b"%d,x\n" % n for n in range(20_000))}


def read(name: str) -> bytes:
    if name not in FILES:
        raise FileNotFoundError(name)
    return FILES[name]


def test_every_key_reaches_the_request() -> None:
    text = """
languages: [es, no]
source_language: en
track: 2
profile: offline
glossary: {New Jersey: keep, cloud: {es: nube}}
voices: {S1: em_alex, S2: {es: ef_dora}}
burn_in: true
loudness: -16
"""
    asked = parse(text.encode(), "clip.mp4.yaml", read).request("/v/clip.mp4", "/v/out")
    request = TranslateRequest.model_validate(asked)
    assert request.languages == ("es", "no")  # 'no' is Norwegian, not False
    assert [(term.source, term.target, term.language) for term in request.glossary.terms] == [
        ("New Jersey", None, None),
        ("cloud", "nube", "es"),
    ]
    assert [(v.speaker, v.voice, v.language) for v in request.voices] == [
        ("S1", "em_alex", None),
        ("S2", "ef_dora", "es"),
    ]
    assert (request.burn_in, request.loudness, request.source_language) == (True, -16, "en")
    assert request.track == "2"
    assert request.video == Path("/v/clip.mp4")


def test_options_are_the_request_without_its_places() -> None:
    of_a_session = {"session", "edits"}
    assert set(Options.model_fields) == set(TranslateRequest.model_fields) - {"video", "out", "refresh"} - of_a_session


def test_a_glossary_may_be_a_file_beside_it() -> None:
    assert parse(b"glossary: terms.csv", "a.yaml", read).glossary.terms[0].source == "New Jersey"


def test_what_a_sidecar_leaves_out_the_folder_says() -> None:
    folder = parse(b"languages: fr\nburn_in: yes", "dubline.yaml", read)
    said = parse(b"languages: es, it", "a.yaml", read).over(folder)
    assert (said.languages, said.burn_in) == (("es", "it"), True)


def test_other_options_have_another_digest() -> None:
    texts = [b"languages: es", b"languages: fr", b"languages: es\nburn_in: true", b"languages: es\nglossary: {a: b}"]
    texts.append(b"languages: es\ntrack: 2")
    assert len({parse(text, "a.yaml", read).digest() for text in texts}) == len(texts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"languages: es\nlangauges: fr", "a.yaml, line 2: there is no key 'langauges'; use one of: languages"),
        (b"languages: es\nloudness: 3", "a.yaml, line 2: 'loudness' is wrong"),
        (b'languages: es\ntrack: "  "', "a.yaml, line 2: 'track' is wrong"),
        (b"languages: es\ntrack: " + b"x" * 201, "a.yaml, line 2: 'track' is wrong"),
        (b"languages: xx", "'xx' is not a language code"),
        (b"- es", "a.yaml holds no keys"),
        (b"a: [", "a.yaml is not YAML"),
        (b"\xff\xfe\xff", "a.yaml is not UTF-8"),
        (b"glossary: lost.csv", "the glossary lost.csv, which is not beside it"),
        (b"glossary: ../../etc/passwd", "names no file beside it"),
        (b"glossary: odd.txt", "odd.txt is neither"),
        (b"languages: es\nglossary:\n  cloud: {xx: nube}", "line 3, names a language that is none"),
        (b"voices: 3", "'voices' is wrong"),
        (b'glossary: ""', "names no file beside it"),
        (b'glossary: "a\\0.csv"', "names no file beside it"),
        (b'glossary: "\\ud800.csv"', "names no file beside it"),
        (b"glossary: " + b"x" * 252 + b".csv", "names no file beside it"),
        (b'glossary: {"a\\ud800": x}', "control character"),
        (b'voices: {"S\\x01": x}', "control character"),
        (b'profile: "\\ud800"', "control character"),
        (b'profile: "\\0"', "control character"),
        (b'"\\0": x', r"there is no key '\x00'"),
        (b"languages: " + b"[" * 3000, "nested too deeply"),
        (b"glossary: deep.yaml", "nested too deeply"),
        (b"glossary: long.csv", "too long"),
        (b"voices: {S1: &a {" + b"".join(b"%d: x, " % n for n in range(2000)) + b"}, S2: *a}", "'voices' is wrong"),
    ],
)
def test_a_wrong_sidecar_is_told_in_one_sentence(text: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(text, "a.yaml", read)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_language_anywhere_is_told_with_the_file_to_write() -> None:
    with pytest.raises(InvalidRequest, match=r"clip\.mp4\.yaml"):
        complete(Options(), "clip.mp4")


def test_a_profile_may_be_one_that_only_the_workers_know() -> None:
    assert parse(b"profile: house", "a.yaml", read).profile == "house"
