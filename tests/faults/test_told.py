"""Whoever is named as a channel hears of a video that failed."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.faults.rig import Rig, until

pytestmark = pytest.mark.stack
CHANNEL = """
import sys
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from blocks import Notification
told = {"text": "{{subject}}: {{body}}"}
CustomWebhookNotificationBlock(name="operators", url=sys.argv[1], json_data=told).save("operators")
Notification(channel="custom-webhook/operators").save("dubline")
"""


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """The address of a web hook, and what it was told."""
    said: list[str] = []

    class Hook(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            said.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(204)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Hook) as hook:
        threading.Thread(target=hook.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{hook.server_port}", said
        hook.shutdown()


def test_the_channel_hears_of_a_video_that_failed(rig: Rig, heard: tuple[str, list[str]]) -> None:
    address, said = heard
    rig.stack.run(sys.executable, "-c", CHANNEL, address)
    rig.stack.run(sys.executable, "-m", "deployments.deploy")
    broken = rig.root / "videos" / "no video.mp4"
    broken.parent.mkdir(exist_ok=True)
    broken.write_bytes(b"this is none")
    run = rig.submit(broken)
    rig.wait(run, "Failed")
    until(lambda: said)
    assert said[0].startswith("Dubline: no video.mp4 Failed: ")
    assert "cannot be read" in said[0]
    assert f"{rig.stack.url}/runs/flow-run/{run}" in said[0]
