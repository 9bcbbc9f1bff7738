"""Glossaries: how they are read, what of them is refused, where their terms are found."""

import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubline import glossaries
from dubline.checkpoints import content_key
from dubline.domain.errors import InvalidRequest
from dubline.domain.glossary import Glossary, Term, parse_csv, wording
from dubline.request import TranslateRequest

CLOUD = Term("cloud", "nube")


def terms(text):
    return set(parse_csv(text, "g.csv").terms)


def found(text, *given):
    return [(text[f.start : f.end], f.term) for f in Glossary(given).find(text)]


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_table_has_a_translation_for_all_languages_or_a_column_for_each():
    assert terms("term,translation\ncloud,nube\nNew Jersey,keep\n") == {CLOUD, Term("New Jersey", None)}
    assert terms("Term,es,FR,translation\ncloud,nube,nuage,\nIce,,glace,keep\n") == {
        Term("cloud", "nube", "es"),
        Term("cloud", "nuage", "fr"),
        Term("Ice", "glace", "fr"),
        Term("Ice", None),
    }


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_first_line_decides_the_separator(separator):
    assert terms(separator.join(("term", "es\n")) + separator.join(("cloud", "nube\n"))) == {
        Term("cloud", "nube", "es")
    }


def test_quotes_blank_lines_and_white_space_are_read_as_spreadsheets_write_them():
    assert terms('term,translation\r\n\r\n"Smith, John",  keep \r\n ,\r\n') == {Term("Smith, John", None)}


def test_yaml_has_a_text_or_one_for_each_language():
    text = "cloud: nube\nNew Jersey: keep\nno: {es: 'no'}\nIce:\n  fr: glace\n  translation: hielo\n"
    assert set(glossaries.parse_yaml(text, "g.yaml").terms) == {
        CLOUD,
        Term("New Jersey", None),
        Term("no", "no", "es"),
        Term("Ice", "glace", "fr"),
        Term("Ice", "hielo"),
    }
    assert glossaries.parse_yaml("# nothing\n", "g.yaml") == Glossary()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("cloud,nube\n", 1, "does not name the columns"),
        ("term\ncloud\n", 1, "does not name the columns"),
        ("term,es,es\n", 1, "does not name the columns"),
        ("term,xx\n", 1, "'xx'"),
        ("term,es\ncloud,nube\n,cosa\n", 3, "has no term"),
        ("term,es\n...,cosa\n", 2, "has no term"),
        ("term,es\n\ncloud,\n", 3, "no translation for 'cloud'"),
        ("term,es\ncloud,nube\nice,hielo,helado\n", 3, "has 3 cells where there are 2 columns"),
        ("term,es\ncloud,nube\nice,hielo\nCloud,cielo\n", 4, "'Cloud' again, after line 2"),
        ('term,es\nice,hielo\ncloud,"nu"be\n', 3, "not a line of a table"),
    ],
)
def test_a_broken_line_of_a_table_is_named(text, line, says):
    with pytest.raises(InvalidRequest, match=rf"^Glossary g\.csv, line {line}, .*; .*\.$") as error:
        parse_csv(text, "g.csv")
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("- cloud\n", 1, "is no entry"),
        ("cloud: nube\nice:\n", 2, "no translation for 'ice'"),
        ("cloud: nube\nice: [hielo]\n", 2, "no translation for 'ice'"),
        ("cloud: nube\nice:\n  es: hielo\n  xx: glace\n", 4, "'xx'"),
        ("cloud: nube\nice:\n  es: {a: b}\n", 3, "under 'ice'"),
        ("cloud: nube\ncloud: cielo\n", 2, "'cloud' again, after line 1"),
        ("cloud: nube\n[a, b]: c\n", 2, "a term that is no text"),
        ("cloud: nube\nice: 'hielo\n", 3, "is not YAML"),
    ],
)
def test_a_broken_line_of_yaml_is_named(text, line, says):
    with pytest.raises(InvalidRequest, match=rf"^Glossary g\.yaml, line {line}, .*; .*\.$") as error:
        glossaries.parse_yaml(text, "g.yaml")
    assert says in str(error.value)


def test_files_are_read_by_their_ending(tmp_path):
    (tmp_path / "a.csv").write_text("\ufeffterm,translation\ncloud,nube\n", encoding="utf-8")
    (tmp_path / "b.YML").write_text("cloud: nube\n")
    assert glossaries.read(tmp_path / "a.csv") == glossaries.read(tmp_path / "b.YML") == Glossary((CLOUD,))


def test_a_file_that_cannot_be_read_is_refused_with_its_name(tmp_path):
    with pytest.raises(InvalidRequest, match=r"none\.csv cannot be read"):
        glossaries.read(tmp_path / "none.csv")
    with pytest.raises(InvalidRequest, match=r"terms\.txt is neither"):
        glossaries.read(tmp_path / "terms.txt")
    (tmp_path / "latin.csv").write_bytes("term,es\nyear,año\n".encode("latin-1"))
    with pytest.raises(InvalidRequest, match=r"latin\.csv, line 2, is not UTF-8"):
        glossaries.read(tmp_path / "latin.csv")


# --- finding ----------------------------------------------------------------------------------------------------------


def test_terms_are_whole_words_in_any_case_the_longest_first():
    ice, cream = Term("ice", "hielo"), Term("ice cream", "helado")
    assert found("Ice  cream, ICE and iceberg: nice ice.", ice, cream) == [
        ("Ice  cream", cream),
        ("ICE", ice),
        ("ice", ice),
    ]


def test_scripts_without_spaces_have_no_word_edges():
    engineer, nasa = Term("工程师", "ingeniero"), Term("NASA", None)
    assert found("他是NASA的工程师。", engineer, nasa) == [("NASA", nasa), ("工程师", engineer)]
    assert found("NASAL", nasa) == []


def test_signs_and_accents_are_matched_as_they_are_written():
    plus, cafe = Term("C++", None), Term("cafe\u0301", "café")
    assert found("We use C++, not C.", plus) == [("C++", plus)]
    assert found("the caf\u00e9", cafe) == [("caf\u00e9", cafe)]


def test_a_languages_own_term_wins_over_the_one_for_all():
    glossary = Glossary((Term("Cloud", "nuage", "fr"), CLOUD, Term("ice", "glace", "fr")))
    assert glossary.speaking("fr").terms == (Term("Cloud", "nuage", "fr"), Term("ice", "glace", "fr"))
    assert glossary.speaking("es").terms == (CLOUD,)


def test_what_is_missing_is_counted_and_kept_terms_are_looked_for_as_the_source_has_them():
    glossary = Glossary((CLOUD, Term("Diane", None)))
    assert glossary.missed("The cloud, Diane.", "La Nube, Diane.") == ()
    assert glossary.missed("One cloud, another cloud.", "Una nube, otra.") == ("nube",)
    assert glossary.missed("DIANE!", "¡Diana!") == ("DIANE",)
    assert glossary.missed("The sun.", "El sol.") == ()


def test_a_short_wording_is_not_found_inside_a_longer_one():
    glossary = Glossary((Term("car", "coche"), Term("sleeping car", "coche cama")))
    assert glossary.missed("A car and a sleeping car.", "Un coche cama.") == ("coche",)


def test_only_terms_that_occur_count():
    assert Glossary((CLOUD, Term("ice", "hielo"))).within(["Clouds.", "A cloud."]) == Glossary((CLOUD,))


WORDS = st.text(st.sampled_from("ab é你-"), min_size=1, max_size=4).filter(lambda s: any(c.isalnum() for c in s))


@given(st.lists(WORDS, max_size=4, unique=True), st.text(st.sampled_from("abAB é你-."), max_size=30))
def test_terms_that_are_found_are_in_order_apart_and_equal_to_the_text_but_for_case(sources, text):
    text = unicodedata.normalize("NFC", text)
    places = Glossary(tuple(Term(source, None) for source in sources)).find(text)
    assert all(a.end <= b.start for a, b in pairwise(places))
    for place in places:
        assert wording(text, place).casefold().split() == place.term.source.casefold().split()


# --- in a request -----------------------------------------------------------------------------------------------------


def test_a_glossarys_content_is_part_of_every_key_and_its_file_is_not():
    keys = [content_key("translate", 1, {"glossary": g}) for g in (Glossary(), Glossary((CLOUD,)), Glossary((CLOUD,)))]
    assert keys[0] != keys[1] == keys[2]


def test_a_request_carries_its_glossary_as_parameters_of_a_run_do():
    asked = TranslateRequest(video=Path("/v.mp4"), languages=("es",), out=Path("/out"), glossary=Glossary((CLOUD,)))
    assert TranslateRequest.model_validate_json(asked.model_dump_json()) == asked
