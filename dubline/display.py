"""What a person sees while a run goes on: every stage, its percent, and the time left."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dubline.estimate import Estimate
from dubline.telemetry.progress import Event, StageProgress, listening

REFRESH_HZ = 4


class Display:
    """A live table on a terminal; elsewhere one line for each stage that ends."""

    def __init__(self, languages: tuple[str, ...], console: Console) -> None:
        self.estimate = Estimate(60.0, languages)  # a minute is assumed until the length is known
        self._stages: dict[str, StageProgress] = {}
        self._console = console
        self._guard = threading.Lock()

    def heard(self, event: Event) -> None:
        with self._guard:
            self.estimate.observe(event)
            if not isinstance(event, StageProgress):
                return
            known = self._stages.get(event.stage)
            # A cached stage tells nothing but that; its task may still say that it is done.
            if known and known.state == "cached":
                return
            self._stages[event.stage] = event
        if not self._console.is_terminal and event.state != "running":
            self._console.print(f"{event.stage:<22} {event.state:<7} {self._overall()}")

    def __rich__(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        with self._guard:
            for event in self._stages.values():
                grid.add_row(event.stage, _mark(event))
        grid.add_row(Text("all", style="bold"), Text(self._overall(), style="bold"))
        return grid

    def _overall(self) -> str:
        if not self.estimate.known:
            return f"{self.estimate.fraction:4.0%}, {'loading models' if self.estimate.loading else 'preparing'}"
        left = math.ceil(self.estimate.remaining_s)
        return f"{self.estimate.fraction:4.0%}, about {left // 60}:{left % 60:02d} left"


def _mark(event: StageProgress) -> Text:
    if event.state == "running":
        return Text(f"{event.fraction:4.0%}", style="yellow")
    style = {"done": "green", "cached": "cyan", "failed": "red"}[event.state]
    return Text(event.state, style=style)


@contextmanager
def shown(languages: tuple[str, ...], quiet: bool) -> Iterator[Display]:
    """Show the run on standard error while the block runs, or nothing at all when `quiet`."""
    console = Console(file=sys.stderr, quiet=quiet, highlight=False)
    display = Display(languages, console)
    with listening(display.heard):
        if quiet or not console.is_terminal:
            yield display
        else:
            with Live(display, console=console, refresh_per_second=REFRESH_HZ):
                yield display
