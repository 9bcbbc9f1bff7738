"""`dubline serve` as people have it: `python -m bench.service` writes bench/results/service.json.

The videos of bench.quality that are in English are uploaded one after the other to a service that has seen none
before, with the real engines of the offline profile. For each: what it takes from the created session to the finished
dub, and what the page said would be left, when it first did and halfway; `error` is told over true, less one, and
`nothing_told_s` is how long it said nothing. Then lines of the last are edited, and the new clip is fetched as soon as
it is there: then it can be heard.
"""

from __future__ import annotations

import base64
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from bench.recordings import recordings
from bench.scenes import scenes
from dubline.settings import settings

RESULTS = Path(__file__).parent / "results" / "service.json"
WORDINGS = ("Esto no lo dijo nadie así.", "Y ahora se dice de otra manera.", "Así suena mucho mejor, creo yo.")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="dubline-service-") as folder, served(Path(folder)) as client:
        videos = [scene.video for scene in (*recordings(), *scenes()) if scene.language == "en"]
        told = [dubbed(client, video) for video in videos]
        session = client.get("/v1/sessions").json()["sessions"][0]["id"]
        edits = [edited(client, session, number, words) for number, words in enumerate(WORDINGS)]
        reported = client.get("/v1/estimates").json()
    known = [one["error_at_start"] for one in told[1:]]
    figures = {
        "engines": "offline profile, real",
        "cores": len(os.sched_getaffinity(0)),
        "sessions": told,
        "error_at_start_median": statistics.median(map(abs, known)),
        "error_halfway_median": statistics.median(abs(one["error_halfway"]) for one in told[1:]),
        "edit_to_clip_s": edits,
        "reported": reported,
    }
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


@contextmanager
def served(folder: Path) -> Iterator[httpx.Client]:
    home, log = folder / "home", folder / "log"
    home.mkdir()
    (home / "models").symlink_to(settings().models.resolve(), target_is_directory=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"DUBLINE_HOME": str(home), "DUBLINE_SERVER_PORT": "4730", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "dubline.cli"]
    with log.open("wb") as said:
        serving = subprocess.Popen([*command, "serve", "--port", "0"], env=environment, stdout=said, stderr=said)
    try:
        while not (address := re.search(r"Dubline: (\S+)", log.read_text())):
            if serving.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.5)
        (key,) = re.findall(r"shown this once: (\S+)", log.read_text())
        with httpx.Client(base_url=address[1], headers={"Authorization": f"Bearer {key}"}, timeout=600) as client:
            yield client
    finally:
        serving.terminate()
        serving.wait()
        subprocess.run([*command, "down"], env=environment, check=True, stdout=subprocess.DEVNULL)


def dubbed(client: httpx.Client, video: Path) -> dict[str, Any]:
    name = base64.b64encode(video.name.encode()).decode()
    content = video.read_bytes()
    place = client.post(
        "/v1/uploads", headers={"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {name}"}
    ).headers["location"]
    piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    client.patch(place, content=content, headers=piece).raise_for_status()
    body = {"source": {"upload": place.rsplit("/", 1)[1]}, "languages": ["es"], "source_language": "en"}
    made = client.post("/v1/sessions", json=body).raise_for_status().json()
    events = list(followed(client, made["id"]))
    if events[-1]["data"]["state"] != "done":
        raise SystemExit(f"{video.name}: {events[-1]}")
    ends, begins = (datetime.fromisoformat(events[place]["at"]).timestamp() for place in (-1, 0))
    etas = [
        (datetime.fromisoformat(one["at"]).timestamp(), one["data"]["eta_s"])
        for one in events[next(n for n, one in enumerate(events) if one["data"].get("name") == "ingest") :]
        if one["kind"] == "progress" and one["data"]["eta_s"] is not None  # at first nothing is known
    ]
    halfway = min(etas, key=lambda eta: abs(eta[0] - (ends + begins) / 2))
    found = {
        "video": video.name,
        "video_s": client.get(f"/v1/sessions/{made['id']}").json()["duration_s"],
        "seconds": round(ends - begins, 1),
        "nothing_told_s": round(etas[0][0] - begins, 1),
        "error_at_start": error(etas[0], ends),
        "error_halfway": error(halfway, ends),
    }
    print(found, flush=True)
    return found


def error(eta: tuple[float, float], ends: float) -> float:
    at, left_s = eta
    return round(left_s / (ends - at) - 1, 3)


def followed(client: httpx.Client, session: str) -> Iterator[dict[str, Any]]:
    """Its events until it has ended."""
    with client.stream("GET", f"/v1/sessions/{session}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line[6:])
                yield event
                if event["kind"] == "state" and event["data"]["state"] in ("done", "failed", "cancelled"):
                    return


def edited(client: httpx.Client, session: str, number: int, words: str) -> float:
    """Seconds from the edit of a line until its new clip is here."""
    lines = f"/v1/sessions/{session}/languages/es/lines"
    segment = client.get(lines).json()["lines"][number]["segment"]
    began = time.monotonic()
    revision = client.patch(f"{lines}/{segment}", json={"text": words}).raise_for_status().json()["revision"]
    while (found := client.get(lines).json())["revision"] < revision:
        time.sleep(0.1)
    clip = found["lines"][number]["phrases"][0]["clip"]
    client.get(f"/v1/sessions/{session}/artifacts/{clip}").raise_for_status()
    return round(time.monotonic() - began, 1)


if __name__ == "__main__":
    main()
