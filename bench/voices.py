"""Measure every Kokoro voice: its pitch and its speaker embedding, as the offline diarizer measures speakers.

    python -m bench.voices

Each voice says two sentences in its own language (Japanese and Chinese voices say the English ones, see
`dubline.engines.speech.phonemes`). Writes dubline/engines/speech/kokoro_voices.json.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dubline import profiles
from dubline.domain.time import Span
from dubline.engines.contracts import SpeechRequest
from dubline.engines.diarization.pitch import median_f0_hz
from dubline.engines.diarization.resemblyzer import SAMPLE_RATE, ResemblyzerEmbedding
from dubline.engines.models import ModelStore
from dubline.engines.registry import create
from dubline.engines.speech.voices import DATA, DECIMALS
from dubline.settings import settings

SENTENCES = {
    "en": "Last night we walked along the river, and nobody said a word. "
    "Tell me, what would you have done instead of me?",
    "es": "Anoche caminamos por la orilla del río y nadie dijo una palabra. Dime, ¿qué habrías hecho tú en mi lugar?",
    "fr": "Hier soir, nous avons marché le long de la rivière sans dire un mot. "
    "Dis-moi, qu'aurais-tu fait à ma place ?",
    "hi": "कल रात हम नदी के किनारे चलते रहे और किसी ने कुछ नहीं कहा। बताओ, मेरी जगह तुम क्या करते?",
    "it": "Ieri sera abbiamo camminato lungo il fiume e nessuno ha detto una parola. Dimmi, che cosa avresti fatto tu?",
    "pt": "Ontem à noite caminhamos ao longo do rio e ninguém disse uma palavra. "
    "Diga, o que você teria feito no meu lugar?",
}
LANGUAGE_OF = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "p": "pt"}
"""By the first letter of a voice's name."""


def measured(speech: Any, embedding: ResemblyzerEmbedding, voice: str) -> dict[str, Any]:
    language = LANGUAGE_OF.get(voice[0], "en")
    spoken = speech.synthesize([SpeechRequest(SENTENCES[language], language, voice)])[0]
    samples = at_16_khz(spoken.samples, spoken.sample_rate)
    f0 = median_f0_hz(samples, SAMPLE_RATE, [Span(0, len(samples) * 1000 // SAMPLE_RATE)])
    vector = embedding(torch.from_numpy(samples)[None, None])[0]
    return {"median_f0_hz": f0 and round(f0, 1), "embedding": [round(float(value), DECIMALS) for value in vector]}


def at_16_khz(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    from torchaudio.functional import resample

    result: NDArray[np.float32] = resample(torch.from_numpy(samples), rate, SAMPLE_RATE).numpy()
    return result


def main() -> None:
    models = ModelStore(settings().models)
    speech = create(profiles.load("offline").speech, models)
    embedding = ResemblyzerEmbedding(models.path("resemblyzer") / "pretrained.pt")
    names = sorted(path.stem for path in models.path("kokoro-voices").glob("*.bin"))
    voices = {}
    for name in names:
        voices[name] = measured(speech, embedding, name)
        print(name, voices[name]["median_f0_hz"], flush=True)
    lines = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(found, separators=(',', ':'))}" for name, found in voices.items()
    )
    DATA.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
