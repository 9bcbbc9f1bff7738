"""What nobody needs any more goes by itself: sessions after their time, uploads that nobody used."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from dubline.storage import session_files
from dubline.storage.database import now
from dubline.storage.tables import sessions, uploads
from tests.gateway.served import Served
from tests.waiting import until


def test_a_session_goes_after_its_time_with_its_files(gateway: Served) -> None:
    with gateway.client() as client:
        session, other = gateway.session(client)["id"], gateway.session(client)["id"]
        gateway.finish(session)
        past = update(sessions).where(sessions.c.id == session).values(expires=now() - timedelta(seconds=1))
        gateway.ask(lambda db: db.change(past))
        until(lambda: not session_files.folder("acme", session).exists())
        assert client.get(f"/v1/sessions/{session}").status_code == 404
        assert client.get(f"/v1/sessions/{other}").status_code == 200


def test_an_upload_that_nobody_uses_goes(gateway: Served) -> None:
    with gateway.client() as client:
        upload = gateway.upload(client)
        folder = session_files.folder("acme", upload)
        assert folder.exists()
        gateway.ask(lambda db: db.change(update(uploads).values(expires=now() - timedelta(seconds=1))))
        until(lambda: not folder.exists())
        assert client.head(f"/v1/uploads/{upload}").status_code == 404
