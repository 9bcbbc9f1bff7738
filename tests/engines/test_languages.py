"""The languages table against the models' own lists, and what people get told when they mistype."""

import pytest

from dubline.domain.errors import UnsupportedLanguage
from dubline.domain.languages import LANGUAGES, from_whisper, language


def test_every_language_token_of_nllb_belongs_to_exactly_one_code():
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

    tokens = [row.flores for row in LANGUAGES.values() if row.flores]
    assert sorted(tokens) == sorted(FAIRSEQ_LANGUAGE_CODES)


def test_every_language_of_whisper_has_a_code():
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert sorted(row.whisper for row in LANGUAGES.values() if row.whisper) == sorted(_LANGUAGE_CODES)


def test_two_letter_codes_are_those_of_whisper_where_both_have_one():
    differing = {row.code: row.whisper for row in LANGUAGES.values() if row.whisper and row.whisper != row.code}
    assert differing == {"jv": "jw"}


def test_codes_and_names_are_unique_and_well_formed():
    assert len({row.name for row in LANGUAGES.values()}) == len(LANGUAGES)
    for code, row in LANGUAGES.items():
        assert code == row.code == code.lower()
        assert len(row.iso3) == 3
        assert len(code.partition("-")[0]) in (2, 3)


@pytest.mark.parametrize(
    ("code", "token"),
    [
        ("zh", "zho_Hans"),
        ("zh-hant", "zho_Hant"),
        ("yue", "yue_Hant"),
        ("ar", "arb_Arab"),
        ("fa", "pes_Arab"),
        ("sq", "als_Latn"),
        ("lv", "lvs_Latn"),
        ("no", "nob_Latn"),
        ("nn", "nno_Latn"),
        ("sw", "swh_Latn"),
        ("hi", "hin_Deva"),
        ("ceb", "ceb_Latn"),
        ("la", None),
    ],
)
def test_codes_lead_to_the_right_nllb_token(code, token):
    assert language(code).flores == token


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("spanish", "'es' (Spanish)"),
        ("Spanish", "'es' (Spanish)"),
        ("ES", "'es' (Spanish)"),
        ("spa", "'es' (Spanish)"),
        ("spanis", "'es' (Spanish)"),
        ("en-US", "'en' (English)"),
        ("pt_BR", "'pt' (Portuguese)"),
        ("zh_CN", "'zh' (Chinese)"),
        ("zh-TW", "'zh-hant' (Chinese (traditional script))"),
        ("mandarin", "'zh' (Chinese)"),
        ("iw", "'he' (Hebrew)"),
        ("ukranian", "'uk' (Ukrainian)"),
        ("deu_Latn", "'de' (German)"),
    ],
)
def test_an_unknown_code_is_answered_with_what_was_probably_meant(typed, meant):
    with pytest.raises(UnsupportedLanguage, match="did you mean") as error:
        language(typed)
    assert meant in str(error.value)
    assert error.value.exit_code == 4


@pytest.mark.parametrize("typed", ["", "xx", "klingon-qqq", "12", "../etc"])
def test_nonsense_gets_no_guess(typed):
    with pytest.raises(UnsupportedLanguage, match="use an ISO 639-1 code"):
        language(typed)


def test_whispers_names_lead_back_to_codes():
    assert from_whisper("jw") == "jv"
    assert from_whisper("en") == "en"
    assert all(from_whisper(row.whisper) == row.code for row in LANGUAGES.values() if row.whisper)
