"""What tenants are told names no path, host or bucket of the server, whichever error it is."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from dubline.domain import errors
from dubline.gateway.errors import refusal
from dubline.settings import settings
from dubline.storage.sessions.model import Failure
from dubline.storage.sessions.told import for_tenants

ROOT = Path(__file__).parent.parent.parent
SECRETS = (
    "/srv",
    "/home",
    "10.3.",
    "vault-7",
    "postgres.prod",
    "media-bucket",
    "127.0.0.1",
    "8333",
    "seaweedfs",
    "[fd00",
)


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_HOME", str(tmp_path / "a home"))
    monkeypatch.setenv("DUBLINE_DATABASE", "postgresql://dub:hidden@postgres.prod:5432/dub")
    monkeypatch.setenv("DUBLINE_S3_ENDPOINT", "http://seaweedfs:8333")
    monkeypatch.setattr(platform, "node", lambda: "vault-7")
    settings.cache_clear()


def kinds() -> list[type[errors.DublineError]]:
    found, waiting = [], [errors.DublineError]
    while waiting:
        found.append(kind := waiting.pop())
        waiting += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", kinds())
def test_no_error_tells_where_things_are_on_the_server(kind: type[errors.DublineError]) -> None:
    error = kind(
        "Cannot write '/srv/dub line/out/talk.es.mp4' below /srv/dubline/tenants/acme: No space left on vault-7; "
        'the store s3://media-bucket/store/ab/cd does not answer ("http://seaweedfs:8333/media?x=1") or 10.3.2.1, '
        "postgres.prod, [fd00::7]:80 or 127.0.0.1; make room or set DUBLINE_HOME."
    )
    for told in (Failure.of(error).message, refusal(error, "a test").detail):
        assert not [secret for secret in SECRETS if secret in told], told
        assert "talk.es.mp4" in told and told.endswith("make room or set DUBLINE_HOME."), "what to do stays"
    failure = Failure.of(error)
    assert failure.code == refusal(error, "a test").code == kind.code
    assert failure.retryable == kind.retryable


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("'/srv/in/my talk.mp4' is empty; copy it again.", "'my talk.mp4' is empty; copy it again."),
        ("There is no object s3://media-bucket/in/talk.mp4; check it.", "There is no object talk.mp4; check it."),
        ("No bucket for s3://media-bucket/store; create it.", "No bucket for a place on the server; create it."),
        ("clamd at tcp://10.3.0.9:3310 does not answer.", "clamd at a server does not answer."),
        ("clamd at unix:/run/clamav/clamd.ctl does not answer.", "clamd at clamd.ctl does not answer."),
        ("https://example.org/a/talk.mp4 answers 404.", "https://example.org/a/talk.mp4 answers 404."),
        ("There is no voice 'x'; GET /v1/profiles lists them.", "There is no voice 'x'; GET /v1/profiles lists them."),
        ("It is 1/2 at 30 km/h and 3.5.1.", "It is 1/2 at 30 km/h and 3.5.1."),
        ("Line 12:30 of /srv/x.", "Line 12:30 of a place on the server."),
        ("no connection to \"10.3.4.5\", port 5432", "no connection to \"a server\", port 5432"),
        ("Run: dubline models pull whisper-base.", "Run: dubline models pull whisper-base."),
        ("The line '0001' ends at 1:02:03 h.", "The line '0001' ends at 1:02:03 h."),
        ("Cannot read /srv/data/my dir/x; look.", "Cannot read a place on the server; look."),
        ("Cannot read /srv/data/my big dir/sub dir/a.mp4: full.", "Cannot read a.mp4: full."),
        ("Cannot copy /srv/a to /srv/b/c.", "Cannot copy a place on the server to a place on the server."),
        ("/srv/x. Write and/or read a/b.", "a place on the server. Write and/or read a/b."),
        ("/srv/x and/or 1/2 of it.", "a place on the server and/or 1/2 of it."),
        ("There is no a::b in x[::2] or [1::2].", "There is no a::b in x[::2] or [1::2]."),
        ("It is version 1.2.3.4, or torch==12.1.0.3.", "It is version 1.2.3.4, or torch==12.1.0.3."),
        ("Section 1.2.3.4 is empty.", "Section 1.2.3.4 is empty."),
        ("fe80::a, [::1]:80, 2001:db8::1 or ::ffff:10.0.0.1.", "a server, a server, a server or a server."),
        ("10.3.2.1 and 10.3.2.1:80 do not answer.", "a server and a server do not answer."),
    ],
)  # fmt: skip
def test_a_sentence_stays_readable(said: str, told: str) -> None:
    assert for_tenants(said) == told


def test_a_home_with_a_space_in_its_name_is_not_told() -> None:
    home = settings().home
    assert for_tenants(f"Cannot write below {home}: full.") == "Cannot write below a place on the server: full."
    assert for_tenants(f"{home}/models/x is not there.") == "a place on the server is not there."


@pytest.mark.parametrize("name", ["DUBLINE_STORE", "DUBLINE_SCRATCH", "DUBLINE_PROFILES"])
def test_a_folder_of_the_settings_with_a_space_in_its_name_is_not_told(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "/srv/big disk")
    settings.cache_clear()
    assert for_tenants("Cannot write to /srv/big disk: full.") == "Cannot write to a place on the server: full."


def test_codes_of_sessions_from_before_are_spelled_as_all_are() -> None:
    assert Failure(code="InvalidMedia", message="It is empty.").code == "invalid-media"
    assert Failure(code="run-lost", message="It is gone.").code == "run-lost"
