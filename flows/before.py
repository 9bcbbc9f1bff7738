"""What is settled before a run begins: whether it can be done at all, and whether it is done already."""

from __future__ import annotations

from pathlib import Path

from dubline import outputs
from dubline.engines.manager import manager
from dubline.engines.registry import models_of
from dubline.media.inputs import check_file, source_reference
from dubline.profiles import Profile
from dubline.publication import Manifest
from dubline.request import TranslateRequest, accept
from dubline.storage.addresses import check_address
from dubline.storage.chosen import reap
from dubline.storage.locations import WebFile
from flows.key import request_key


def require_possible(request: TranslateRequest) -> Profile:
    """Raises DublineError types with what is wrong: request, video, models or output folder. Returns the profile."""
    profile = accept(request)
    if isinstance(request.video, Path):
        check_file(request.video)
    if isinstance(request.video, WebFile):
        check_address(request.video)
    for spec in profile.engines:
        for model in models_of(spec):
            manager().models.path(model)
    return profile


def already_done(request: TranslateRequest) -> Manifest | None:
    """What an earlier run of this very request left, where all of it is there, unchanged: see `outputs.in_place`."""
    if request.refresh is not None or outputs.read(request.out) is None:
        return None
    return outputs.in_place(request.out, request_key(request, source_reference(request.video).sha256))


def make_room(request: TranslateRequest) -> None:
    """Find out whether the output folder can be written, and remove what killed runs left behind."""
    outputs.require_writable(request.out)
    reap()
