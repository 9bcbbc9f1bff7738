"""NLLB's loading and inference on a tiny checkpoint, against direct calls of transformers."""

from dataclasses import replace

import pytest

from dubline.domain.errors import InvalidRequest, ModelMissing, UnsupportedLanguage
from dubline.engines.contracts import TranslationRequest
from dubline.engines.registry import EngineSpec, create
from dubline.engines.translation.nllb import Nllb
from dubline.engines.translation.sentences import sentences
from tests.engines.conftest import Folders
from tests.tiny import make_checkpoints

SENTENCES = (
    "The rain had stopped.",
    "Quick, over the dog!",
    "We all went down to the river when the rain had stopped.",
    "Over the lazy dog, over the river!",
    "The fox jumps.",
    "When the rain had stopped, we all went down.",
)


def spec(**options):
    return EngineSpec(capability="translation", engine="nllb", model="tiny", options=options)


def request(*texts, source="en", target="es"):
    return TranslationRequest(tuple((f"s{i}", text) for i, text in enumerate(texts)), source, target)


@pytest.fixture(scope="module")
def folder(tiny):
    return tiny("nllb")


@pytest.fixture(scope="module")
def engine(folder):
    return create(spec(), Folders(tiny=folder))


@pytest.fixture
def calls(engine, monkeypatch):
    """Every call of the model: its inputs as text, its options and its output."""
    seen = []
    generate = engine._model.model.generate

    def watched(**arguments):
        output = generate(**arguments)
        texts = engine._model.tokenizer.batch_decode(arguments["input_ids"], skip_special_tokens=True)
        seen.append({**arguments, "texts": texts, "output": output})
        return output

    monkeypatch.setattr(engine._model.model, "generate", watched)
    return seen


def direct(folder, text, source, target, count=1):
    """What transformers' own example does for one sentence: its `count` best translations."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, src_lang=source)
    model = AutoModelForSeq2SeqLM.from_pretrained(folder)
    output = model.generate(
        **tokenizer(text, return_tensors="pt"),
        forced_bos_token_id=tokenizer.convert_tokens_to_ids(target),
        num_beams=max(4, count),
        num_return_sequences=count,
        max_new_tokens=63,
    )
    return [text.strip() for text in tokenizer.batch_decode(output, skip_special_tokens=True)]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_one_sentence_is_translated_as_transformers_does(engine, folder, sentence):
    (line,) = engine.translate(request(sentence)).lines
    assert [line.text] == direct(folder, sentence, "eng_Latn", "spa_Latn")
    assert line.text
    assert line.alternatives == ()


@pytest.mark.parametrize("sentence", SENTENCES)
def test_alternatives_are_the_next_best_of_the_beam_search(engine, folder, sentence):
    (line,) = engine.translate(replace(request(sentence), alternatives=4)).lines
    assert [line.text, *line.alternatives] == list(dict.fromkeys(direct(folder, sentence, "eng_Latn", "spa_Latn", 5)))
    assert line.alternatives


def test_alternatives_of_several_sentences_join_wordings_of_equal_rank(engine):
    one, two = (engine.translate(replace(request(s), alternatives=2)).lines[0] for s in SENTENCES[:2])
    (both,) = engine.translate(replace(request(" ".join(SENTENCES[:2])), alternatives=2)).lines
    first, second = (one.text, *one.alternatives), (two.text, *two.alternatives)
    most = max(len(first), len(second))
    assert most > 1
    ranks = ((first + first[:1] * most)[rank] + " " + (second + second[:1] * most)[rank] for rank in range(most))
    assert (both.text, *both.alternatives) == tuple(dict.fromkeys(ranks))


def test_a_batch_gives_what_each_sentence_gives_alone(engine, calls):
    alone = [engine.translate(request(sentence)).lines[0].text for sentence in SENTENCES]
    calls.clear()
    together = engine.translate(request(*SENTENCES))
    assert [line.text for line in together.lines] == alone
    assert [line.segment for line in together.lines] == [f"s{i}" for i in range(len(SENTENCES))]
    assert len(calls) == 1
    assert (calls[0]["attention_mask"] == 0).any(), "the batch held padding"
    assert len(set(alone)) > 1, "the tiny model tells the sentences apart"


@pytest.mark.parametrize(
    ("source", "target", "source_token", "target_token"),
    [
        ("en", "es", "eng_Latn", "spa_Latn"),
        ("fr", "zh", "fra_Latn", "zho_Hans"),
        ("zh-hant", "ar", "zho_Hant", "arb_Arab"),
        ("hi", "no", "hin_Deva", "nob_Latn"),
        ("sw", "fa", "swh_Latn", "pes_Arab"),
    ],
)
def test_the_languages_tokens_go_in_first_and_come_out_first(engine, calls, source, target, source_token, target_token):
    result = engine.translate(request("We went down.", source=source, target=target))
    token = engine._model.tokenizer.convert_tokens_to_ids
    assert calls[0]["input_ids"][0, 0] == token(source_token)
    assert calls[0]["forced_bos_token_id"] == token(target_token) != token("<unk>")
    assert calls[0]["output"][0, 1] == token(target_token)
    assert result.route == (source, target)


def test_long_text_is_translated_sentence_by_sentence_and_whole(engine, calls):
    text = " ".join(SENTENCES * 6)
    (line,) = engine.translate(request(text)).lines
    translated = [
        ids[mask == 1].tolist()
        for call in calls
        for ids, mask in zip(call["input_ids"], call["attention_mask"], strict=True)
    ]
    assert sorted(translated) == sorted(engine._model.tokenizer(sentences(text)).input_ids)
    assert line.text == " ".join(engine.translate(request(sentence)).lines[0].text for sentence in SENTENCES * 6)


def test_a_sentence_beyond_the_models_positions_is_cut_and_nothing_of_it_lost(engine, calls):
    sentence = "when the rain had stopped, " * 20 + "we all went down."
    engine.translate(request(sentence))
    assert max(call["input_ids"].shape[1] for call in calls) <= engine._model.model.config.max_position_embeddings
    heard = [word for call in calls for text in call["texts"] for word in text.split()]
    assert sorted(heard) == sorted(sentence.split())


def test_empty_text_is_an_empty_line_without_a_call(engine, calls):
    result = engine.translate(request("", "  \n"))
    assert [line.text for line in result.lines] == ["", ""]
    assert calls == []


def test_batches_stay_inside_the_token_budget(folder, monkeypatch):
    small = Nllb(spec(batch_tokens=40), Folders(tiny=folder))
    shapes = []
    generate = small._model.model.generate
    monkeypatch.setattr(
        small._model.model, "generate", lambda **given: shapes.append(given["input_ids"].shape) or generate(**given)
    )
    small.translate(request(*SENTENCES))
    assert len(shapes) > 1
    assert all(rows * width <= 40 or rows == 1 for rows, width in shapes)
    assert sum(rows for rows, _ in shapes) == len(SENTENCES)


def test_text_whose_translation_does_not_end_is_cut_in_two_and_translated_again(tmp_path):
    make_checkpoints.nllb(tmp_path / "endless", end_logit=-9.0)
    endless = Nllb(spec(num_beams=1), Folders(tiny=tmp_path / "endless"))
    seen = []
    generate = endless._model.generate
    endless._model.generate = lambda texts, *rest: seen.extend(texts) or generate(texts, *rest)
    text = "We all went down to the river when the rain had stopped."
    (line,) = endless.translate(request(text)).lines
    assert seen[0] == text
    assert " ".join(seen[1:]) == text
    assert line.text


def test_progress_rises_to_one(engine):
    seen = []
    engine.translate(request(*SENTENCES), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_pairs_are_told_from_the_table_without_weights():
    assert Nllb.supports(spec(), "en", "es")
    assert Nllb.supports(spec(), "zh-hant", "ceb")
    assert not Nllb.supports(spec(), "en", "en")
    assert not Nllb.supports(spec(), "en", "la"), "NLLB has no Latin"
    assert not Nllb.supports(spec(), "xx", "en")


def test_a_pair_it_cannot_do_is_refused(engine):
    with pytest.raises(UnsupportedLanguage, match="'la'"):
        engine.translate(request("Hi.", target="la"))


def test_an_unknown_option_is_refused_with_those_there_are():
    with pytest.raises(InvalidRequest, match=r"'beams'.*batch_tokens, num_beams"):
        Nllb(spec(beams=2), Folders())
    with pytest.raises(InvalidRequest, match="num_beams"):
        Nllb(spec(num_beams=0), Folders())


def test_broken_weights_are_a_missing_model(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelMissing, match="dubline models pull tiny"):
        Nllb(spec(), Folders(tiny=tmp_path))
