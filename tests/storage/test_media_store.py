"""A bucket of which everything stands in the block `dubline-media-store`, and nothing in the environment."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import certifi
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_aws import AwsCredentials
from pydantic import ValidationError

from blocks import MediaStore
from dubline.domain.errors import InvalidRequest
from dubline.settings import settings
from dubline.storage.s3 import BucketPlace
from tasks.configure import use_media_store
from tests.pipeline.test_services import QUEUE, finished, start
from tests.pipeline.workshop import Workshop, make_video
from tests.s3_server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.storage.test_web_sources import certificate
from tests.web_server import WebServer

KEYS = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
HTTP, HTTPS = {"endpoint_url": "http://127.0.0.1:8333"}, {"endpoint_url": "https://127.0.0.1:8333"}
AUTHORITIES = {"verify_cert_path": certifi.where()}


def credentials(client: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """As a form sends them."""
    return given | {"aws_client_parameters": client or {}}


def saved(block: MediaStore | AwsCredentials, name: str) -> None:
    async def save() -> None:
        await block.asave(name, overwrite=True)

    asyncio.run(save())


def used(name: str) -> None:
    os.environ["DUBLINE_MEDIA_STORE"] = name
    settings.cache_clear()
    asyncio.run(use_media_store())


@pytest.fixture
def bare(prefect_server: str) -> Iterator[None]:
    """An environment that says nothing of S3; what is put there goes after the test."""
    with patch.dict(os.environ), temporary_settings({PREFECT_API_URL: prefect_server}):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        yield
    settings.cache_clear()


@pytest.mark.server
def test_a_run_finds_bucket_server_and_keys_in_the_block_alone(
    bare: None, tmp_path: Path, prefect_server: str, s3_server: S3Server
) -> None:
    place = f"{s3_server.bucket}/{uuid4().hex}"
    keys = credentials({"endpoint_url": s3_server.endpoint}, **KEYS)
    saved(MediaStore(url=f"s3://{place}", credentials=keys), "bucket")
    workshop = Workshop(tmp_path, prefect_server)
    workshop.profile()
    workshop.deploy()
    request = {"video": str(make_video(tmp_path / "clip.mp4")), "languages": ["es"], "source_language": "en"}
    request |= {"profile": "fake", "out": str(workshop.out)}
    with workshop.worker("cpu", "--work-queue", QUEUE, DUBLINE_MEDIA_STORE="bucket"):
        finished(prefect_server, start(prefect_server, "translate-video", request=request))
    assert (workshop.out / "clip.es.mp4").exists()
    assert not {"artifacts", "checkpoints"} & {path.name for path in workshop.home.iterdir()}

    used("bucket")
    for kind in ("artifacts", "checkpoints"):
        kept = BucketPlace(f"{settings().bucket}/{kind}")
        sizes = {entry.key: entry.size for entry in kept.entries()}
        assert sizes and {key: len(kept.read(key) or b"") for key in sizes} == sizes
        assert len(s3_server.files.find(f"{place}/{kind}")) == len(sizes)


@pytest.mark.server
def test_the_authorities_of_the_block_are_believed(bare: None, tmp_path: Path) -> None:
    authority, context = certificate(tmp_path, "127.0.0.1")
    server = WebServer(b"content", tls=context)
    client = {"endpoint_url": f"https://{server.place}", "verify_cert_path": str(authority)}
    try:
        saved(MediaStore(url="s3://bucket/prefix", credentials=credentials(client, **KEYS)), "tls")
        used("tls")
        assert BucketPlace(settings().store).read_range("key", 0, 7) == b"content"
    finally:
        server.stop()


@pytest.mark.server
def test_keys_of_the_environment_are_not_mixed_with_the_block_s(bare: None) -> None:
    token = credentials(HTTP, **KEYS, aws_session_token="theirs", region_name="eu-west-1")
    saved(MediaStore(url="s3://bucket/prefix", credentials=token), "token")
    os.environ |= {"AWS_ACCESS_KEY_ID": "ours", "AWS_SECRET_ACCESS_KEY": "ours", "AWS_SESSION_TOKEN": ""}
    os.environ["DUBLINE_STORE"] = ""  # which counts as not set
    used("token")
    assert (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SESSION_TOKEN"]) == ("ours", "")
    assert (settings().store, settings().s3_endpoint) == ("s3://bucket/prefix", HTTP["endpoint_url"])
    assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-1"


@pytest.mark.server
def test_a_block_that_cannot_be_used_is_told_in_a_sentence(bare: None) -> None:
    with pytest.raises(InvalidRequest, match="names the block dubline-media-store/none, which is not there; make it"):
        used("none")
    keys = AwsCredentials(**KEYS)
    saved(keys, "keys")
    saved(MediaStore(url="s3://bucket/prefix", credentials=keys), "later")
    used("later")
    saved(AwsCredentials(**KEYS, assume_role_arn="arn:aws:iam::1:role/dubs"), "keys")  # in a form of its own
    with pytest.raises(InvalidRequest) as refused:
        used("later")
    sentence = str(refused.value)
    assert sentence.startswith("The block dubline-media-store/later is wrong at credentials ('Assume Role ARN' and ")
    assert sentence.endswith("; correct it in the Prefect UI.") and SECRET_KEY not in sentence


@pytest.mark.parametrize(
    ("given", "title"),
    [
        (credentials(assume_role_arn="arn:aws:iam::1:role/dubs"), "Assume Role ARN"),
        (credentials(assume_role_kwargs={"ExternalId": "1"}), "Assume Role Parameters"),
        (credentials(aws_access_key_id="key"), "AWS Access Key Secret"),
        (credentials(aws_secret_access_key="secret"), "AWS Access Key ID"),
        (credentials(aws_session_token="token"), "AWS Session Token"),
        (credentials({"endpoint_url": "http://user:secret@host"}), "Endpoint URL"),
        (credentials({"endpoint_url": "http://host/path"}), "Endpoint URL"),
        (credentials({"endpoint_url": "host:8333"}), "Endpoint URL"),
        (credentials({"use_ssl": False}), "Use SSL"),
        (credentials({"use_ssl": False} | HTTPS), "Use SSL"),
        (credentials({"verify": False} | HTTPS), "Verify"),
        (credentials({"verify": False} | AUTHORITIES), "Verify"),
        (credentials({"api_version": "2006-03-01"}), "API Version"),
        (credentials({"config": {"s3": {"addressing_style": "path"}}}), "Botocore Config"),
    ],
)
def test_what_the_store_would_not_do_is_refused(given: dict[str, Any], title: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MediaStore(url="s3://bucket/prefix", credentials=given)
    (fault,) = refused.value.errors()
    assert f"'{title}'" in fault["msg"] and "; " in fault["msg"]
    forms = MediaStore.model_json_schema()["definitions"].values()
    assert title in {field.get("title") for form in forms for field in form["properties"].values()}


@pytest.mark.parametrize(
    ("given", "environment"),
    [
        (credentials(), {}),
        (credentials(profile_name="dubs", region_name=""), {"AWS_PROFILE": "dubs"}),
        (
            credentials({"use_ssl": False, "config": {}, "verify": True} | HTTP),
            {"DUBLINE_S3_ENDPOINT": HTTP["endpoint_url"]},
        ),
        (credentials(AUTHORITIES), {"AWS_CA_BUNDLE": certifi.where()}),
        (credentials(AUTHORITIES | {"verify": None}), {"AWS_CA_BUNDLE": certifi.where()}),
        (credentials({"verify": certifi.where()}), {"AWS_CA_BUNDLE": certifi.where()}),
        (
            credentials(**KEYS, aws_session_token="token"),
            {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_SESSION_TOKEN": "token"},
        ),
    ],
)
def test_all_else_reaches_the_store(given: dict[str, Any], environment: dict[str, Any]) -> None:
    found = MediaStore(url="s3://bucket/prefix", credentials=given).environment()

    assert found == {"DUBLINE_STORE": "s3://bucket/prefix"} | environment
