"""Where the hub engines compute, and what their libraries' failures mean to the rest of Dubline."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from dubline.domain.errors import DublineError, EngineFailed, EngineUnavailable, InvalidRequest, ModelMissing
from dubline.settings import settings

Device = Literal["cpu", "cuda"]


def device() -> Device:
    """`cuda` when the settings ask for a GPU or leave the choice and there is one.

    Raises InvalidRequest when a GPU is asked for and torch sees none.
    """
    import torch

    wanted = settings().device
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InvalidRequest("DUBLINE_DEVICE=cuda asks for a GPU, but none can be seen here; set it to auto or cpu.")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


@contextmanager
def loading(engine: str, model: str | None) -> Iterator[None]:
    """Around reading weights: what the library makes of missing or broken files becomes ModelMissing."""
    try:
        yield
    except DublineError:
        raise
    except Exception as error:  # the libraries document no type: OSError, KeyError, RuntimeError, pickle's own, ...
        _raise_if_out_of_memory(engine, error)
        raise ModelMissing(
            f"{engine} cannot load the weights of '{model}' ({_one_line(error)}); "
            f"pull them again with `dubline models pull {model}`."
        ) from error


@contextmanager
def running(engine: str, doing: str) -> Iterator[None]:
    """Around inference: lack of memory becomes EngineUnavailable, which is retried, anything else EngineFailed."""
    try:
        yield
    except DublineError:
        raise
    except Exception as error:  # torch, CTranslate2 and the libraries over them document no type
        _raise_if_out_of_memory(engine, error)
        raise EngineFailed(f"{engine} could not {doing}: {_one_line(error)}.") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Around pyannote and WhisperX: without their notes on old checkpoints, short windows and progress."""
    whisperx = logging.getLogger("whisperx")
    if not whisperx.handlers:
        whisperx.addHandler(logging.NullHandler())  # else its import sends INFO to stdout
    logging.getLogger("lightning.pytorch.utilities.migration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _raise_if_out_of_memory(engine: str, error: Exception) -> None:
    # torch has a type of its own; CTranslate2 raises RuntimeError with CUDA's words; the CPU's allocator has its own.
    text = str(error).lower()
    if not (isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text):
        return
    _free_gpu_memory()
    raise EngineUnavailable(
        f"{engine} ran out of memory ({_one_line(error)}); it is tried again; a smaller model or DUBLINE_DEVICE=cpu "
        "needs less."
    ) from error


def _free_gpu_memory() -> None:
    """Give back what torch holds in reserve, so that the retry has it."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:300].rstrip(".")
