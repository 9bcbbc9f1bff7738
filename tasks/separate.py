"""Take the voices out of the sound, so that the background can stay under the dub."""

from __future__ import annotations

from dubline.engines.contracts import SeparationRequest
from dubline.engines.manager import manager
from dubline.engines.registry import EngineSpec
from dubline.storage.artifacts import local_path
from dubline.storage.results import Audio, Stems
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage


@stage("separate", result=Stems)
def separate(audio: Audio, engine: EngineSpec) -> Stems:
    with artifacts().workspace() as folder:
        with manager().use(engine, [audio.full.sha256]) as separator:
            made = separator.separate(SeparationRequest(local_path(audio.full), folder), teller())
        return Stems(background=artifacts().adopt(made.background))
