"""Sentences on which translation or reading aloud once failed, through the offline translator and the reading rules."""

from __future__ import annotations

import pytest

from dubline.domain.glossary import NO_GLOSSARY, normal
from dubline.domain.numerals import localized
from dubline.engines.contracts import TranslationRequest
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec, create
from dubline.engines.speech.spoken import spoken
from dubline.engines.translation import honour
from dubline.settings import settings

pytestmark = pytest.mark.models
TARGETS = ("es", "fr", "it", "pt")
SUMS = {
    "It costs $1 million today.": "1 millón de dólares",
    "It costs $12 million today.": "12 millones de dólares",
    "It costs $260 million today.": "260 millones de dólares",
    "It costs $1.5 billion today.": "1,5 mil millones de dólares",
    "It costs €3.5 million today.": "3,5 millones de euros",
    "It costs £20 million today.": "20 millones de libras",
    "It costs $100 billion today.": "100 mil millones de dólares",
    "It costs $1.99 million today.": "1,99 millones de dólares",
    "It costs $2.5k today.": "2.500 dólares",
    "It costs US$20 today.": "20 dólares",
    "It costs ¥5,000 today.": "5.000 yenes",
    "It costs 25¢ today.": "25 centavos",
    "The company lost one and a half billion dollars.": "1,5 mil millones de dólares",
    "They want two and a half million euros.": "2,5 millones de euros",
}
MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
READ = {
    "You get 2x more.": {"es": "dos veces", "fr": "deux fois", "it": "due volte", "pt": "duas vezes"},
    "It's the #1 song.": {"es": "número uno", "fr": "numéro un", "it": "numero uno", "pt": "número um"},
    "The car drives at 120 km/h on the road.": {
        "es": "ciento veinte kilómetros por hora",
        "fr": "cent vingt kilomètres",
        "it": "centoventi chilometri",
        "pt": "cento e vinte quilômetros por hora",
    },
    "It happened on May 3rd, 2021.": {
        "es": "tres de mayo de dos mil veintiuno",
        "fr": "trois mai deux mille vingt et un",
        "it": "tre maggio duemila ventuno",
        "pt": "três de maio de dois mil e vinte e um",
    },
    "In the 1990s everything was different.": {
        "es": "noventa",
        "fr": "quatre vingt dix",
        "it": "novanta",
        "pt": "noventa",
    },
    "We need 1/2 of a cup of milk.": {"es": "media taza", "fr": "demi tasse", "it": "mezza tazza", "pt": "meia xícara"},
    "Dr. Smith lives in the U.S. with Mrs. Jones.": {
        "es": "estados unidos",
        "fr": "états unis",
        "it": "stati uniti",
        "pt": "estados unidos",
    },
    "It takes 5-10 minutes.": {"es": "cinco a diez", "fr": "cinq à dix", "it": "cinque", "pt": "cinco a dez"},
    "Chapter No. 5 begins here.": {
        "es": "número cinco",
        "fr": "numéro cinq",
        "it": "numero cinque",
        "pt": "número cinco",
    },
    "It is -5 °C outside.": {"es": "menos cinco", "fr": "moins cinq", "it": "meno cinque", "pt": "menos cinco"},
    "About 250,000 people come here.": {
        "es": "doscientas cincuenta mil",
        "fr": "deux cent cinquante mille",
        "it": "duecentocinquantamila",
        "pt": "duzentas e cinquenta mil",
    },
}


def translated(texts: list[str], target: str, source: str = "en") -> list[str]:
    """As the stage `translate` writes them."""
    engine = create(EngineSpec(capability="translation", engine="apertium"), ModelStore(settings().models))
    numbered = tuple((f"{number:04}", text) for number, text in enumerate(texts))
    lines = honour.translate(engine, TranslationRequest(numbered, source, target, 4, NO_GLOSSARY)).lines
    return [localized(line.text, normal(text), source, target) for line, text in zip(lines, texts, strict=True)]


def words(text: str) -> str:
    return " ".join(text.lower().replace("-", " ").replace("\u00ad", "").split())


def test_sums_of_money_are_whole() -> None:
    found = dict(zip(SUMS, translated(list(SUMS), "es"), strict=True))
    assert not {text: found[text] for text, right in SUMS.items() if right not in found[text]}


@pytest.mark.parametrize("target", TARGETS)
def test_no_currency_stays_english(target: str) -> None:
    english = {"pounds", "yens" if target != "fr" else "yen"} | (
        set() if target == "fr" else {"million", "billion", "dollars"}
    )
    for text in translated([*SUMS, "It costs $20-$30 today."], target):
        assert "$" not in text and "dollars0" not in text, text
        assert not english & set(words(text).split()), text


def test_months_are_translated() -> None:
    found = translated([f"We meet in {month}." for month in ENGLISH_MONTHS], "es")
    assert all(right in text for text, right in zip(found, MONTHS, strict=True)), found


def test_languages_holidays_and_houses_are_translated() -> None:
    speaks, loves, went, was = translated(
        [
            "She speaks English, French and German.",
            "We love Christmas and Easter.",
            "She went to the White House.",
            "He was a Christian.",
        ],
        "es",
    )
    assert "alemán" in speaks and "francés" in speaks and "inglés" in speaks, speaks
    assert "Navidad" in loves and "Pascua" in loves, loves
    assert "Casa Blanca" in went and "cristiano" in was, (went, was)


@pytest.mark.parametrize("source", ["en", "es"])
def test_italian_for_is_no_verb(source: str) -> None:
    texts = {
        "en": ["This is for you.", "I bought a present for my mother.", "We came here to see the city."],
        "es": ["Esto es para ti.", "Es un regalo para mi madre.", "Vinimos aquí para ver la ciudad."],
    }[source]
    found = translated(texts, "it", source)
    assert "per te" in found[0] and "per mia madre" in found[1] and "per vedere la città" in found[2], found
    assert not any("partori" in text for text in found)


@pytest.mark.parametrize("target", TARGETS)
def test_figures_and_signs_are_read_as_words(target: str) -> None:
    written = translated(list(READ), target)
    read = [words(spoken(text, target)) for text in written]
    wrong = {
        text: (said, aloud)
        for text, said, aloud in zip(READ, written, read, strict=True)
        if READ[text][target].replace(" ", "") not in aloud.replace(" ", "")
    }
    assert not wrong
    assert not any(character.isdigit() or character in "#*&/" for aloud in read for character in aloud), read


def test_italian_is_translated() -> None:
    """What Apertium reads it with is a package of its own."""
    (found,) = translated(["Questo è un regalo per te."], "es", "it")
    assert found == "Esto es un regalo para ti."
