"""Whoever is named as a channel hears of a video that failed."""

from __future__ import annotations

import sys

import pytest

from tests.faults.rig import Rig
from tests.waiting import until

pytestmark = pytest.mark.stack
CHANNEL = """
import sys
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from blocks import Notification
told = {"text": "{{subject}}: {{body}}"}
CustomWebhookNotificationBlock(name="operators", url=sys.argv[1], json_data=told).save("operators")
Notification(channel="custom-webhook/operators").save("dubline")
"""


def test_the_channel_hears_of_a_video_that_failed(rig: Rig, hook: tuple[str, list[str]]) -> None:
    address, said = hook
    # Other tests kill the database, and where Prefect's services are refused a connection meanwhile, they hear of no
    # change of automations any more.
    rig.stack.services.kill()
    rig.stack.services.start()
    rig.stack.services.wait()
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
