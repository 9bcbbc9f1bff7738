"""Where ffmpeg and ffprobe run: without sockets, with bounded memory and files, and not longer than who started them.

A decoder that reads foreign bytes may be made to do what their author likes. So it gets no network (a seccomp filter
refuses the calls that make sockets, or that lead around the filter or into other processes), no new privileges, a limit
on its memory and on each file that it writes. The filter belongs to a thread and to all that the thread starts, so a
thread that lives as long as the tool takes it on itself: that needs no user namespace, no privileges, no code between
fork and exec, and no time. `prlimit` and `setpriv` (util-linux) do the rest.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from dubline.domain.errors import ModelMissing
from dubline.settings import settings

_REFUSED = {
    # name: (x86_64, aarch64), from the kernel's tables of system calls
    "socket": (41, 198),
    "socketpair": (53, 199),
    "io_uring_setup": (425, 425),  # makes sockets of its own
    "pidfd_getfd": (438, 438),  # takes those of others
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_... of linux/audit.h; the order is that of the numbers above."""
_OTHER_ABI = 0x4000_0000
"""x32's calls on x86_64 are numbered from here; on aarch64 there is none."""

_SET_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
"""PR_... of linux/prctl.h, SECCOMP_MODE_FILTER."""
_ALLOW, _REFUSE, _KILL = 0x7FFF_0000, 0x0005_0000 | errno.EACCES, 0x8000_0000
"""SECCOMP_RET_... of linux/seccomp.h."""
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of linux/bpf_common.h."""
_NUMBER, _ARCHITECTURE = 0, 4
"""Where in struct seccomp_data they are."""
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tool gets, in bytes."""

    memory: int
    """Heap, private mappings and the stacks of threads (RLIMIT_DATA)."""
    file: int
    """Each file that it writes (RLIMIT_FSIZE)."""


def limits() -> Limits:
    """The settings, or less where this process has less itself."""
    chosen = settings()
    return Limits(
        _at_most(resource.RLIMIT_DATA, chosen.media_memory_mb * _MB),
        _at_most(resource.RLIMIT_FSIZE, chosen.media_file_mb * _MB),
    )


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a tool confined, with pipes for what it says; it is dead when the block is left.

    It stays in our process group, so Ctrl-C reaches it. The kernel kills it with this process, whatever ends that.
    Raises ModelMissing when a program is not installed or the kernel cannot confine a tool.
    """
    require("setpriv", "prlimit", command[0])
    allowed = limits()
    bounds = [f"--data={allowed.memory}", f"--fsize={allowed.file}", "--core=0"]
    keeper = _Keeper(["setpriv", "--pdeathsig", "KILL", "--", "prlimit", *bounds, "--", *command])
    try:
        keeper.start()
        yield keeper.tool.result()
    finally:
        keeper.over.set()
        if keeper.ident is not None:  # else an interruption came before it was started
            keeper.join()


def require(*programs: str) -> None:
    """Raises ModelMissing with the package to install."""
    missing = next((name for name in programs if shutil.which(name) is None), None)
    if missing:
        package = "util-linux" if missing in {"setpriv", "prlimit"} else "ffmpeg"
        raise ModelMissing(f"The program '{missing}' is not installed; run: sudo apt-get install {package}.")


def confine() -> None:
    """Take sockets and new privileges from the calling thread and all that it starts; there is no way back.

    Raises ModelMissing where the kernel cannot.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise _unconfinable(f"there is no filter for {machine}")
    code = _filter(machine)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        raise _unconfinable(f"seccomp: {os.strerror(ctypes.get_errno())}")


def trial() -> None:
    """Find out in a thread of its own whether confinement holds here. Raises ModelMissing where it does not."""

    def attempt() -> None:
        confine()
        try:
            socket.socket().close()
        except PermissionError:
            return
        raise _unconfinable("the filter was taken, and sockets can be made all the same")

    with ThreadPoolExecutor(1) as thread:
        thread.submit(attempt).result()


class _Keeper(threading.Thread):
    """Starts a tool and stays until it is over: the kernel kills the tool when the thread that started it ends."""

    def __init__(self, command: list[str]) -> None:
        super().__init__(name=f"keeps {command[-1]}", daemon=True)
        self._command = command
        self.tool: Future[subprocess.Popen[bytes]] = Future()
        self.over = threading.Event()

    def run(self) -> None:
        try:
            if settings().sandbox == "on":
                confine()
            process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except (ModelMissing, OSError) as error:
            self.tool.set_exception(error)
            return
        with process:
            self.tool.set_result(process)
            self.over.wait()
            process.kill()


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _filter(machine: str) -> bytes:
    """The filter's instructions, each a struct sock_filter: code, jump if true, jump if false, operand."""
    column = list(_ARCHITECTURES).index(machine)
    tests = [(_AT_LEAST, _OTHER_ABI), *((_EQUAL, numbers[column]) for numbers in _REFUSED.values())]
    return b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in (
            (_LOAD, 0, 0, _ARCHITECTURE),
            (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
            (_RETURN, 0, 0, _KILL),
            (_LOAD, 0, 0, _NUMBER),
            *((test, len(tests) - at, 0, number) for at, (test, number) in enumerate(tests)),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _REFUSE),
        )
    )


def _at_most(kind: int, wanted: int) -> int:
    _, hard = resource.getrlimit(kind)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _unconfinable(reason: str) -> ModelMissing:
    return ModelMissing(
        f"This machine cannot run ffmpeg without network ({reason}); run it elsewhere, or set DUBLINE_SANDBOX=off "
        "where all videos come from people you trust."
    )
