"""Retention: checkpoints that nobody used for long, then artifacts that no checkpoint needs any more.

A checkpoint that expires is not gone at once: its record is put aside (`expired/`) for the grace period, where no stage
finds it but its artifacts are still kept. So a run that believed it a moment earlier has them until its end. An
artifact goes only when no record, put aside or not, mentions its sha256, and when it is older than the grace period (a
stage at work writes its artifacts before its record). Killed anywhere, a collection leaves only what the next one
removes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

from dubline.domain.errors import InvalidRequest
from dubline.storage.artifacts import ArtifactStore
from dubline.storage.places import DAY_S, Entry, Place

EXPIRED = "expired/"
MIN_GRACE_S = 2 * DAY_S
"""Use is noted once a day, so what is older than that and an upload's time may be in use."""
PARALLEL = 8
_DIGEST = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection removed, and what it left."""

    expired_records: int
    removed_artifacts: int
    removed_bytes: int
    """Of artifacts."""
    kept_artifacts: int
    kept_bytes: int
    trimmed_copies: int
    """Copies on this machine of what lies in S3, and videos fetched from the web."""
    trimmed_bytes: int
    aborted_uploads: int


def collect(
    store: ArtifactStore,
    records: Place,
    *,
    retention_s: float,
    grace_s: float = MIN_GRACE_S,
    now: float | None = None,
) -> Collected:
    """Remove what was not used for `retention_s`; `grace_s` must exceed what the longest stage takes.

    `now` is in seconds since the epoch. Raises InvalidRequest for a grace period below two days; StoreUnavailable or
    OutputUnavailable when a place fails: while a record cannot be read, no artifact is removed.
    """
    if grace_s < MIN_GRACE_S:
        raise InvalidRequest(
            f"A grace period of {grace_s:g} s is too short: use is noted once a day; give at least {MIN_GRACE_S} s."
        )
    now = time.time() if now is None else now
    aborted = store.abort_uploads(now - grace_s)
    store.reap(now - grace_s)
    expired = _expire(records, now - retention_s, now - grace_s)
    removed, kept = _sweep(store.place, now - grace_s, _mentioned(records))
    copies, copied_bytes = store.trim(now - grace_s)
    return Collected(
        expired_records=expired,
        removed_artifacts=len(removed),
        removed_bytes=sum(entry.size for entry in removed),
        kept_artifacts=len(kept),
        kept_bytes=sum(entry.size for entry in kept),
        trimmed_copies=copies,
        trimmed_bytes=copied_bytes,
        aborted_uploads=aborted,
    )


def _expire(records: Place, unused_since: float, aside_since: float) -> int:
    """Put unused records aside, and remove those that were put aside a grace period ago."""
    expired = 0
    for entry in list(records.entries()):
        if entry.key.startswith(EXPIRED):
            if entry.modified < aside_since:
                records.remove(entry.key)
        elif _old(records, entry, unused_since):
            content = records.read(entry.key)
            if content is not None:
                records.write(EXPIRED + entry.key, content)
                records.remove(entry.key)
                expired += 1
    return expired


def _mentioned(records: Place) -> set[str]:
    """Every sha256 in any record. What is no artifact's does no harm, and no format of a record can hide one."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        contents = pool.map(records.read, [entry.key for entry in records.entries()])
        return {digest.decode() for content in contents for digest in _DIGEST.findall(content or b"")}


def _sweep(place: Place, older_than: float, needed: set[str]) -> tuple[list[Entry], list[Entry]]:
    """Remove artifacts that are old and not needed. Returns the removed and the kept."""
    removed, kept = [], []
    for entry in list(_artifacts(place)):
        if (
            PurePosixPath(entry.key).stem in needed
            or entry.modified >= older_than
            or not _old(place, entry, older_than)
        ):
            kept.append(entry)
        else:
            place.remove(entry.key)
            removed.append(entry)
    return removed, kept


def _artifacts(place: Place) -> Iterator[Entry]:
    """What is named by its sha256; anything else is not ours to remove."""
    for entry in place.entries():
        if _DIGEST.fullmatch(PurePosixPath(entry.key).stem.encode()):
            yield entry


def _old(place: Place, entry: Entry, older_than: float) -> bool:
    """Looked at again right before it is removed: since the listing somebody may have used or written it."""
    if entry.modified >= older_than:
        return False
    found = place.stat(entry.key)
    return found is not None and found.modified < older_than
