"""Cutting text for models: boundaries in several scripts, and that nothing is ever lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubline.engines.translation.sentences import halves, join, packed, pieces, sentences


def bare(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith met Mrs. Jones. They talked.", ["Dr. Smith met Mrs. Jones.", "They talked."]),
        ("The U.S. Army came at 5 p.m. yesterday.", ["The U.S. Army came at 5 p.m. yesterday."]),
        ("J. R. R. Tolkien wrote it. So did I. He knew.", ["J. R. R. Tolkien wrote it.", "So did I.", "He knew."]),
        ("It costs 3.50 euros. Fine.", ["It costs 3.50 euros.", "Fine."]),
        ("Wir treffen uns am 3. Mai in Bonn. Gut.", ["Wir treffen uns am 3. Mai in Bonn.", "Gut."]),
        ("Well... perhaps. Hm… Yes.", ["Well... perhaps.", "Hm…", "Yes."]),
        ('"Why?" he asked. "Because."', ['"Why?" he asked.', '"Because."']),
        ("¿Qué? ¡Nada! El Sr. Pérez vino.", ["¿Qué?", "¡Nada!", "El Sr. Pérez vino."]),
        ("他来了。你呢？「好。」走吧！", ["他来了。", "你呢？", "「好。」", "走吧！"]),
        ("यह है। वह कौन है? मैं हूँ॥", ["यह है।", "वह कौन है?", "मैं हूँ॥"]),
        ("وہ آیا۔ کیا؟ ہاں۔", ["وہ آیا۔", "کیا؟", "ہاں۔"]),
        ("first line\nsecond line", ["first line", "second line"]),
        ("no stop at the end", ["no stop at the end"]),
        ("www.example.org is down. Look.", ["www.example.org is down.", "Look."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text, expected):
    assert sentences(text) == expected


def test_a_sentence_that_does_not_fit_is_cut_at_a_clause_near_its_middle():
    text = "When the rain had stopped and the sun came out, we all went down to the river"
    assert pieces(text, lambda piece: len(piece) <= 60) == [
        "When the rain had stopped and the sun came out,",
        "we all went down to the river",
    ]


def test_without_clauses_it_is_cut_between_words_and_without_words_between_characters():
    assert halves("one two three four") == ("one two", "three four")
    assert pieces("a" * 10, lambda piece: len(piece) <= 3) == ["aa", "aaa", "aa", "aaa"]
    assert halves("a") is None


def test_sentences_are_packed_into_as_few_pieces_as_fit():
    assert packed("One one. Two two. Three three.", lambda p: len(p) <= 18, "en") == [
        "One one. Two two.",
        "Three three.",
    ]
    assert packed("你好。再见。", lambda p: len(p) <= 18, "zh") == ["你好。再见。"]


def test_pieces_are_joined_as_the_language_writes_them():
    assert join(["One.", "", "Two."], "en") == "One. Two."
    assert join(["一。", "二。"], "ja") == "一。二。"


@given(st.text(alphabet="ab .,!?…\n—。，।'\"«»() 1Aé", max_size=200), st.integers(1, 20))
def test_nothing_is_lost_and_every_piece_fits(text, limit):
    parts = pieces(text, lambda piece: len(piece) <= limit)
    assert bare("".join(parts)) == bare(text)
    assert all(0 < len(part) <= limit for part in parts)
    together = packed(text, lambda piece: len(piece) <= limit, "en")
    assert bare("".join(together)) == bare(text)
    assert all(len(part) <= limit for part in together)
    assert len(together) <= len(parts)


@given(st.text(max_size=300))
def test_any_text_survives_splitting(text):
    assert bare("".join(sentences(text))) == bare(text)
