"""Follow what was taken in to its end: create its run, ask how it stands, put its outcome away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dubline.domain.errors import DublineError, InvalidRequest
from dubline.media.inputs import printable
from dubline.watching import outcome
from dubline.watching.folder import WORK, Folder
from dubline.watching.ledger import Ledger, Row, State
from dubline.watching.runs import Runs, Standing, Submission

OWNER_S = 60.0
"""How long a row without a run is left to the scanner that made it."""
NO_RESULTS = Standing(
    False, "The run ended well but left no results in the folder; let worker and watcher see the same storage."
)
DELETED = Standing(False, "Its flow run was deleted before it ended.")


@dataclass(slots=True)
class Told:
    """What one look led to: names of files."""

    submitted: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Sentences about what could not be done now, and is tried again."""
    running: int = 0
    left: int = 0
    """Files that are ready, for which this look had no time."""


class Following:
    """The rows of one folder's ledger, and the runs that were created for them."""

    def __init__(self, folder: Folder, ledger: Ledger, runs: Runs, owner_s: float) -> None:
        self._folder, self._ledger, self._runs, self._owner_s = folder, ledger, runs, owner_s

    async def submit(self, row: Row, told: Told) -> None:
        """Create the run of a row whose video is in its working folder; nothing happens where it is not."""
        waiting = await asyncio.to_thread(outcome.videos, self._folder, row)
        if not waiting:
            return
        submission = Submission(
            key=row.key,
            name=row.name,
            video=self._folder.address(f"{outcome.incoming(row)}/{waiting[0]}"),
            out=self._folder.address(outcome.outgoing(row)),
            options=row.options,
        )
        try:
            made = await self._runs.submit(submission)
        except InvalidRequest as error:
            await self._finish(row, State.FAILED, str(error), told)
            return
        if await self._ended_before(row, made.standing):
            await self._begin_anew(row, told)
        elif await self._ledger.submitted(row, made.run):
            told.submitted.append(row.name)

    async def _ended_before(self, row: Row, standing: Standing) -> bool:
        """Whether a run with the row's key ended in the time of a ledger that was lost, and left nothing."""
        if standing.succeeded:
            return not await asyncio.to_thread(self._folder.exists, outcome.outgoing(row))
        return standing.succeeded is False

    async def _begin_anew(self, row: Row, told: Told) -> None:
        later = await self._ledger.begin_anew(row)
        if later is not None:
            await asyncio.to_thread(outcome.carry_over, self._folder, row, later)
            await self.submit(later, told)

    async def sweep(self, told: Told) -> None:
        """Go on with everything that is under way."""
        rows = await self._ledger.open_rows(self._folder.key)
        standings = await self._runs.standings([row.run for row in rows if row.run])
        for row in sorted(rows, key=lambda row: row.run is None):  # what has ended waits for no submission
            with problems(row.name, told):
                if row.run is None:
                    await self._resume(row, told)
                else:
                    await self._conclude(row, standings.get(row.run, DELETED), told)

    async def _resume(self, row: Row, told: Told) -> None:
        """A row without a run: its scanner was killed, or the orchestrator did not answer."""
        # Dropped or taken in, in this order: a file moves from the one to the other.
        dropped = await asyncio.to_thread(self._folder.exists, row.name)
        if await asyncio.to_thread(outcome.videos, self._folder, row):
            await asyncio.to_thread(outcome.fetch_sidecar, self._folder, row)
            await self.submit(row, told)
        elif not dropped and self.abandoned(row):
            await self.forget(row)

    async def forget(self, row: Row) -> None:
        """Its video went before its run was created."""
        if await self._ledger.forget(row):
            await asyncio.to_thread(outcome.clear, self._folder, row.work)

    async def _conclude(self, row: Row, standing: Standing, told: Told) -> None:
        if standing.succeeded is None:
            told.running += 1
            return
        if standing.succeeded and not await asyncio.to_thread(self._folder.exists, outcome.outgoing(row)):
            standing = NO_RESULTS
        state = State.DONE if standing.succeeded else State.FAILED
        await self._finish(row, state, standing.message or None, told)

    async def _finish(self, row: Row, state: State, reason: str | None, told: Told) -> None:
        reason = printable(reason) if reason else None
        if await self._ledger.finished(row, state, reason):
            (told.done if state is State.DONE else told.failed).append(row.name)
            await self._put_away(row.model_copy(update={"state": state, "reason": reason, "result": None}))

    async def settle(self, row: Row, told: Told) -> None:
        """Put away what is left of an outcome that is known."""
        if await self._put_away(row):
            (told.done if row.state is State.DONE else told.failed).append(row.name)

    async def _put_away(self, row: Row) -> bool:
        """Put the outcome where the ledger says, deciding that first. Whether anything was left to do."""
        free = outcome.places(self._folder, row)
        while row.result is None:
            row = await self._decided(row, await asyncio.to_thread(next, free)) or row
        put = outcome.put_done if row.state is State.DONE else outcome.put_failed
        return await asyncio.to_thread(put, self._folder, row)

    async def _decided(self, row: Row, place: str) -> Row | None:
        """The row with its place; None where that is another's, of which something lies there or comes there."""
        decided = await self._ledger.settled_at(row, place)
        other = None if decided else await self._ledger.settled_to(row.folder, place)
        if other is None:
            return decided
        vacant: bool = await asyncio.to_thread(outcome.gone, self._folder, other)
        if not vacant:
            return None
        await self._ledger.release(other)
        return await self._ledger.settled_at(row, place)

    async def sweep_working_folders(self, told: Told) -> None:
        names = await asyncio.to_thread(self._folder.folders, WORK)
        rows = await self._ledger.of_work(names)
        failed = [row.run for row in rows.values() if row.state is State.FAILED and row.run]
        standings = await self._runs.standings(failed)
        for name in names:
            with problems(name, told):
                row = rows.get(name)
                if row is None:
                    await self._adopt(name, told)
                elif row.folder == self._folder.key and row.state is State.DONE:
                    await self.settle(row, told)
                elif row.folder == self._folder.key and row.state is State.FAILED:
                    await self._look_again(row, standings.get(row.run or "", DELETED), told)
        await asyncio.to_thread(outcome.tidy, self._folder, self._owner_s)

    async def _adopt(self, work: str, told: Told) -> None:
        """A working folder that no row knows: the ledger was lost or replaced. Its run goes on, or has ended."""
        taken = await asyncio.to_thread(outcome.taken, self._folder, work)
        if taken is None or not await asyncio.to_thread(outcome.holds_video, self._folder, work):
            await asyncio.to_thread(outcome.give_back, self._folder, work)
        elif row := await self._ledger.insert(taken.identity, taken.attempt, taken.name):
            await self._resume(row, told)

    async def _look_again(self, row: Row, standing: Standing, told: Told) -> None:
        """A failed run may have been retried by a person since; then its video is fetched back from failed/."""
        if standing.succeeded is None:
            return  # it is retried just now
        if standing.succeeded and await asyncio.to_thread(self._folder.exists, outcome.outgoing(row)):
            await asyncio.to_thread(outcome.take_back, self._folder, row)
            await self._finish(row, State.DONE, None, told)
        elif await asyncio.to_thread(outcome.unsettled, self._folder, row):
            known = await self._ledger.of_work([row.work])
            if known[row.work].state is State.FAILED:  # still: another scanner may have put a retry's results away
                await self.settle(row, told)

    def abandoned(self, row: Row) -> bool:
        """Whether a row without a run is not being worked at any more."""
        return (datetime.now(UTC) - row.created).total_seconds() > self._owner_s


@contextmanager
def problems(name: str, told: Told, failed: Callable[[], None] = lambda: None) -> Iterator[None]:
    """What is wrong with one file holds up no other; `failed` is called then."""
    try:
        yield
        return
    except FileNotFoundError:
        return  # deleted or renamed while we looked; under its new name it is seen again
    except OSError as error:
        problem = f"{name} cannot be moved or read now ({error}); it is tried again."
    except DublineError as error:
        problem = f"{name}: {error}"
    except Exception as error:  # noqa: BLE001 - whatever a file makes of a fault of ours, the others are not to wait
        problem = f"{name}: {type(error).__name__}: {error}; this is a fault, please report it."
    told.problems.append(printable(problem))
    failed()
