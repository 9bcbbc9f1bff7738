"""What a service's command, environment and health check are without containers: hosts become 127.0.0.1, usual ports
become given ones, and volumes become folders."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra import compose
from infra.compose import Service
from infra.process import HOST, Process

ROOT = Path(__file__).parent.parent
SERVED = {"postgres": 5432, "redis": 6379, "seaweedfs": 8333, "prefect-server": 4200}
"""Hosts of the composition, and the port that each one serves."""
HEALTH_PORT = 8080
"""Where each worker tells its health."""
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
"""All that the processes see of this program's environment: whatever else they need, the composition must say."""

_ANYWHERE = re.compile(r"(?<![\w.])0\.0\.0\.0(?![\w.])")
_HOST = re.compile(rf"(?<=[@/=])({'|'.join(SERVED)})(?::\d+)?(?![\w.-])")


@dataclass(frozen=True, slots=True)
class Loopback:
    """Processes of services, each with its data and log below `folder`; `ports` by the hosts of SERVED."""

    folder: Path
    ports: Mapping[str, int]

    def process(
        self,
        service: Service,
        name: str = "",
        *,
        health_port: int = HEALTH_PORT,
        more: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> Process:
        """`more` is added to the command, `environment` to the service's; `name` is the service's if not given."""
        name = name or service.name
        home = self.folder / name
        home.mkdir(exist_ok=True)

        def local(text: str) -> str:
            return self.translate(text, service, home, health_port)

        return Process(
            name=name,
            command=(*map(local, service.command), *more),
            environment={
                **inherited(),
                **image_environment(home),
                **{key: local(value) for key, value in service.environment.items()},
                **(environment or {}),
            },
            folder=ROOT,
            log=self.folder / "logs" / f"{name}.log",
            healthcheck=tuple(map(local, service.healthcheck)),
            stop_signal=service.stop_signal,
            user=user,
        )

    def translate(self, text: str, service: Service, home: Path, health_port: int = HEALTH_PORT) -> str:
        text = _ANYWHERE.sub(HOST, text)
        text = _HOST.sub(lambda found: HOST + (f":{self.ports[found[1]]}" if ":" in found[0] else ""), text)
        own = {HEALTH_PORT: health_port}
        if service.name in SERVED:
            own[SERVED[service.name]] = self.ports[service.name]
        for usual, port in own.items():
            text = re.sub(rf"(?<!\w){usual}(?!\w)", str(port), text)
        for volume in service.volumes:
            text = re.sub(rf"(?<![\w/]){volume}(?![\w-])", str(home), text)
        return text


def inherited() -> dict[str, str]:
    """PASSED_ON, with the programs of this Python and of Debian's newest PostgreSQL in front."""
    ours = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    places = [Path(sys.executable).parent, *postgres[-1:]]
    return ours | {"PATH": os.pathsep.join([*map(str, places), ours.get("PATH", os.defpath)])}


def image_environment(home: Path) -> dict[str, str]:
    """What the Dockerfile sets, with `home` for the container's /data. Where programs are differs here."""
    found = {name: value for name, value in compose.image_environment().items() if name != "PATH"}
    return {name: re.sub("^/data(?=/|$)", str(home), value) for name, value in found.items()}
