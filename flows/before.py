"""What is settled before a run begins: whether it can be done at all, and whether it is done already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dubline import claims, outputs, publication
from dubline.claims import Claim
from dubline.domain.errors import InvalidRequest
from dubline.domain.file_names import folders_of
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
    """What an earlier run of this very request left, where all of it is there, unchanged: see `outputs.in_place`.

    Raises InvalidRequest where another video's results are. A session's folder is its own, whatever its video holds.
    """
    if not outputs.held(request.out):
        return None
    mine = claim_of(request)
    if request.session is None:
        outputs.require_own(request.out, mine)
    if request.refresh is not None:
        return None
    return outputs.in_place(request.out, request_key(request, mine.source_sha256))


def claim_of(request: TranslateRequest) -> Claim:
    """By which the folder of its results is known as this video's."""
    return Claim(source_sha256=source_reference(request.video).sha256, source=shown_source(request))


def shown_source(request: TranslateRequest) -> str:
    """Where the video is, without what may be secret in its address."""
    return request.video.shown if isinstance(request.video, WebFile) else str(request.video)


@contextmanager
def placed(request: TranslateRequest) -> Iterator[TranslateRequest]:
    """The request with a folder beside its own, or that, which has no other video's results: `out/clip`, `out/clip-2`.

    While the block runs no other video's request gets it. Raises what `require_possible` raises.
    """
    require_possible(request)
    mine = claim_of(request)
    folder = next(
        place for name in folders_of(request.video.name) if _claimed(place := Path(request.out).with_name(name), mine)
    )
    try:
        yield request.model_copy(update={"out": folder})
    finally:
        claims.release(folder, mine)


def _claimed(folder: Path, mine: Claim) -> bool:
    known = publication.read(folder)
    if known and known.source_sha256 == mine.source_sha256:
        return True  # results that are there are only read, perhaps
    try:
        publication.claim(folder, mine)
    except InvalidRequest:
        return False
    return True


def make_room(request: TranslateRequest) -> None:
    """Find out whether the output folder can be written, and remove what killed runs left behind."""
    outputs.require_writable(request.out)
    reap()
