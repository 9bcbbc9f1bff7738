"""What a machine lacks is told, with the command that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubline import doctor

INSTALLED_BY = {
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "setpriv": "util-linux",
    "prlimit": "util-linux",
    "apertium": "apertium",
    "cg-proc": "cg3",
}


def test_every_program_has_its_entry() -> None:
    assert doctor.PROGRAMS.keys() == INSTALLED_BY.keys()


@pytest.mark.parametrize(("lacking", "package"), INSTALLED_BY.items())
def test_a_program_that_is_lacking_is_told_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str, package: str
) -> None:
    for name in doctor.PROGRAMS.keys() - {lacking}:
        (tmp_path / name).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (missed,) = [found for name in doctor.PROGRAMS if not (found := doctor._program(name, doctor.PROGRAMS[name])).ok]
    assert (missed.what, missed.required) == (lacking, True)
    assert f"->  apt-get install {package}" in str(missed)
