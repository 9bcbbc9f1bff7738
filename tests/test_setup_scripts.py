"""scripts/setup in a scratch checkout whose tools are stand-ins that note their calls; the sample video for real."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SYSTEM_TOOLS = ("bash", "dirname", "sha256sum", "cut", "cat", "rm", "env", "mkdir", "chmod", "grep")
BASE = {"python3.11", "ffmpeg", "ffprobe", "apertium", "cg-proc", "npm"}


@dataclass
class Checkout:
    folder: Path
    calls: Path

    @property
    def bin(self) -> Path:
        return self.folder / "path"

    def stand_in(self, place: Path, body: str = "") -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f'#!/bin/bash\necho "{place.name} $*" >>"{self.calls}"\n{body}\n')
        place.chmod(0o755)

    def setup(self, *options: str) -> subprocess.CompletedProcess[str]:
        self.calls.write_text("")
        environment = {"PATH": str(self.bin), "HOME": str(self.folder)}
        command = [str(self.folder / "scripts" / "setup"), *options]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def called(self, start: str) -> list[str]:
        return [line for line in self.calls.read_text().splitlines() if line.startswith(start)]


VENV = """
if [ "$1" = -m ] && [ "$2" = venv ]; then
    mkdir -p .venv/bin
    for tool in python uv dubline; do
        printf '#!/bin/bash\\necho "venv-%s $*" >>"{calls}"\\n' $tool >.venv/bin/$tool
        chmod +x .venv/bin/$tool
    done
fi
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "a checkout", tmp_path / "calls")
    (made.folder / "scripts").mkdir(parents=True)
    made.bin.mkdir()
    shutil.copy(ROOT / "scripts" / "setup", made.folder / "scripts" / "setup")
    for name in ("requirements-bootstrap.txt", "requirements.lock", "pyproject.toml"):
        (made.folder / name).write_text(f"{name}\n")
    for tool in SYSTEM_TOOLS:
        (made.bin / tool).symlink_to(str(shutil.which(tool)))
    for tool in BASE:
        made.stand_in(made.bin / tool)
    made.stand_in(made.bin / "python3.11", VENV.replace("{calls}", str(made.calls)))
    made.stand_in(made.bin / "apertium", "echo '  eng-spa es-fr es-pt spa-ita'")
    made.stand_in(made.bin / "id", "echo 0")
    made.stand_in(made.bin / "apt-get")
    return made


def test_a_fresh_checkout_gets_its_venv_the_locked_packages_and_the_models(checkout: Checkout) -> None:
    done = checkout.setup()
    assert done.returncode == 0, done.stderr
    assert checkout.called("apt-get") == []
    assert checkout.called("venv-python -m pip")[0].endswith("--require-hashes -r requirements-bootstrap.txt")
    installs = checkout.called("venv-uv pip install")
    assert installs[0].endswith("--require-hashes -r requirements.lock")
    assert installs[1].endswith("--no-deps --no-build-isolation -e .")
    assert checkout.called("venv-dubline") == ["venv-dubline models pull --profile offline"]
    assert done.stdout.splitlines()[-1] == "setup: ready"


def test_a_second_run_only_looks_at_the_models(checkout: Checkout) -> None:
    checkout.setup()
    assert checkout.setup().returncode == 0
    assert checkout.called("venv-uv") == []
    assert checkout.called("python3.11") == []
    assert checkout.called("venv-dubline") == ["venv-dubline models pull --profile offline"]


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml", "requirements-bootstrap.txt"])
def test_changed_requirements_are_installed_into_the_venv_that_is_there(checkout: Checkout, changed: str) -> None:
    checkout.setup()
    (checkout.folder / changed).write_text("changed\n")
    assert checkout.setup().returncode == 0
    assert checkout.called("python3.11") == []
    assert len(checkout.called("venv-uv pip install")) == 2


def test_an_interrupted_installation_is_taken_up_again(checkout: Checkout) -> None:
    checkout.setup()
    uv = checkout.folder / ".venv" / "bin" / "uv"
    whole = uv.read_text()
    (checkout.folder / "requirements.lock").write_text("changed\n")
    checkout.stand_in(uv, "exit 2")
    assert checkout.setup().returncode == 2
    assert checkout.called("venv-dubline") == []
    uv.write_text(whole)
    assert checkout.setup().returncode == 0
    assert len(checkout.called("venv-uv pip install")) == 2


def test_missing_commands_are_installed_and_nothing_else(checkout: Checkout) -> None:
    (checkout.bin / "ffprobe").unlink()
    (checkout.bin / "cg-proc").unlink()
    checkout.stand_in(checkout.bin / "apertium", "echo '  eng-cat es-fr spa-ita'")
    assert checkout.setup().returncode == 0
    update, install = checkout.called("apt-get")
    assert update.startswith("apt-get update")
    assert install.split("--no-install-recommends ")[1] == "ffmpeg apertium-eng-spa apertium-es-pt cg3"


def test_servers_are_installed_when_asked_for_and_do_not_become_services(checkout: Checkout) -> None:
    script = checkout.folder / "scripts" / "setup"
    policy, postgres = checkout.calls.with_name("policy-rc.d"), checkout.calls.with_name("postgresql")
    clamd = checkout.calls.with_name("clamd")
    places = {"/usr/sbin/policy-rc.d": policy, "/usr/lib/postgresql": postgres, "/usr/sbin/clamd": clamd}
    for place, ours in places.items():
        script.write_text(script.read_text().replace(place, str(ours)))
    (checkout.bin / "tee").symlink_to(str(shutil.which("tee")))
    checkout.stand_in(checkout.bin / "sed")
    checkout.stand_in(checkout.bin / "systemctl")
    checkout.stand_in(
        checkout.bin / "apt-get", f'[ "$1" = update ] || "{policy}" || echo "apt-get denied $?" >>"{checkout.calls}"'
    )
    assert checkout.setup().returncode == 0
    assert checkout.called("apt-get") == []
    done = checkout.setup("--servers")
    assert done.returncode == 0, done.stderr
    installs = [line.split("--no-install-recommends ")[1] for line in checkout.called("apt-get install")]
    assert installs == ["postgresql-common", "postgresql redis-server clamav-daemon chromium fonts-dejavu-core"]
    assert checkout.called("sed")[0].endswith("/etc/postgresql-common/createcluster.conf")
    assert checkout.called("apt-get denied") == ["apt-get denied 101"] * 2
    assert checkout.called("systemctl") == [
        f"systemctl disable --quiet {name}"
        for name in ("postgresql", "redis-server", "clamav-daemon", "clamav-daemon.socket", "clamav-freshclam")
    ]
    assert not policy.exists()
    (postgres / "15" / "bin").mkdir(parents=True)
    (postgres / "15" / "bin" / "initdb").touch()
    checkout.stand_in(checkout.bin / "redis-server")
    checkout.stand_in(checkout.bin / "chromium")
    checkout.stand_in(clamd)
    assert checkout.setup("--servers").returncode == 0
    assert checkout.called("apt-get") == []


def test_sudo_is_used_by_an_ordinary_user_who_has_it(checkout: Checkout) -> None:
    checkout.stand_in(checkout.bin / "id", "echo 1000")
    (checkout.bin / "npm").unlink()
    refused = checkout.setup()
    assert refused.returncode == 1
    assert "run 'apt-get install npm' as root" in refused.stderr
    checkout.stand_in(checkout.bin / "sudo", '"$@"')
    assert checkout.setup().returncode == 0
    assert [line.split()[1] for line in checkout.called("sudo")] == ["apt-get", "env"]


def test_a_system_without_apt_is_told_what_is_missing(checkout: Checkout) -> None:
    (checkout.bin / "apt-get").unlink()
    (checkout.bin / "ffmpeg").unlink()
    done = checkout.setup()
    assert done.returncode == 1
    assert "needs ffmpeg (names of Debian packages)" in done.stderr


def test_a_system_whose_packages_have_no_python_3_11_is_told_so(checkout: Checkout) -> None:
    (checkout.bin / "python3.11").unlink()
    checkout.stand_in(checkout.bin / "apt-cache", "exit 100")
    done = checkout.setup()
    assert done.returncode == 1
    assert "needs Python 3.11" in done.stderr


def probe(video: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", f"file:{video}"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_the_sample_video_is_made_once_with_picture_and_sound(tmp_path: Path) -> None:
    out = tmp_path / "out" / "sample.mp4"
    command = [sys.executable, str(ROOT / "scripts" / "make_sample.py"), str(out)]
    environment = os.environ | {"DUBLINE_HOME": str(tmp_path / "home")}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    found = probe(out)
    video, audio = found["streams"]
    assert (video["codec_name"], video["width"], video["height"], video["r_frame_rate"]) == ("h264", 640, 360, "25/1")
    assert (audio["codec_name"], audio["tags"]["language"]) == ("aac", "eng")
    assert float(found["format"]["duration"]) == pytest.approx(30, abs=0.05)
    assert [path.name for path in out.parent.iterdir()] == ["sample.mp4"]
    made = out.stat().st_mtime_ns
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert out.stat().st_mtime_ns == made


def test_the_sample_needs_no_font(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "make_sample.py"))
    speech = tmp_path / "tone.wav"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1:sample_rate=16000", str(speech)]
    subprocess.run(command, check=True)
    out = tmp_path / "sample.mp4"
    script["make_sample"](speech, out, None, seconds=1)
    assert [stream["codec_type"] for stream in probe(out)["streams"]] == ["video", "audio"]
