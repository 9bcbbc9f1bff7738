"""A gateway on loopback over a database of its own, with a Prefect server's part played by a table of runs."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import httpx
import uvicorn

from dubline.domain.errors import ServiceUnavailable
from dubline.gateway.app import create_app
from dubline.gateway.runs import RunState
from dubline.gateway.settings import GatewaySettings
from dubline.publication import Folder, Manifest, ManifestDub, ManifestLine, ManifestPhrase
from dubline.settings import settings
from dubline.storage import accounts, session_files
from dubline.storage.accounts import Role
from dubline.storage.database import Database, now
from dubline.storage.sessions import store
from dubline.storage.sessions.model import WAITING, Session, State
from dubline.storage.sessions.store import OnlyIf

Publishing = Callable[[Path, tuple[str, ...]], None]
"""Fills a folder with dubs into languages."""
VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40


@dataclass
class PlayedRuns:
    """As `Runs`, without a server: what tests want a run to be, they set."""

    away: bool = False
    created: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Run -> its parameters."""
    keys: dict[str, str] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)
    known: dict[str, RunState] = field(default_factory=dict)
    blocks: set[str] = field(default_factory=set)
    """Profiles that are blocks."""

    async def create(self, parameters: dict[str, Any], key: str, name: str, tags: list[str]) -> str:
        self._there()
        if key not in self.keys:
            run = f"00000000-0000-0000-0000-{len(self.created):012d}"
            self.keys[key], self.created[run], self.tags[run] = run, parameters, tags
            self.set(run, "SCHEDULED")
        return self.keys[key]

    async def of_key(self, key: str) -> str | None:
        self._there()
        return self.keys.get(key)

    async def cancel(self, run: str) -> None:
        self._there()
        self.set(run, "CANCELLED")

    async def states(self, runs: list[str]) -> dict[str, RunState]:
        self._there()
        known = dict(self.known)  # a test may change it just now
        return {run: known[run] for run in runs if run in known}

    async def of_session(self, session: str) -> list[str]:
        self._there()
        return [run for run, tags in self.tags.items() if f"session:{session}" in tags]

    async def forget(self, run: str) -> None:
        self.known.pop(run, None)

    async def news(self) -> Any:
        await asyncio.Event().wait()
        yield ""

    async def has_profile(self, name: str) -> bool:
        self._there()
        return name in self.blocks

    async def workers(self) -> int:
        self._there()
        return 1

    def set(self, run: str, state: str, message: str = "") -> None:
        self.known[run] = RunState(state, state.title(), message, now())

    def _there(self) -> None:
        if self.away:
            raise ServiceUnavailable("The Prefect server does not answer.")


class Served:
    """The gateway, and what runs would do in its database."""

    def __init__(self, url: str, runs: PlayedRuns, root: Path, database: str | None, app: Any) -> None:
        self.url, self.runs, self.root, self.database, self.app = url, runs, root, database, app
        self._keys: dict[tuple[str, Role], str] = {}

    def client(self, role: Role = Role.EDITOR, tenant: str = "acme") -> httpx.Client:
        key = self._keys.get((tenant, role)) or self.key(role, tenant)
        self._keys[tenant, role] = key
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def key(self, role: Role = Role.EDITOR, tenant: str = "acme", **more: Any) -> str:
        return self.ask(lambda db: accounts.make_key(db, tenant, "test", role, **more))[1]

    def anybody(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30)

    def ask(self, what: Any) -> Any:
        """Do something with the database, as another process would."""

        async def asked() -> Any:
            async with Database.opened(self.database) as database:
                return await what(database)

        with ThreadPoolExecutor(1) as apart:  # a browser's driver has an event loop in this thread
            return apart.submit(asyncio.run, asked()).result()

    def upload(self, client: httpx.Client, content: bytes = VIDEO, name: str = "talk.mp4") -> str:
        import base64

        made = client.post(
            "/v1/uploads",
            headers={
                "Upload-Length": str(len(content)),
                "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}",
            },
        )
        assert made.status_code == 201, made.text
        sent = client.patch(
            made.headers["location"],
            content=content,
            headers={"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
        )
        assert sent.status_code == 204, sent.text
        return made.headers["location"].rsplit("/", 1)[1]

    def session(self, client: httpx.Client, **more: Any) -> dict[str, Any]:
        body = {"source": {"upload": self.upload(client)}, "languages": ["es"], **more}
        made = client.post("/v1/sessions", json=body)
        assert made.status_code == 201, made.text
        return made.json()

    def stored(self, session: str) -> Session:
        return self.ask(lambda db: store.existing(db, session))

    def begin(self, session: str) -> Session:
        """What a run does first."""
        found = self.stored(session)
        states = OnlyIf(WAITING, run=found.run)
        self.ask(
            lambda db: store.change(
                db, session, states, [("state", {"state": "running"})], state=State.RUNNING, running=found.revision
            )
        )
        return found

    def tell(self, session: str, kind: str = "progress", **data: Any) -> None:
        """As a run tells, which notes beside the event where the session stands."""
        stands = {name: data[name] for name in ("fraction", "eta_s") if kind == "progress" and name in data}
        stands |= {"stage": data["name"]} if kind == "stage" and "name" in data else {}
        self.ask(lambda db: store.change(db, session, OnlyIf(tuple(State)), [(kind, data)], **stands))

    def finish(self, session: str, languages: tuple[str, ...] = ("es",), publishing: Publishing | None = None) -> None:
        """Publish a dub, of one line unless told otherwise, as a run does, and say so."""
        found = self.begin(session)
        out = session_files.folder(found.tenant, session) / "out" / str(found.revision)
        assert isinstance(out, Path)
        with TemporaryDirectory() as scratch:
            filled = Path(scratch) if found.key else out
            (publishing or publish)(filled, languages)
            if found.key:
                own = session_files.sealed_place(found.tenant, session, found.key).below(f"out/{found.revision}")
                for path in filter(Path.is_file, filled.rglob("*")):
                    own.upload(path, path.relative_to(filled).as_posix())
        done = {"state": State.DONE, "dubbed": found.revision, "fraction": 1.0, "result": {"duration_s": 2.0}}
        told = [("result", {"revision": found.revision}), ("state", {"state": "done"})]
        self.ask(lambda db: store.change(db, session, OnlyIf((State.RUNNING,)), told, **done))
        self.runs.set(str(found.run), "COMPLETED")


def publish(out: Path, languages: tuple[str, ...], more: Mapping[str, str] = MappingProxyType({})) -> None:
    """A dub of one line; `more` are further files by their names."""
    with Folder(out) as folder:
        for name, content in more.items():
            folder.add("report-html", name, content)
        dubs = []
        for code in languages:
            clip = folder.add("clip", f"clips/{code}/0001.1.flac", "not really sound", code)
            video = folder.add("video", f"talk.{code}.mp4", VIDEO.decode("latin-1"), code)
            phrase = ManifestPhrase(
                id="0001.1",
                source_start_ms=0,
                source_end_ms=900,
                text="Hola.",
                speed=1.0,
                stretch=1.0,
                start_ms=0,
                end_ms=900,
                clip=clip,
                clip_sha256="0" * 64,
            )
            line = ManifestLine(
                segment="0001",
                speaker="S1",
                source_start_ms=0,
                source_end_ms=900,
                source_text="Hello.",
                text="Hola.",
                voice="em_alex",
                start_ms=0,
                end_ms=900,
                phrases=(phrase,),
                flags=("late",),
            )
            dubs.append(ManifestDub(language=code, video=video, lines=(line,)))
        folder.add("report-html", "report.html", "<script>alert(1)</script>")
        report = {
            "dubline_version": "0",
            "profile": "offline",
            "created_at": "2026-01-01T00:00:00Z",
            "source": {
                "file_name": "talk.mp4",
                "sha256": "0" * 64,
                "duration_ms": 2000,
                "language": "en",
                "language_confidence": 1.0,
            },
            "dubs": [
                {
                    "language": code,
                    "language_name": code,
                    "files": {"video": f"talk.{code}.mp4"},
                    "findings": [
                        {
                            "suite": "timeline",
                            "rule": "onset",
                            "severity": "review",
                            "subjects": ["0001.1"],
                            "message": "late",
                        }
                    ],
                }
                for code in languages
            ],
        }
        folder.add("report-json", "report.json", json.dumps(report))
        folder.commit(
            Manifest(
                key="k",
                source="talk.mp4",
                source_sha256="0" * 64,
                source_language="en",
                duration_ms=2000,
                dubbed_track=1,
                dubs=tuple(dubs),
                files=(),
            )
        )


@contextmanager
def served(root: Path, database: str | None = None, **chosen: Any) -> Iterator[Served]:
    runs = PlayedRuns()
    app = create_app(GatewaySettings(**chosen), runs)  # type: ignore[arg-type]  # plays its part
    with serving(app) as url:
        yield Served(url, runs, root, database, app)


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Its address, for as long as the block runs."""
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="warning", timeout_keep_alive=60, timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the gateway did not start"
            threading.Event().wait(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


__all__ = ["Served", "served", "settings"]
