"""A session's files: the same by all means, in a folder or a bucket, plain or sealed."""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubline.domain.errors import InvalidMedia, StoreUnavailable
from dubline.media.inputs import source_reference
from dubline.settings import settings
from dubline.storage import chosen, sealed, seals, session_files
from dubline.storage.artifacts import local_path
from dubline.storage.locations import located
from dubline.storage.s3 import BucketPlace
from dubline.storage.session_files import PIECE, Files

SESSION = "5" * 32
NAME = "source/talk.mp4"
PLAIN = b"what nobody else may read "


@pytest.fixture(params=["plain", "sealed"])
def key(request: pytest.FixtureRequest, place_kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str | None:
    if request.param == "plain":
        return None
    return new_key(tmp_path, monkeypatch)


def new_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "keys").write_text(b64encode(secrets.token_bytes(32)).decode())
    monkeypatch.setenv("DUBLINE_KEY_FILE", str(tmp_path / "keys"))
    settings.cache_clear()
    seals.wrapping_keys.cache_clear()
    made = seals.new_key(SESSION)
    assert made
    return made


@pytest.fixture
def files(key: str | None) -> Files:
    return session_files.files("acme", SESSION, key)


def uploaded(files: Files, content: bytes) -> None:
    handle = files.begin(NAME)
    for start in range(0, len(content), PIECE):
        piece = content[start : start + PIECE]
        for _ in range(2):  # the second one as after an answer that was lost
            files.put(NAME, handle, start, piece, last=start + len(piece) == len(content))
    files.finish(NAME, handle, len(content))
    files.finish(NAME, handle, len(content))


@pytest.mark.parametrize("size", [100, PIECE, 2 * PIECE + 5])
def test_pieces_become_a_file_that_is_read_in_any_part(files: Files, key: str | None, size: int) -> None:
    content = (PLAIN + os.urandom(size))[:size]
    assert files.size(NAME) is None
    uploaded(files, content)
    assert files.size(NAME) == size
    for start, end in ((0, size), (0, 1), (size - 1, size), (size // 2 - 3, size // 2 + 3), (size, size)):
        assert b"".join(files.read(NAME, start, end)) == content[start:end]
    assert (PLAIN in held() and key is None) or PLAIN not in held()
    files.remove()
    assert files.size(NAME) is None and not held()


def held() -> bytes:
    """All that lies in the session's folder or prefix."""
    folder = session_files.folder("acme", SESSION)
    if isinstance(folder, Path):
        return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    place = BucketPlace(folder)
    return b"".join(place.read(entry.key) or b"" for entry in place.entries())


@pytest.fixture
def own(place_kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """This process works for a sealed session; its wrapped key."""
    key = new_key(tmp_path, monkeypatch)
    sealed.use(session_files.sealed_place("acme", SESSION, key))
    yield key
    sealed.use(None)


def test_artifacts_of_a_sealed_session_are_its_own(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = chosen.artifact_store()
    ref = store.put_bytes(PLAIN, ".txt")
    assert ref.uri.startswith("sealed:artifacts/") and store.intact([ref])
    assert local_path(ref).read_bytes() == PLAIN and PLAIN not in held() and held()
    monkeypatch.setenv("DUBLINE_SCRATCH", str(settings().home / "elsewhere"))  # as another process has it
    settings.cache_clear()
    assert local_path(ref).read_bytes() == PLAIN
    assert chosen.artifact_store().load_value(store.put_value([1, 2]), list[int]) == [1, 2]
    sealed.use(None)
    with pytest.raises(StoreUnavailable, match="outside its session"):
        chosen.artifact_store().load_value(ref.model_copy(update={"sha256": "0" * 64}), str)


def test_a_damaged_artifact_is_made_anew(own: str) -> None:
    store = chosen.artifact_store()
    ref = store.put_bytes(PLAIN, ".txt")
    local_path(ref).unlink()
    holder, key = sealed.in_use()._holder, ref.uri.removeprefix("sealed:")
    content = bytearray(holder.read(key) or b"")
    content[20] ^= 1
    holder.write(key, bytes(content))
    with pytest.raises(StoreUnavailable, match="not what was written"):
        local_path(ref)
    assert not store.intact([ref]), "so that the stage computes it again"


def test_records_of_a_sealed_session_are_its_own(own: str) -> None:
    place = chosen.checkpoint_place()
    place.write("abc", PLAIN)
    assert place.read("abc") == PLAIN and PLAIN not in held()
    assert [(entry.key, entry.size) for entry in place.entries()] == [("abc", len(PLAIN))]
    place.touch("abc")
    place.remove("abc")
    assert place.read("abc") is None and not held()


def test_a_sealed_video_is_a_source(own: str) -> None:
    content = PLAIN + os.urandom(PIECE)
    files = session_files.files("acme", SESSION, own)
    uploaded(files, content)
    location = located(str(session_files.folder("acme", SESSION) / NAME))
    ref = source_reference(location)
    assert ref.size == len(content) and local_path(ref).read_bytes() == content
    with pytest.raises(InvalidMedia, match="gone"):
        source_reference(located(f"{location}.other"))
