"""Watched folders on the real stack: many files at once, and a prefix of a bucket."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import PrefectClient

import deployments
from dubline.publication import Manifest
from dubline.watching.ledger import Ledger
from dubline.watching.local import LocalFolder
from dubline.watching.options import Options
from dubline.watching.ready import Looks
from dubline.watching.watcher import Watcher
from flows.watched_runs import PrefectRuns
from tests.faults.rig import DEPLOYMENT, Rig
from tests.waiting import until

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("rig"), workers=1) as rig, rig.worker("service", "service-worker-1"):
        yield rig


FILES = 500


def test_500_files_dropped_at_once_are_one_run_each(rig: Rig) -> None:
    folder = rig.root / "many"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.mp4").write_bytes(b"video %d" % number)
    flow = rig.ask("POST", "/flows/", {"name": "not-run"})["id"]  # in no pool: its runs are made, and nobody takes them
    known = rig.ask("GET", f"/deployments/name/{DEPLOYMENT}")
    rules = {name: known[name] for name in ("parameter_openapi_schema", "enforce_parameter_schema")}
    rig.ask("POST", "/deployments/", {"name": "many", "flow_id": flow, **rules})

    async def scan() -> None:
        database = rig.stack.workers[0].environment["DUBLINE_DATABASE"]
        async with PrefectClient(f"{rig.stack.url}/api") as client, Ledger.opened(database) as ledger:
            runs, options = PrefectRuns(client, "not-run/many"), Options(languages=("es",), profile="fake")
            watcher = Watcher(LocalFolder(folder), ledger, runs, Looks(0.2, 60), options, accept=lambda _: None)
            while list(folder.glob("*.mp4")):
                await watcher.tick()
                await asyncio.sleep(0.2)

    async def both() -> None:
        await asyncio.gather(scan(), scan())

    asyncio.run(both())
    mine = {"flows": {"id": {"any_": [flow]}}, "sort": "NAME_ASC", "limit": 200}
    found = [run for page in range(4) for run in rig.ask("POST", "/flow_runs/filter", mine | {"offset": 200 * page})]
    rig.ask("DELETE", f"/flows/{flow}")
    assert sorted(run["name"] for run in found) == sorted(f"{number}.mp4" for number in range(FILES))
    videos = {run["parameters"]["request"]["video"] for run in found}
    assert videos == {str(path) for path in (folder / ".dubline").glob("*/in/*.mp4")}
    assert len(videos) == FILES


def test_a_prefix_of_a_bucket_is_watched_by_a_deployment_of_its_own(rig: Rig) -> None:
    """As the README says how to watch another folder."""
    files = rig.bucket()
    folder = f"{rig.stack.environment()['DUBLINE_STORE'].rpartition('/')[0]}/press"
    rig.stack.run(sys.executable, "-c", BLOCK, folder)
    written = rig.root / "prefect.yaml"
    written.write_text(yaml.safe_dump(with_another_folder("press")), encoding="utf-8")
    rig.stack.run(sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(written))
    run = rig.start("watch-folder/watch-press", {})
    rig.wait(run, "Running")

    files.put_file(str(rig.video("pressed")), f"{folder}/first.mp4")
    until(lambda: files.exists(f"{folder}/done/first.mp4"))
    manifest = Manifest.model_validate_json(files.cat_file(f"{folder}/done/first/manifest.json"))
    assert str(manifest.source) == f"{folder}/done/first.mp4"
    assert files.exists(f"{folder}/done/first/first.es.mp4")
    until(lambda: not [path for path in files.find(folder) if "/.dubline/" in path])
    mine = [one for one in rig.runs("translate-video") if folder in str(one["parameters"]["request"]["video"])]
    assert len(mine) == 1
    rig.set_state(run, "CANCELLING")
    rig.wait(run, "Cancelled")


BLOCK = """
import sys
from blocks import WatchFolder
WatchFolder(folder=sys.argv[1], languages=["es"], profile="fake").save("press", overwrite=True)
"""


def with_another_folder(block: str) -> dict[str, Any]:
    """The entry of prefect.yaml for the folder of another block."""
    known = yaml.safe_load((Path(deployments.__file__).parent.parent / "prefect.yaml").read_text(encoding="utf-8"))
    (entry,) = (one for one in known["deployments"] if one["name"] == "watch-folder")
    entry |= {"name": f"watch-{block}", "parameters": {"watched": block}, "schedules": []}
    return {"pull": known["pull"], "deployments": [entry]}
