from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.workshop import Workshop, make_video


@pytest.fixture
def workshop(tmp_path: Path, prefect_server: str) -> Workshop:
    made = Workshop(tmp_path, prefect_server)
    made.profile()
    return made


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "clip.mp4")
