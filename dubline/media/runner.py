"""Start ffmpeg and ffprobe, watch them, and tell what went wrong in the terms of Dubline's errors.

A tool gets an argument list, no input, and dies with this process; `sandbox` has what it may not do.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import ffmpeg
import psutil

from dubline.domain.errors import InvalidMedia, MediaToolFailed, OutputUnavailable
from dubline.media.inputs import MAX_STREAMS, printable, probing_arguments, shown
from dubline.media.sandbox import started
from dubline.settings import settings

Progress = Callable[[float], None]
"""Called with the finished share of the work, 0..1, never decreasing."""

_TAIL = 64 * 1024
"""Bytes of stderr that are kept; broken media can make a decoder write gigabytes."""
_MOST = 64 << 20
"""Bytes of stdout, or of one of its lines: what ffprobe tells of a file of 128 streams is well below one of these."""
_DISK = re.compile(r": (No space left on device|Disk quota exceeded|Read-only file system|File too large)$", re.M)
"""At the end of a line only: a name inside the line is the user's."""
_MEMORY = "it takes more memory than DUBLINE_MEDIA_MEMORY_MB allows"
_BAD_INPUT = {
    "not on whitelist": "it is a playlist or another file that is not a video",
    "exceeds specified max pixel count": "its picture is larger than 8K",
    "exceeds max_streams parameter": f"it has more than {MAX_STREAMS} streams",
    "Cannot allocate memory": _MEMORY,
    "malloc of size": _MEMORY,
    "moov atom not found": "it is truncated or not a video",
    "partial file": "it looks truncated",
    ": End of file": "it looks truncated",
    "Decoder (codec": "ffmpeg has no decoder for one of its streams",
    "Decoding requested, but no decoder found": "ffmpeg has no decoder for one of its streams",
    "matches no streams": "a stream that it announced is missing",
    "Could not find codec parameters": "it is damaged",
    "Invalid data found when processing input": "it is damaged or not a video",
}
"""What ffmpeg says of a file, and what that means; the first that is found counts."""
_DETECTED = re.compile(r"\] Format (\S+) probed with size=")
_TOO_MANY_DECODE_ERRORS = 69
"""ffmpeg's exit status when more than two thirds of the frames could not be decoded (-max_error_rate)."""
_BUSY = 0.2
"""Cores that a tool used in the mean. Below, it hung or waited; above, it was at work on what the file
holds, be it on a machine that many tools share."""


@dataclass(frozen=True, slots=True)
class ToolOutput:
    stdout: str
    """Empty where a line handler took it."""
    stderr: str
    """The last 64 KiB."""


def run_ffmpeg(
    stream_or_args: Any,
    *,
    reading: Path | None = None,
    progress: Progress | None = None,
    duration_ms: int | None = None,
    timeout_s: float | None = None,
    loglevel: str = "error",
) -> ToolOutput:
    """Run ffmpeg on an ffmpeg-python stream or on an argument list; both go without the options that are set here.

    `reading` is the user's file among the inputs, None where all are our own. `progress` is called when `duration_ms`
    of output is known; the default time limit is DUBLINE_MEDIA_TIMEOUT_S. Raises InvalidMedia when the user's file
    cannot be decoded, OutputUnavailable when the disk is full, MediaToolFailed for a crash or when time ran out.
    """
    arguments = stream_or_args if isinstance(stream_or_args, list) else ffmpeg.get_args(stream_or_args)
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", loglevel, "-y"]
    if progress is None or not duration_ms:
        return _run([*command, *arguments], reading, timeout_s, None)
    output = _run([*command, "-progress", "pipe:1", *arguments], reading, timeout_s, _reporter(progress, duration_ms))
    progress(1.0)
    return output


def run_ffprobe(
    arguments: Sequence[str],
    *,
    reading: Path,
    on_line: Callable[[str], None] | None = None,
    timeout_s: float | None = None,
) -> ToolOutput:
    """Run ffprobe on a user's file; `on_line` takes stdout line by line. Raises as `run_ffmpeg` does."""
    return _run(["ffprobe", "-hide_banner", "-loglevel", "error", *arguments], reading, timeout_s, on_line)


def run_python(
    module: str, arguments: Sequence[str], *, reading: Path, on_line: Callable[[str], None] | None = None
) -> ToolOutput:
    """Run a module of ours that opens a user's file itself, confined as ffmpeg is. Raises what `run_ffmpeg` does.

    Nothing is imported from the current folder (-P): it is the user's.
    """
    return _run([sys.executable, "-P", "-m", module, *arguments], reading, None, on_line)


def detected_container(path: Path) -> str | None:
    """ffmpeg's name of the container that it takes a user's file for. A demuxer that is not listed opens nothing."""
    command = ["ffprobe", "-hide_banner", "-loglevel", "debug", *probing_arguments(path)]
    with started(command) as process:
        _, said = _drain(process, time.monotonic() + settings().media_timeout_s, None)
    found = _DETECTED.search(said)
    return found.group(1).partition(",")[0] if found else None


def _reporter(progress: Progress, duration_ms: int) -> Callable[[str], None]:
    """Turn the lines of `-progress` into a share that never decreases."""
    best = 0.0

    def on_line(line: str) -> None:
        nonlocal best
        name, _, value = line.partition("=")
        if name == "out_time_us" and value.lstrip("-").isdigit():
            share = min(int(value) / 1000 / duration_ms, 1.0)
            if share > best:
                best = share
                progress(share)

    return on_line


def _run(
    command: list[str], reading: Path | None, timeout_s: float | None, on_line: Callable[[str], None] | None
) -> ToolOutput:
    limit = timeout_s if timeout_s is not None else settings().media_timeout_s
    with started(command) as process:
        try:
            captured, errors = _drain(process, time.monotonic() + limit, on_line)
            status = process.wait(timeout=limit)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise _too_long(command[0], reading, limit, _cpu_s(process.pid)) from None
        except OverflowError:
            about = f" of '{shown(reading)}'" if reading else ""
            raise InvalidMedia(f"{command[0]} says endless things{about}; try another copy or another file.") from None
    _judge(command, reading, status, errors)
    return ToolOutput(captured, errors)


def _too_long(tool: str, reading: Path | None, limit: float, cpu_s: float) -> InvalidMedia | MediaToolFailed:
    """A file that keeps a tool busy will do so again; a tool that hangs may not hang the next time."""
    remedy = "raise DUBLINE_MEDIA_TIMEOUT_S"
    if reading is None:
        return MediaToolFailed(f"{tool} ran longer than {limit:g} s; {remedy}.")
    if cpu_s > _BUSY * limit:
        return InvalidMedia(f"'{shown(reading)}' keeps {tool} busy for more than {limit:g} s; {remedy} if it may.")
    return MediaToolFailed(f"{tool} ran longer than {limit:g} s on '{shown(reading)}'; {remedy}.")


def _cpu_s(pid: int) -> float:
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:  # it closed its pipes and ended, just now
        return 0.0
    return used.user + used.system


def _drain(process: subprocess.Popen[bytes], deadline: float, on_line: Callable[[str], None] | None) -> tuple[str, str]:
    """Read both pipes until they close; (stdout that nobody took, tail of stderr).

    Raises TimeoutError, and OverflowError when nobody could want that much.
    """
    assert process.stdout is not None and process.stderr is not None  # noqa: S101 - both were asked for as pipes
    rest, tail = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready or time.monotonic() > deadline:  # one that never stops talking is always ready
                raise TimeoutError
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    tail += data
                    del tail[:-_TAIL]
                else:
                    rest += data
                    _hand_on(rest, on_line)
            if len(rest) > _MOST:
                raise OverflowError
    return rest.decode(errors="replace"), tail.decode(errors="replace")


def _hand_on(rest: bytearray, on_line: Callable[[str], None] | None) -> None:
    """Give complete lines to the handler and keep the beginning of the next one."""
    if on_line is None:
        return
    *lines, last = bytes(rest).split(b"\n")
    rest[:] = last
    for line in lines:
        on_line(line.decode(errors="replace").strip())


def _judge(command: list[str], reading: Path | None, status: int, errors: str) -> None:
    """Raise what the exit status and the messages say. A full disk is told in messages even with status 0."""
    full = _DISK.search(errors)
    if full is not None:
        outputs = [word[5:] for before, word in pairwise(command) if word.startswith("file:") and before != "-i"]
        place = f" below {Path(outputs[0]).parent}" if outputs else ""
        raise OutputUnavailable(f"Cannot write{place}: {full.group(1)}; make room or set DUBLINE_HOME to another disk.")
    if status == 0:
        return
    lines = [line.strip() for line in errors.splitlines() if line.strip() and "Conversion failed" not in line]
    last = printable("; ".join(dict.fromkeys(lines[-4:]))) if lines else "no message"
    meaning = next((said for text, said in _BAD_INPUT.items() if text in errors), None)
    if status == -signal.SIGXFSZ:
        meaning = last = "what would be written for it is larger than DUBLINE_MEDIA_FILE_MB allows"
    elif status == _TOO_MANY_DECODE_ERRORS and meaning != _MEMORY:
        meaning = "most of it cannot be decoded, it is damaged"
    if reading is not None and meaning is not None:
        raise InvalidMedia(f"'{shown(reading)}' cannot be read: {meaning}; try another copy or another file.")
    raise MediaToolFailed(f"{command[0]} failed with exit status {status}: {last}")
