"""A user's file before any stage works on it: clean, within the limits, and a video that can be dubbed."""

from __future__ import annotations

from dubline.domain.errors import InvalidMedia
from dubline.media.inputs import shown
from dubline.media.probe import probe
from dubline.media.virus_scan import require_clean
from dubline.settings import settings
from dubline.storage.artifacts import local_path
from dubline.storage.limits import require_size
from dubline.storage.results import ArtifactRef, Source


def take_in(file: ArtifactRef) -> Source:
    """Look into a file that is new to us. Raises InvalidMedia with one sentence that says why it is not accepted.

    Raises ServiceUnavailable when clamd is to be asked and does not answer.
    """
    path = local_path(file)
    require_size(shown(path), file.size)
    require_clean(path, file.sha256)
    source = probe(file)
    limit_s = settings().max_duration_s
    if source.duration_ms > limit_s * 1000:
        raise InvalidMedia(
            f"'{shown(path)}' lasts {source.duration_ms / 1000:.0f} s, more than the {limit_s} s that "
            "DUBLINE_MAX_DURATION_S allows; cut it into parts."
        )
    return source
