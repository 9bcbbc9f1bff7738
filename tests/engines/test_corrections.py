"""What a leg of Apertium always gets wrong, and words that its target does not have."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from dubline.domain.transcript import Line
from dubline.engines.contracts import TranslationRequest
from dubline.engines.registry import EngineSpec, create
from dubline.engines.translation import honour
from dubline.engines.translation.apertium import Apertium
from dubline.engines.translation.corrections import corrected, prepared, table
from dubline.engines.translation.lexicon import looked_over

models = pytest.mark.models
REFERENCES = Path(__file__).parents[2] / "bench" / "data" / "isometric-mt-test"


@pytest.fixture(scope="module")
def engine():
    return create(EngineSpec(capability="translation", engine="apertium"), None)


def said(engine, *texts, source="es", target="it"):
    request = TranslationRequest(tuple((f"s{n}", text) for n, text in enumerate(texts)), source, target)
    return [line.text for line in honour.translate(engine, request).lines]


@pytest.mark.parametrize(
    ("leg", "given", "wrong", "right"),
    [
        ("es-it", "Es para ti.", "È partorisca te.", "È per te."),
        ("es-it", "Para ver.", "Partorisca vedere.", "Per vedere."),
        ("es-it", "Este es mi padre.", "Est è il mio padre.", "Questo è mio padre."),
        ("es-it", "al este de la casa", "a est della casa", "a est della casa"),
        ("es-it", "La casa de mi madre.", "La casa della mia madre.", "La casa di mia madre."),
        ("es-it", "Vinieron.", "Hanno venuto.", "Sono venuti."),
        ("es-it", "Tengo sed.", "Ho siete.", "Ho sete."),
        ("es-fr", "Necesitamos ayuda.", "Nous précisons aide.", "Nous avons besoin d'aide."),
        ("es-fr", "Lo precisamos.", "Nous précisons cela.", "Nous précisons cela."),
        ("es-fr", "No sé.", "Ne sois pas.", "Je ne sais pas."),
        ("es-fr", "en el haciendo", "en le faisant", "en le faisant"),
        ("es-pt", "Todo cambió.", "Todo mudou.", "Tudo mudou."),
        ("es-pt", "Necesito ayuda.", "Preciso ajuda.", "Preciso de ajuda."),
        ("es-pt", "Necesito ir.", "Preciso ir.", "Preciso ir."),
        ("es-en", "Vale, vamos.", "Voucher, we go.", "Okay, we go."),
        ("es-en", "Tengo un vale.", "I have a voucher for it.", "I have a voucher for it."),
        ("es-en", "Este es bueno.", "East is good.", "This is good."),
        ("en-es", "The water is cold", "EL agua", "El agua"),
        ("en-es", "We meet here.", "Cumplimos aquí.", "Nos reunimos aquí."),
        ("en-es", "We meet the goals.", "Alcanzamos", "Alcanzamos"),
        ("fr-es", "Ils sont venus.", "Están venido.", "Han venido."),
    ],
)
def test_what_is_always_wrong_is_put_right_and_nothing_else(leg, given, wrong, right):
    source, target = leg.split("-")
    assert corrected(wrong, given, (source, target)) == right


def test_a_verb_that_is_also_a_noun_gets_its_subject_before_the_leg():
    assert prepared("Cuesta 5 euros. La cuesta es alta.", ("es", "fr")) == "Él cuesta 5 euros. La cuesta es alta."


def test_each_entry_says_why_and_stands_once():
    text = files("dubline.engines.translation").joinpath("corrections.yaml").read_text(encoding="utf-8")
    for leg, entries in yaml.safe_load(text).items():
        assert table(tuple(leg.split("-")))
        assert all(entry["why"] and entry["wrong"] != entry["right"] for entry in entries), leg
        keys = [(entry["wrong"], entry.get("said")) for entry in entries]
        assert len(set(keys)) == len(keys), leg


@models
def test_for_is_said_as_italian_says_it(engine):
    spanish = {
        "Es un regalo para mi madre.": "È un regalo per mia madre.",
        "Vinimos aquí para ver la ciudad.": "Siamo venuti qui per vedere la città.",
        "Trabaja para un banco.": "Lavora per una banca.",
        "Para mí es fácil.": "Per me è facile.",
    }
    assert said(engine, *spanish) == list(spanish.values())
    assert said(engine, "It is a good place for children.", source="en") == ["È un posto buono per bambini."]


@models
def test_agreement_is_no_voucher(engine):
    assert said(engine, "Vale, vamos a la casa.", target="en")[0].startswith("Okay, ")


# --- words that are none ----------------------------------------------------------------------------------------------


@models
def test_a_pronoun_that_stuck_to_its_verb_is_parted(engine):
    assert said(engine, "They always help us.", "They always see us.", source="en", target="es") == [
        "Siempre nos ayudan.",
        "Siempre nos ven.",
    ]


@models
def test_a_word_of_another_language_is_told_as_unknown():
    if not Apertium.supports(EngineSpec(capability="translation", engine="apertium"), "en", "fr"):
        pytest.fail("French is not installed (apt-get install apertium-fr-es)")
    (line,) = looked_over([Line("1", "Il mange un dollar de chose verde.")], ["He eats."], ("en", "es", "fr"))
    assert line.unknown == ("verde",)
    (kept,) = looked_over([Line("1", "Il mange un verde.")], ["He eats a verde."], ("en", "es", "fr"))
    assert kept.unknown == ()


@models
def test_good_spanish_is_hardly_ever_flagged():
    sources, references = (
        (REFERENCES / f"en-es.test.{language}").read_text(encoding="utf-8").splitlines() for language in ("en", "es")
    )
    lines = looked_over([Line(str(n), text) for n, text in enumerate(references)], sources, ("en", "es"))
    assert [line.text for line in lines] == references, "no word of a good sentence is taken apart"
    assert sum(bool(line.unknown) for line in lines) <= 0.05 * len(lines)
