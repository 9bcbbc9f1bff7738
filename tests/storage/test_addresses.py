"""Which URLs are refused by their form alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from dubline.domain.errors import InvalidRequest
from dubline.settings import settings
from dubline.storage.addresses import check_address, is_public
from dubline.storage.locations import BucketFile, Location, VideoLocation, WebFile, located, located_video


@pytest.fixture(autouse=True)
def own_settings(settle: None) -> None:
    pass


def allow(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"DUBLINE_{name.upper()}", value)
    settings.cache_clear()


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/clip.mp4",
        "https://example.org",
        "https://EXAMPLE.org./clip.mp4?token=a%2Fb#t=3",
        "https://example.org:443/a",
        "https://8.8.8.8/clip.mp4",
        "https://[2606:4700::1111]/clip.mp4",
        "https://bücher.example/früh.mp4",
    ],
)
def test_public_addresses_are_allowed(url: str) -> None:
    assert check_address(url).scheme == "https"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.org/clip.mp4", "https:// addresses only"),
        ("file:///etc/passwd", "https:// addresses only"),
        ("http://example.org/clip.mp4", "DUBLINE_URL_HTTP"),
        ("https://user:secret@example.org/", "user name or password"),
        ("https://@example.org/", "user name or password"),
        ("https://example.org:8443/", "port 8443"),
        ("https://example.org:0/", "port 0"),
        ("https://example.org:99999/", "cannot be read"),
        ("https://exa mple.org/", "must be escaped"),
        ("https://example.org\\@127.0.0.1/", "must be escaped"),
        ("https://example.org/\r\nHost: intranet", "must be escaped"),
        ("https://example.org/\tx", "must be escaped"),
        (f"https://example.org/{'a' * 5000}", "too long"),
        ("https:///clip.mp4", "no host"),
        ("https://-x.org/", "no host"),
        ("https://exa$mple.org/", "no host"),
        ("https://[fe80::1%25eth0]/", "not a public address"),
        ("https://[not-an-address]/", "cannot be read|no host"),
    ],
)
def test_a_url_of_the_wrong_form_is_refused_with_what_is_wrong(url: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        check_address(url)


@pytest.mark.parametrize(
    "host",
    [
        *["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.1.2.3", "100.100.100.200"],
        *["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1.", "0x7f000001", "017700000001", "1.2.3.4.5"],
        *["127。0。0。1", "①②⑦.⓪.⓪.①", "１２７.0.0.1"],
        *["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
        *["[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[64:ff9b:1::1]", "[2001::1]"],
        *["localhost", "LOCALHOST.", "db.localhost", "printer.local", "metadata.google.internal", "intranet"],
        *["224.0.0.1", "255.255.255.255", "192.0.0.192", "240.0.0.1", "198.18.0.1"],
    ],
)
def test_no_notation_of_a_private_address_gets_by(host: str) -> None:
    with pytest.raises(InvalidRequest, match=r"not a public address|no host"):
        check_address(f"https://{host}/clip.mp4")


@pytest.mark.parametrize("address", ["64:ff9b::808:808", "8.8.8.8", "2a00:1450::1", "::ffff:8.8.8.8"])
def test_public_addresses_are_known_as_such(address: str) -> None:
    assert is_public(address)


def test_named_hosts_may_be_private_have_any_port_and_speak_http(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, url_hosts="media.intranet, 127.0.0.1:8080,[::1]:9000")
    for url in ("http://media.intranet/a", "https://media.intranet/a", "http://127.0.0.1:8080/", "http://[::1]:9000/a"):
        assert check_address(url).trusted
    for url in (
        "http://127.0.0.1/",
        "http://127.0.0.1:8081/",
        "https://media.intranet:8443/",
        "https://x.media.intranet:81",
    ):
        with pytest.raises(InvalidRequest):
            check_address(url)


def test_plain_http_can_be_allowed_and_reaches_no_private_address_then(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, url_http="1")
    assert check_address("http://example.org/a").port == 80
    with pytest.raises(InvalidRequest, match="not a public"):
        check_address("http://192.168.0.1/a")


def test_what_is_shown_holds_no_query() -> None:
    address = check_address("https://example.org/a b.mp4?X-Signature=secret".replace(" ", "%20"))
    assert str(address) == "https://example.org/a%20b.mp4"
    assert address.target == "/a%20b.mp4?X-Signature=secret"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/videos/my%20clip.mp4?x=/etc/passwd#y", "my clip.mp4"),
        ("https://host/a%2F..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://host/..%2f..", "video"),
        ("https://host", "video"),
        ("https://host/", "video"),
        ("https://host/.hidden", "hidden"),
        ("https://host/%00%0aa%22b$c.mp4", "__a_b_c.mp4"),
        ("https://host/früh.mp4", "früh.mp4"),
        ("https://host/watch?v=1", "watch"),
        ("https://host/-rf.mp4", "-rf.mp4"),
        ("https://[broken/clip.mp4", "clip.mp4"),
    ],
)
def test_what_is_published_gets_a_safe_name(url: str, name: str) -> None:
    assert WebFile(url).name == name
    assert name.startswith(WebFile(url).stem)


def test_a_name_fits_into_a_file_system() -> None:
    name = WebFile(f"https://host/{'%C3%BC' * 300}.{'x' * 300}").name
    assert name.startswith("üüü") and len(name.encode()) <= 130


def test_a_url_is_told_from_other_places() -> None:
    assert isinstance(located_video("HTTPS://host/a.mp4"), WebFile)
    assert isinstance(located_video("s3://bucket/a.mp4"), BucketFile)
    assert located_video("/a/https:/b.mp4").name == "b.mp4"
    for text in ("https://host/out", "ftp://host/out"):
        with pytest.raises(InvalidRequest, match="no place for files"):
            located(text)
    for text in ("s3://bucket", "s3://bucket/", "s3://Bucket/key", "s3:///key"):
        with pytest.raises(InvalidRequest, match="write s3://bucket/key"):
            located(text)


ASKED: TypeAdapter[Any] = TypeAdapter(VideoLocation)
OUT: TypeAdapter[Any] = TypeAdapter(Location)


def test_a_program_names_places_as_a_person_does() -> None:
    for adapter in (ASKED, OUT):
        for text in ("s3://bucket/a/", "s3://bucket/a"):
            assert (
                type(adapter.validate_python(text)) is BucketFile and adapter.validate_python(text) == "s3://bucket/a"
            )
        for place in (Path("/a"), BucketFile("s3://bucket/a")):
            assert adapter.validate_json(adapter.dump_json(place)) == place
    assert isinstance(ASKED.validate_python("https://host/a.mp4"), WebFile)


@pytest.mark.parametrize("text", ["a.mp4", "", "s3://bucket", "ftp://host/a", "s3://Bucket/a", "gs://bucket/a"])
def test_what_is_no_place_is_not_taken_for_a_path(text: str) -> None:
    for adapter in (ASKED, OUT):
        with pytest.raises(ValidationError, match=r"is (a relative path|no place)"):
            adapter.validate_python(text)
        assert not re.search(adapter.json_schema()["pattern"], text)
