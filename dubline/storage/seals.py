"""Encryption at rest: what belongs to a session is sealed with a key of its own, and is gone when that key is.

The session's random key lies in the database, wrapped by a key that lies outside it, in the file DUBLINE_KEY_FILE. What
is sealed is cut in chunks, each of them AES-256-GCM (NIST SP 800-38D) with a random nonce. Session, file, the chunk's
number and whether it is the last one are authenticated with it, so no chunk can be changed, moved, swapped or left out
unnoticed (the construction is STREAM's: Hoang, Reyhanitabar, Rogaway and Vizar, 2015).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dubline.domain.errors import OutputUnavailable
from dubline.settings import settings

CHUNK = 1 << 20
"""Bytes that are sealed together: what reading any part of them costs."""
NONCE, TAG = 12, 16
EXTRA = NONCE + TAG
"""Bytes by which a sealed chunk is longer."""
KEY = 32
"""Bytes of a key."""


class Broken(Exception):
    """Something is not what was sealed, or was sealed with another key."""


def chunks(size: int) -> int:
    """How many there are of so many bytes; what is empty is one empty chunk."""
    return max(1, -(-size // CHUNK))


def sealed_size(size: int) -> int:
    """Bytes of what so many bytes become."""
    return size + EXTRA * chunks(size)


def open_size(sealed: int) -> int:
    """Bytes of what became so many."""
    return sealed - EXTRA * max(1, -(-sealed // (CHUNK + EXTRA)))


@dataclass(frozen=True, slots=True)
class Seal:
    """A session's key at work."""

    session: str
    key: bytes = field(repr=False)

    def closed(self, name: str, number: int, last: bool, content: bytes) -> bytes:
        """A chunk of the file `name`, sealed."""
        nonce = os.urandom(NONCE)
        return nonce + AESGCM(self.key).encrypt(nonce, content, self._bound(name, number, last))

    def opened(self, name: str, number: int, last: bool, sealed: bytes) -> bytes:
        """Raises Broken."""
        try:
            return AESGCM(self.key).decrypt(sealed[:NONCE], sealed[NONCE:], self._bound(name, number, last))
        except (InvalidTag, ValueError) as error:
            raise Broken(f"{name} is not what was written.") from error

    def close(self, name: str, content: bytes) -> bytes:
        """A whole file, sealed."""
        return b"".join(self.close_part(name, content, 0, last=True))

    def close_part(self, name: str, content: bytes, first: int, *, last: bool) -> Iterator[bytes]:
        """The chunks of a part that begins with chunk number `first`; `last` tells whether the file ends with it."""
        count = chunks(len(content))
        for number in range(count):
            ends = last and number == count - 1
            yield self.closed(name, first + number, ends, content[number * CHUNK : (number + 1) * CHUNK])

    def open(self, name: str, sealed: bytes) -> bytes:
        """A whole file. Raises Broken."""
        count, step = chunks(open_size(len(sealed))), CHUNK + EXTRA
        parts = (sealed[number * step : (number + 1) * step] for number in range(count))
        return b"".join(self.opened(name, number, number == count - 1, part) for number, part in enumerate(parts))

    def close_file(self, name: str, source: Path, target: Path) -> None:
        with source.open("rb") as reading, target.open("wb") as writing:
            count = chunks(source.stat().st_size)
            for number in range(count):
                writing.write(self.closed(name, number, number == count - 1, reading.read(CHUNK)))

    def open_file(self, name: str, source: Path, target: Path) -> None:
        """Raises Broken after what could be opened was written."""
        with source.open("rb") as reading, target.open("wb") as writing:
            count = chunks(open_size(source.stat().st_size))
            for number in range(count):
                writing.write(self.opened(name, number, number == count - 1, reading.read(CHUNK + EXTRA)))

    def pack(self, name: str, value: Any) -> dict[str, Any]:
        """A JSON value as one that tells nothing."""
        return {"sealed": base64.b64encode(self.close(name, json.dumps(value).encode())).decode()}

    def unpack(self, name: str, packed: dict[str, Any]) -> Any:
        """Raises Broken."""
        return json.loads(self.open(name, base64.b64decode(packed["sealed"])))

    def _bound(self, name: str, number: int, last: bool) -> bytes:
        return f"{self.session}\n{name}\n{number}\n{'last' if last else 'more'}".encode()


def new_key(session: str) -> str | None:
    """A new key for a session, wrapped; None where sessions are not sealed. Raises OutputUnavailable."""
    path = settings().key_file
    if path is None:
        return None
    return base64.b64encode(Seal(session, wrapping_keys(path)[0]).close("key", os.urandom(KEY))).decode()


def seal_of(session: str, wrapped: str) -> Seal:
    """Raises OutputUnavailable when none of the file's keys wrapped it."""
    path = settings().key_file
    if path is None:
        raise OutputUnavailable("The session is sealed, and there is no key to open it; set DUBLINE_KEY_FILE.")
    for key in wrapping_keys(path):
        try:
            return Seal(session, Seal(session, key).open("key", base64.b64decode(wrapped)))
        except Broken:
            continue
    raise OutputUnavailable(
        "The session is sealed with a key that is not in DUBLINE_KEY_FILE; add the earlier one to it."
    )


@lru_cache
def wrapping_keys(path: Path) -> tuple[bytes, ...]:
    """The file's keys, one a line in base64. The first one wraps new keys, the others open old ones."""
    try:
        keys = tuple(base64.b64decode(line, validate=True) for line in path.read_text("ascii").split())
    except OSError as error:
        raise OutputUnavailable(f"DUBLINE_KEY_FILE cannot be read: {os.strerror(error.errno or 0)}.") from error
    except (ValueError, binascii.Error):
        raise OutputUnavailable("DUBLINE_KEY_FILE is no base64; make a key with: openssl rand -base64 32") from None
    if not keys or any(len(key) != KEY for key in keys):
        raise OutputUnavailable("A key in DUBLINE_KEY_FILE is not 32 bytes; make one with: openssl rand -base64 32")
    return keys
