"""Look at the folder once: take in what is ready, create its runs, put away what has ended.

A watcher that stays up and a scheduled reconcile call the same `tick`, at the same time if need be, and each may be
killed between any two steps. The order makes that safe: ledger row, then the video into its working folder, then the
run (by an idempotency key), then the run's id into the row. Whatever was left undone is done by a later tick.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from dubline.domain.errors import DublineError, InvalidMedia, InvalidRequest, OutputUnavailable
from dubline.domain.file_names import MAX_NAME
from dubline.domain.languages import LANGUAGES
from dubline.media.inputs import check_file, printable
from dubline.media.intake import take_in
from dubline.storage.artifacts import reference
from dubline.storage.results import ArtifactRef
from dubline.watching import options, outcome
from dubline.watching.folder import (
    DEFAULTS,
    REASON,
    SIDECAR,
    Drop,
    Entry,
    Folder,
    Kind,
    drops,
    is_sidecar,
    texts,
    video_of,
)
from dubline.watching.following import OWNER_S, Following, Told, problems
from dubline.watching.ledger import Identity, Ledger, Row, State
from dubline.watching.options import Options
from dubline.watching.ready import Looks, Still, Unsettled
from dubline.watching.runs import Runs

READERS = 2
"""Files that are hashed and examined at once: a disk reads no faster for more."""
INTAKE_S = 10.0
"""After so long no further file is taken in before what has ended was put away."""
SUBMITTERS = 8
"""Files that are taken in at once; most of that is waiting for the database and the orchestrator."""


def accepted(file: ArtifactRef) -> None:
    """Raises InvalidMedia where ffprobe finds no video that can be dubbed."""
    take_in(file)


class _Texts:
    """The texts that were in the folder at one look."""

    def __init__(self, folder: Folder, looks: Looks, entries: list[Entry]) -> None:
        self._folder, self._looks = folder, looks
        self.entries = {entry.name: entry for entry in entries}

    def without_video(self) -> list[str]:
        """Sidecars that came too late or too early, or whose video was renamed: they hold for the next of that name."""
        sidecars = [name for name in self.entries if is_sidecar(name) and video_of(name) not in self.entries]
        return list(filter(self._looks.is_still, sidecars))

    def options(self, name: str) -> Options:
        """Raises what `_read` raises, and InvalidRequest for what is wrong in it."""
        read = partial(self._read, at_most=options.MAX_GLOSSARY_BYTES)
        return options.parse(self._read(name, options.MAX_BYTES), name, read)

    def _read(self, name: str, at_most: int) -> bytes:
        """Raises FileNotFoundError, InvalidRequest, and Unsettled while somebody is at it."""
        entry = self.entries.get(name)
        if entry is None:
            raise FileNotFoundError(name)
        if not self._looks.is_still(name):
            raise Unsettled
        _require_plain(entry)
        content = self._folder.read(name, at_most)
        if self._folder.stamp(name) != entry.stamp:
            raise Unsettled
        return content


@dataclass(frozen=True, slots=True)
class _Choices:
    """How drops are to be dubbed, as said at one look; `defaults` where a sidecar says nothing."""

    texts: _Texts
    defaults: Options

    def of(self, drop: Drop) -> Options:
        """Raises what `_Texts.options` raises, and InvalidRequest where no language is said."""
        said = self.texts.options(drop.sidecar.name) if drop.sidecar else Options()
        return options.complete(said.over(self.defaults), drop.name)


def _require_plain(entry: Entry) -> None:
    if entry.kind is not Kind.FILE:
        raise InvalidRequest(f"{printable(entry.name)} is a folder, a link or a device; put the file itself there.")


def _require_short(name: str) -> None:
    """Results are called `clip.es.burned.mp4`; nobody is to learn after hours that no file can have such a name."""
    room = MAX_NAME - len(f".{'x' * max(map(len, LANGUAGES))}.burned.mp4")
    if len(os.fsencode(PurePosixPath(name).stem)) > room:
        raise InvalidRequest(f"The name is too long for those of the results; make it shorter than {room} bytes.")


class Watcher:
    """Watches one folder. `accept` looks into a file and raises InvalidMedia where it is no complete video."""

    def __init__(
        self,
        folder: Folder,
        ledger: Ledger,
        runs: Runs,
        looks: Looks,
        defaults: Options | None = None,
        accept: Callable[[ArtifactRef], None] = accepted,
        owner_s: float = OWNER_S,
    ) -> None:
        self.folder, self.looks = folder, looks
        self._ledger, self._following = ledger, Following(folder, ledger, runs, owner_s)
        self._defaults, self._accept = defaults or Options(), accept

    async def tick(self, *, thorough: bool = False) -> Told:
        """Look once. `thorough` looks into the working folders, too: for what a killed watcher or a retry left.

        Raises OutputUnavailable when the folder cannot be used, ServiceUnavailable when the database or the
        orchestrator does not answer; nothing is lost then, and a later tick goes on.
        """
        told = Told()
        try:
            entries = await asyncio.to_thread(self.folder.entries)
            ready = self.looks.see(drops(entries), texts(entries))
            said = _Texts(self.folder, self.looks, entries)
            told.problems += [f"{printable(name)} has no video beside it." for name in said.without_video()]
            defaults = await asyncio.to_thread(self._folder_options, said, told)
            if defaults is not None:
                await self._take_all(ready, _Choices(said, defaults), told)
            await self._following.sweep(told)
            if thorough:
                await self._following.sweep_working_folders(told)
        except OSError as error:
            raise OutputUnavailable(
                f"The watched folder {self.folder.key} cannot be used ({error}); make it readable and writable."
            ) from error
        return told

    async def busy(self) -> bool:
        """Whether anything that was taken in here has not come to its end."""
        return bool(await self._ledger.open_rows(self.folder.key))

    def _folder_options(self, texts: _Texts, told: Told) -> Options | None:
        """What holds for the whole folder. None while its file is wrong or changes: then nothing is taken in, rather
        than all moved to failed/ for one slip."""
        try:
            said = texts.options(DEFAULTS) if DEFAULTS in texts.entries else Options()
        except (Unsettled, FileNotFoundError):
            return None
        except InvalidRequest as error:
            told.problems.append(str(error))
            reason = f"{error}\nNothing is taken in until then.\n"
            if DEFAULTS + REASON not in texts.entries or self.folder.read(DEFAULTS + REASON) != reason.encode():
                self.folder.write(DEFAULTS + REASON, reason)
            return None
        if DEFAULTS + REASON in texts.entries:
            self.folder.remove(DEFAULTS + REASON)
        return said.over(self._defaults)

    async def _take_all(self, ready: list[Still], choices: _Choices, told: Told) -> None:
        at_once, reading = asyncio.Semaphore(SUBMITTERS), asyncio.Semaphore(READERS)
        enough = time.monotonic() + INTAKE_S

        async def take(still: Still) -> None:
            async with at_once:
                if time.monotonic() > enough:
                    told.left += 1
                    return
                with problems(still.drop.name, told, partial(self.looks.put_off, still.drop)):
                    await self._take(still, choices, reading, told)

        await asyncio.gather(*map(take, ready))

    async def _take(self, still: Still, choices: _Choices, reading: asyncio.Semaphore, told: Told) -> None:
        drop = still.drop
        try:
            async with reading:
                identity = await asyncio.to_thread(self._examine, drop, choices)
            await self._take_in(drop, identity, told)
        except Unsettled:
            return
        except DublineError as error:
            if error.retryable:
                raise
            if still.patience_over:
                await asyncio.to_thread(outcome.refuse, self.folder, drop.name, drop.video.stamp, str(error))
                told.failed.append(drop.name)
            else:
                self.looks.refuse(drop)

    def _examine(self, drop: Drop, choices: _Choices) -> Identity:
        """Content and options of a complete video.

        Raises Unsettled, InvalidRequest, InvalidMedia, and FileNotFoundError where it went.
        """
        _require_plain(drop.video)
        _require_short(drop.name)
        if self.folder.being_written(drop.name):
            raise Unsettled
        try:
            chosen = choices.of(drop)
            with self.folder.local(drop.name) as path:
                check_file(path)
                file = reference(path)
                self._accept(file)
        except (InvalidMedia, InvalidRequest):
            if self._unchanged(drop):
                raise
            raise Unsettled from None
        if not self._unchanged(drop):
            raise Unsettled
        return Identity(folder=self.folder.key, content=file.sha256, options=chosen)

    def _unchanged(self, drop: Drop) -> bool:
        sidecar = drop.sidecar.stamp if drop.sidecar else None
        stamp = self.folder.stamp
        return stamp(drop.name) == drop.video.stamp and stamp(drop.name + SIDECAR) == sidecar

    async def _take_in(self, drop: Drop, identity: Identity, told: Told) -> None:
        row, ours = await self._admit(identity, drop.name)
        if row.state is State.NEW and not ours and not self._following.abandoned(row):
            return  # another scanner is at it
        sidecar = drop.sidecar.stamp if drop.sidecar else None
        await asyncio.to_thread(outcome.note_taken, self.folder, row, drop.name, sidecar)
        wanted = f"{outcome.incoming(row)}/{drop.name}"
        place = await asyncio.to_thread(self.folder.move_aside, drop.name, wanted, drop.video.stamp)
        if place is None:
            if ours:
                await self._following.forget(row)
            return
        if drop.sidecar:
            await asyncio.to_thread(self.folder.move, drop.sidecar.name, place + SIDECAR)
        if row.state is State.NEW:
            await self._following.submit(row, told)
        elif row.state is State.DONE:
            await self._following.settle(row, told)

    async def _admit(self, identity: Identity, name: str) -> tuple[Row, bool]:
        """The attempt that this drop belongs to, and whether it was begun for it.

        A video that failed, or whose results were removed since, is tried anew; everything else is known.
        """
        while True:
            last = await self._ledger.latest(identity)
            if last is not None and not await asyncio.to_thread(self._to_be_tried_anew, last):
                return last, False
            if last != await self._ledger.latest(identity):
                continue  # another scanner put its outcome away while we looked for it
            made = await self._ledger.insert(identity, last.attempt + 1 if last else 1, name)
            if made is not None:
                if last is not None:
                    await asyncio.to_thread(outcome.retire, self.folder, last)
                return made, True

    def _to_be_tried_anew(self, row: Row) -> bool:
        return row.state is State.FAILED or (row.state is State.DONE and outcome.gone(self.folder, row))
