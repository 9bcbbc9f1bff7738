"""Names that a translation keeps from its source."""

from dubline.domain.names import kept_names


def test_capitalized_words_inside_a_sentence_that_both_texts_share_are_names():
    source = "This is Diane in New Jersey. No, Diane is here."
    assert kept_names(source, "Esta es Diane en New Jersey. No, Diane está aquí.") == ("Diane", "New", "Jersey")


def test_a_word_that_begins_a_sentence_is_no_name_for_that():
    assert kept_names("No. I am here.", "No. Estoy aquí.") == ()


def test_a_name_with_a_form_of_its_own_in_the_target_is_not_kept():
    assert kept_names("We live in London.", "Vivimos en Londres.") == ()


def test_what_the_engine_could_not_translate_is_kept_wherever_it_stands():
    assert kept_names("Foobar works.", "Foobar funciona.", ("Foobar",)) == ("Foobar",)
