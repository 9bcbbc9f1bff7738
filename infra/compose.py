"""Read the services of compose.yaml, and the image's own health check, as far as they say what a process is.

Only what compose.yaml uses is understood: commands as lists, environments as mappings, volumes in short,
`${NAME:-default}` and `${NAME:?message}`; of the Dockerfile ENV and the health check. Files of settings are not read.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dubline.domain.errors import InvalidRequest

FOLDER = Path(__file__).parent
COMPOSE, DOCKERFILE = FOLDER / "compose.yaml", FOLDER / "Dockerfile"

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^}]*))?\}")
_ENV = re.compile(r"^ENV (.*)$", re.MULTILINE)
_HEALTHCHECK = re.compile(r"^HEALTHCHECK .*CMD (\[.*\])$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Service:
    """What a container of this service would run."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    healthcheck: tuple[str, ...]
    """Exits with 0 when the service is well; empty where nothing can be asked."""
    volumes: tuple[str, ...]
    """Folders in the container that outlive it."""
    stop_signal: signal.Signals


def load(variables: Mapping[str, str], path: Path = COMPOSE, dockerfile: Path = DOCKERFILE) -> dict[str, Service]:
    """All services by name, with `variables` filled in. Raises InvalidRequest when one is missing or empty."""
    services = _fill(yaml.safe_load(path.read_text(encoding="utf-8"))["services"], variables)
    image_check = tuple(json.loads(_HEALTHCHECK.findall(dockerfile.read_text(encoding="utf-8"))[-1]))
    return {name: _service(name, described, image_check) for name, described in services.items()}


def image_environment(dockerfile: Path = DOCKERFILE) -> dict[str, str]:
    """What the image sets for every container."""
    set_there = " ".join(_ENV.findall(dockerfile.read_text(encoding="utf-8").replace("\\\n", " ")))
    return dict(pair.split("=", 1) for pair in set_there.split())


def _service(name: str, described: Mapping[str, Any], image_check: tuple[str, ...]) -> Service:
    check = described.get("healthcheck")
    if check is None:
        healthcheck = image_check if "build" in described else ()
    else:
        healthcheck = () if check.get("disable") else tuple(check["test"][1:])  # without the word CMD
    return Service(
        name=name,
        command=tuple(described["command"]),
        environment=described["environment"],
        healthcheck=healthcheck,
        volumes=tuple(volume.removesuffix(":ro").rpartition(":")[2] for volume in described.get("volumes", ())),
        stop_signal=signal.Signals[described.get("stop_signal", "SIGTERM")],
    )


def _fill(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, variables) for inner in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, variables), value)
    return value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, text = found["name"], found["kind"], found["text"]
    if given := variables.get(name):
        return given
    if kind == "-":
        return str(text)
    raise InvalidRequest(f"compose.yaml needs a value for {name}: {text or 'give it one'}.")
