"""What the OpenAPI document says is so: requests made of it are answered as it says, and never by a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi import checks

from dubline.gateway.app import create_app
from dubline.gateway.settings import GatewaySettings
from dubline.settings import settings as dubline_settings
from dubline.storage.accounts import Role
from tests.databases import empty
from tests.gateway.served import Served, served

DOCUMENT = create_app(GatewaySettings()).openapi()
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
# Headers and parameters that an API does not know are no fault of a request.
CONFIG = schemathesis.Config.from_dict({"generation": {"allow-extra-parameters": False}})
API = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)
WHAT_IS_THERE = API.exclude(method="DELETE").exclude(path_regex="/events$")
"""Without those that take it away, and without the stream that does not end."""
ANSWERS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
REQUESTS: list[CheckFunction] = [
    *ANSWERS,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.allow_header_conformance,
]
"""Not among them: that all that fits the document is accepted. It cannot say that a language or a voice is known."""
bounded = settings(
    max_examples=15,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def gateway(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Over PostgreSQL, which takes less than SQLite does."""
    with pytest.MonkeyPatch.context() as patched:
        home: Path = tmp_path_factory.mktemp("document")
        database = empty(postgresql)
        patched.setenv("DUBLINE_HOME", str(home))
        patched.setenv("DUBLINE_DATABASE", database)
        dubline_settings.cache_clear()
        unlimited: dict[str, Any] = {"rate": "1000000/minute", "refused_rate": "1000000/minute"}
        with served(home, database, **unlimited) as found:
            yield found
    dubline_settings.cache_clear()


@pytest.fixture(scope="module")
def key(gateway: Served) -> str:
    return gateway.key(Role.ADMIN)


@pytest.fixture(scope="module")
def ids(gateway: Served) -> dict[str, str]:
    with gateway.client() as client:
        session = gateway.session(client)["id"]
        gateway.finish(session)
        upload = client.post("/v1/uploads", headers={"Upload-Length": "10"}).headers["location"].rsplit("/", 1)[1]
    return {
        "session": session, "upload": upload, "language": "es", "segment": "0001", "speaker": "S1",
        "path": "talk.es.mp4",
    }  # fmt: skip


def test_the_document_is_served(gateway: Served) -> None:
    assert httpx.get(f"{gateway.url}/v1/openapi.json", timeout=60).json() == DOCUMENT


def test_generators_of_clients_know_all_that_is_in_it() -> None:
    """They stumble over media types that they never heard of, and take Content-Type for a parameter if it is one."""
    known = {"application/json", "application/problem+json", "application/octet-stream", "text/event-stream"}
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            names = {one["name"].lower() for one in operation.get("parameters", ())}
            assert not names & {"content-type", "accept", "authorization"}, (path, method)
            for told in (operation.get("requestBody", {}), *operation["responses"].values()):
                assert not told.get("content") or set(told["content"]) & known, (path, method, told)


@API.parametrize()
@bounded
def test_requests_made_of_the_document(case: schemathesis.Case, gateway: Served, key: str) -> None:
    case.call_and_validate(
        base_url=gateway.url, headers={"Authorization": f"Bearer {key}"}, checks=REQUESTS, timeout=30
    )


@WHAT_IS_THERE.parametrize()
@bounded
def test_requests_about_what_is_there(case: schemathesis.Case, gateway: Served, key: str, ids: dict[str, str]) -> None:
    case.path_parameters.update({name: ids[name] for name in case.path_parameters if name in ids})
    case.call_and_validate(base_url=gateway.url, headers={"Authorization": f"Bearer {key}"}, checks=ANSWERS, timeout=30)
