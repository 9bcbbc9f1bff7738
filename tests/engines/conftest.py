"""Tiny checkpoints, made once a session, and a model store that points at them."""

import os
from pathlib import Path

import pytest

from dubline.domain.errors import ModelMissing
from dubline.engines.models import ModelStore
from dubline.settings import Settings
from tests import speech
from tests.lacking import lacking
from tests.tiny import make_checkpoints

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "false")
# Exact comparisons hold in single precision; test_on_gpu.py is about the other.
os.environ["DUBLINE_DEVICE"] = "cpu"


class Folders:
    """Stands for the model store: names to folders."""

    def __init__(self, **folders: Path) -> None:
        self.folders = folders

    def path(self, name: str) -> Path:
        return self.folders[name]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """`tiny("nllb")` is the folder of that checkpoint, made when first asked for."""
    root = tmp_path_factory.mktemp("tiny")

    def folder(name: str) -> Path:
        import torch

        # Models this small only lose time by handing work between threads; other engines' loading sets it back.
        torch.set_num_threads(1)
        path = root / name
        if not path.exists():
            make_checkpoints.MAKERS[name](path)
        return path

    return folder


@pytest.fixture(scope="session")
def whisper_base() -> Path:
    """The real model. Set-up pulls it."""
    try:
        return ModelStore(Settings().models).path("whisper-base")
    except ModelMissing as missing:
        lacking(str(missing).rstrip("."))


@pytest.fixture(scope="session")
def sample_speech() -> Path:
    """30 s of two people talking, with .rttm and .stm beside it."""
    return speech.SAMPLE
