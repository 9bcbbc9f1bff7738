"""Batched translation on a GPU against a call for each line: `python -m bench.gpu`, on a machine that has one.

The network is NLLB-200's of 600 million parameters (its sizes, not its weights, which a GPU's speed does not depend
on), searched as the engine searches: half precision, four beams, batches of like length. Untrained weights never end
a translation, so each runs to the engine's limit and both ways make the same number of tokens. Texts are the source
side of isometric-mt-test. Writes bench/results/gpu.json.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.translation import DATA, RESULTS, SOURCE
from dubline.engines.device import device
from dubline.engines.translation.seq2seq import SearchOptions, Seq2Seq, weight_type
from tests.tiny.make_checkpoints import nllb_tokenizer

ALONE = 12
"""Texts of the calls for one line each: they take long, and each is as fast as the next."""
REPEATS = 3
WORDS = 4000
"""Of the tokenizer, which is made from the texts: about as many tokens a line as NLLB's own."""
SHAPE: dict[str, Any] = {
    "vocab_size": 256_206,
    "d_model": 1024,
    "encoder_layers": 12,
    "decoder_layers": 12,
    "encoder_attention_heads": 16,
    "decoder_attention_heads": 16,
    "encoder_ffn_dim": 4096,
    "decoder_ffn_dim": 4096,
    "max_position_embeddings": 1024,
    "scale_embedding": True,
}
"""facebook/nllb-200-distilled-600M, config.json."""


@dataclass(frozen=True)
class Figures:
    device: str
    lines: int
    batches: int
    batched_tokens_per_s: float
    """Tokens of the best wordings, medians."""
    alone_tokens_per_s: float
    times_faster: float
    peak_memory_mib: float


def main() -> None:
    import torch

    if device() != "cuda":
        raise SystemExit("bench.gpu: torch sees no GPU here, or DUBLINE_DEVICE forbids it.")
    texts = (DATA / f"en-es.test.{SOURCE}").read_text(encoding="utf-8").splitlines()
    model = translator(texts)
    batches = [[texts[i] for i in batch] for batch in model.batches([model.length(text) for text in texts])]
    few = [[text] for text in texts[:: len(texts) // ALONE][:ALONE]]
    rate(model, few[:1])  # the first call sets up
    together = statistics.median(rate(model, batches) for _ in range(REPEATS))
    alone = statistics.median(rate(model, few) for _ in range(REPEATS))
    figures = Figures(
        torch.cuda.get_device_name(),
        len(texts),
        len(batches),
        round(together),
        round(alone),
        round(together / alone, 1),
        round(torch.cuda.max_memory_allocated() / 2**20),
    )
    print(json.dumps(asdict(figures), indent=1))
    (RESULTS.parent / "gpu.json").write_text(json.dumps(asdict(figures), indent=1) + "\n", encoding="utf-8")


def translator(texts: Sequence[str]) -> Seq2Seq:
    """The network with weights as they are before training, on the device, and a tokenizer made from the texts."""
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    torch.manual_seed(0)
    model = M2M100ForConditionalGeneration(M2M100Config(**SHAPE)).to(device(), weight_type(device()))
    return Seq2Seq(nllb_tokenizer(texts, WORDS), model.eval(), SearchOptions.model_validate({}))


def rate(model: Seq2Seq, batches: Sequence[Sequence[str]]) -> float:
    """Tokens a second of the best wordings, as the search returns them."""
    made = 0
    generate = model.model.generate

    def counted(**arguments: Any) -> Any:
        nonlocal made
        output = generate(**arguments)
        made += output.shape[0] * (output.shape[1] - 1)
        return output

    model.model.generate = counted
    start = time.perf_counter()
    for batch in batches:
        model.generate(batch, 1, {})
    seconds = time.perf_counter() - start  # decoding the text has waited for the GPU
    model.model.generate = generate
    return made / seconds


if __name__ == "__main__":
    main()
