"""Set phrases of conversation."""

import re
from itertools import product

import pytest

from dubline.domain.languages import LANGUAGES
from dubline.engines.translation import phrasebook


@pytest.mark.parametrize(
    ("sentence", "source", "target", "wording"),
    [
        ("Nice to meet you.", "en", "es", "Mucho gusto."),
        ("I’m sorry!", "en", "fr", "Je suis désolé!"),
        ("Oh, yes, of course.", "en", "it", "Oh, sì, certo."),
        ("  What  time is it?", "en", "pt", "Que horas são?"),
        ("¿Cómo te llamas?", "es", "en", "What's your name?"),
        ("Nice to meet you", "en", "es", None),
        ("Nice to meet you, John.", "en", "es", None),
        ("I am sorry to hear that.", "en", "es", None),
        ("Nice to meet you.", "en", "ja", None),
        ("...", "en", "es", None),
    ],
)
def test_a_sentence_of_set_phrases_is_said_as_the_other_language_says_it(sentence, source, target, wording):
    assert phrasebook.said(sentence, source, target) == wording


@pytest.mark.parametrize("part", ["sentences", "inside"])
def test_every_entry_has_every_language_in_plain_wordings(part):
    entries = phrasebook._entries()[part]
    languages = entries[0].keys()
    assert languages <= LANGUAGES.keys()
    for entry, language in product(entries, languages):
        assert entry.keys() == languages, entry
        for wording in entry[language]:
            assert isinstance(wording, str), entry
            assert part == "inside" or not re.search(r"[.,;:!?¿¡]", wording), entry


def test_no_english_phrase_stands_in_two_entries():
    wordings = [wording for entry in phrasebook._entries()["sentences"] for wording in entry["en"]]
    assert len(set(wordings)) == len(wordings)
