"""Videos behind URLs, on a real server on loopback that does all that a server can do wrong."""

from __future__ import annotations

import gzip
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dubline.domain.errors import InvalidMedia, InvalidRequest, StoreUnavailable
from dubline.media.inputs import source_reference
from dubline.request import TranslateRequest
from dubline.settings import settings
from dubline.storage import addresses, web, web_sources
from dubline.storage.artifacts import artifact_key, local_path
from dubline.storage.chosen import reap
from dubline.storage.locations import WebFile
from tests.web_server import Behaviour, Handler, WebServer, breaking_off, redirect, status, whole

CONTENT = bytes(range(256)) * 12_000


@pytest.fixture
def server(settle: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    made = WebServer(CONTENT)
    monkeypatch.setattr(web_sources, "PAUSE_S", 0.0)
    monkeypatch.setenv("DUBLINE_URL_HOSTS", made.place)
    settings.cache_clear()
    yield made
    made.stop()


@pytest.fixture
def public(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Nobody is trusted, the server's port counts as http's, and a name server of the test's own answers.

    Called with what it answers, one list of addresses a time; returns the names that were asked for.
    """
    monkeypatch.setenv("DUBLINE_URL_HOSTS", "")
    monkeypatch.setenv("DUBLINE_URL_HTTP", "1")
    settings.cache_clear()
    monkeypatch.setattr(addresses, "PORTS", {"https": 443, "http": server.server_port})

    def answering(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def resolve(host: str, port: int) -> list[str]:
            asked.append(host)
            return answers[min(len(asked), len(answers)) - 1]

        monkeypatch.setattr(web, "resolve", resolve)
        return asked

    return answering


def video(server: WebServer, path: str = "/videos/clip.mp4") -> WebFile:
    return WebFile(f"http://{server.place}{path}")


def leftovers() -> list[Path]:
    return [*(settings().cache / "tmp").glob("*")]


def test_a_request_takes_a_url() -> None:
    text = '{"video": "https://example.org/a%20b.mp4", "languages": ["es"], "out": "/o"}'
    request = TranslateRequest.model_validate_json(text)
    assert isinstance(request.video, WebFile)
    assert (request.video.name, request.video.stem) == ("a b.mp4", "a b")
    assert TranslateRequest.model_validate_json(request.model_dump_json()) == request


def test_a_video_is_fetched_once_for_each_version(server: WebServer) -> None:
    ref = source_reference(video(server))
    assert (ref.sha256, ref.size) == (sha256(CONTENT).hexdigest(), len(CONTENT))
    assert local_path(ref).read_bytes() == CONTENT
    assert local_path(ref).suffix == ".mp4"
    assert source_reference(video(server)) == ref
    assert server.requests[1][1]["If-None-Match"] == server.etag
    server.content, server.etag = CONTENT[::-1], '"other"'
    assert local_path(source_reference(video(server))).read_bytes() == CONTENT[::-1]
    assert not leftovers()


def test_a_copy_stays_as_long_as_a_run_on_its_machine_needs_it(server: WebServer) -> None:
    """A run that waits for a GPU for days reads the video once more at its end."""
    fetch = f"from dubline.storage.web_sources import *; source_on_web(WebFile('{video(server)}'))"
    run = subprocess.Popen(
        [sys.executable, "-c", f"{fetch}; print('fetched', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout and run.stdout.readline() == "fetched\n"
    digest = sha256(CONTENT).hexdigest()
    copy = settings().cache / artifact_key(digest, ".mp4")
    os.utime(copy, (0, 0))
    reap()
    assert copy.exists()
    run.kill()
    run.wait()
    os.utime(copy)
    reap()
    assert copy.exists(), "it is young: the next run may ask for it"
    os.utime(copy, (0, 0))
    reap()
    assert not copy.exists()


def test_a_server_that_knows_no_conditions_is_not_read_again(server: WebServer) -> None:
    def deaf(handler: Handler) -> None:
        handler.start(200, Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT", Content_Length=len(CONTENT))
        sent.append(handler.wfile.write(CONTENT))

    sent: list[int] = []
    server.usual = deaf
    first = source_reference(video(server))
    server.behaviours = [
        lambda h: h.start(200, Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT", Content_Length=len(CONTENT))
    ]
    assert source_reference(video(server)) == first
    assert len(sent) == 1


@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_a_copy_that_is_gone_or_damaged_is_fetched_again(server: WebServer, damage: str) -> None:
    copy = local_path(source_reference(video(server)))
    copy.write_bytes(b"x") if damage == "changed" else shutil.rmtree(copy.parent)
    assert local_path(source_reference(video(server))).read_bytes() == CONTENT


def test_a_download_that_breaks_off_goes_on_where_it_was(server: WebServer) -> None:
    server.behaviours = [breaking_off(1_000_000)]
    assert local_path(source_reference(video(server))).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000000-"]


def test_a_server_that_cannot_go_on_is_asked_for_all_again(server: WebServer) -> None:
    server.behaviours = [breaking_off(1_000_000, tag=False)]
    server.usual = breaking_off(len(CONTENT), tag=False)
    assert local_path(source_reference(video(server))).read_bytes() == CONTENT
    assert server.asked == [None, None]


def test_a_video_that_is_replaced_in_between_is_not_patched_together(server: WebServer) -> None:
    server.behaviours = [breaking_off(1_000_000)]
    server.etag = '"before"'

    def replaced(handler: Handler) -> None:
        server.etag, server.content = '"after"', CONTENT[::-1]
        whole(handler)

    server.behaviours.append(replaced)
    assert local_path(source_reference(video(server))).read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("place", ["bytes 5-9/10", "bytes 0-3071999/3072000", "nonsense", ""])
def test_a_rest_that_does_not_fit_is_not_taken(server: WebServer, place: str) -> None:
    def wrong(handler: Handler) -> None:
        handler.start(206, ETag=server.etag, Content_Range=place, Content_Length=5)
        handler.wfile.write(b"wrong")

    server.behaviours = [breaking_off(1_000_000), wrong]
    assert local_path(source_reference(video(server))).read_bytes() == CONTENT


def test_a_server_that_never_sends_all_is_given_up(server: WebServer) -> None:
    server.usual = breaking_off(1000)
    with pytest.raises(StoreUnavailable, match=r"could not be fetched whole \(its answer breaks off\)"):
        source_reference(video(server))
    assert len(server.requests) == web_sources.TRIES
    assert not leftovers()


def test_a_length_that_is_too_large_is_believed_and_one_that_is_too_small_ends_it(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBLINE_MAX_SOURCE_MB", "4")
    settings.cache_clear()
    server.behaviours = [lambda handler: handler.start(200, Content_Length=5_000_000)]
    with pytest.raises(InvalidMedia, match="DUBLINE_MAX_SOURCE_MB"):
        source_reference(video(server))

    def short(handler: Handler) -> None:
        handler.start(200, Content_Length=1000)
        handler.wfile.write(CONTENT * 3)

    server.behaviours = [short]
    assert source_reference(video(server)).size == 1000


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_without_a_length_ends_at_the_limit(
    server: WebServer, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setenv("DUBLINE_MAX_SOURCE_MB", "4")
    settings.cache_clear()
    sent: list[int] = []

    def endless(handler: Handler) -> None:
        handler.close_connection = True
        handler.start(200, **({"Transfer_Encoding": "chunked"} if chunked else {}))
        piece = bytes(65536)
        for _ in range(10_000):
            handler.wfile.write(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
            sent.append(len(piece))

    server.usual = endless
    with pytest.raises(InvalidMedia, match="DUBLINE_MAX_SOURCE_MB"):
        source_reference(video(server))
    assert sum(sent) < 100_000_000
    assert not leftovers()


def test_what_is_compressed_is_not_unpacked(server: WebServer) -> None:
    bomb = gzip.compress(bytes(50_000_000))

    def compressed(handler: Handler) -> None:
        handler.start(200, Content_Encoding="gzip", Content_Length=len(bomb))
        handler.wfile.write(bomb)

    server.usual = compressed
    with pytest.raises(InvalidMedia, match="sent compressed"):
        source_reference(video(server))
    assert server.requests[0][1]["Accept-Encoding"] == "identity"


def drip(headers: bool) -> Behaviour:
    def behave(handler: Handler) -> None:
        text = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nX: " if headers else b""
        if not headers:
            handler.start(200, Content_Length=100_000)
        for at in range(2000):
            handler.wfile.write(text[at : at + 1] or b"x")
            time.sleep(0.02)

    return behave


@pytest.mark.parametrize("headers", [True, False])
def test_a_server_that_drips_is_given_up(server: WebServer, monkeypatch: pytest.MonkeyPatch, headers: bool) -> None:
    monkeypatch.setattr(web, "STALL_S", 0.3)
    server.usual = drip(headers)
    with pytest.raises(StoreUnavailable, match="it stalls"):
        source_reference(video(server))
    assert len(server.requests) == web_sources.TRIES


def test_all_time_together_is_limited(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_URL_TIMEOUT_S", "1")
    settings.cache_clear()
    server.usual = drip(headers=False)
    with pytest.raises(StoreUnavailable, match="DUBLINE_URL_TIMEOUT_S"):
        source_reference(video(server))


@pytest.mark.parametrize(
    ("behaviour", "kind", "words"),
    [
        (status(404), InvalidMedia, "answers 404"),
        (status(403), InvalidMedia, "answers 403"),
        (status(204), InvalidMedia, "answers 204"),
        (status(503), StoreUnavailable, "answers 503; try again"),
        (status(429), StoreUnavailable, "answers 429; try again"),
        (status(302), InvalidMedia, "answers 302"),
        (lambda handler: handler.start(200, Content_Length=0), InvalidMedia, "is empty"),
        (lambda handler: handler.wfile.write(b"hello\r\n\r\n"), StoreUnavailable, "its answer breaks off"),
    ],
)
def test_other_answers_are_told(server: WebServer, behaviour: Behaviour, kind: type[Exception], words: str) -> None:
    server.usual = behaviour
    with pytest.raises(kind, match=words) as raised:
        source_reference(video(server, "/a.mp4?token=secret"))
    assert "secret" not in str(raised.value)


def test_nobody_at_the_port_is_worth_a_retry(server: WebServer) -> None:
    server.stop()
    with pytest.raises(StoreUnavailable, match="cannot be connected to"):
        source_reference(video(server))


def test_redirects_are_followed_and_the_name_stays(server: WebServer) -> None:
    server.behaviours = [redirect("/elsewhere"), redirect(f"http://{server.place}/b?c=d", 308)]
    assert source_reference(video(server)).size == len(CONTENT)
    assert [path for path, _ in server.requests] == ["/videos/clip.mp4", "/elsewhere", "/b?c=d"]


def test_redirects_without_end_are_not(server: WebServer) -> None:
    server.usual = redirect("/again")
    with pytest.raises(InvalidMedia, match="redirect in a row"):
        source_reference(video(server))
    assert len(server.requests) == web.MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//127.0.0.1:22/",
        "http://user:pw@example.org/",
        "http://2130706433/",
        "https://\r\n",
    ],
)
def test_a_redirect_to_what_is_refused_is_refused(server: WebServer, target: str) -> None:
    server.behaviours = [redirect(target.strip())] if target.strip() != "https://" else [redirect("https://")]
    with pytest.raises(InvalidRequest):
        source_reference(video(server))
    assert len(server.requests) == 1


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:10.0.0.1"], ["fe80::1%2"]])
def test_a_public_name_with_a_private_address_is_refused_unconnected(
    server: WebServer, public: Callable[..., list[str]], found: list[str]
) -> None:
    public(found)
    with pytest.raises(InvalidRequest, match=r"'video\.example\.org' is not a public address") as raised:
        source_reference(WebFile(f"http://video.example.org:{server.server_port}/clip.mp4"))
    assert server.requests == []
    assert not any(one in str(raised.value) for one in found), "what a name leads to inside is not told outside"


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    server: WebServer, public: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")
    asked = public(["127.0.0.1"], ["127.0.0.2"])
    source_reference(WebFile(f"http://video.example.org:{server.server_port}/clip.mp4"))
    assert asked == ["video.example.org"]
    assert server.requests[0][1]["Host"] == f"video.example.org:{server.server_port}"


@pytest.mark.parametrize("second", ["redirect", "resume"])
def test_a_name_server_that_changes_its_mind_gains_nothing(
    server: WebServer, public: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")
    asked = public(["127.0.0.1"], ["169.254.169.254"])
    url = f"http://video.example.org:{server.server_port}/clip.mp4"
    server.behaviours = [redirect(url) if second == "redirect" else breaking_off(1000)]
    with pytest.raises(InvalidRequest, match="not a public address"):
        source_reference(WebFile(url))
    assert len(asked) == 2
    assert len(server.requests) == 1


def test_proxies_of_the_environment_are_not_asked(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert source_reference(video(server)).size == len(CONTENT)


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for a host, its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    alternative = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
        key, hashes.SHA256()
    )
    path, secret = folder / "tests.crt", folder / "tests.key"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    formats = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *formats))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, secret)
    return path, context


@pytest.mark.parametrize(("name", "good"), [("video.example.org", True), ("other.example.org", False)])
def test_tls_checks_the_name_and_not_the_address(
    settle: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, good: bool
) -> None:
    authority, context = certificate(tmp_path, name)
    server = WebServer(CONTENT, tls=context)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setenv("DUBLINE_URL_HOSTS", f"video.example.org:{server.server_port}")
    settings.cache_clear()
    monkeypatch.setattr(web, "resolve", lambda host, port: ["127.0.0.1"])
    url = WebFile(f"https://video.example.org:{server.server_port}/clip.mp4")
    try:
        if good:
            assert source_reference(url).size == len(CONTENT)
        else:
            with pytest.raises(InvalidRequest, match="no valid certificate"):
                source_reference(url)
    finally:
        server.stop()


def test_the_size_limit_is_for_every_kind_of_source(
    settle: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBLINE_MAX_SOURCE_MB", "1")
    settings.cache_clear()
    large = tmp_path / "large.mp4"
    large.write_bytes(bytes(1_000_001))
    with pytest.raises(InvalidMedia, match=r"'large\.mp4' is larger than the 1 MB"):
        source_reference(large)
