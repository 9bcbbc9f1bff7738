"""Numbers as the target language writes them."""

import pytest

from dubline.domain.glossary import Glossary, Term
from dubline.domain.numerals import Figure, figure, localized


@pytest.mark.parametrize(
    ("number", "source", "target", "written"),
    [
        ("3,500", "en", "es", "3.500"),
        ("1,250,000", "en", "es", "1.250.000"),
        ("2.5", "en", "es", "2,5"),
        ("1,250.75", "en", "de", "1.250,75"),
        ("3,500", "en", "fr", "3\u00a0500"),
        ("3.500", "es", "en", "3,500"),
        ("2,5", "es", "en", "2.5"),
        ("3,500", "en", "ja", "3,500"),
        ("1987", "en", "es", "1987"),
        ("10.11.2024", "en", "es", "10.11.2024"),
    ],
)
def test_a_number_taken_over_from_the_source_is_rewritten(number, source, target, written):
    assert localized(f"Son {number}.", f"It is {number}.", source, target) == f"Son {written}."


def test_a_number_that_the_engine_wrote_itself_stays():
    assert localized("Son 3.500.", "It is three thousand five hundred.", "en", "es") == "Son 3.500."


def test_a_number_that_belongs_to_a_name_stays():
    source = "We use Python 3.11 for 2.5 years."
    assert localized("Usamos Python 3.11 por 2.5 años.", source, "en", "es") == "Usamos Python 3.11 por 2,5 años."


def test_a_number_in_a_term_of_the_glossary_stays():
    glossary = Glossary((Term("the 10.30 train", None),))
    text, source = "Llega the 10.30 train en 2.5 horas.", "The 10.30 train comes in 2.5 hours."
    assert localized(text, source, "en", "es", glossary) == "Llega the 10.30 train en 2,5 horas."


def test_a_list_of_numbers_is_no_number():
    assert localized("los años 1,2,3", "the years 1,2,3", "en", "es") == "los años 1,2,3"


@pytest.mark.parametrize("kept", ["https://example.com/2.5", "a2.5b@example.com", "Version 2.0"])
def test_a_number_in_an_address_or_of_a_version_stays(kept):
    assert localized(f"{kept}: 1.5", f"{kept}: 1.5", "en", "es") == f"{kept}: 1,5"


@pytest.mark.parametrize(
    ("number", "language", "read"),
    [
        ("1,250.75", "en", Figure("1250", "75")),
        ("1250", "es", Figure("1250", grouped=False)),
        ("3\u00a0500,5", "fr", Figure("3500", "5")),
        ("1.2.3", "en", None),
        ("3,5", "en", None),
    ],
)
def test_a_figure_is_read_as_its_language_writes_it(number, language, read):
    assert figure(number, language) == read


def test_a_figure_times_a_thousand_has_no_idle_decimals():
    assert Figure("2", "50", grouped=False).times(1000) == Figure("2500")
    assert Figure("1", "2345", grouped=False).times(1000).written("es") == "1.234,5"
