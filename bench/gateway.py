"""Many at once: `python -m bench.gateway` writes bench/results/gateway.json.

One gateway process (`dubline serve` beside a Prefect server that is away) over SQLite, or over the database that
DUBLINE_DATABASE names. FOLLOWERS clients follow the progress of SESSIONS sessions, whose progress another process
writes as runs do, twice a second each; meanwhile as many clients as there are sessions upload UPLOAD_MB each, and
READERS clients read sessions and lists, one request after the other. Clients, writer and gateway share the machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx

from dubline.settings import settings
from dubline.storage import accounts, session_files
from dubline.storage.accounts import Role
from dubline.storage.database import Database
from dubline.storage.sessions import store
from dubline.storage.sessions.model import Source, State
from dubline.storage.sessions.store import NewSession, OnlyIf

RESULTS = Path(__file__).parent / "results" / "gateway.json"
FOLLOWERS, SESSIONS, READERS, UPLOAD_MB, SECONDS = 200, 20, 4, 16, 20
ROUNDS = 5
"""Each with a gateway and a database of its own: the slowest reads of one round say little."""
EVERY_S = 0.5
TENANT = "bench"


def main() -> None:
    rounds = [one_round() for _ in range(ROUNDS)]
    found = {
        "followers": FOLLOWERS,
        "sessions": SESSIONS,
        "upload_mb": UPLOAD_MB,
        "database": (settings().database or "sqlite").partition(":")[0],
        "read_p99_ms_median": statistics.median(one["read_ms"]["p99"] for one in rounds),
        "rounds": rounds,
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def one_round() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="dubline-gateway-") as home:
        os.environ |= {
            "DUBLINE_HOME": home,
            "PREFECT_API_URL": "http://127.0.0.1:9/api",
            "DUBLINE_GATEWAY_RATE": "1000000/minute",
        }
        settings.cache_clear()
        key, sessions = asyncio.run(prepared())
        gateway, url = started()
        writer = multiprocessing.get_context("spawn").Process(target=write, args=(sessions,))
        try:
            found = asyncio.run(measured(url, key, sessions, writer))
        finally:
            gateway.terminate()
            gateway.wait()
    print(json.dumps(found), flush=True)
    return found


async def prepared() -> tuple[str, list[str]]:
    async with Database.opened() as database:
        _, key = await accounts.make_key(database, TENANT, "bench", Role.EDITOR)
        made = []
        for number in range(SESSIONS):
            source = Source(kind="object", location="s3://bench/none.mp4", name="none.mp4")
            new = NewSession(
                TENANT, "key:bench", f"Session {number}", source, {"languages": ["es"], "profile": "offline"}
            )
            session, _ = await store.create(database, new)
            await store.change(database, session.id, OnlyIf((State.QUEUED,)), [], state=State.RUNNING)
            made.append(session.id)
    return key, made


def started() -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "dubline.cli", "serve", "--port", "0"]
    gateway = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in gateway.stdout or ():
        if found := re.match(r"Dubline: (\S+)", line):
            return gateway, found[1]
    raise SystemExit("the gateway did not start")


def write(sessions: list[str]) -> None:
    """What runs write: a stage's share and the whole's, in one transaction."""

    async def written() -> None:
        async with Database.opened() as database:
            ends = time.monotonic() + SECONDS
            step = 0
            while time.monotonic() < ends:
                began, step = time.monotonic(), step + 1
                for session in sessions:
                    told = [("stage", {"name": "mix-es", "state": "running", "fraction": 0.5})]
                    told.append(("progress", {"fraction": step / 1000, "written": time.time()}))
                    await store.change(database, session, OnlyIf((State.RUNNING,)), told, fraction=step / 1000)
                await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))
            for session in sessions:
                await store.change(
                    database, session, OnlyIf((State.RUNNING,)), [("state", {"state": "done"})], state=State.DONE
                )

    asyncio.run(written())


async def measured(url: str, key: str, sessions: list[str], writer: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}"}
    delays: list[float] = []
    followers = [
        asyncio.create_task(follow(url, key, sessions[number % SESSIONS], delays)) for number in range(FOLLOWERS)
    ]
    # Who reads has a process of their own, so that only the gateway makes them wait.
    pool = multiprocessing.get_context("spawn").Pool(2)
    reading = pool.apply_async(readers, (url, headers, sessions))
    uploading = pool.apply_async(uploaders, (url, headers))
    writer.start()
    uploads = await asyncio.to_thread(uploading.get)
    numbers = await asyncio.gather(*followers)
    writer.join()
    took = sorted(await asyncio.to_thread(reading.get))
    pool.terminate()
    return {
        "reads": len(took),
        "read_ms": {"median": ms(statistics.median(took)), "p99": ms(took[int(0.99 * len(took))])},
        "told_after_ms": {
            "median": ms(statistics.median(delays)),
            "p99": ms(sorted(delays)[int(0.99 * len(delays))]),
        },
        "events": sum(len(one) for one in numbers),
        "followers_that_missed_one": sum(one != list(range(1, one[-1] + 1)) for one in numbers),
        "uploads_damaged": sum(not whole for whole in uploads),
    }


async def follow(url: str, key: str, session: str, delays: list[float]) -> list[int]:
    """Numbers of the events, in the order in which they came; over a plain socket, which costs the least here."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, sender = await asyncio.open_connection(host, int(port))
    request = f"GET /v1/sessions/{session}/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n"
    sender.write(request.encode())
    numbers: list[int] = []
    while line := await reader.readline():
        if line.startswith(b"id: "):
            numbers.append(int(line[4:]))
        elif line.startswith(b"data: "):
            data = json.loads(line[6:])["data"]
            if "written" in data:
                delays.append(time.time() - data["written"])
            if data.get("state") == "done":
                break
    sender.close()
    return numbers


def readers(url: str, headers: dict[str, str], sessions: list[str]) -> list[float]:
    async def together() -> list[float]:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as client:
            found = await asyncio.gather(*(read(client, sessions) for _ in range(READERS)))
        return [one for reader in found for one in reader]

    return asyncio.run(together())


async def read(client: httpx.AsyncClient, sessions: list[str]) -> list[float]:
    """Seconds that each request took: a session, and a page of the list."""
    found: list[float] = []
    ends, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < ends:
        number += 1
        path = f"/v1/sessions/{sessions[number % SESSIONS]}" if number % 2 else "/v1/sessions?limit=20"
        began = time.perf_counter()
        (await client.get(path)).raise_for_status()
        found.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)
    return found


def uploaders(url: str, headers: dict[str, str]) -> list[bool]:
    """Whether what is stored is what was sent, of uploads side by side. The simplest client costs the gateway's
    machine the least."""
    content = os.urandom(UPLOAD_MB << 20)
    with ThreadPoolExecutor(SESSIONS) as pool:
        names = list(pool.map(lambda _: upload(url, headers, content), range(SESSIONS)))
    stored = (session_files.folder(TENANT, name) / "source" / "video" for name in names)
    digest = hashlib.sha256(content).digest()
    return [hashlib.sha256(Path(str(path)).read_bytes()).digest() == digest for path in stored]


def upload(url: str, headers: dict[str, str], content: bytes) -> str:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=120)
    connection.request("POST", "/v1/uploads", headers=headers | {"Upload-Length": str(len(content))})
    place = connection.getresponse()
    place.read()
    location = str(place.headers["location"])
    piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    connection.request("PATCH", location, body=content, headers=headers | piece)
    if (status := connection.getresponse().status) != 204:
        raise RuntimeError(f"The upload was answered with {status}.")
    return location.rsplit("/", 1)[1]


def ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


if __name__ == "__main__":
    main()
