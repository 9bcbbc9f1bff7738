"""Runs Apertium's programs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from dubline.domain.errors import EngineFailed, ModelMissing

TIMEOUT_S = 300
_PACKAGES = {"cg-proc": "cg3", "lrx-proc": "apertium-lex-tools", "hfst-proc": "hfst"}
"""Of programs that some pairs need beside Apertium's own."""


def call(command: list[str], text: str) -> str:
    """What the program writes for the text. Raises ModelMissing where it is missing, EngineFailed where it fails."""
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_S, check=True
        )
    except FileNotFoundError:
        name = Path(command[0]).name
        raise ModelMissing(f"The program '{name}' is missing; install it with: apt-get install apertium.") from None
    except subprocess.TimeoutExpired as error:
        raise EngineFailed(f"Apertium did not finish within {TIMEOUT_S} s.") from error
    except subprocess.CalledProcessError as error:
        raise EngineFailed(f"Apertium failed with: {error.stderr.strip()[-200:]}.") from error
    if absent := re.search(r"(\S+): (?:command )?not found", done.stderr):
        package = _PACKAGES.get(absent[1], "apertium")
        raise ModelMissing(f"The program '{absent[1]}' is missing; install it with: apt-get install {package}.")
    return done.stdout
