"""No setting, command, option, stage, profile or exit code without a line in the documents."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer.main

from dubline import profiles
from dubline.cli import app
from dubline.domain import errors
from dubline.gateway.settings import GatewaySettings
from dubline.settings import Settings

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


SETTINGS = [
    *(f"DUBLINE_{field.upper()}" for field in Settings.model_fields),
    *(f"DUBLINE_GATEWAY_{field.upper()}" for field in GatewaySettings.model_fields),
]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in README


def test_every_command_is_documented() -> None:
    root = typer.main.get_command(app)
    for name, command in root.commands.items():
        for path in [f"{name} {sub}" for sub in getattr(command, "commands", {})] or [name]:
            assert f"dubline {path}" in README, path


def test_every_option_of_translate_is_documented() -> None:
    command = typer.main.get_command(app).commands["translate"]
    for parameter in command.params:
        for option in parameter.opts:
            assert not option.startswith("--") or option == "--help" or f"`{option}" in README, option


def test_every_profile_is_documented() -> None:
    for name in profiles.names():
        assert f"`{name}`" in README


def test_every_exit_code_is_documented() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DublineError)]
    for kind in kinds:
        assert f" {kind.exit_code} " in README, kind


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = errors.__doc__ or ""
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.DublineError) and kind is not errors.DublineError:
            line = next(line for line in drawn.splitlines() if f" {kind.__name__} " in line)
            assert line.split(kind.__name__)[1].split()[:2] == [str(kind.exit_code), "yes" if kind.retryable else "no"]
