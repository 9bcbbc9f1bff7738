"""A glossary is honoured by any engine, however it treats the names that terms hide behind."""

from __future__ import annotations

import re
from typing import ClassVar

import pytest

from dubline.domain.glossary import Glossary, Term
from dubline.domain.transcript import Line
from dubline.engines.contracts import TranslationRequest, TranslationResult, no_progress
from dubline.engines.translation import honour

NAME = re.compile(r"\bzq\w+xo\b", re.IGNORECASE)


class Engine:
    """Turns the case of every word; `rule` says what it does to the whole text first. It keeps what it was asked."""

    offers_alternatives: ClassVar[bool] = True

    def __init__(self, rule=lambda text: text, alternatives=()):
        self.rule, self.alternatives, self.asked = rule, alternatives, []

    def translate(self, request, progress=no_progress):
        assert request.glossary == Glossary(), "an engine that ignores glossaries sees none"
        self.asked.append([text for _, text in request.texts])
        lines = tuple(self._line(segment, self.rule(text)) for segment, text in request.texts)
        progress(1.0)
        return TranslationResult(lines, (request.source, request.target))

    def _line(self, segment, text):
        said = text.swapcase()
        return Line(segment, said, tuple(NAME.findall(said)), tuple(a(said) for a in self.alternatives))


def request(*texts, terms, target="es", alternatives=0):
    numbered = tuple((f"s{n}", text) for n, text in enumerate(texts))
    return TranslationRequest(numbered, "en", target, alternatives, Glossary(tuple(terms)))


def texts(engine, asked):
    return [line.text for line in honour.translate(engine, asked).lines]


def test_text_that_has_its_terms_is_left_alone():
    engine = Engine()
    terms = [Term("cloud", "CLOUD"), Term("rain", None, "fr")]
    assert texts(engine, request("a cloud", "no rain", terms=terms)) == ["A CLOUD", "NO RAIN"]
    assert engine.asked == [["a cloud", "no rain"]]


def test_a_missing_term_is_hidden_and_put_back_in_its_wording():
    engine = Engine()
    terms = [Term("cloud", "nube"), Term("blue cloud", "nubarrón"), Term("Diane", None)]
    assert texts(engine, request("see a cloud, a Blue cloud, diane", "none", terms=terms)) == [
        "SEE A nube, A nubarrón, diane",
        "NONE",
    ]
    assert len(engine.asked) == 2
    assert "cloud" not in engine.asked[1][0].lower(), "only the text that needs it is asked for again, without terms"
    assert len(engine.asked[1]) == 1


def test_a_term_at_the_start_of_a_sentence_begins_with_a_capital():
    assert texts(Engine(), request("Cloud. cloud? a cloud", terms=[Term("cloud", "nube")])) == ["Nube. Nube? A nube"]


@pytest.mark.parametrize(
    "rule",
    [lambda text: NAME.sub("", text), lambda text: NAME.sub("zz", text), lambda text: NAME.sub("qxo", text)],
    ids=["lost", "translated", "mangled"],
)
def test_where_names_do_not_come_through_the_text_around_the_terms_is_translated(rule):
    engine = Engine(rule)
    terms = [Term("cloud", "nube"), Term("Diane", None)]
    assert texts(engine, request("Diane, see a cloud!", terms=terms)) == ["Diane, SEE A nube!"]
    assert engine.asked[2] == [", see a"]


def test_text_that_is_a_term_alone_needs_no_engine():
    assert texts(Engine(lambda text: "gone"), request("Cloud.", terms=[Term("cloud", "nube")])) == ["Nube."]


def test_scripts_without_spaces_are_joined_without_any():
    engine = Engine(lambda text: NAME.sub("", text))
    assert texts(engine, request("你好Diane你", terms=[Term("你好", "您好")], target="zh")) == ["您好dIANE你"]


def test_a_term_that_repeats_is_put_back_each_time():
    once = Engine(lambda text: re.sub(r"(?s)(zq\w+xo)(.*)zq\w+xo", r"\1\2", text, flags=re.IGNORECASE))
    assert texts(Engine(), request("a cloud or cloud", terms=[Term("cloud", "nube")])) == ["A nube OR nube"]
    assert texts(once, request("a cloud or cloud", terms=[Term("cloud", "nube")])) == ["A nube OR nube"]


def test_alternatives_that_miss_a_term_are_no_alternatives():
    engine = Engine(alternatives=(lambda said: said + "!", lambda said: NAME.sub("X", said), lambda said: said))
    (line,) = honour.translate(engine, request("a cloud", terms=[Term("cloud", "nube")], alternatives=3)).lines
    assert line.text == "A nube"
    assert line.alternatives == ("A nube!",)


def test_terms_are_not_among_the_unknown_words():
    (line,) = honour.translate(Engine(), request("a cloud", terms=[Term("cloud", "nube")])).lines
    assert line.unknown == ()


def test_decomposed_accents_in_the_text_are_found():
    asked = request("un cafe\u0301", terms=[Term("café", "coffee")], target="en")
    assert texts(Engine(), asked) == ["UN coffee"]


def test_a_text_that_holds_names_of_other_terms_keeps_them():
    glossary = Glossary((Term("cloud", "nube"),))
    hidden = honour.hidden("zqaaxo and a cloud", glossary)
    assert hidden == "zqaaxo and a zqabxo"
    assert honour.shown(hidden, "zqaaxo and a cloud", glossary) == "zqaaxo and a nube"
