"""A watched prefix of a bucket, on a real S3 server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from s3fs import S3FileSystem

from dubline.domain.errors import OutputUnavailable
from dubline.settings import settings
from dubline.watching import outcome
from dubline.watching.bucket import BucketFolder
from dubline.watching.ledger import Ledger
from dubline.watching.runs import Standing, Submission, Submitted
from dubline.watching.watcher import Watcher
from tests.fault_proxy import FaultProxy
from tests.s3_server import S3Server
from tests.watching.shed import PATIENCE_S, STILL_S, Run, Shed, accept


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    started = S3Server(tmp_path_factory.mktemp("s3")).start()
    yield started
    started.stop()


@pytest.fixture
def prefix(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    made = f"s3://{server.bucket}/{uuid4().hex}"
    for name, value in server.environment("store").items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield made
    monkeypatch.undo()
    settings.cache_clear()


class BucketRuns:
    """Runs that read and write the bucket."""

    def __init__(self, server: S3Server) -> None:
        self._server = server
        self.by_key: dict[str, Run] = {}

    async def submit(self, submission: Submission) -> Submitted:
        self.by_key.setdefault(submission.key, Run(submission))
        return Submitted(submission.key, self.by_key[submission.key].standing)

    async def standings(self, runs):
        return {run: self.by_key[run].standing for run in runs}


class Prefix:
    """The watched prefix, and looks at it."""

    def __init__(self, shed: Shed, server: S3Server, uri: str) -> None:
        self.shed, self.uri, self.files, self.runs = shed, uri, server.files, BucketRuns(server)

    def look(self, *, thorough: bool = False) -> None:
        async def tick() -> None:
            async with Ledger.opened(self.shed.database) as ledger:
                folder = BucketFolder(self.uri)
                watcher = Watcher(folder, ledger, self.runs, self.shed.looks, self.shed.defaults, accept, owner_s=-1)
                assert (await watcher.tick(thorough=thorough)).problems == []

        self.shed.now += STILL_S
        asyncio.run(tick())

    def put(self, name: str, content: bytes) -> None:
        self.files.pipe_file(f"{self.uri}/{name}", content)

    def listed(self) -> list[str]:
        found = self.files.find(self.uri)
        return sorted(path.removeprefix(self.uri.removeprefix("s3://") + "/") for path in found)


@pytest.fixture
def watched(tmp_path: Path, server: S3Server, prefix: str) -> Prefix:
    return Prefix(Shed(tmp_path), server, prefix)


def test_an_object_is_run_once_and_its_results_are_put_into_done(watched: Prefix) -> None:
    watched.put("clip.mp4", b"video END")
    watched.put("clip.mp4.yaml", b"languages: fr")
    for _ in range(3):
        watched.look()
    (run,) = watched.runs.by_key.values()
    assert run.submission.options.languages == ("fr",)
    assert watched.files.cat_file(run.submission.video) == b"video END"
    watched.files.pipe_file(f"{run.submission.out}/clips/es/1.flac", b"clip")
    watched.files.pipe_file(f"{run.submission.out}/manifest.json", b"{}")
    run.standing = Standing(True)
    watched.look()
    assert watched.listed() == [
        "done/clip.mp4",
        "done/clip.mp4.yaml",
        "done/clip/clips/es/1.flac",
        "done/clip/manifest.json",
    ]


def test_a_truncated_object_goes_to_failed_with_its_reason(watched: Prefix) -> None:
    watched.put("clip.mp4", b"half")
    watched.look()
    watched.look()
    assert watched.listed() == ["clip.mp4"]
    watched.shed.now += PATIENCE_S
    watched.look()
    assert watched.listed() == ["failed/clip.mp4", "failed/clip.mp4.reason.txt"]


def test_a_failed_object_dropped_again_is_tried_again_and_a_copy_after_done_is_not(watched: Prefix) -> None:
    watched.put("clip.mp4", b"video END")
    watched.look()
    watched.look()
    next(iter(watched.runs.by_key.values())).standing = Standing(False, "A gate failed.")
    watched.look(thorough=True)
    assert watched.listed() == ["failed/clip.mp4", "failed/clip.mp4.reason.txt"]
    watched.files.mv(f"{watched.uri}/failed/clip.mp4", f"{watched.uri}/clip.mp4")
    watched.look()
    watched.look()
    _, second = watched.runs.by_key.values()
    watched.files.pipe_file(f"{second.submission.out}/dub.mp4", b"dub")
    second.standing = Standing(True)
    watched.look(thorough=True)
    watched.put("copy.mp4", b"video END")
    watched.look()
    watched.look()
    assert len(watched.runs.by_key) == 2
    assert [name for name in watched.listed() if name.startswith("done")] == [
        "done/clip.mp4",
        "done/clip/dub.mp4",
        "done/copy.mp4",
        "done/copy.mp4.note.txt",
    ]


def test_results_that_were_removed_are_made_again_though_the_server_keeps_empty_folders(watched: Prefix) -> None:
    for attempt in (1, 2):
        watched.put("clip.mp4", b"video END")
        watched.look()
        watched.look()
        assert len(watched.runs.by_key) == attempt
        run = list(watched.runs.by_key.values())[-1]
        watched.files.pipe_file(f"{run.submission.out}/dub.mp4", b"dub")
        run.standing = Standing(True)
        watched.look(thorough=True)
        assert watched.listed() == ["done/clip.mp4", "done/clip/dub.mp4"]
        watched.files.rm(f"{watched.uri}/done", recursive=True)


def test_an_object_overwritten_between_look_and_move_stays(watched: Prefix, prefix: str) -> None:
    watched.put("clip.mp4", b"video END")
    folder = BucketFolder(prefix)
    stamp = folder.stamp("clip.mp4")
    watched.put("clip.mp4", b"another END")
    assert folder.move_aside("clip.mp4", "elsewhere/clip.mp4", stamp) is None
    assert watched.listed() == ["clip.mp4"]


@pytest.fixture(params=["at once", "in pieces"])
def copied(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "in pieces":
        monkeypatch.setattr("dubline.watching.bucket.PIECE_BYTES", 5 << 20)


VIDEO = b"video " * (1 << 20) + b"END"
"""Two pieces."""


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("then", ["nothing more", "dropped anew"])
def test_of_two_that_move_an_object_the_slower_leaves_the_copy_of_the_quicker(
    watched: Prefix, prefix: str, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    watched.put("clip.mp4", VIDEO)
    quick, slow = BucketFolder(prefix), BucketFolder(prefix)
    stamp, copy = quick.stamp("clip.mp4"), slow._copy

    def overtaken(*arguments: str) -> None:
        copy(*arguments)
        assert quick.move_aside("clip.mp4", "in/clip.mp4", stamp)
        if then == "dropped anew":
            watched.put("clip.mp4", b"another END")

    monkeypatch.setattr(slow, "_copy", overtaken)
    monkeypatch.setattr(quick, "exists", lambda place: False)  # both chose their target before either copied
    slow.move_aside("clip.mp4", "in/clip.mp4", stamp)
    assert watched.files.cat_file(f"{prefix}/in/clip.mp4") == VIDEO
    assert watched.listed() == (["clip.mp4"] if then == "dropped anew" else []) + ["in/clip.mp4"]


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("when", ["_copy", "_delete"])
@pytest.mark.parametrize("dropped", [b"another END", VIDEO[::-1] + VIDEO], ids=["smaller", "larger"])
def test_what_is_dropped_in_the_middle_of_a_move_stays(
    watched: Prefix, prefix: str, monkeypatch: pytest.MonkeyPatch, when: str, dropped: bytes
) -> None:
    watched.put("clip.mp4", VIDEO)
    folder = BucketFolder(prefix)
    stamp, act = folder.stamp("clip.mp4"), getattr(folder, when)

    def dropped_before(*arguments: str) -> None:
        watched.put("clip.mp4", dropped)
        act(*arguments)

    monkeypatch.setattr("s3fs.core.MANAGED_COPY_THRESHOLD", len(VIDEO))
    monkeypatch.setattr(folder, when, dropped_before)
    assert folder.move_aside("clip.mp4", "in/clip.mp4", stamp) == (None if when == "_copy" else "in/clip.mp4")
    assert watched.files.cat_file(f"{prefix}/clip.mp4") == dropped
    assert watched.listed() == (["clip.mp4"] if when == "_copy" else ["clip.mp4", "in/clip.mp4"])
    assert not watched.files.list_multipart_uploads(prefix.removeprefix("s3://").partition("/")[0])


def test_a_refused_video_that_was_replaced_since_is_not_put_away(watched: Prefix, prefix: str) -> None:
    watched.put("clip.mp4", b"no video")
    folder = BucketFolder(prefix)
    stamp = folder.stamp("clip.mp4")
    watched.put("clip.mp4", b"video END")
    outcome.refuse(folder, "clip.mp4", str(stamp), "It is no video.")
    assert watched.listed() == ["clip.mp4"]


@pytest.mark.parametrize("when", ["_copy", "_delete"])
@pytest.mark.parametrize("move", ["move_video", "move"])
def test_what_is_dropped_while_a_video_or_its_sidecar_is_put_away_stays(
    watched: Prefix, prefix: str, monkeypatch: pytest.MonkeyPatch, move: str, when: str
) -> None:
    watched.put("clip.mp4", b"no video")
    folder = BucketFolder(prefix)
    act = getattr(folder, when)

    def dropped_before(*arguments: str) -> None:
        watched.put("clip.mp4", b"video END")
        act(*arguments)

    monkeypatch.setattr(folder, when, dropped_before)
    assert getattr(folder, move)("clip.mp4", "failed/clip.mp4") == (when == "_delete")
    assert watched.files.cat_file(f"{prefix}/clip.mp4") == b"video END"
    assert watched.listed() == ["clip.mp4"] + (["failed/clip.mp4"] if when == "_delete" else [])


def test_a_result_that_is_put_again_while_results_are_moved_is_moved_as_it_is_then(
    watched: Prefix, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.put("out/dub.mp4", b"dub")
    folder = BucketFolder(prefix)
    copy = folder._copy

    def put_again_before(*arguments: str) -> None:
        monkeypatch.setattr(folder, "_copy", copy)
        watched.put("out/dub.mp4", b"another dub")
        copy(*arguments)

    monkeypatch.setattr(folder, "_copy", put_again_before)
    assert folder.move("out", "done")
    assert watched.listed() == ["done/dub.mp4"]
    assert watched.files.cat_file(f"{prefix}/done/dub.mp4") == b"another dub"


@pytest.mark.usefixtures("copied")
def test_what_is_moved_keeps_its_content_type(watched: Prefix, prefix: str) -> None:
    watched.files.pipe_file(f"{prefix}/out/dub.mp4", VIDEO, ContentType="video/x-unusual")
    BucketFolder(prefix).move("out", "done")
    assert watched.files.info(f"{prefix}/done/dub.mp4")["ContentType"] == "video/x-unusual"


def test_a_connection_that_is_lost_is_no_other_content(
    watched: Prefix, prefix: str, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"0123456789" * 30_000
    watched.put("clip.mp4", content)
    monkeypatch.setattr(S3FileSystem, "default_block_size", 1 << 16)  # as if it were large
    with FaultProxy(server.port, matches=lambda method, _: method == "GET") as proxy:
        watched_through(proxy, monkeypatch)
        folder = BucketFolder(prefix)
        proxy.spoil("drop", "drop", "drop")
        with folder.local("clip.mp4") as path:
            assert path.read_bytes() == content
        assert proxy.spoiled == ["drop"] * 3


def test_connections_that_are_always_lost_are_a_problem_of_one_file(
    watched: Prefix, prefix: str, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.put("clip.mp4", b"0123456789" * 30_000)
    with FaultProxy(server.port, matches=lambda method, path: method == "GET" and "clip.mp4" in path) as proxy:
        watched_through(proxy, monkeypatch)
        folder = BucketFolder(prefix)
        proxy.spoil(*["drop"] * 100)
        with pytest.raises(OSError, match="S3 did not answer"), folder.local("clip.mp4"):
            pass


def watched_through(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_S3_ENDPOINT", proxy.endpoint)
    settings.cache_clear()


def test_a_prefix_with_a_sidecars_name_is_a_reason(watched: Prefix) -> None:
    watched.put("clip.mp4", b"video END")
    watched.put("clip.mp4.yaml/strange", b"")
    watched.look()
    watched.shed.now += PATIENCE_S
    watched.look()
    assert "clip.mp4.yaml" in watched.files.cat_file(f"{watched.uri}/failed/clip.mp4.reason.txt").decode()


def test_a_bucket_that_is_not_there_is_told(watched: Prefix) -> None:
    watched.look()  # an empty prefix is no fault
    watched.uri = "s3://no-such-bucket/videos"
    with pytest.raises(OutputUnavailable, match="no-such-bucket"):
        watched.look()


def test_a_prefix_with_more_objects_than_one_answer_holds(watched: Prefix, prefix: str, server: S3Server) -> None:
    watched.files.pipe({f"{prefix}/{number}.mp4": b"x" for number in range(1001)})
    assert len(BucketFolder(prefix).entries()) == 1001


def test_two_that_put_the_same_results_away_lose_none(watched: Prefix, prefix: str) -> None:
    folder, names = BucketFolder(prefix), [f"{number}.flac" for number in range(30)]
    watched.files.pipe({f"{prefix}/out/{name}": b"clip" for name in names})

    def put_away(_: int) -> None:
        folder.move("out", "done")
        folder.remove("out")

    with ThreadPoolExecutor(3) as scanners:
        list(scanners.map(put_away, range(3)))
    assert folder.files("done") == sorted(names)
