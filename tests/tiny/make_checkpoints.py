"""Make tiny checkpoints of the hub engines' architectures: random weights from a fixed seed, real tokenizer classes.

They are laid out as the hub's repositories are, so the engines' own loading code reads them. `python
tests/tiny/make_checkpoints.py FOLDER` writes all of them below FOLDER.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SEED = 7
SEQ2SEQ: dict[str, Any] = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "init_std": 0.3,
    "scale_embedding": True,
}
"""Sizes of the tiny translators."""
CORPUS = (
    "The quick brown fox jumps over the lazy dog. We all went down to the river when the rain had stopped.",
    "El veloz murciélago hindú comía feliz cardillo y kiwi. La cigüeña tocaba el saxofón detrás del palenque.",
    "Portez ce vieux whisky au juge blond qui fume. Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "我们都去了河边。 यह एक वाक्य है। Это предложение на русском языке, и оно короткое.",
)
BARK_PRESETS = ("v2/en_speaker_0", "v2/es_speaker_8")


def nllb(folder: Path, end_logit: float = 2.95) -> None:
    """M2M100 with one layer, a BPE tokenizer trained on a few sentences, all 202 language tokens.

    `end_logit` is how likely every token is to be the last; with a low one, translations never end.
    """
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    tokenizer = nllb_tokenizer(CORPUS, 400)
    tokenizer.save_pretrained(folder)

    torch.manual_seed(SEED)
    config = M2M100Config(
        vocab_size=len(tokenizer),
        **SEQ2SEQ,
    )
    model = M2M100ForConditionalGeneration(config)
    _teach_to_end(model.model.decoder.layer_norm, model.model.shared.weight, tokenizer.eos_token_id, end_logit)
    model.generation_config.max_length = 200
    model.save_pretrained(folder)


def nllb_tokenizer(texts: Sequence[str], size: int) -> Any:
    """NLLB's class, with `size` tokens learned from the texts, the languages' apart."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import NllbTokenizerFast

    bpe = Tokenizer(models.BPE(unk_token="<unk>"))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace()
    bpe.decoder = decoders.Metaspace()
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    bpe.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, special_tokens=specials, show_progress=False))
    return NllbTokenizerFast(tokenizer_object=bpe)


def _teach_to_end(norm: object, words: object, end: int, end_logit: float) -> None:
    """What a trained model has learned and a random one has not: to move on from a token, and to end.

    Embeddings are tied, so a negative gain of the last layer's norm makes the last token the least likely next one; and
    one dimension of that layer is constant and met by the end token alone.
    """
    import torch

    with torch.no_grad():
        norm.weight.fill_(-1.0)
        norm.weight[0], norm.bias[0] = 0.0, 1.0
        words[:, 0] = 0.0
        words[end] = torch.nn.functional.one_hot(torch.tensor(0), words.shape[1]) * end_logit


def marian(folder: Path, end_logit: float = 2.0) -> None:
    """Marian with one layer, two SentencePiece models and one vocabulary of both, as OPUS-MT's repositories have it."""
    import sentencepiece
    import torch
    from transformers import MarianConfig, MarianMTModel

    folder.mkdir(parents=True, exist_ok=True)
    symbols: list[str] = []
    for name, lines in {"source": CORPUS[:1], "target": CORPUS[1:2]}.items():
        with (folder / f"{name}.spm").open("wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(lines), model_writer=file, vocab_size=40, character_coverage=1.0, minloglevel=2
            )
        spm = sentencepiece.SentencePieceProcessor(model_file=str(folder / f"{name}.spm"))
        symbols += [spm.id_to_piece(i) for i in range(3, spm.get_piece_size())]
    vocabulary = ["</s>", "<unk>", *dict.fromkeys(symbols), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(vocabulary)}), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"source_lang": "en", "target_lang": "es", "model_max_length": 512}), encoding="utf-8"
    )
    torch.manual_seed(SEED)
    pad = len(vocabulary) - 1
    model = MarianMTModel(
        MarianConfig(
            vocab_size=len(vocabulary),
            **SEQ2SEQ,
            pad_token_id=pad,
            eos_token_id=0,
            decoder_start_token_id=pad,
            forced_eos_token_id=0,
        )
    )
    # Unlike M2M100's, Marian's decoder ends in the norm of its last layer.
    _teach_to_end(model.model.decoder.layers[-1].final_layer_norm, model.model.shared.weight, 0, end_logit)
    model.generation_config.bad_words_ids = [[pad]]
    model.generation_config.max_length = 512
    model.generation_config.num_beams = 4
    model.save_pretrained(folder)


def bark(folder: Path) -> None:
    """All four stages of Bark, each with one small layer; a BERT tokenizer; two speaker presets."""
    import numpy as np
    import torch
    from transformers import BarkConfig, BarkModel, BarkProcessor, BertTokenizer, EncodecConfig
    from transformers.models.bark import (
        BarkCoarseConfig,
        BarkFineConfig,
        BarkSemanticConfig,
    )
    from transformers.models.bark.generation_configuration_bark import (
        BarkCoarseGenerationConfig,
        BarkFineGenerationConfig,
        BarkGenerationConfig,
        BarkSemanticGenerationConfig,
    )

    folder.mkdir(parents=True, exist_ok=True)
    letters = sorted({c for line in CORPUS for c in line.lower() if not c.isspace()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = BertTokenizer(str(folder / "vocab.txt"))

    semantics, codes, text_at = 30, 16, 40
    text_pad, infer = text_at + len(vocabulary), text_at + len(vocabulary) + 1
    sizes = {"num_layers": 1, "num_heads": 2, "hidden_size": 16, "dropout": 0.0, "initializer_range": 0.4}
    coarse_vocabulary = semantics + 2 * codes + 4
    config = BarkConfig(
        semantic_config=BarkSemanticConfig(
            block_size=400, input_vocab_size=infer + 1, output_vocab_size=semantics + 4, **sizes
        ).to_dict(),
        coarse_acoustics_config=BarkCoarseConfig(
            block_size=200, input_vocab_size=coarse_vocabulary, output_vocab_size=coarse_vocabulary, **sizes
        ).to_dict(),
        fine_acoustics_config=BarkFineConfig(
            block_size=64, input_vocab_size=codes + 1, output_vocab_size=codes + 1, **sizes
        ).to_dict(),
        codec_config=EncodecConfig(
            target_bandwidths=[6.0],
            codebook_size=codes,
            codebook_dim=8,
            hidden_size=8,
            num_filters=4,
            upsampling_ratios=[8, 5, 4, 2],
            num_lstm_layers=1,
        ).to_dict(),
    )
    torch.manual_seed(SEED)
    model = BarkModel(config)
    generation = BarkGenerationConfig.from_sub_model_configs(
        BarkSemanticGenerationConfig(
            eos_token_id=semantics,
            semantic_vocab_size=semantics,
            text_encoding_offset=text_at,
            text_pad_token=text_pad,
            semantic_infer_token=infer,
            max_input_semantic_length=256,
            max_new_tokens=96,
            do_sample=True,
            temperature=0.7,
            pad_token_id=semantics,
        ),
        BarkCoarseGenerationConfig(
            coarse_semantic_pad_token=coarse_vocabulary - 4,
            coarse_infer_token=coarse_vocabulary - 2,
            max_coarse_input_length=40,
            max_coarse_history=60,
            sliding_window_len=30,
            do_sample=True,
            temperature=0.7,
            pad_token_id=coarse_vocabulary - 4,
        ),
        BarkFineGenerationConfig(
            temperature=0.5, max_fine_history_length=32, max_fine_input_length=64, n_fine_codebooks=8
        ),
        codebook_size=codes,
        sample_rate=24_000,
    )
    model.save_pretrained(folder)
    # The nested kind cannot be saved through the model; the hub's repository has it as a plain file too.
    (folder / "generation_config.json").write_text(json.dumps(generation.to_dict()), encoding="utf-8")

    draw = np.random.default_rng(SEED)
    presets: dict[str, dict[str, np.ndarray]] = {}
    for name in BARK_PRESETS:
        presets[name] = {
            "semantic_prompt": draw.integers(0, semantics, 40),
            "coarse_prompt": draw.integers(0, codes, (2, 60)),
            "fine_prompt": draw.integers(0, codes, (8, 60)),
        }
    _save_presets(folder, presets)
    BarkProcessor(tokenizer).save_pretrained(folder)


def _save_presets(folder: Path, presets: dict[str, dict[str, object]]) -> None:
    import numpy as np

    (folder / "speaker_embeddings" / "v2").mkdir(parents=True, exist_ok=True)
    paths: dict[str, object] = {"repo_or_path": "suno/bark"}
    for name, arrays in presets.items():
        paths[name] = {key: f"speaker_embeddings/{name}_{key}.npy" for key in arrays}
        for key, array in arrays.items():
            np.save(folder / "speaker_embeddings" / f"{name}_{key}.npy", array)
    (folder / "speaker_embeddings_path.json").write_text(json.dumps(paths), encoding="utf-8")


def pyannote(folder: Path) -> None:
    """The layout of pyannote's community-1 pipeline: segmentation, WeSpeaker embedding, PLDA and a config.yaml."""
    import numpy as np
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import WeSpeakerResNet34
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(SEED)
    segmentation = PyanNet(
        lstm={"hidden_size": 8, "num_layers": 1, "bidirectional": True, "monolithic": True, "dropout": 0.0},
        linear={"hidden_size": 8, "num_layers": 1},
    )
    segmentation.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=2.0,  # 10 s in the published one; the embedding's cost is the sum of all windows
        min_duration=2.0,
        warm_up=(0.0, 0.0),
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    segmentation.setup()
    with torch.no_grad():
        segmentation.classifier.weight.mul_(20.0)
    _save_pyannote(segmentation, folder / "segmentation")

    embedding = WeSpeakerResNet34()
    embedding.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, min_duration=5.0, classes=["a", "b"]
    )
    _save_pyannote(embedding, folder / "embedding")

    draw = np.random.default_rng(SEED)
    plda = folder / "plda"
    plda.mkdir(parents=True)
    rotation, _ = np.linalg.qr(draw.standard_normal((128, 128)))
    np.savez(
        plda / "xvec_transform.npz",
        mean1=np.zeros(256),
        mean2=np.zeros(128),
        lda=np.linalg.qr(draw.standard_normal((256, 128)))[0],
    )
    np.savez(plda / "plda.npz", mu=np.zeros(128), tr=rotation, psi=np.linspace(3.0, 0.5, 128))
    (folder / "config.yaml").write_text(_PYANNOTE_CONFIG, encoding="utf-8")


_PYANNOTE_CONFIG = """\
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_step: 0.5
    segmentation_batch_size: 32
    embedding: $model/embedding
    embedding_batch_size: 32
    embedding_exclude_overlap: true
    plda: $model/plda
params:
  clustering:
    threshold: 0.6
    Fa: 0.07
    Fb: 0.8
  segmentation:
    min_duration_off: 0.0
"""


def _save_pyannote(model: object, folder: Path) -> None:
    """Write `pytorch_model.bin` as Lightning does, with what pyannote adds to a checkpoint."""
    import pytorch_lightning
    import torch

    folder.mkdir(parents=True)
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": pytorch_lightning.__version__,
        "epoch": 0,
        "global_step": 0,
    }
    model.on_save_checkpoint(checkpoint)
    torch.save(checkpoint, folder / "pytorch_model.bin")


def wav2vec2(folder: Path) -> None:
    """A CTC model over the English alphabet, 20 ms a frame as the real ones, with its processor."""
    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder.mkdir(parents=True, exist_ok=True)
    symbols = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
    (folder / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(symbols)}), encoding="utf-8")
    tokenizer = Wav2Vec2CTCTokenizer(str(folder / "vocab.json"), do_lower_case=False)
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer).save_pretrained(folder)
    torch.manual_seed(SEED)
    config = Wav2Vec2Config(
        vocab_size=len(symbols),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)


def demucs(folder: Path) -> None:
    """Hybrid Demucs as torchaudio's bundle has it, a twelfth as wide."""
    import torch
    from torchaudio.models import HDemucs

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    network = HDemucs(["drums", "bass", "other", "vocals"], channels=4, nfft=4096, depth=6)
    torch.save(network.state_dict(), folder / "hdemucs.pt")


MAKERS: dict[str, Callable[[Path], None]] = {
    "nllb": nllb,
    "marian": marian,
    "bark": bark,
    "pyannote": pyannote,
    "wav2vec2": wav2vec2,
    "demucs": demucs,
}

if __name__ == "__main__":
    for name, make in MAKERS.items():
        make(Path(sys.argv[1]) / name)
