"""Ask ClamAV about a user's file before any decoder opens it (DUBLINE_CLAMD).

The file's bytes are streamed to clamd (clamd(8), INSTREAM), so it may run anywhere and needs no access to our files.
What is not known to be clean is not opened: an answer that is none, a stream that is too long, a clamd that is gone.
A clean file is asked about again when clamd's signatures have changed.
"""

from __future__ import annotations

import re
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256 as digest_of
from pathlib import Path
from urllib.parse import urlsplit

from dubline.domain.errors import InfectedMedia, InvalidMedia, ServiceUnavailable
from dubline.media.inputs import printable, shown
from dubline.settings import settings
from dubline.storage.places import LocalPlace

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 600.0
"""clamd scans when all has arrived; large files take it minutes."""
_CHUNK = 1 << 20
_MAX_ANSWER = 4096
_FOUND = re.compile(r"stream: (.+) FOUND")
_TOO_LONG = "INSTREAM size limit exceeded"


def require_clean(path: Path, sha256: str) -> None:
    """Nothing happens where DUBLINE_CLAMD is empty, or clamd found this content (`sha256`) clean before.

    Raises InfectedMedia with the signature's name, InvalidMedia when clamd cannot judge the file, ServiceUnavailable
    when clamd does not answer.
    """
    if not settings().clamd:
        return
    known = digest_of(f"{sha256} {version()}".encode()).hexdigest()
    verdicts = LocalPlace(settings().cache)
    if verdicts.stat(f"scanned/{known}") is None:
        _judge(path, _scan(path))
        verdicts.write(f"scanned/{known}", b"")


def version() -> str:
    """Of clamd and its signatures, as `ClamAV 1.4.6/27800/Sat Nov 22 08:21:01 2026`. Raises ServiceUnavailable."""
    with _connected() as clamd:
        clamd.sendall(b"zVERSION\0")
        said = _answer(clamd)
    if not said.startswith("ClamAV "):
        raise ServiceUnavailable(f"What answers at {settings().clamd} is not clamd ({said}); check DUBLINE_CLAMD.")
    return said


def _scan(path: Path) -> str:
    """clamd's answer about a file. It comes early, and ends the connection, when clamd has had enough."""
    with _connected() as clamd, path.open("rb") as file:
        clamd.sendall(b"zINSTREAM\0")
        try:
            while piece := file.read(_CHUNK):
                if select.select([clamd], [], [], 0)[0]:
                    return _answer(clamd)
                clamd.sendall(struct.pack("!I", len(piece)) + piece)
            clamd.sendall(struct.pack("!I", 0))
        except (BrokenPipeError, ConnectionResetError):
            return _answer(clamd)  # what it said before it hung up
        return _answer(clamd)


def _judge(path: Path, said: str) -> None:
    if said == "stream: OK":
        return
    if found := _FOUND.fullmatch(said):
        raise InfectedMedia(f"'{shown(path)}' is not opened: ClamAV found {found[1]} in it; use another file.")
    if said.startswith(_TOO_LONG):
        raise InvalidMedia(
            f"'{shown(path)}' is not opened: it is larger than clamd takes; raise StreamMaxLength in clamd.conf."
        )
    raise InvalidMedia(f"'{shown(path)}' is not opened: clamd could not judge it ({said}); look into clamd's log.")


@contextmanager
def _connected() -> Iterator[socket.socket]:
    where = settings().clamd
    try:
        with _connect(where) as clamd:
            clamd.settimeout(ANSWER_TIMEOUT_S)
            yield clamd
    except (TimeoutError, ConnectionError, FileNotFoundError, PermissionError, socket.gaierror) as error:
        reason = error.strerror or "it takes too long"
        raise ServiceUnavailable(f"clamd at {where} does not answer ({reason}); start it and try again.") from error


def _connect(where: str) -> socket.socket:
    if where.startswith("unix:"):
        clamd = socket.socket(socket.AF_UNIX)
        clamd.settimeout(CONNECT_TIMEOUT_S)
        try:
            clamd.connect(where.removeprefix("unix:"))
        except OSError:
            clamd.close()
            raise
        return clamd
    parts = urlsplit(where)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=CONNECT_TIMEOUT_S)


def _answer(clamd: socket.socket) -> str:
    """One answer, which ends with NUL or with the connection. Raises ConnectionError when there is none."""
    said = b""
    while b"\0" not in said and len(said) < _MAX_ANSWER:
        piece = clamd.recv(_MAX_ANSWER)
        if not piece:
            break
        said += piece
    if not said:
        raise ConnectionResetError(0, "it hung up")
    return printable(said.partition(b"\0")[0].decode(errors="replace").strip())
