"""The composition of compose.yaml as plain processes on loopback: the same commands, settings and health checks.

    python -m infra.stack --workers 2

PostgreSQL and Redis come from Debian, SeaweedFS from its wheel. Every worker has a DUBLINE_HOME of its own, as on a
machine of its own.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from dubline.domain.errors import DublineError, ServiceUnavailable
from dubline.settings import settings
from infra import compose
from infra.loopback import ROOT, SERVED, Loopback, inherited
from infra.postgres import create_cluster, unprivileged
from infra.process import HOST, Process, free_ports, program

CLIENT_TIMEOUT_S = 300
RUNS_AT_ONCE = 4
_WEED_SERVICES = ("master", "filer", "volume", "admin")
"""Inside SeaweedFS, which in a container keeps their usual ports to itself."""
_SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "S3_SECRET_KEY")


class Stack:
    """Start, stop and hurt the whole stack. `folder` keeps its data; without one, nothing is kept.

    As root PostgreSQL runs as the user `postgres`, who must be able to enter `folder`. `worker_environment` is
    added to every worker's, `gateway_environment` to every gateway's. `workers` translate; `service_workers` are apart
    from them. Whatever fails is told as a DublineError in one sentence.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        workers: int = 2,
        gpu_workers: int = 0,
        service_workers: int = 0,
        gateways: int = 0,
        worker_environment: Mapping[str, str] | None = None,
        gateway_environment: Mapping[str, str] | None = None,
    ) -> None:
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="dubline-stack-")) if folder is None else folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._temporary:
            self.folder.chmod(0o711)  # for PostgreSQL's user
        others = workers + gpu_workers + service_workers + gateways
        ports = free_ports(len(SERVED) + len(_WEED_SERVICES) + others)
        self._ports = ports
        self._loopback = Loopback(self.folder, {host: ports.pop() for host in SERVED})
        # A fixed number: tests count on several runs at once, however small the machine is.
        told = {"PREFECT_UI_URL": self.url, "WORKER_LIMIT": str(RUNS_AT_ONCE)} | (
            {"INFERENCE": "deployment"} if gpu_workers else {}
        )
        self._services = compose.load(_variables(self.folder / "env") | told)
        self.postgres = self._process("postgres", more=("-c", "unix_socket_directories="), user=unprivileged())
        self.redis = self._process("redis")
        self.s3 = self._process("seaweedfs", more=[f"-{inner}.port={ports.pop()}" for inner in _WEED_SERVICES])
        self.server = self._process("prefect-server")
        self.services = self._process("prefect-services")
        self._worker_environment = worker_environment or {}
        self.workers: list[Process] = []
        self.service_workers: list[Process] = []
        for number in range(workers):
            self.add_worker("worker-cpu", f"worker-{number + 1}")
        for number in range(gpu_workers):
            self.add_worker("worker-gpu", f"gpu-worker-{number + 1}")
        for number in range(service_workers):
            self.add_worker("worker-service", f"service-worker-{number + 1}")

        at = [ports.pop() for _ in range(gateways)]
        of_gateways = gateway_environment or {}
        self.gateways = [self._gateway(number + 1, port, of_gateways) for number, port in enumerate(at)]
        self.gateway_urls = tuple(f"http://{HOST}:{port}" for port in at)

    def _process(self, service: str, *, more: Sequence[str] = (), user: str | None = None) -> Process:
        return self._loopback.process(self._services[service], more=more, user=user)

    def add_worker(self, service: str, name: str) -> Process:
        """One more, not started. Its name is the only thing that it has and one in a container has not."""
        told = self._worker_environment
        process = self._loopback.process(
            self._services[service],
            name,
            health_port=(self._ports or free_ports(1)).pop(),
            more=("--name", name),
            environment=told,
        )
        models = self.folder / name / "models"
        if settings().models.exists() and not models.is_symlink():
            models.symlink_to(settings().models, target_is_directory=True)  # the image has them in it
        (self.service_workers if service == "worker-service" else self.workers).append(process)
        return process

    def _gateway(self, number: int, port: int, environment: Mapping[str, str]) -> Process:
        return self._loopback.process(
            self._services["gateway"], f"gateway-{number}", health_port=port, environment=environment
        )

    @property
    def processes(self) -> tuple[Process, ...]:
        """All of them, in the order in which they start."""
        servers = (self.postgres, self.redis, self.s3, self.server, self.services)
        return (*servers, *self.workers, *self.service_workers, *self.gateways)

    @property
    def url(self) -> str:
        """Where Prefect's UI is."""
        return f"http://{HOST}:{self._loopback.ports['prefect-server']}"

    @property
    def s3_port(self) -> int:
        return self._loopback.ports["seaweedfs"]

    def start(self, *, deploy: bool = False) -> dict[str, float]:
        """Start everything in the composition's order and wait until it is ready; the seconds that each one took.

        With `deploy`, the composition's service of that name has run before the workers start.
        """
        create_cluster(self.postgres)
        took = self._together(self.postgres, self.redis, self.s3) | self._together(self.server)
        if deploy:
            self.run(*self._services["deploy"].command)
        return took | self._together(self.services, *self.workers, *self.service_workers, *self.gateways)

    def _together(self, *processes: Process) -> dict[str, float]:
        began = time.monotonic()
        took: dict[str, float] = {}
        for process in processes:
            process.start()
        for process in processes:
            process.wait()
            took[process.name] = time.monotonic() - began
        return took

    def stop(self) -> None:
        """End everything, last first; a temporary folder goes too."""
        for process in reversed(self.processes):
            process.stop()
        Path(f"/tmp/seaweedfs-s3-{self.s3_port}.sock").unlink(missing_ok=True)  # noqa: S108 - its own
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Stack:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """What a client of this stack sets: addresses of Prefect's server, of store and database, and the store's keys.

        The database is for `dubline keys`; the composition's own client does without.
        """
        client, gateway = self._services["deploy"], self._services["gateway"]
        told = {**client.environment, "DUBLINE_DATABASE": gateway.environment["DUBLINE_DATABASE"]}
        return {name: self._loopback.translate(value, client, self.folder) for name, value in told.items()}

    def run(self, *command: str) -> str:
        """Run a client's command to its end, in the repository's folder; what it printed.

        Raises ServiceUnavailable unless it exits with 0 within 300 s.
        """
        environment = inherited() | {"PREFECT_HOME": str(self.folder / "client")} | self.environment()
        argv = [program(command[0], environment), *command[1:]]
        try:
            done = subprocess.run(
                argv, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            raise ServiceUnavailable(f"'{' '.join(command)}' took longer than {CLIENT_TIMEOUT_S} s.") from None
        if done.returncode != 0:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            raise ServiceUnavailable(f"'{' '.join(command)}' failed with exit code {done.returncode}: {lines[-1:]}")
        return done.stdout


def _variables(path: Path) -> dict[str, str]:
    """The env file of a folder, made with passwords of its own the first time."""
    if not path.exists():
        lines = ["S3_ACCESS_KEY=dubline", *(f"{name}={secrets.token_hex(24)}" for name in _SECRETS)]
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value for name, _, value in pairs}


def main(
    workers: Annotated[int, typer.Option(min=0, help="How many workers of the pool `cpu`.")] = 2,
    gpu_workers: Annotated[
        int, typer.Option(min=0, help="How many workers of the pool `gpu`, where inference then goes.")
    ] = 0,
    service_workers: Annotated[int, typer.Option(min=0, help="How many workers of the pool `service`.")] = 1,
    gateways: Annotated[int, typer.Option(min=0, help="How many gateways.")] = 1,
    folder: Annotated[Path | None, typer.Option(help="Keeps the data; without it, nothing is kept.")] = None,
    deploy: Annotated[bool, typer.Option(help="Create pools and deployments first.")] = True,
) -> None:
    """Start the whole stack on loopback and stop it at Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell had SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        stack = Stack(
            folder, workers=workers, gpu_workers=gpu_workers, service_workers=service_workers, gateways=gateways
        )
        try:
            for name, took in stack.start(deploy=deploy).items():
                print(f"# {name}: ready after {took:.1f} s")
            for url in stack.gateway_urls:
                print(f"# gateway {url}")
            print(f"# UI {stack.url}, logs in {stack.folder / 'logs'}; Ctrl-C ends it")
            for name, value in stack.environment().items():
                print(f"export {name}={value}", flush=True)
            signal.pause()
        except KeyboardInterrupt:
            for process in stack.processes:
                print(f"# {process.name}: {process.memory() / 2**20:.0f} MiB", flush=True)
            raise
        finally:
            stack.stop()
    except DublineError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    typer.run(main)
