"""A test for which something is lacking fails unless a person allows to do without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lacking import ALLOWED, lacking, small_disk

ROOT = Path(__file__).parent.parent


def test_what_is_lacking_fails_and_names_what_allows_to_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOWED, raising=False)
    with pytest.raises(pytest.fail.Exception, match=rf"PostgreSQL is not installed; set {ALLOWED}=1 "):
        lacking("PostgreSQL is not installed")
    assert f"`{ALLOWED}=1 make test`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_what_is_lacking_is_skipped_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOWED, "1")
    with pytest.raises(pytest.skip.Exception, match="PostgreSQL"):
        lacking("PostgreSQL is not installed")


def test_without_the_right_to_mount_a_test_of_a_full_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = tmp_path / "mount"
    refusing.write_text("#!/bin/sh\necho only root may >&2\nexit 32\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(ALLOWED, raising=False)
    with pytest.raises(pytest.fail.Exception, match="only root may"), small_disk(tmp_path / "disk"):
        pass


def test_no_test_skips_itself_in_silence() -> None:
    """But those of a GPU, and one that an ordinary user has run already."""
    known = {"tests/lacking.py", "tests/engines/test_on_gpu.py", "tests/media/test_sandbox.py"}
    words = ("pytest.skip(", "mark.skip", "importorskip(", "mark.xfail")
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__) and any(word in path.read_text(encoding="utf-8") for word in words)
    }
    assert found == known
