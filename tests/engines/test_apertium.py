"""Apertium with its real dictionaries: speech made plain before, spelling put right after, pivots, context, names."""

from __future__ import annotations

import pytest

from dubline.domain.errors import EngineFailed, UnsupportedLanguage
from dubline.domain.glossary import Glossary, Term
from dubline.engines.contracts import TranslationRequest
from dubline.engines.registry import EngineSpec, create
from dubline.engines.translation import apertium, apertium_modes, honour
from dubline.engines.translation.apertium import Apertium
from dubline.engines.translation.apertium_modes import shortest
from dubline.engines.translation.repair import repaired, unknown_words
from dubline.engines.translation.spanish import mended
from dubline.engines.translation.spoken_english import plain
from tests.lacking import lacking

SPEC = EngineSpec(capability="translation", engine="apertium")
models = pytest.mark.models


@pytest.fixture(scope="module")
def engine():
    return create(SPEC, None)


def ask(engine, *texts, source="en", target="es", terms=()):
    numbered = tuple((f"s{n}", text) for n, text in enumerate(texts))
    return honour.translate(engine, TranslationRequest(numbered, source, target, 4, Glossary(terms)))


def said(engine, *texts, **options):
    return [line.text for line in ask(engine, *texts, **options).lines]


# --- speech made plain ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("They're gonna be late.", "They're going to be late."),
        ("I've gotta go, I gotta go.", "I have to go, I have to go."),
        ("He's doin’ it.", "He's doing it."),
        ("Lemme show you.", "I am going to show you."),
        ("LET'S go!", "We are going to go!"),
        ("Don't let me go.", "Don't let me go."),
        ("No.", "No ."),
        ("No. 5 is here.", "No. 5 is here."),
        ("There's not much.", "There is not much."),
        ("Nope, OK.", "No, okay."),
        ("I wouldn't do that.", "I wouldn't make this."),
        ("I know that he left.", "I know that he left."),
        ("I didn't know you were there.", "I didn't know that you were there."),
        ("I know you.", "I know you."),
        ("It doesn't work, but I work.", "It doesn't function, but I work."),
        ("What are you doing?", "What you are doing?"),
        ("What are you.", "What are you."),
        ("Do you want it?", "You want it?"),
        ("That's nice, isn't it?", "That's nice, right?"),
        ("Could you please come?", "You could come, please?"),
        ("So, what now? I think so.", "Then, what now? I think so."),
        ("So I left.", "Then, I left."),
        (
            "It costs $260 million, €3.5 billion or £20.",
            "It costs 260 million dollars, 3.5 billion euros or 20 pounds.",
        ),
        ("He moved to the U.S. in 1990. Tell us.", "He moved to the United States in 1990. Tell us."),
        ("U.S. soldiers like salt & pepper, e.g. here.", "American soldiers like salt and pepper, for example here."),
        ("It costs 10 dollars/month, 5 dollars a day.", "It costs 10 dollars per month, 5 dollars per day."),
        ("A 5-minute walk, a 10-year-old boy.", "A walk of 5 minutes, a boy of 10 years."),
        ("John lives in Boston. Our lives are good.", "John resides in Boston. Our lives are good."),
        ("I met Anna. We met the deadline.", "I encountered Anna. We met the deadline."),
        ("I love cake. I love you. I love my mother.", "I adore cake. I love you. I love my mother."),
        ("There's a lot y'all should've seen.", "There's a lot you should've seen."),
    ],
)
def test_spoken_turns_become_plain_ones(spoken, written):
    assert plain(spoken) == written


# --- spelling put right -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marked", "source", "language", "text"),
    [
        ("El *frobnicator  duerme .", "The frobnicator sleeps.", "es", "El frobnicator duerme."),
        ("él *mustn'*t va", "he mustn't go", "es", "él mustn't va"),
        ("#ser @home #hashtag", "be @home #hashtag", "es", "ser @home #hashtag"),
        ("escribe a a@b.org", "write to a@b.org", "es", "escribe a a@b.org"),
        ("qué hora es? Son las 3", "What time is it? It is 3", "es", "¿Qué hora es? Son las 3"),
        ("Hola, como estás?", "Hello, how are you?", "es", "Hola, ¿cómo estás?"),
        ("Es grande, no?", "It is big, right?", "es", "Es grande, ¿no?"),
        ('" Lo has hecho!" ', '"You did it!"', "es", '"¡Lo has hecho!"'),
        ("¿Ciao?", "Hello?", "it", "Ciao?"),
        ("Salut! Ça va? Oui: 10:30", "Hi! All well? Yes: 10:30", "fr", "Salut\u00a0! Ça va\u00a0? Oui\u00a0: 10:30"),
        ("Hola Todo el mundo", "hello everyone", "es", "hola todo el mundo"),
        ("oh, Je suis Marie", "Oh, I am Marie", "fr", "Oh, je suis Marie"),
        ("Esto ES MUY bueno", "THIS IS VERY GOOD", "es", "ESTO ES MUY BUENO"),
        ("la NASA dice", "NASA says", "es", "La NASA dice"),
        ("creí que que sí", "I thought so", "es", "Creí que sí"),
        ("muy muy grande", "very very big", "es", "muy muy grande"),
        ("bien... veremos", "Well... we will see", "es", "Bien... veremos"),
        ("", "...", "es", ""),
    ],
)
def test_what_apertium_leaves_rough_is_put_right(marked, source, language, text):
    assert repaired(marked, source, language) == text


def test_unknown_words_are_named_once():
    assert unknown_words("*Uh, un *vlog y otro *vlog, @x #ser a@b") == ("Uh", "vlog", "x")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Qué eres haciendo?", "Qué estás haciendo?"),
        ("Eres aquí, y soy allí.", "Estás aquí, y estoy allí."),
        ("Dónde eres de?", "De dónde eres?"),
        ("Dónde es el perro?", "Dónde está el perro?"),
        ("Es grande y es bueno.", "Es grande y es bueno."),
        ("me lo gusta", "me gusta"),
        ("Qué es vuestro nombre?", "Cuál es tu nombre?"),
        ("Qué es eso?", "Qué es eso?"),
        ("la mujer quién vive aquí", "la mujer que vive aquí"),
        ("Aquello es de el hombre de El Salvador", "Eso es del hombre de El Salvador"),
        ("He sido obrando en una obra", "He estado trabajando en una obra"),
        ("padre y hijo, agua y hielo", "padre e hijo, agua y hielo"),
    ],
)
def test_spanish_is_mended_where_a_rule_can(wrong, right):
    assert mended(wrong) == right


# --- the engine -------------------------------------------------------------------------------------------------------


@models
def test_a_dialogue_reads_as_spanish(engine):
    dialogue = {
        "Hello. How are you doing?": "Hola. ¿Cómo estás?",
        "What's your name?": "¿Cómo te llamas?",
        "No.": "No.",
        "Oh, I'm sorry. Did you sleep well?": "Oh, lo siento. ¿Dormiste bien?",
        "I am late. It's late.": "Llego tarde. Es tarde.",
        "Can you see it?": "¿Lo puedes ver?",
        "Let's go!": "¡Vámonos!",
        "That's amazing, isn't it?": "Eso es asombroso, ¿verdad?",
        "and it doesn't work": "y no funciona",
    }
    assert said(engine, *dialogue) == list(dialogue.values())


@models
def test_names_of_people_are_not_translated_and_places_are(engine):
    (line,) = said(engine, "We saw Dr. Smith and John Brown in London.")
    assert "Dr. Smith" in line and "John Brown" in line and "Londres" in line


@models
def test_nationalities_and_adjectives_are_no_names(engine):
    lines = {
        "She speaks English, French and German.": "Habla inglés, francés y alemán.",
        "He was a Christian.": "Era un cristiano.",
        "They have a German car.": "Tienen un coche alemán.",
        "I know that Christian came.": "Sé que Christian vino.",
    }
    assert [said(engine, line)[0] for line in lines] == list(lines.values())


@models
def test_hesitations_are_not_unknown_words(engine):
    (line,) = ask(engine, "Uh, the frobnicator, um, sleeps.").lines
    assert line.text.startswith("Uh,") and ", um," in line.text
    assert line.unknown == ("frobnicator",)


@models
def test_an_unfinished_text_is_translated_with_its_continuation(engine):
    parts = ("He said that the", "old houses are", "very expensive.")
    assert said(engine, *parts) == ["Dijo que las", "casas viejas son", "muy caras."]
    assert [said(engine, part)[0] for part in parts] == ["Dijo que el", "las casas viejas son", "muy caro."]


@models
def test_a_part_that_would_lose_all_its_words_to_its_neighbour_is_translated_by_itself(engine):
    assert all(said(engine, "I would like to", "play"))


@models
def test_a_finished_text_or_a_new_start_is_translated_by_itself(engine):
    parts = ("I want to buy the car.", "Red wine is good", "We saw it")
    assert said(engine, *parts) == [said(engine, part)[0] for part in parts]


@models
def test_a_break_that_a_rule_swallows_does_not_shift_lines(engine, monkeypatch):
    run = apertium._run
    monkeypatch.setattr(apertium, "_run", lambda mode, blocks: [b.replace("\n", " ") for b in run(mode, blocks)])
    parts = ("I see the", "dog and the", "cat.")
    assert len(said(engine, *parts)) == 3
    assert "perro" in said(engine, *parts)[1]


@models
def test_the_glossary_is_honoured(engine):
    terms = (Term("milk", "horchata"), Term("house", "keep", "fr"), Term("store", None))
    (line,) = said(engine, "Don't forget the milk at the store. Milk!", terms=terms)
    assert line.lower().count("horchata") == 2 and "store" in line and "leche" not in line


@models
def test_a_pair_without_a_package_goes_through_spanish(engine):
    if not Apertium.supports(SPEC, "en", "fr"):
        lacking("French is not installed (apt-get install apertium-fr-es)")
    found = ask(engine, "This is Diane in New Jersey. The dude sleeps, right?", target="fr")
    assert found.route == ("en", "es", "fr")
    (line,) = found.lines
    assert "Diane" in line.text and "New Jersey" in line.text, "a name is not translated on the second leg"
    assert line.text.endswith("n'est-ce pas\u00a0?")
    (line,) = ask(engine, "I see the frobnicator.", target="fr").lines
    assert line.text == "Je vois le frobnicator." and line.unknown == ("frobnicator",)


@models
def test_no_text_is_no_call(engine):
    assert said(engine, "", "  ") == ["", ""]
    assert ask(engine).lines == ()


@models
def test_apertium_has_one_wording_for_each_text(engine):
    assert not Apertium.offers_alternatives
    assert all(line.alternatives == () for line in ask(engine, "Hello.").lines)


@models
def test_a_failing_program_is_an_engine_that_failed(engine, monkeypatch):
    monkeypatch.setattr(apertium, "mode", lambda *_: "no-such-mode")
    with pytest.raises(EngineFailed, match="Apertium failed"):
        ask(engine, "The house is red.")


# --- routes -----------------------------------------------------------------------------------------------------------


def test_the_route_is_the_shortest_one_and_spanish_goes_first():
    edges = {("en", "ca"), ("en", "es"), ("ca", "fr"), ("es", "fr"), ("fr", "br"), ("es", "it")}
    assert shortest(edges, "en", "fr") == ("en", "es", "fr")
    assert shortest(edges, "en", "br") == ("en", "es", "fr", "br")
    assert shortest(edges - {("es", "fr")}, "en", "fr") == ("en", "ca", "fr")
    assert shortest(edges, "fr", "en") is None
    assert shortest(edges, "en", "en") is None


@pytest.fixture
def installed(monkeypatch):
    def pretend(*modes):
        monkeypatch.setattr(apertium_modes, "_modes", lambda: frozenset(modes))
        apertium_modes.route.cache_clear()

    yield pretend
    apertium_modes.route.cache_clear()


def test_a_pair_that_is_not_here_names_the_packages_that_it_takes(installed):
    installed("eng-spa", "spa-eng", "eng-spa_US")
    assert Apertium.supports(SPEC, "en", "es")
    assert not Apertium.supports(SPEC, "en", "fr")
    assert "apt-get install apertium-fr-es." in Apertium.unsupported(SPEC, "en", "fr")
    installed()
    assert "apt-get install apertium-eng-spa apertium-spa-ita." in Apertium.unsupported(SPEC, "en", "it")


def test_a_pair_that_no_package_has_is_refused(installed):
    installed("eng-spa")
    assert "choose another language" in Apertium.unsupported(SPEC, "en", "ja")
    with pytest.raises(UnsupportedLanguage, match="'en' to 'ja'"):
        create(SPEC, None).translate(TranslationRequest((("1", "Hello"),), "en", "ja"))


def test_names_of_packages_fit_the_pairs_both_ways(installed):
    installed("es-fr", "fr-es", "eng-spa", "spa-eng")
    assert apertium_modes.route("fr", "en") == ("fr", "es", "en")
    assert Apertium.supports(SPEC, "en", "fr") and not Apertium.supports(SPEC, "en", "en")
