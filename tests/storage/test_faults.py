"""What goes wrong on the way to S3 is repeated, noticed, or told in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dubline.domain.errors import InvalidRequest, OutputUnavailable, StoreUnavailable
from dubline.settings import settings
from dubline.storage import remote_artifacts, s3
from dubline.storage.artifacts import ArtifactStore, local_path
from dubline.storage.chosen import artifact_store
from dubline.storage.results import ArtifactRef
from tests.fault_proxy import Fault, FaultProxy
from tests.s3_server import S3Server


@pytest.fixture
def store(proxy: FaultProxy) -> ArtifactStore:
    return artifact_store()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Go on as another machine: another home, the same store."""

    def go() -> None:
        monkeypatch.setenv("DUBLINE_HOME", str(tmp_path / "elsewhere"))
        settings.cache_clear()

    return go


@pytest.fixture
def ref(store: ArtifactStore, elsewhere: Callable[[], None], proxy: FaultProxy) -> ArtifactRef:
    """An artifact that another machine has written."""
    written = store.put_bytes(b"0123456789" * 30_000, ".bin")
    elsewhere()
    return written


@pytest.mark.parametrize("faults", [["unavailable"] * 3, ["drop"], ["drop", "unavailable", "drop"], ["flip"]])
def test_a_read_that_is_disturbed_gives_the_right_content(
    ref: ArtifactRef, proxy: FaultProxy, faults: list[Fault]
) -> None:
    proxy.spoil(*faults)
    assert local_path(ref).read_bytes() == b"0123456789" * 30_000
    assert proxy.spoiled == faults


@pytest.mark.parametrize("faults", [["unavailable"] * 3, ["drop"], ["flip-request"]])
def test_a_write_that_is_disturbed_leaves_the_right_content(
    store: ArtifactStore, proxy: FaultProxy, elsewhere: Callable[[], None], faults: list[Fault]
) -> None:
    proxy.matches = lambda method, path: method == "PUT"
    proxy.spoil(*faults)
    written = store.put_bytes(b"content", ".bin")
    assert proxy.spoiled == faults
    elsewhere()
    assert local_path(written).read_bytes() == b"content"


def test_content_that_comes_wrong_each_time_is_refused(ref: ArtifactRef, proxy: FaultProxy) -> None:
    proxy.matches = lambda method, path: method == "GET"
    proxy.spoil("flip", "flip")
    with pytest.raises(StoreUnavailable, match=ref.sha256) as refused:
        local_path(ref)
    assert refused.value.retryable
    assert not list((settings().cache).glob("*/*.bin"))


def test_an_object_that_is_damaged_where_it_lies_counts_as_missing_from_then_on(
    ref: ArtifactRef, store: ArtifactStore
) -> None:
    store.place.write(f"{ref.sha256[:2]}/{ref.sha256}.bin", b"x" * ref.size)
    assert store.intact([ref]), "its content is compared when it is read"
    with pytest.raises(StoreUnavailable):
        local_path(ref)
    assert not store.intact([ref])
    with pytest.raises(StoreUnavailable, match="gone"):
        local_path(ref)


def test_a_copy_is_compared_once_in_a_process_and_replaced_when_wrong(
    ref: ArtifactRef, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_path(ref).write_bytes(b"x" * ref.size)
    remote_artifacts._verified.clear()  # as a process that starts has it
    assert local_path(ref).read_bytes() == b"0123456789" * 30_000

    asked = len(proxy.requests)
    monkeypatch.setattr(remote_artifacts, "sha256_of", None)
    assert local_path(ref) == local_path(ref)
    assert len(proxy.requests) == asked


def test_what_this_machine_wrote_is_not_downloaded(store: ArtifactStore, proxy: FaultProxy) -> None:
    written = store.put_bytes(b"content", ".bin")
    assert local_path(written).read_bytes() == b"content"
    assert not [request for request in proxy.requests if request.startswith("GET")]


def test_content_that_is_there_is_not_uploaded_again(
    store: ArtifactStore, proxy: FaultProxy, elsewhere: Callable[[], None]
) -> None:
    written = store.put_bytes(b"content", ".bin")
    elsewhere()
    assert artifact_store().put_bytes(b"content", ".bin") == written
    assert len([request for request in proxy.requests if request.startswith("PUT")]) == 1


def test_a_server_that_is_down_is_told_as_such(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "CONFIG", s3.CONFIG | {"retries": {"mode": "legacy", "max_attempts": 0}})
    monkeypatch.setenv("DUBLINE_S3_ENDPOINT", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(StoreUnavailable, match="does not answer") as refused:
        artifact_store().put_bytes(b"content", ".bin")
    assert refused.value.retryable


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "is denied"),
        ("DUBLINE_STORE", "s3://no-such-bucket/prefix", "no bucket"),
    ],
)
def test_what_no_retry_can_mend_is_told_as_such(
    in_s3: S3Server, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    s3.s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(OutputUnavailable, match=message):
        artifact_store().put_bytes(b"content", ".bin")
    s3.s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("value", ["s3://key:secret@bucket/prefix", "http://bucket", "s3://", "bucket/prefix"])
def test_a_store_is_a_bucket_and_a_prefix_and_nothing_else(
    settle: None, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DUBLINE_STORE", value)
    with pytest.raises(InvalidRequest, match="DUBLINE_STORE"):
        settings()


@pytest.mark.parametrize("faults", [["unavailable", "drop"], ["flip-request"] * 2])
def test_a_large_file_goes_in_parts(
    store: ArtifactStore, proxy: FaultProxy, elsewhere: Callable[[], None], faults: list[Fault]
) -> None:
    with store.workspace() as folder:
        path = folder / "large.bin"
        with path.open("wb") as file:
            file.truncate(2 * s3.PART_BYTES + 1)
        proxy.matches = lambda method, path: "partNumber" in path
        proxy.spoil(*faults)
        written = store.adopt(path)
    assert [request for request in proxy.requests if "partNumber=3" in request]
    assert proxy.spoiled == faults
    elsewhere()
    assert local_path(written).stat().st_size == 2 * s3.PART_BYTES + 1


def test_an_upload_that_somebody_else_ended_may_be_tried_again(
    proxy: FaultProxy, in_s3: S3Server, tmp_path: Path
) -> None:
    place, path = s3.BucketPlace(settings().store), tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(3 * s3.PART_BYTES)

    def ended(method: str, request: str) -> bool:
        if "partNumber=2" in request:
            for upload in in_s3.files.list_multipart_uploads(in_s3.bucket):
                in_s3.files.abort_mpu(in_s3.bucket, upload["Key"], upload["UploadId"])
        return False

    proxy.matches = ended
    proxy.spoil("unavailable")  # which no request fits
    with pytest.raises(StoreUnavailable, match="ended by somebody else"):
        place.upload(path, "large.bin")
    assert place.stat("large.bin") is None
