"""gRPC: the same sessions, events, roles, limits and codes as over REST."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from dubline.domain.errors import ServiceUnavailable
from dubline.gateway.access import GRANTED, Permission
from dubline.gateway.middleware import LARGEST_BODY
from dubline.gateway.rpc.generated import dubline_pb2 as messages
from dubline.gateway.rpc.generated.dubline_pb2_grpc import DublineStub
from dubline.gateway.schemas import NewSessionBody, SessionShown
from dubline.storage import accounts, audit
from dubline.storage.accounts import Role
from tests.gateway.served import Served, served
from tests.waiting import until

ROOT = Path(__file__).parent.parent.parent
GENERATED = "dubline/gateway/rpc/generated"
NOBODYS = "0" * 32
CALLS = {
    "SubmitVideo": (Permission.WRITE, lambda stub, ids, who: stub.SubmitVideo(_asked(ids["upload"]), metadata=who)),
    "Cancel": (
        Permission.WRITE,
        lambda stub, ids, who: stub.Cancel(messages.CancelRequest(session=ids["session"]), metadata=who),
    ),
    "WatchProgress": (
        Permission.READ,
        lambda stub, ids, who: next(
            stub.WatchProgress(messages.WatchProgressRequest(session=ids["session"]), metadata=who)
        ),
    ),
    "GetResult": (
        Permission.READ,
        lambda stub, ids, who: stub.GetResult(messages.GetResultRequest(session=ids["session"]), metadata=who),
    ),
}
"""Method -> the permission it needs, and a call of it."""
every = pytest.mark.parametrize("name", CALLS)


def _asked(upload: str, **more: Any) -> messages.SubmitVideoRequest:
    return messages.SubmitVideoRequest(source=messages.Source(upload=upload), languages=["es"], **more)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    from dubline.settings import settings

    home = tmp_path_factory.mktemp("rpc")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DUBLINE_HOME", str(home))
        settings.cache_clear()
        with served(home, rpc_port=0, rate="100000/minute", refused_rate="100000/minute") as found:
            yield found
    settings.cache_clear()


@pytest.fixture(scope="module")
def stub(gateway: Served) -> Iterator[Any]:
    with channel(gateway) as found:
        yield DublineStub(found)


@pytest.fixture
def ids(gateway: Served) -> dict[str, str]:
    with gateway.client() as client:
        session = gateway.session(client)["id"]
        gateway.finish(session)
        return {"session": session, "upload": gateway.upload(client)}


@contextmanager
def channel(gateway: Served) -> Iterator[Any]:
    with grpc.insecure_channel(f"127.0.0.1:{gateway.app.state.rpc_port}") as found:
        yield found


def who(gateway: Served, role: Role = Role.EDITOR, tenant: str = "acme", **more: Any) -> tuple[tuple[str, str], ...]:
    if more:
        return (("authorization", f"Bearer {gateway.key(role, tenant, **more)}"),)
    with gateway.client(role, tenant) as client:
        return (("authorization", client.headers["authorization"]),)


@contextmanager
def refused(status: grpc.StatusCode, code: str) -> Iterator[pytest.ExceptionInfo[grpc.RpcError]]:
    with pytest.raises(grpc.RpcError) as error:
        yield error
    assert (error.value.code(), dict(error.value.trailing_metadata())["dubline-code"]) == (status, code), error.value


def test_a_video_is_submitted_watched_and_found(gateway: Served, stub: Any) -> None:
    with gateway.client() as client:
        upload = gateway.upload(client)
        options = messages.Options(
            title="A talk", loudness=-16, track="2", voices=[messages.Voice(speaker="S1", voice="em_alex")]
        )
        made = stub.SubmitVideo(_asked(upload, options=options), metadata=who(gateway))
        assert (made.state, made.title, list(made.languages), made.HasField("dubbed")) == (
            "queued",
            "A talk",
            ["es"],
            False,
        )
        assert client.get(f"/v1/sessions/{made.id}").json()["title"] == "A talk"
        request = gateway.stored(made.id).request
        assert (
            (request["loudness"], request["track"]) == (-16, "2")
            and request["profile"] == "offline"
            and request["voices"][0]["voice"] == "em_alex"
        )
        with refused(grpc.StatusCode.FAILED_PRECONDITION, "no-dub-yet"):
            stub.GetResult(messages.GetResultRequest(session=made.id), metadata=who(gateway))
        gateway.finish(made.id)
        result = stub.GetResult(messages.GetResultRequest(session=made.id), metadata=who(gateway))
        assert result.session.state == "done" and result.session.dubbed == 0 and result.session.duration_s == 2
        found = [MessageToDict(artifact) for artifact in result.artifacts]
        rest = client.get(f"/v1/sessions/{made.id}/artifacts").json()
        assert [one["path"] for one in found] == [one["path"] for one in rest]
        assert [one["sha256"] for one in found] == [one["sha256"] for one in rest]


def test_an_idempotency_key_is_the_same_over_both_protocols(gateway: Served, stub: Any) -> None:
    with gateway.client() as client:
        body = {"source": {"upload": gateway.upload(client)}, "languages": ["es"], "title": "Once"}
        made = client.post("/v1/sessions", json=body, headers={"Idempotency-Key": "k"}).json()
        same = _asked(body["source"]["upload"], options=messages.Options(title="Once"), idempotency_key="k")
        assert stub.SubmitVideo(same, metadata=who(gateway)).id == made["id"]
        same.languages[:] = ["fr"]
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "invalid-request"):
            stub.SubmitVideo(same, metadata=who(gateway))


def watch(stub: Any, gateway: Served, session: str, after: int, until_number: int) -> list[Any]:
    found = []
    call = stub.WatchProgress(messages.WatchProgressRequest(session=session, after=after), metadata=who(gateway))
    for event in call:
        found.append(event)
        if event.number >= until_number:
            call.cancel()
            break
    return found


def test_a_watcher_that_comes_back_misses_nothing(gateway: Served, stub: Any) -> None:
    with gateway.client() as client:
        session = gateway.session(client)["id"]
    for number in range(9):
        gateway.tell(session, fraction=number / 10)
    first = watch(stub, gateway, session, 0, 4)
    with channel(gateway) as other:
        rest = watch(DublineStub(other), gateway, session, first[-1].number, 10)
    assert [event.number for event in first + rest] == list(range(1, 11))
    assert first[0].kind == "state" and first[0].data["state"] == "queued"
    assert [event.data["fraction"] for event in (first + rest)[1:]] == [number / 10 for number in range(9)]
    assert first[0].at.seconds > 1_700_000_000


def test_a_watcher_is_told_what_comes_and_let_go_when_it_leaves(gateway: Served, stub: Any) -> None:
    followers = gateway.app.state.services.hub._followers
    with gateway.client() as client:
        session = gateway.session(client)["id"]
    call = stub.WatchProgress(messages.WatchProgressRequest(session=session, after=1), metadata=who(gateway))
    until(lambda: followers[session] == 1)
    gateway.tell(session, fraction=0.5)
    assert next(call).number == 2
    call.cancel()
    until(lambda: session not in followers)


def test_watching_ends_when_the_session_is_deleted(gateway: Served, stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dubline.gateway.rpc.servicer.IDLE_S", 0.1)
    with gateway.client() as client:
        session = gateway.session(client)["id"]
        call = stub.WatchProgress(messages.WatchProgressRequest(session=session), metadata=who(gateway))
        assert next(call).number == 1
        client.delete(f"/v1/sessions/{session}")
        with refused(grpc.StatusCode.NOT_FOUND, "not-found"):
            list(call)


def test_cancelling_ends_the_run(gateway: Served, stub: Any) -> None:
    with gateway.client() as client:
        session = gateway.session(client)["id"]
        assert stub.Cancel(messages.CancelRequest(session=session), metadata=who(gateway)).state in (
            "cancelling",
            "cancelled",
        )
        until(lambda: client.get(f"/v1/sessions/{session}").json()["state"] == "cancelled")


def test_every_method_is_in_the_table() -> None:
    (service,) = messages.DESCRIPTOR.services_by_name.values()
    assert CALLS.keys() == {method.name for method in service.methods}


@every
def test_who_does_not_say_who_asks_is_refused(gateway: Served, stub: Any, ids: dict[str, str], name: str) -> None:
    call = CALLS[name][1]
    revoked = who(gateway, Role.ADMIN, scopes=())
    number = revoked[0][1].split("_")[1]
    assert gateway.ask(lambda db: accounts.revoke(db, "acme", number))
    for shown in ((), (("authorization", "Bearer nonsense"),), (("authorization", ""),), revoked):
        with refused(grpc.StatusCode.UNAUTHENTICATED, "unauthenticated"):
            call(stub, ids, shown)


@every
@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_it_is_granted(gateway: Served, stub: Any, name: str, role: Role) -> None:
    permission, call = CALLS[name]
    allowed = permission in GRANTED[role]
    status, code = (
        (grpc.StatusCode.NOT_FOUND, "not-found") if allowed else (grpc.StatusCode.PERMISSION_DENIED, "forbidden")
    )
    with refused(status, code):
        call(stub, {"session": NOBODYS, "upload": NOBODYS}, who(gateway, role))


@every
def test_a_scoped_key_may_less(gateway: Served, stub: Any, ids: dict[str, str], name: str) -> None:
    with refused(grpc.StatusCode.PERMISSION_DENIED, "forbidden"):
        CALLS[name][1](stub, ids, who(gateway, Role.ADMIN, scopes=(Permission.ADMINISTER,)))


@every
def test_of_another_tenant(gateway: Served, stub: Any, ids: dict[str, str], name: str) -> None:
    before = gateway.stored(ids["session"])
    with refused(grpc.StatusCode.NOT_FOUND, "not-found") as error:
        CALLS[name][1](stub, ids, who(gateway, Role.ADMIN, "other"))
    assert "talk" not in error.value.details()
    assert gateway.stored(ids["session"]) == before
    until(lambda: [one.action for one in gateway.ask(lambda db: audit.page(db, "other", 1))] == [f"rpc {name}"])
    noted = gateway.ask(lambda db: audit.page(db, "other", 1))[0]
    assert (noted.action, noted.outcome, noted.address) == (f"rpc {name}", 404, "127.0.0.1")


@pytest.mark.parametrize(
    "request_",
    [
        messages.SubmitVideoRequest(),
        messages.SubmitVideoRequest(source=messages.Source(), languages=["es"]),
        messages.SubmitVideoRequest(source=messages.Source(url="file:///etc/passwd"), languages=["es"]),
        _asked(NOBODYS, options=messages.Options(title="a\0b")),
        _asked(NOBODYS, options=messages.Options(loudness=float("nan"))),
        _asked(NOBODYS, options=messages.Options(keep_days=-1)),
        _asked(NOBODYS, options=messages.Options(webhook=messages.Webhook(url="gopher://h"))),
        _asked(NOBODYS, idempotency_key="a b"),
    ],
    ids=str,
)
def test_what_rest_refuses_is_refused(gateway: Served, stub: Any, request_: messages.SubmitVideoRequest) -> None:
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "invalid-request"):
        stub.SubmitVideo(request_, metadata=who(gateway))


@pytest.mark.parametrize("session", ["", "\0", "../" * 10, "0" * 31, "é"])
def test_a_session_that_is_none(gateway: Served, stub: Any, session: str) -> None:
    with refused(grpc.StatusCode.NOT_FOUND, "not-found"):
        stub.Cancel(messages.CancelRequest(session=session), metadata=who(gateway))
    with refused(grpc.StatusCode.NOT_FOUND, "not-found"):
        stub.SubmitVideo(_asked(session or "x"), metadata=who(gateway))
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "invalid-request"):
        next(stub.WatchProgress(messages.WatchProgressRequest(session=NOBODYS, after=-1), metadata=who(gateway)))


def test_a_message_that_is_too_large(gateway: Served, stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as error:
        stub.SubmitVideo(_asked("x" * (LARGEST_BODY + 1)), metadata=who(gateway))
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_what_nobody_foresaw_is_not_told(
    gateway: Served, stub: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the inside of it")

    monkeypatch.setattr("dubline.gateway.service.cancel", broken)
    with refused(grpc.StatusCode.INTERNAL, "internal-error") as error:
        stub.Cancel(messages.CancelRequest(session=NOBODYS), metadata=who(gateway))
    assert "inside" not in error.value.details()
    assert "the inside of it" in "".join(capfd.readouterr())


def test_requests_over_both_protocols_are_counted_together(home: Path) -> None:
    with served(home, rpc_port=0, rate="6/minute") as gateway, channel(gateway) as opened, gateway.client() as client:
        stub, mine = DublineStub(opened), who(gateway)
        for _ in range(3):
            assert client.get("/v1/me").status_code == 200
            with refused(grpc.StatusCode.NOT_FOUND, "not-found"):
                stub.Cancel(messages.CancelRequest(session=NOBODYS), metadata=mine)
        with refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "too-many-requests") as error:
            stub.Cancel(messages.CancelRequest(session=NOBODYS), metadata=mine)
        assert int(dict(error.value.trailing_metadata())["retry-after"]) > 0
        with refused(grpc.StatusCode.NOT_FOUND, "not-found"):
            stub.Cancel(messages.CancelRequest(session=NOBODYS), metadata=who(gateway, tenant="other"))


def test_a_port_that_is_taken_is_told(gateway: Served, home: Path) -> None:
    import asyncio

    from dubline.gateway.app import create_app
    from dubline.gateway.settings import GatewaySettings

    async def started() -> None:
        app = create_app(GatewaySettings(rpc_port=gateway.app.state.rpc_port))
        async with app.router.lifespan_context(app):
            pass

    with pytest.raises(ServiceUnavailable, match="DUBLINE_GATEWAY_RPC_PORT"):
        asyncio.run(started())


def test_its_services_can_be_asked_for(gateway: Served) -> None:
    with channel(gateway) as opened:
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = reflection_pb2_grpc.ServerReflectionStub(opened).ServerReflectionInfo(iter([asked]))
        names = {service.name for service in answer.list_services_response.service}
        assert names == {"dubline.v1.Dubline", "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
        asked = reflection_pb2.ServerReflectionRequest(file_containing_symbol="dubline.v1.Dubline")
        (answer,) = reflection_pb2_grpc.ServerReflectionStub(opened).ServerReflectionInfo(iter([asked]))
        assert answer.file_descriptor_response.file_descriptor_proto


def test_its_health_can_be_asked_for(gateway: Served) -> None:
    with channel(gateway) as opened:
        health = health_pb2_grpc.HealthStub(opened)
        for name in ("", "dubline.v1.Dubline"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError):
            health.Check(health_pb2.HealthCheckRequest(service="nothing"))


def test_messages_have_the_fields_of_rest() -> None:
    assert set(messages.Session.DESCRIPTOR.fields_by_name) == SessionShown.model_fields.keys()
    submitted = {*messages.SubmitVideoRequest.DESCRIPTOR.fields_by_name, *messages.Options.DESCRIPTOR.fields_by_name}
    assert submitted - {"options", "idempotency_key"} == NewSessionBody.model_fields.keys()


def test_what_is_generated_is_what_the_interface_says(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{GENERATED}=dubline/gateway/rpc"]
    command += [f"--python_out={tmp_path}", f"--grpc_python_out={tmp_path}", f"{GENERATED}/dubline.proto"]
    subprocess.run(command, cwd=ROOT, check=True)
    for made in (tmp_path / GENERATED).iterdir():
        assert made.read_text() == (ROOT / GENERATED / made.name).read_text(), "CONTRIBUTING.md has the command"
    assert " ".join(command[1:4]) in (ROOT / "CONTRIBUTING.md").read_text()
