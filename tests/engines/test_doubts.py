"""Which words of a recognizer are doubted, and which of two looks at an utterance is believed."""

from __future__ import annotations

import pytest

from dubline.domain.time import Span
from dubline.domain.transcript import Word
from dubline.engines.asr.doubts import Doubt, Heard, Utterance, compression, doubted, letters, trimmed, utterances
from dubline.engines.asr.ear import in_order, padded, stretches
from dubline.engines.asr.phrases import made_up


def words(*said: tuple[str, int, int]) -> tuple[Word, ...]:
    return tuple(Word(text, Span(start, end), 0.9) for text, start, end in said)


def even(text: str, start: int, end: int) -> tuple[Word, ...]:
    """The words of a text, evenly over a time."""
    parts = text.split()
    step = (end - start) / len(parts)
    return words(*((part, round(start + n * step), round(start + (n + 1) * step)) for n, part in enumerate(parts)))


def heard(said: tuple[Word, ...], log_probability: float = -0.3, no_speech: float = 0.05) -> Heard:
    return Heard(said, log_probability, no_speech)


def texts(found: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in found)


SENTENCE = even("The boat was sold before the winter.", 1000, 3000)


@pytest.mark.parametrize(
    ("said", "doubt"),
    [
        (SENTENCE, None),
        ((), Doubt.PASSED_OVER),
        (even("The boat was sold.", 1000, 1900), Doubt.PASSED_OVER),
        (even("before the winter.", 2200, 3000), Doubt.PASSED_OVER),
        (words(("The", 1000, 1150), ("boat.", 1150, 3000)), Doubt.STRETCHED),
        (words(("So", 1000, 1060), ("I", 1060, 1380), ("don't", 1380, 2200), ("hear.", 2200, 3000)), Doubt.STRETCHED),
        (even("and " * 40, 1000, 3000), Doubt.RUSHED),
        (even("It is not easy to tell what somebody said in so short a time, however hard we try.", 1000, 1400), None),
        (words(("you.", 1500, 1520)), Doubt.MADE_UP),
        (even("Thanks for watching!", 1000, 3000), Doubt.MADE_UP),
        (even("Subtitles by the Amara.org community", 1000, 3000), Doubt.MADE_UP),
    ],
)
def test_an_utterance_is_doubted_for_what_its_words_leave_or_claim(said, doubt) -> None:
    span = Span(1000, 3000)
    if said and said[-1].span.end_ms == 1400:
        span, doubt = Span(1000, 1400), Doubt.RUSHED
    assert Utterance(span, said).doubt() is doubt


def test_less_sound_than_the_shortest_word_is_not_looked_at() -> None:
    assert Utterance(Span(1000, 1150), ()).doubt() is None


def test_thanks_between_other_sentences_are_not_doubted() -> None:
    voice = [Span(1000, 3000), Span(3600, 4200)]
    thanks = even("Thank you.", 3600, 4200)
    assert [u.doubt() for u in utterances([*SENTENCE, *thanks], voice)] == [None, None]
    assert [u.doubt() for u in utterances(thanks, voice[1:])] == [Doubt.MADE_UP]


def test_words_belong_to_the_utterance_beside_them_and_strays_to_one_of_their_own() -> None:
    voice = [Span(1000, 3000), Span(20_000, 22_000)]
    stray = words(("you", 10_000, 10_300), ("you", 10_700, 10_900), ("you", 15_000, 15_300))
    early = words(
        ("Now", 19_600, 19_900),
    )
    found = utterances([*SENTENCE, *stray, *early], voice)
    assert [(u.span, texts(u.words), u.voiced) for u in found] == [
        (Span(1000, 3000), texts(SENTENCE), True),
        (Span(10_000, 10_900), "you you", False),
        (Span(15_000, 15_300), "you", False),
        (Span(20_000, 22_000), "Now", True),
    ]
    assert found[1].doubt() is Doubt.MADE_UP


def test_a_word_does_not_keep_the_pause_beside_its_utterance() -> None:
    voice = [Span(1000, 2000), Span(3000, 4000), Span(4200, 5000)]
    said = words(
        ("Now", 200, 1200), ("then,", 1200, 2800), ("who", 2300, 3300), ("is", 3800, 4100), ("it?", 4100, 7000)
    )
    found = [word.span for utterance in utterances(said, voice) for word in utterance.words]
    assert found == [Span(850, 1200), Span(1200, 2150), Span(2850, 3300), Span(3800, 4100), Span(4100, 5150)]


def test_the_neighbour_into_which_a_doubtful_word_reaches_is_heard_again_too() -> None:
    voice = [Span(6200, 6700), Span(7000, 9000), Span(9500, 10500)]
    said = (
        *words(("and", 6050, 7060)),
        *even("I'm Sheila from Texas.", 7060, 8990),
        *even("Hello there.", 9500, 10500),
    )
    assert doubted(utterances(said, voice)) == [0, 1]
    assert doubted(utterances((*words(("Hello?", 6200, 6700)), *said[1:]), voice)) == []


def test_vowels_do_not_vouch_for_each_other() -> None:
    voice = [Span(700, 2300), Span(2800, 4300)]
    said = utterances((*words(("I,", 740, 1640)), *even("I, I, I,", 2800, 4300)), voice)
    assert [one.doubt() for one in said] == [Doubt.MADE_UP, Doubt.MADE_UP]


def test_a_second_look_fills_in_what_was_passed_over() -> None:
    first = Utterance(Span(1000, 3000), even("The boat was sold.", 1000, 1900))
    assert first.settled(heard(SENTENCE)) == SENTENCE
    assert Utterance(Span(1000, 3000), ()).settled(heard(SENTENCE)) == SENTENCE


@pytest.mark.parametrize(
    "second",
    [
        heard(()),
        heard(SENTENCE, log_probability=-1.2),
        heard(SENTENCE, log_probability=-0.8, no_speech=0.7),
        heard(even("la " * 50, 1000, 3000)),
        heard(even("Thank you very much.", 1000, 3000), no_speech=0.4),
        heard(words(("before", 1500, 1530), ("the", 1530, 1540), ("winter", 1540, 1550))),
    ],
)
def test_a_second_look_that_is_not_to_be_believed_changes_nothing(second) -> None:
    first = even("The boat.", 1000, 1900)
    assert Utterance(Span(1000, 3000), first).settled(second) == first
    assert Utterance(Span(1000, 3000), ()).settled(second) == ()


def test_a_second_look_that_tells_less_is_left_unless_it_takes_a_stretched_word_away() -> None:
    less = even("The boat was.", 1000, 2900)
    assert Utterance(Span(1000, 3000), even("The boat was sold.", 1000, 1900)).settled(heard(less)) != less
    shorter = even("Ya voy.", 1000, 1900)
    assert Utterance(Span(1000, 3000), words(("Yavoyahora.", 1000, 3000))).settled(heard(shorter)) == shorter


def test_a_second_look_without_its_sentences_has_to_tell_far_more() -> None:
    parted = even("Well, it is so. At least they say that I don't hear.", 1000, 2400)
    bare = "Well it is so at least um they say that I don't hear"
    span = Span(1000, 3000)
    assert Utterance(span, parted).doubt() is Doubt.PASSED_OVER
    assert Utterance(span, parted).settled(heard(even(bare, 1000, 2900))) == parted
    fuller = even(bare + " so what can I say", 1000, 2900)
    assert Utterance(span, parted).settled(heard(fuller)) == fuller


def test_made_up_words_stay_only_if_the_second_look_is_sure_of_them() -> None:
    alone = Utterance(Span(1000, 1700), even("Thank you.", 1000, 1700))
    assert texts(alone.settled(heard(alone.words, log_probability=-0.3, no_speech=0.05))) == "Thank you."
    assert texts(alone.settled(heard(alone.words, log_probability=-0.8, no_speech=0.2))) == "Thank you."
    assert alone.settled(heard(alone.words, log_probability=-0.3, no_speech=0.4)) == ()
    assert alone.settled(heard(alone.words, log_probability=-1.1, no_speech=0.05)) == ()
    other = heard(even("Take two.", 1000, 1700), no_speech=0.4)
    assert alone.settled(other) == other.words
    unvoiced = Utterance(Span(1000, 1700), alone.words, voiced=False)
    assert unvoiced.settled(other) == ()


def test_a_loop_is_dropped_where_nothing_better_is_heard() -> None:
    loop = Utterance(Span(1000, 3000), even("ah ooh " * 40, 1000, 3000))
    assert loop.settled(heard(loop.words)) == ()
    assert loop.settled(heard(SENTENCE)) == SENTENCE


def test_a_word_that_stands_for_a_sentence_keeps_no_more_than_its_letters_take() -> None:
    (word,) = words(("Gracias.", 1000, 2800))
    assert trimmed(word).span == Span(1000, 1000 + 150 + 60 * 7)
    (slow,) = words(("Gracias.", 1000, 2100))
    assert trimmed(slow) == slow


@pytest.mark.parametrize(
    ("text", "count"),
    [("Yes.", 3), ("1984", 20), ("USA", 15), ("I", 1), ("50%", 15), ("été,", 3), ("谢谢", 6), ("...", 0)],
)
def test_figures_signs_and_initials_are_spoken_longer_than_they_are_written(text, count) -> None:
    assert letters(text) == count


@pytest.mark.parametrize(
    "text",
    [
        "you.", "Thank you.", "Thank you. Thank you.", "Thanks for watching!", "Subtitles by the Amara.org community",
        "ご視聴ありがとうございました", "Untertitel der Amara.org-Community", "Untertitelung des ZDF, 2020",
        "Sous-titres réalisés para la communauté d'Amara.org", "Subtítulos por la comunidad de Amara.org",
        "Sottotitoli creati dalla comunità Amara.org", "Legendas pela comunidade Amara.org", "Merci.", "¡Gracias!",
        "Obrigado.", "Grazie.", "[Music]", "♪♪ Bye-bye ♪", "Ah, ye, oh, ah, ye", "la la la la", "Hmm hmm mmm",
        "I,", "I, I, I,",
    ],
)  # fmt: skip
def test_phrases_that_whisper_makes_up(text) -> None:
    assert made_up(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "Thank you for the flowers.",
        "Are you there?",
        "Gracias a Dios.",
        "The subtitles are late.",
        "Who am I?",
    ],
)
def test_other_sentences_with_these_words_are_not_among_them(text) -> None:
    assert not made_up(text)


def test_what_repeats_itself_compresses() -> None:
    assert compression("ah ooh " * 20) > 2.4
    assert compression("No, no, no, no, no!") < 2.4
    assert compression(texts(SENTENCE)) < 1.5


def test_windows_hold_whole_utterances_and_no_long_silence() -> None:
    voice = [Span(500, 3000), Span(3100, 12_000), Span(12_500, 30_500), Span(40_000, 41_000)]
    assert stretches(voice, 41_050) == [Span(100, 12_250), Span(12_250, 30_900), Span(39_600, 41_050)]
    assert stretches([], 1000) == []


def test_an_utterance_is_heard_with_its_edges_and_never_with_its_neighbours() -> None:
    spans = [Span(0, 1000), Span(1060, 2000), Span(2000, 2950)]
    assert padded(spans, spans, 3000) == [Span(0, 1030), Span(1030, 2000), Span(2000, 3000)]


def test_words_are_put_in_order() -> None:
    found = in_order(words(("a", 100, 300), ("b", 50, 90), ("c", 400, 500)))
    assert [word.span for word in found] == [Span(100, 300), Span(100, 100), Span(400, 500)]
