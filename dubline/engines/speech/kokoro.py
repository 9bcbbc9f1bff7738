"""Kokoro-82M over onnxruntime: many voices, quick on a CPU, with a speaking rate of its own."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dubline.domain.errors import EngineFailed
from dubline.engines.contracts import Register, SpeechRequest, SpeechResult, Voice
from dubline.engines.models import ModelStore
from dubline.engines.registry import EngineSpec
from dubline.engines.speech import durations, spoken, voices
from dubline.engines.speech.phonemes import LANGUAGES, phonemes, phonemes_of
from dubline.settings import settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Voices in order of preference. The second letter of a name is the register: f(emale) or m(ale).
_NATIVE = {
    "en": ("af_heart", "am_michael", "af_bella", "am_fenrir", "bf_emma", "bm_george", "af_nicole", "am_puck"),
    "es": ("ef_dora", "em_alex", "em_santa"),
    "fr": ("ff_siwis",),
    "hi": ("hf_alpha", "hm_omega", "hf_beta", "hm_psi"),
    "it": ("if_sara", "im_nicola"),
    "pt": ("pf_dora", "pm_alex", "pm_santa"),
}
# A voice is a style vector: it speaks any language's phonemes, with an accent.
# Ranked by word error rate of a Spanish, French, Italian and Portuguese sentence, transcribed back by whisper-base, and
# by pace: English voices speak these languages 10-25% more slowly.
_GUESTS = ("if_sara", "ef_dora", "pf_dora", "ff_siwis", "af_heart", "pm_alex", "em_alex", "am_michael", "im_nicola")


class KokoroSpeech:
    batch_size: ClassVar[int] = 1
    rates: ClassVar[tuple[float, float]] = (0.85, 1.25)

    def __init__(self, spec: EngineSpec, models: ModelStore) -> None:
        import onnxruntime
        from kokoro_onnx import Kokoro

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings().threads
        model = models.path(str(spec.model)) / "model.onnx"
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._voices = models.path("kokoro-voices")
        self._kokoro = _without_voices(Kokoro, session)

    @staticmethod
    def voices(language: str) -> tuple[Voice, ...]:
        if language not in LANGUAGES:
            return ()
        native = _NATIVE[language]
        guests = tuple(name for name in _GUESTS if name not in native)
        return tuple(_voice(name, name in native) for name in native + guests)

    @staticmethod
    def predicted_ms(text: str, language: str, voice: str) -> float:
        return durations.model().duration_ms(durations.features(phonemes(text, language, voice)), voice, language)

    def synthesize(self, requests: Sequence[SpeechRequest]) -> tuple[SpeechResult, ...]:
        return tuple(self._speak(request) for request in requests)

    def _speak(self, request: SpeechRequest) -> SpeechResult:
        try:
            samples, rate = self._kokoro.create(
                phonemes_of(request), self._voice(request.voice), speed=request.speed, is_phonemes=True
            )
        except (ValueError, RuntimeError) as error:
            raise EngineFailed(f"Kokoro could not speak '{request.text[:60]}': {error}.") from error
        if not samples.any():
            raise EngineFailed(f"Kokoro made only silence of '{request.text[:60]}'.")
        return SpeechResult(samples, rate)

    def _voice(self, name: str) -> NDArray[np.float32]:
        import numpy as np

        path = self._voices / f"{name}.bin"
        if not path.is_file():
            raise EngineFailed(f"Kokoro has no voice '{name}'.")
        return np.fromfile(path, dtype=np.float32).reshape(-1, 1, 256)


def _voice(name: str, native: bool) -> Voice:
    sound = voices.sounds()[name]
    register: Register = "high" if name[1] == "f" else "low"
    return Voice(name, register, native, sound.median_f0_hz, sound.embedding, voices.SPACE)


def data_digest() -> str:
    """Of what was measured of the voices, their paces and their sounds, and of the words for figures and signs."""
    return hashlib.sha256(f"{durations.digest()} {voices.digest()} {spoken.digest()}".encode()).hexdigest()


def _without_voices(kokoro: type, session: object) -> Any:
    """The library wants an archive of voices at its start; ours are read one by one when they speak."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "none.npz"
        np.savez(archive)
        return kokoro.from_session(session, str(archive))  # type: ignore[attr-defined]  # untyped library
