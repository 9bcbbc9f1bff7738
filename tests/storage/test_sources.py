"""Videos that lie in a bucket: fetched once, whole, and never written to."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from dubline.domain.errors import InvalidMedia
from dubline.media.inputs import source_reference
from dubline.request import TranslateRequest
from dubline.settings import settings
from dubline.storage.artifacts import local_path
from dubline.storage.locations import BucketFile
from tests.fault_proxy import FaultProxy
from tests.s3_server import S3Server

CONTENT = b"0123456789" * 30_000


@pytest.fixture
def video(in_s3: S3Server, tmp_path: Path) -> BucketFile:
    file = BucketFile(f"s3://{in_s3.bucket}/videos/{tmp_path.name}/a clip.mp4")
    in_s3.files.pipe_file(file, CONTENT)
    return file


def test_a_request_tells_objects_from_paths() -> None:
    basics = {"languages": ("es",), "out": "/out"}
    there = TranslateRequest.model_validate_json('{"video": "s3://bucket/a b.mp4", "languages": ["es"], "out": "/o"}')
    assert isinstance(there.video, BucketFile)
    assert (there.video.name, there.video.stem) == ("a b.mp4", "a b")
    assert TranslateRequest.model_validate_json(there.model_dump_json()) == there
    assert TranslateRequest.model_validate({"video": "/a/b.mp4", **basics}).video == Path("/a/b.mp4")


def test_a_video_is_fetched_once(video: BucketFile, proxy: FaultProxy) -> None:
    ref = source_reference(video)
    assert (ref.uri, ref.sha256, ref.size) == (video, sha256(CONTENT).hexdigest(), len(CONTENT))
    assert local_path(ref).read_bytes() == CONTENT
    assert source_reference(video) == ref
    assert len([request for request in proxy.requests if request.startswith("GET")]) == 1


def test_a_copy_that_was_lost_is_fetched_again(video: BucketFile, proxy: FaultProxy) -> None:
    ref = source_reference(video)
    shutil.rmtree(settings().cache / ref.sha256[:2])
    assert local_path(source_reference(video)).read_bytes() == CONTENT


def test_another_content_under_the_same_name_is_another_video(
    video: BucketFile, proxy: FaultProxy, in_s3: S3Server
) -> None:
    first = source_reference(video)
    in_s3.files.pipe_file(video, CONTENT[::-1])
    second = source_reference(video)
    assert second.sha256 != first.sha256
    assert local_path(second).read_bytes() == CONTENT[::-1]


def test_a_bit_that_flips_on_the_way_is_noticed(video: BucketFile, proxy: FaultProxy) -> None:
    proxy.matches = lambda method, path: method == "GET"
    proxy.spoil("flip")
    assert local_path(source_reference(video)).read_bytes() == CONTENT
    assert proxy.spoiled == ["flip"]


def test_a_users_object_is_never_removed(video: BucketFile, in_s3: S3Server) -> None:
    ref = source_reference(video)
    shutil.rmtree(settings().cache)
    in_s3.files.pipe_file(video, b"x" * len(CONTENT))
    with pytest.raises(Exception, match="not what was written"):
        local_path(ref)
    assert in_s3.files.cat_file(video) == b"x" * len(CONTENT)


def test_a_video_that_is_not_there_is_told_as_such(in_s3: S3Server) -> None:
    with pytest.raises(InvalidMedia, match="There is no object"):
        source_reference(BucketFile(f"s3://{in_s3.bucket}/videos/none.mp4"))
