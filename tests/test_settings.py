"""Settings from the environment: a wrong one is a sentence wherever a process begins, an empty one is not set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from dubline import doctor
from dubline.domain.errors import InvalidRequest
from dubline.gateway.settings import GatewaySettings
from dubline.settings import Settings, read

ROOT = Path(__file__).parents[1]
KINDS = pytest.mark.parametrize("kind", [Settings, GatewaySettings])


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = os.environ | environment
    return subprocess.run([sys.executable, *command], env=known, cwd=ROOT, capture_output=True, text=True, timeout=120)


@KINDS
def test_a_setting_that_is_empty_is_not_set(kind: type[BaseSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = kind.model_config["env_prefix"]
    for field in kind.model_fields:
        monkeypatch.delenv(f"{prefix}{field.upper()}", raising=False)
    unset = kind()
    for field in kind.model_fields:
        monkeypatch.setenv(f"{prefix}{field.upper()}", "")
    assert kind() == unset


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (Settings, "DUBLINE_THREADS", "many"),
        (Settings, "DUBLINE_STORE", "srv/dubline"),
        (GatewaySettings, "DUBLINE_GATEWAY_PORT", "http"),
    ],
)
def test_a_wrong_setting_is_named(
    kind: type[BaseSettings], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidRequest, match=rf"{name}: .* README"):
        read(kind)


def test_a_list_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_GATEWAY_ORIGINS", "https://example.org")
    with pytest.raises(InvalidRequest, match="origins"):
        read(GatewaySettings)


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "dubline.cli", "models", "list"),
        ("-m", "dubline.cli", "--help"),
        ("-m", "deployments.worker", "--pool", "cpu", "--limit", "1"),
    ],
)
def test_a_process_with_a_wrong_setting_ends_with_a_sentence(command: tuple[str, ...]) -> None:
    done = run(*command, DUBLINE_THREADS="many")
    assert done.returncode == InvalidRequest.exit_code
    assert "Traceback" not in done.stderr
    assert "DUBLINE_THREADS" in done.stderr


def test_a_worker_s_runs_inherit_its_share_of_the_cores() -> None:
    probe = (
        "import os, sys; from deployments import worker; "
        "worker.app = lambda: print(os.environ['OMP_NUM_THREADS'], *sys.argv[1:3]); worker.main()"
    )
    known = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", probe, "--pool", "cpu", "--limit", "1"],
        env=known | {"DUBLINE_THREADS": "3"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == ["3", "worker", "start"], done.stderr


def test_a_tenant_is_limited_and_freed_again_from_the_command_line(tmp_path: Path) -> None:
    def limits(*options: str) -> list[str]:
        done = run("-m", "dubline.cli", "limits", "acme", *options, DUBLINE_DATABASE=f"sqlite:///{tmp_path / 'd.db'}")
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert limits() == ["sessions-at-once: no limit", "sessions-a-day: no limit", "upload-mb: no limit"]
    assert limits("--sessions-a-day", "5", "--upload-mb", "100")[1:] == ["sessions-a-day: 5", "upload-mb: 100"]
    assert limits("--upload-mb", "0") == ["sessions-at-once: no limit", "sessions-a-day: 5", "upload-mb: no limit"]


def test_the_doctor_asks_the_server_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    found = doctor._server()
    assert not found.ok and found.required
    assert "http://127.0.0.1:9/api does not answer" in found.detail
