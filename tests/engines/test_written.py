"""Sums, dates, times and the like, as each language writes them; found in each language, and whole with any engine."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from dubline.domain.glossary import Glossary, Term
from dubline.domain.numerals import localized
from dubline.domain.transcript import Line
from dubline.engines.contracts import TranslationRequest, TranslationResult, no_progress
from dubline.engines.registry import EngineSpec, create
from dubline.engines.translation import honour
from dubline.engines.translation.written.contraction import contracted, joined
from dubline.engines.translation.written.expressions import find
from dubline.engines.translation.written.masks import lost, masked, unmasked
from dubline.engines.translation.written.table import LANGUAGES, names, words

TABLE = yaml.safe_load((Path(__file__).parent / "written_expressions.yaml").read_text(encoding="utf-8"))
models = pytest.mark.models


@pytest.fixture(scope="module")
def engine():
    return create(EngineSpec(capability="translation", engine="apertium"), None)


def said(engine, texts, source="en", target="es", terms=()):
    """As the stage `translate` gives it."""
    request = TranslationRequest(
        tuple((f"s{n}", text) for n, text in enumerate(texts)), source, target, 4, Glossary(terms)
    )
    lines = honour.translate(engine, request).lines
    return [localized(line.text, text, source, target) for line, text in zip(lines, texts, strict=True)]


def written(text, source, target):
    """What each expression of a text is in another language."""
    return [found.value.written(words(target)) for found in find(text, words(source))]


# --- the table of expressions -----------------------------------------------------------------------------------------


@models
@pytest.mark.parametrize("target", ["es", "fr", "it", "pt"])
def test_english_sentences_are_written_as_the_language_writes_them(engine, target):
    assert len(TABLE) >= 60
    found = said(engine, [row["en"] for row in TABLE], target=target)
    wrong = [(row["en"], row[target], text) for row, text in zip(TABLE, found, strict=True) if row[target] not in text]
    assert not wrong


@models
def test_other_languages_are_written_in_each_other(engine):
    spanish = {
        "Cuesta 260 millones de dólares.": ("It costs $260 million.", "Il coûte 260 millions de dollars."),
        "La empresa perdió 1,5 mil millones de euros.": (
            "The company lost €1.5 billion.",
            "L'entreprise a perdu 1,5 milliard d'euros.",
        ),
        "La fiesta del lunes 5 de julio.": ("The party of Monday, July 5.", "La fête du lundi 5 juillet."),
        "Empieza a las 7 de la tarde.": ("It begins at 7 p.m.", "Il commence à 19 h."),
        "La música de los años 80.": ("The music of the 1980s.", "La musique des années 80."),
        "El señor Smith vive con la señora Jones.": (
            "Mr. Smith lives with Mrs. Jones.",
            "Monsieur Smith habite avec madame Jones.",
        ),
    }
    assert said(engine, list(spanish), "es", "en") == [english for english, _ in spanish.values()]
    assert said(engine, list(spanish), "es", "fr") == [french for _, french in spanish.values()]


@models
def test_the_glossary_wins_over_an_expression(engine):
    terms = (Term("$5 bill", "billete de cinco"), Term("May", "Mayra"))
    found = said(engine, ["I found a $5 bill.", "I saw May in May 2021.", "It costs $5."], terms=terms)
    assert "billete de cinco" in found[0] and found[2] == "Cuesta 5 dólares."
    assert found[1].count("Mayra") == 2


# --- values, told from the words for them -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "source", "target", "forms"),
    [
        ("-$5, $0.99 and $1", "en", "fr", ["-5 dollars", "0,99 dollar", "1 dollar"]),
        ("$1 billion", "en", "es", ["mil millones de dólares"]),
        ("20 CHF or C$30", "en", "it", ["20 franchi svizzeri", "30 dollari canadesi"]),
        ("2 millions d'euros", "fr", "en", ["€2 million"]),
        ("R$ 20", "pt", "es", ["20 reales"]),
        ("1 1/2 cups", "en", "es", ["1 1/2 tazas"]),
        ("-3 and 5-3", "en", "es", ["-3"]),
        ("I like the 3rd of May.", "en", "fr", ["le 3 mai"]),
        ("May 3, 2021.", "en", "es", ["3 de mayo de 2021"]),
        ("3/25/2021 and 25/3/2021", "en", "it", ["25/3/2021", "25/3/2021"]),
        ("25/3/2021", "es", "en", ["3/25/2021"]),
        ("by June 2022", "en", "pt", ["até junho de 2022"]),
        ("at 12 a.m.", "en", "it", ["a mezzanotte"]),
        ("from 9 a.m. to 5 p.m.", "en", "it", ["dalle 9", "alle 17"]),
        ("It was 1 p.m.", "en", "es", ["era la 1 de la tarde"]),
        ("à 19 h 30", "fr", "es", ["a las 7:30 de la tarde"]),
        ("alle 19:30", "it", "pt", ["às 19h30"]),
        ("às 19h30", "pt", "en", ["at 7:30 p.m."]),
        ("in the late 1960s", "en", "fr", ["à la fin des années 60"]),
        ("negli anni '90", "it", "es", ["en los años 90"]),
        ("the 19th century", "en", "pt", ["o século XIX"]),
        ("the 2nd time, the 11th time", "en", "es", ["la 2.ª vez", "la 11.ª vez"]),
        ("21.ª", "es", "en", []),
        ("in her 90s", "en", "es", []),
    ],
)
def test_an_expression_is_told_in_another_language(text, source, target, forms):
    assert written(text, source, target) == forms


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("We meet in March, last May and this August.", ["en marzo", "el pasado mayo", "este agosto"]),
        ("March, April and May are the best months.", ["marzo", "abril", "mayo"]),
        ("It's June. April is cold.", ["junio", "abril"]),
        ("the end of June", ["junio"]),
        ("March with us! May I come in? They march.", []),
        ("I met June. April came. August is a nice boy.", ["June", "April", "August"]),
    ],
)
def test_months_are_known_from_names_and_verbs(text, months):
    assert written(text, "en", "es") == months


def test_every_language_has_every_word():
    tables = [words(language) for language in LANGUAGES]
    for field in ("scales", "currencies", "units", "prepositions"):
        assert len({frozenset(getattr(table, field)) for table in tables}) == 1, field
    assert all(len(table.months) == 12 and len(table.weekdays) == 7 and len(table.day_parts) == 6 for table in tables)
    assert all(entry.keys() == set(LANGUAGES) for entry in names())


@pytest.mark.parametrize(
    ("before", "phrase", "language", "whole"),
    [
        ("Vi a ", "el Dr. Lee", "es", "Vi al Dr. Lee"),
        ("la musique de ", "les années 80", "fr", "la musique des années 80"),
        ("la fin de ", "avril", "fr", "la fin d'avril"),
        ("In ", "gli anni '90", "it", "Negli anni '90"),
        ("a ", "l'inizio", "it", "all'inizio"),
        ("em ", "a segunda-feira", "pt", "na segunda-feira"),
        ("para ", "o Dr. Lee", "pt", "para o Dr. Lee"),
    ],
)
def test_a_preposition_takes_the_article_in(before, phrase, language, whole):
    assert contracted(before, phrase, language) == whole


def test_italian_joins_its_prepositions_and_articles():
    assert (
        joined("in i Stati Uniti, di il nonno, a gli zii, i Stati")
        == "negli Stati Uniti, del nonno, agli zii, gli Stati"
    )


# --- stand-ins --------------------------------------------------------------------------------------------------------


def test_a_stand_in_is_none_that_the_text_has_and_is_missed_when_it_is_lost():
    hidden = masked("70001 people paid $5 in May 2021.", "en", "es")
    assert hidden.text == "70001 people paid 70002 dollars 70003."
    assert not lost("70001 personas pagaron 70002 dólares 70003.", hidden.masks)
    assert lost("70001 personas pagaron 70002 dólares.", hidden.masks)
    shown = unmasked(Line("1", "70001 personas pagaron 70002 dólares 70003."), hidden.masks, "en", "es")
    assert shown.text == "70001 personas pagaron 5 dólares en mayo de 2021."


def test_an_expression_before_its_noun_goes_behind_it():
    assert masked("a $5 million contract", "en", "es").text == "a contract of 70001 dollars"
    assert masked("the #1 song", "en", "es").text == "the song 70001"
    assert masked("the $20 he gave me", "en", "es").text == "the 70001 dollars he gave me"


def test_a_pair_without_a_table_is_left_alone():
    assert masked("It costs $5.", "en", "ja").text == "It costs $5."


# --- any engine -------------------------------------------------------------------------------------------------------


class Tearing:
    """An engine that reads figures one by one, and keeps what it was asked."""

    offers_alternatives: ClassVar[bool] = False

    def __init__(self, **wordings):
        self.wordings, self.asked = wordings, []

    def translate(self, request, progress=no_progress):
        self.asked += [text for _, text in request.texts]
        lines = tuple(Line(segment, self._worded(text)) for segment, text in request.texts)
        return TranslationResult(lines, (request.source, request.target))

    def _worded(self, text):
        for before, after in self.wordings.items():
            text = text.replace(before.replace("_", " "), after)
        return text


def test_a_sum_that_an_engine_tears_is_put_back_whole():
    engine = Tearing(**{"$260 million": "26 dollars0 millones", "dollars": "dólares", "It costs": "Cuesta"})
    assert said(engine, ["It costs $260 million."]) == ["Cuesta 260 millones de dólares."]
    assert len(engine.asked) == 2


@pytest.mark.parametrize(
    "good", ["$260 millones", "260 millones de dólares", "260.000.000 dólares", "USD 260 millones"]
)
def test_a_sum_that_an_engine_has_right_is_left_as_it_words_it(good):
    engine = Tearing(**{"$260 million": good})
    assert said(engine, ["It costs $260 million."]) == [f"It costs {good}."]
    assert len(engine.asked) == 1


def test_an_engine_that_loses_the_stand_in_keeps_its_own_wording():
    engine = Tearing(**{"$260 million": "mucho", "70001": "algo"})
    assert said(engine, ["It costs $260 million."]) == ["It costs mucho."]
