"""What is sealed is opened by its key alone, as it was, or not at all."""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubline.domain.errors import OutputUnavailable
from dubline.settings import settings
from dubline.storage import seals
from dubline.storage.seals import CHUNK, EXTRA, Broken, Seal

SEAL = Seal("s", bytes(32))
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_closed_is_opened(size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    sealed = SEAL.close("a", content)
    assert len(sealed) == seals.sealed_size(size) and seals.open_size(len(sealed)) == size
    assert SEAL.open("a", sealed) == content
    (tmp_path / "open").write_bytes(content)
    SEAL.close_file("a", tmp_path / "open", tmp_path / "sealed")
    SEAL.open_file("a", tmp_path / "sealed", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content != (tmp_path / "sealed").read_bytes()


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_changed_bit_is_noticed(content: bytes, data: st.DataObject) -> None:
    sealed = bytearray(SEAL.close("a", content))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Broken):
        SEAL.open("a", bytes(sealed))


def test_chunks_keep_their_places() -> None:
    sealed, step = SEAL.close("a", os.urandom(3 * CHUNK)), CHUNK + EXTRA
    first, second, third = (sealed[start : start + step] for start in range(0, len(sealed), step))
    for wrong in (second + first + third, first + second, first + third, sealed[: step + 40], b"", sealed + third):
        with pytest.raises(Broken):
            SEAL.open("a", wrong)


def test_a_file_is_of_one_name_session_and_key() -> None:
    sealed = SEAL.close("a", b"hello")
    for other, name in ((SEAL, "b"), (Seal("t", SEAL.key), "a"), (Seal("s", bytes([1]) * 32), "a")):
        with pytest.raises(Broken):
            other.open(name, sealed)


def test_equal_contents_look_different() -> None:
    assert SEAL.close("a", b"hello") != SEAL.close("a", b"hello")


def test_a_key_says_nothing_of_itself() -> None:
    assert str(SEAL.key) not in repr(SEAL)


@pytest.fixture
def key_file(settle: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys"
    path.write_text(line())
    monkeypatch.setenv("DUBLINE_KEY_FILE", str(path))
    settings.cache_clear()
    seals.wrapping_keys.cache_clear()
    return path


def line() -> str:
    return b64encode(secrets.token_bytes(32)).decode() + "\n"


def test_a_wrapped_key_needs_the_file(key_file: Path) -> None:
    wrapped = seals.new_key("s")
    assert wrapped is not None
    sealed = seals.seal_of("s", wrapped).close("a", b"hello")
    key_file.write_text(line() + key_file.read_text())  # a newer key wraps from now on; the older one still opens
    seals.wrapping_keys.cache_clear()
    assert seals.seal_of("s", wrapped).open("a", sealed) == b"hello"
    with pytest.raises(OutputUnavailable, match="not in DUBLINE_KEY_FILE"):
        seals.seal_of("another", wrapped)
    key_file.write_text(line())
    seals.wrapping_keys.cache_clear()
    with pytest.raises(OutputUnavailable, match="not in DUBLINE_KEY_FILE"):
        seals.seal_of("s", wrapped)


@pytest.mark.parametrize("content", ["", "not base64!", "c2hvcnQ=\n", None])
def test_a_wrong_key_file_is_told(key_file: Path, content: str | None) -> None:
    key_file.unlink() if content is None else key_file.write_text(content)
    with pytest.raises(OutputUnavailable, match="DUBLINE_KEY_FILE"):
        seals.new_key("s")


def test_without_a_key_file_nothing_is_sealed(settle: None) -> None:
    assert seals.new_key("s") is None
    with pytest.raises(OutputUnavailable, match="DUBLINE_KEY_FILE"):
        seals.seal_of("s", "x")
