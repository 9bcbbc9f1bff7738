"""Where engines compute, and what their libraries' failures become."""

import pytest
import torch

from dubline.domain.errors import EngineFailed, EngineUnavailable, InvalidRequest, ModelMissing, UnsupportedLanguage
from dubline.engines.device import device, loading, running
from dubline.settings import settings


@pytest.fixture
def wanted(monkeypatch):
    def choose(name, gpu):
        monkeypatch.setenv("DUBLINE_DEVICE", name)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
        settings.cache_clear()

    yield choose
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "gpu", "chosen"),
    [("auto", True, "cuda"), ("auto", False, "cpu"), ("cpu", True, "cpu"), ("cuda", True, "cuda")],
)
def test_the_setting_and_the_hardware_decide(wanted, name, gpu, chosen):
    wanted(name, gpu)
    assert device() == chosen


def test_a_gpu_that_is_asked_for_and_not_there_is_an_error(wanted):
    wanted("cuda", False)
    with pytest.raises(InvalidRequest, match="DUBLINE_DEVICE"):
        device()


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA failed with error out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
@pytest.mark.parametrize("around", [running, loading])
def test_lack_of_memory_can_be_retried(error, around):
    with pytest.raises(EngineUnavailable, match="ran out of memory") as raised, around("NLLB", "translate"):
        raise error
    assert raised.value.retryable


def test_other_failures_are_the_engines_and_keep_their_cause():
    cause = IndexError("index 7 is\nout of range")
    with (
        pytest.raises(EngineFailed, match=r"NLLB could not translate: index 7 is out of range\.") as raised,
        running("NLLB", "translate"),
    ):
        raise cause
    assert raised.value.__cause__ is cause
    assert not raised.value.retryable


def test_weights_that_do_not_load_are_a_missing_model():
    with pytest.raises(ModelMissing, match="dubline models pull bark"), loading("Bark", "bark"):
        raise OSError("no file named pytorch_model.bin")


@pytest.mark.parametrize("around", [running, loading])
def test_our_own_errors_pass_unchanged(around):
    with pytest.raises(UnsupportedLanguage, match="as it was"), around("NLLB", "translate"):
        raise UnsupportedLanguage("as it was")
