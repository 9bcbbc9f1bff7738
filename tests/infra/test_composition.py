"""compose.yaml, Dockerfile and env.example agree with each other, with set-up, and with what the stack starts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from prefect.settings import Settings as PrefectSettings

from dubline import profiles
from dubline.domain.errors import InvalidRequest
from dubline.engines.registry import models_of
from dubline.server import environment as local_server
from dubline.settings import Settings
from infra import compose
from infra.loopback import ROOT, SERVED, Loopback
from infra.stack import RUNS_AT_ONCE, Stack

COMPOSE = compose.COMPOSE.read_text(encoding="utf-8")
DOCKERFILE = compose.DOCKERFILE.read_text(encoding="utf-8")
EXAMPLE = (compose.FOLDER / "env.example").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
SECRETS = {"POSTGRES_PASSWORD": "p", "REDIS_PASSWORD": "r", "S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "s"}


def stages() -> dict[str, str]:
    """The Dockerfile's text by stage."""
    parts = re.split(r"^FROM \S+ AS (\w+)$", DOCKERFILE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def without_places(words: tuple[str, ...]) -> list[str]:
    """A command without its addresses, ports and folders."""
    places = r"0\.0\.0\.0|127\.0\.0\.1|seaweedfs|\d{4,}|/\S+"
    return [re.sub(places, "PLACE", word) for word in words]


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"deploy", "models", "worker-gpu"}))
def test_the_stack_starts_each_service_by_its_own_command(name: str, tmp_path: Path) -> None:
    stack = Stack(tmp_path, workers=1, service_workers=1, gateways=1)
    numbered = {"worker-cpu": "worker-1", "worker-service": "service-worker-1", "gateway": "gateway-1"}.get(name, name)
    (process,) = [process for process in stack.processes if process.name == numbered]
    told = {"REDIS_PASSWORD": stack.redis.environment["REDISCLI_AUTH"], "WORKER_LIMIT": str(RUNS_AT_ONCE)}
    service = compose.load(SECRETS | told)[name]
    assert without_places(process.command)[: len(service.command)] == without_places(service.command)
    assert without_places(process.healthcheck) == without_places(service.healthcheck)
    assert set(service.environment) <= set(process.environment)


def test_the_gpu_s_worker_differs_from_the_others_by_its_pool_and_how_much_it_does_at_once() -> None:
    services = compose.load(SECRETS)
    cpu, gpu = services["worker-cpu"], services["worker-gpu"]
    differing = [(mine, theirs) for mine, theirs in zip(cpu.command, gpu.command, strict=True) if mine != theirs]
    assert differing == [("cpu", "gpu"), ("auto", "1")], "make deploy makes one slot: others would wait as processes"
    assert (gpu.environment, gpu.volumes) == (cpu.environment, cpu.volumes)
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]


@pytest.mark.models
def test_the_models_service_s_own_command_pulls_into_the_workers_volume_what_their_profile_needs() -> None:
    services = compose.load(SECRETS)
    service, home = services["models"], Path(compose.image_environment()["DUBLINE_HOME"])
    linked = f"ln -s {service.volumes[0]} {home / 'models'}"
    assert linked in DOCKERFILE and service.volumes[0] in services["worker-cpu"].volumes
    command = [sys.executable, *service.command[1:]]
    pulled = subprocess.run(command, env=os.environ | service.environment, cwd=ROOT, capture_output=True, text=True)
    assert pulled.returncode == 0, pulled.stderr
    needed = {model for spec in profiles.load("offline").engines for model in models_of(spec)}
    assert {line.partition(":")[0] for line in pulled.stdout.splitlines()} == needed


def test_every_deployment_s_pool_has_a_worker_here_and_a_command_in_the_readme() -> None:
    described = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    pools = {deployment["work_pool"]["name"] for deployment in described}
    workers = [service["command"] for service in SERVICES.values() if "deployments.worker" in service["command"]]
    assert pools == {command[command.index("--pool") + 1] for command in workers}
    commands = re.findall(
        r"deployments\.worker --pool (\w+) --limit (?:\d|auto)", (ROOT / "README.md").read_text(encoding="utf-8")
    )
    assert pools == set(commands)


@pytest.mark.parametrize("where", ["composition", "local server"])
def test_runs_leave_prefect_s_database_after_90_days_and_events_after_7(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed = compose.load(SECRETS)["prefect-services"].environment
    for name, value in (composed if where == "composition" else local_server()).items():
        if name.startswith("PREFECT_SERVER_"):
            monkeypatch.setenv(name, value)
    prefect = PrefectSettings().server
    vacuum = prefect.services.db_vacuum
    assert vacuum.enabled_vacuum_types == {"events", "flow_runs", "orphans"}, "logs and artifacts of runs that are gone"
    assert (vacuum.retention_period, prefect.events.retention_period) == (timedelta(days=90), timedelta(days=7))


def test_with_a_gpu_s_worker_inference_goes_there(tmp_path: Path) -> None:
    for gpu_workers, where in ((0, "inline"), (1, "deployment")):
        stack = Stack(tmp_path, workers=1, gpu_workers=gpu_workers)
        assert {worker.environment["DUBLINE_INFERENCE"] for worker in stack.workers} == {where}


def test_workers_of_services_are_no_workers_of_videos(tmp_path: Path) -> None:
    stack = Stack(tmp_path, workers=2, service_workers=1)
    assert [worker.name for worker in stack.workers] == ["worker-1", "worker-2"]
    assert [worker.name for worker in stack.service_workers] == ["service-worker-1"]
    assert stack.service_workers[0] in stack.processes


OPTIONAL = {
    ("INFERENCE", "deployment"): ("inference", {"worker-cpu"}),
    ("KEY_FILE", "/keys/keys"): ("key_file", {"worker-cpu", "worker-gpu", "worker-service", "gateway"}),
    ("CLAMD", "tcp://clamav:3310"): ("clamd", {"worker-cpu", "worker-gpu"}),
    ("URL_HOSTS", "media.intranet"): ("url_hosts", {"worker-cpu", "worker-gpu", "gateway"}),
}


@pytest.mark.parametrize("variable", OPTIONAL)
def test_an_optional_setting_comes_from_the_env_file_and_is_not_set_without(
    variable: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    field, who = OPTIONAL[variable]
    default = Settings.model_fields[field].get_default()

    def told(service: compose.Service) -> object:
        with monkeypatch.context() as set_there:
            for key, value in service.environment.items():
                set_there.setenv(key, value)
            return getattr(Settings(), field)

    without, given = compose.load(SECRETS), compose.load(SECRETS | dict([variable]))
    for name in who:
        assert told(without[name]) == default
        assert str(told(given[name])) == variable[1]


def test_the_keys_and_the_models_are_where_they_are_read() -> None:
    volumes = {name: service.volumes for name, service in compose.load(SECRETS).items()}
    assert all("/keys" in volumes[name] for name in ("worker-cpu", "worker-gpu", "worker-service", "gateway"))
    assert all("/opt/models" in volumes[name] for name in ("worker-cpu", "worker-gpu", "models"))


def test_every_folder_that_becomes_a_volume_is_its_user_s() -> None:
    made = re.findall(r"install -d -o dubline -g dubline ([^\\\n]+)", stages()["base"])
    owned = {folder for folders in made for folder in folders.split()}
    ours = {name for name, service in SERVICES.items() if "build" in service}
    assert {volume for name in ours for volume in compose.load(SECRETS)[name].volumes} <= owned


def test_processes_have_the_image_s_environment(tmp_path: Path) -> None:
    server = Loopback(tmp_path, dict.fromkeys(SERVED, 1)).process(compose.load(SECRETS)["prefect-server"])
    home = tmp_path / "prefect-server"
    set_there = {"DUBLINE_HOME": str(home), "PREFECT_HOME": str(home / "prefect"), "PYTHONUNBUFFERED": "1"}
    assert set_there.items() <= server.environment.items()
    named = re.findall(r"^(?:ENV|   ) ([A-Z_]+)=", stages()["base"], re.MULTILINE)
    assert set(named) <= set(server.environment), "the Dockerfile sets more"


def test_addresses_ports_and_volumes_become_local_ones(tmp_path: Path) -> None:
    services = compose.load(SECRETS | {"POSTGRES_PASSWORD": "4200x8333"})
    ports = {"postgres": 1, "redis": 2, "seaweedfs": 3, "prefect-server": 4}
    loopback = Loopback(tmp_path, ports)
    server = loopback.process(services["prefect-server"])
    assert server.command[-5:] == ("--host", "127.0.0.1", "--port", "4", "--no-services")
    database = server.environment["PREFECT_API_DATABASE_CONNECTION_URL"]
    assert database == "postgresql+asyncpg://prefect:4200x8333@127.0.0.1:1/prefect"
    assert server.environment["PREFECT_REDIS_MESSAGING_URL"] == "redis://:r@127.0.0.1:2/0"
    assert server.environment["HEALTH_URL"] == "http://127.0.0.1:4/api/ready"
    worker = loopback.process(services["worker-cpu"], "worker-7", health_port=5)
    assert worker.environment["DUBLINE_S3_ENDPOINT"] == "http://127.0.0.1:3"
    assert worker.environment["PREFECT_WORKER_WEBSERVER_PORT"] == "5"
    assert worker.environment["DUBLINE_HOME"] == str(tmp_path / "worker-7")
    seaweedfs = loopback.process(services["seaweedfs"]).command
    assert {f"-dir={tmp_path}/seaweedfs", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.port=3"} <= set(seaweedfs)
    assert loopback.process(services["postgres"]).environment["PGDATA"] == f"{tmp_path}/postgres/pgdata"


def test_processes_see_nothing_of_this_program_s_environment_but_where_things_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "of somebody else")
    worker = Loopback(tmp_path, dict.fromkeys(SERVED, 1)).process(compose.load(SECRETS)["worker-cpu"])
    assert "PREFECT_API_KEY" not in worker.environment


def test_a_folder_keeps_its_passwords(tmp_path: Path) -> None:
    first, second = (Stack(tmp_path, workers=0).environment()["AWS_SECRET_ACCESS_KEY"] for _ in range(2))
    assert first == second
    assert len(first) == 48
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_is_asked_for(name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"needs a value for {name}: set it in the env file"):
        compose.load({key: value for key, value in SECRETS.items() if key != name})


def test_the_example_names_every_variable_and_no_other() -> None:
    assert set(re.findall(r"\$\{(\w+)", COMPOSE)) == set(re.findall(r"^#? ?([A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
    for name, default in re.findall(r"\$\{(\w+):-([^}]+)\}", COMPOSE):
        assert f"# {name}={default}\n" in EXAMPLE


def test_secrets_come_from_the_env_file_alone() -> None:
    for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "S3_SECRET_KEY"):
        assert f"\n{name}=\n" in EXAMPLE
    for name, service in SERVICES.items():
        for key, value in service["environment"].items():
            assert not re.search(r"PASSWORD|SECRET|TOKEN|AUTH|KEY_ID", key) or str(value).startswith("${"), (name, key)


def test_ports_are_open_on_loopback_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_what_waits_for_another_waits_for_one_that_can_be_well() -> None:
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert compose.load(SECRETS)[other].healthcheck, (name, other)
            else:
                assert wanted["condition"] == "service_completed_successfully"
                assert SERVICES[other]["restart"] == "no"


def test_images_of_others_have_a_version() -> None:
    others = [service["image"] for service in SERVICES.values() if "build" not in service]
    assert others
    assert all(re.fullmatch(r"[a-z]+:\d+(\.\d+)?-bookworm", image) for image in others)


def test_the_image_installs_what_is_locked_and_runs_as_nobody_s_root() -> None:
    assert DOCKERFILE.count("--require-hashes") == 2
    last = list(stages().values())[-1]
    assert re.search(r"^USER (?!0)\d+:(?!0)\d+$", last, re.MULTILINE)
    assert re.search(r"^ARG DEBIAN=debian:[a-z0-9.-]+$", DOCKERFILE, re.MULTILINE)
    assert not re.search(r"^(ENV|ARG) .*(PASSWORD|SECRET|TOKEN)", DOCKERFILE, re.MULTILINE)


def test_the_image_has_the_system_packages_that_set_up_installs() -> None:
    script = (ROOT / "scripts" / "setup").read_text(encoding="utf-8")
    wanted = {name for names in re.findall(r"wanted\+=\(([^)]*)\)", script) for name in names.split()}
    wanted = {name for name in wanted if name.isascii() and name[0].isalpha()} - {
        "postgresql",
        "redis-server",
        "chromium",
    }
    installed = set(" ".join(stages()[name] for name in ("base", "build")).split())
    assert wanted <= installed  # the servers have images of their own, and the browser is for tests


def test_the_image_gets_all_of_our_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ours = {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "infra"}
    let_in = set(re.findall(r"^!(\w+)/$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    assert ours <= let_in


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


@pytest.mark.parametrize(("path", "well"), [("/200", True), ("/503", False), (":1/none", False)])
def test_the_image_s_health_check_asks_the_container_s_address(server: str, path: str, well: bool) -> None:
    command = json.loads(re.findall(r"^HEALTHCHECK .*CMD (.*)$", DOCKERFILE, re.MULTILINE)[0])
    url = server + path if path.startswith("/") else f"http://127.0.0.1{path}"
    done = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, env=os.environ | {"HEALTH_URL": url})
    assert (done.returncode == 0) is well


def test_every_variable_of_the_env_file_and_every_setting_is_documented() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    settings = {key for service in SERVICES.values() for key in service["environment"]}
    of_images = {"POSTGRES_USER", "POSTGRES_DB", "PGDATA", "REDISCLI_AUTH"}
    for name in (settings | set(re.findall(r"\$\{(\w+)", COMPOSE))) - of_images:
        assert f"`{name}`" in readme, name
