"""OPUS-MT's loading and inference on a tiny checkpoint, against direct calls of transformers."""

from dataclasses import replace

import pytest

from dubline.domain.errors import InvalidRequest, ModelMissing, UnsupportedLanguage
from dubline.engines.contracts import TranslationRequest
from dubline.engines.registry import EngineSpec, create
from dubline.engines.translation.opus_mt import OpusMt, pair_of
from tests.engines.conftest import Folders
from tests.tiny import make_checkpoints

NAME = "opus-mt-en-es"
SENTENCES = ("The rain had stopped.", "Quick, over the dog!", "We all went down to the river.", "The fox jumps.")


def spec(model=NAME, **options):
    return EngineSpec(capability="translation", engine="opus-mt", model=model, options=options)


def request(*texts, source="en", target="es"):
    return TranslationRequest(tuple((f"s{i}", text) for i, text in enumerate(texts)), source, target)


@pytest.fixture(scope="module")
def folder(tiny):
    return tiny("marian")


@pytest.fixture(scope="module")
def engine(folder):
    return create(spec(), Folders(**{NAME: folder}))


def direct(folder, text, count=1):
    """What transformers' own example does for one sentence: its `count` best translations."""
    from transformers import MarianMTModel, MarianTokenizer

    tokenizer = MarianTokenizer.from_pretrained(folder)
    output = MarianMTModel.from_pretrained(folder).generate(
        **tokenizer(text, return_tensors="pt"),
        num_beams=max(4, count),
        num_return_sequences=count,
        max_new_tokens=63,
    )
    return [text.strip() for text in tokenizer.batch_decode(output, skip_special_tokens=True)]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_and_its_alternatives_are_those_of_transformers(engine, folder, sentence):
    (line,) = engine.translate(replace(request(sentence), alternatives=4)).lines
    assert [line.text, *line.alternatives] == list(dict.fromkeys(direct(folder, sentence, 5)))
    assert line.text and line.alternatives


def test_a_batch_gives_what_each_sentence_gives_alone(engine, folder):
    together = engine.translate(request(*SENTENCES))
    assert [line.text for line in together.lines] == [direct(folder, sentence)[0] for sentence in SENTENCES]
    assert [line.segment for line in together.lines] == [f"s{i}" for i in range(len(SENTENCES))]
    assert together.route == ("en", "es")
    assert len({line.text for line in together.lines}) > 1, "the tiny model tells the sentences apart"


def test_several_sentences_are_translated_one_by_one_and_whole(engine):
    (line,) = engine.translate(request(" ".join(SENTENCES))).lines
    assert line.text == " ".join(engine.translate(request(s)).lines[0].text for s in SENTENCES)


def test_text_whose_translation_does_not_end_is_cut_in_two_and_translated_again(tmp_path):
    make_checkpoints.marian(tmp_path / "endless", end_logit=-9.0)
    endless = OpusMt(spec(num_beams=1), Folders(**{NAME: tmp_path / "endless"}))
    seen = []
    generate = endless._model.generate
    endless._model.generate = lambda texts, *rest: seen.extend(texts) or generate(texts, *rest)
    text = "We all went down to the river when the rain had stopped."
    (line,) = endless.translate(request(text)).lines
    assert seen[0] == text
    assert " ".join(seen[1:]) == text
    assert line.text


def test_empty_text_is_an_empty_line(engine):
    lines = engine.translate(replace(request("", " \n"), alternatives=2)).lines
    assert [(line.text, line.alternatives) for line in lines] == [("", ()), ("", ())]


def test_the_model_decides_the_pair(engine):
    assert OpusMt.supports(spec(), "en", "es")
    assert not OpusMt.supports(spec(), "es", "en")
    assert OpusMt.supports(spec("opus-mt-tc-big-en-pt"), "en", "pt")
    with pytest.raises(UnsupportedLanguage, match=r"from 'en' to 'es' alone.*opus-mt-en-fr"):
        engine.translate(request("Hi.", target="fr"))


@pytest.mark.parametrize("name", [None, "nllb-200-3.3B", "opus-mt", "opus-mt-en"])
def test_a_model_that_does_not_say_its_pair_is_refused(name):
    with pytest.raises(InvalidRequest, match="does not say its pair"):
        pair_of(spec(name))


def test_broken_weights_are_a_missing_model(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelMissing, match=f"dubline models pull {NAME}"):
        OpusMt(spec(), Folders(**{NAME: tmp_path}))
