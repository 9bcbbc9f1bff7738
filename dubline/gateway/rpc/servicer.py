"""The methods of dubline.proto. They read and write the schemas of REST, so both check and show the same."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from grpc.aio import ServicerContext
from pydantic import ValidationError

from dubline.gateway import reading, service
from dubline.gateway.access import Permission
from dubline.gateway.routes.common import shown
from dubline.gateway.rpc.calls import asked
from dubline.gateway.rpc.generated import dubline_pb2 as messages
from dubline.gateway.schemas import Body, EventNumber, Id, IdempotencyKey, NewSessionBody
from dubline.gateway.services import Services
from dubline.storage.sessions.model import Session

Checked = TypeVar("Checked", bound=Body)
IDLE_S = 15.0
"""After so long without an event it is asked whether the session is still there."""


class _Keyed(Body):
    idempotency_key: IdempotencyKey | None


class _Named(Body):
    session: Id


class _Watched(_Named):
    after: EventNumber = 0


class Servicer:
    """Methods are called as in dubline.proto."""

    def __init__(self, having: Services) -> None:
        self._having = having

    async def SubmitVideo(self, request: Message, context: ServicerContext) -> Message:  # noqa: N802 - as in dubline.proto
        async with asked(self._having, context, "SubmitVideo", Permission.WRITE) as who:
            plain = _plain(request)
            key = _checked(_Keyed, {"idempotency_key": plain.pop("idempotency_key", None)}).idempotency_key
            body = _checked(NewSessionBody, plain.pop("options", {}) | plain)
            session, _ = await service.create(self._having, who, body, key)
            return _session(session)

    async def WatchProgress(self, request: Message, context: ServicerContext) -> None:  # noqa: N802 - as in dubline.proto
        """Written, not yielded: a call that is cancelled is cancelled in here, and its follower goes at once."""
        plain = _plain(request)
        async with asked(self._having, context, "WatchProgress", Permission.READ, plain.get("session", "")) as who:
            wanted = _checked(_Watched, plain)
            await service.read(self._having, who, wanted.session)
            async with aclosing(self._having.hub.follow(wanted.session, wanted.after, IDLE_S)) as following:
                async for events in following:
                    if not events:
                        await service.read(self._having, who, wanted.session)
                    for event in events:
                        told = event.model_dump(mode="json", exclude={"session"})
                        await context.write(ParseDict(told, messages.Event()))

    async def Cancel(self, request: Message, context: ServicerContext) -> Message:  # noqa: N802 - as in dubline.proto
        plain = _plain(request)
        async with asked(self._having, context, "Cancel", Permission.WRITE, plain.get("session", "")) as who:
            return _session(await service.cancel(self._having, who, _checked(_Named, plain).session))

    async def GetResult(self, request: Message, context: ServicerContext) -> Message:  # noqa: N802 - as in dubline.proto
        plain = _plain(request)
        async with asked(self._having, context, "GetResult", Permission.READ, plain.get("session", "")) as who:
            session = await service.read(self._having, who, _checked(_Named, plain).session)
            files = (await reading.published(session)).artifacts()
            artifacts = [file.model_dump(mode="json", exclude_none=True) for file in files]
            return ParseDict({"artifacts": artifacts}, messages.Result(session=_session(session)))


def _plain(request: Message) -> dict[str, Any]:
    """What was given, under the names of the schemas."""
    found: dict[str, Any] = MessageToDict(request, preserving_proto_field_name=True)
    return found


def _checked(schema: type[Checked], plain: dict[str, Any]) -> Checked:
    """Raises what REST raises for a request that is wrong."""
    try:
        return schema.model_validate(plain)
    except ValidationError as error:
        raise RequestValidationError([_named(one) for one in error.errors()]) from None


def _named(found: Any) -> dict[str, Any]:
    """What names a session stands in REST's path: one of another form is not there."""
    return {**found, "loc": ("path", "session")} if found["loc"] == ("session",) else dict(found)


def _session(session: Session) -> Message:
    return ParseDict(shown(session).model_dump(mode="json", exclude_none=True), messages.Session())
