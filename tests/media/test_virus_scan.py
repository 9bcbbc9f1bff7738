"""Videos are shown to ClamAV before a decoder sees them; what is not known to be clean is not opened."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from hashlib import md5
from pathlib import Path

import pytest
from clips import Clips

from dubline import doctor
from dubline.domain.errors import DublineError, InfectedMedia, InvalidMedia, ServiceUnavailable
from dubline.media import intake, virus_scan
from dubline.media.intake import take_in
from dubline.settings import settings
from dubline.storage.artifacts import reference
from tests.lacking import lacking
from tests.waiting import until

MARKED = b"a marker that this test's own signature knows, and nobody else's"
CLAMD = shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin")
LIMIT_MB = 2


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DUBLINE_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(scope="session")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real clamd that knows one signature of our own; its socket."""
    if CLAMD is None:
        lacking("ClamAV is not installed (apt-get install clamav-daemon)")
    root = tmp_path_factory.mktemp("clamd")
    (root / "signatures").mkdir()
    digest = md5(MARKED, usedforsecurity=False).hexdigest()
    (root / "signatures" / "own.hdb").write_text(f"{digest}:{len(MARKED)}:Dubline.Test.Marker\n")
    settings_of_clamd = {
        "LocalSocket": root / "socket",
        "DatabaseDirectory": root / "signatures",
        "Foreground": "yes",
        "StreamMaxLength": f"{LIMIT_MB}M",
        "AlertExceedsMax": "yes",
    }
    (root / "clamd.conf").write_text("".join(f"{name} {value}\n" for name, value in settings_of_clamd.items()))
    with (root / "log").open("wb") as log:
        process = subprocess.Popen([CLAMD, "-c", str(root / "clamd.conf")], stdout=log, stderr=log)
    try:
        until(lambda: _answers(root / "socket"), left=(root / "log").read_text)
        yield root / "socket"
    finally:
        process.kill()
        process.wait()


def _answers(address: Path) -> bool:
    """The file is there a moment before anybody listens."""
    with socket.socket(socket.AF_UNIX) as guest:
        return guest.connect_ex(str(address)) == 0


class Script:
    """A clamd that says what a test wants; VERSION is answered as it should be."""

    def __init__(self, answer: bytes, read_all: bool = True) -> None:
        self.answer, self.version = answer, b"ClamAV 1/1/then"
        self.streams: list[bytes] = []
        self._read_all = read_all
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            guest, _ = self._socket.accept()
            with guest, guest.makefile("rb") as said:
                command = b"".join(iter(lambda: said.read(1), b"\0"))
                if command == b"zVERSION":
                    guest.sendall(self.version + b"\0")
                    continue
                if self._read_all:
                    self.streams.append(_stream(said.read))
                guest.sendall(self.answer)


def _stream(read: Callable[[int], bytes]) -> bytes:
    pieces = []
    while size := struct.unpack("!I", read(4))[0]:
        pieces.append(read(size))
    return b"".join(pieces)


def use(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DUBLINE_CLAMD", address)
    settings.cache_clear()


@pytest.fixture
def unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test fails when anything is decoded."""
    monkeypatch.setattr(intake, "probe", lambda file: pytest.fail("it was opened"))


def marked(folder: Path) -> Path:
    path = folder / "holiday.mp4"
    path.write_bytes(MARKED)
    return path


def test_a_clean_video_is_taken_in(clamd: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, f"unix:{clamd}")
    assert take_in(reference(clips.path("plain.mp4"))).duration_ms == 2000


def test_what_clamav_finds_is_named_and_never_opened(
    clamd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unopened: None
) -> None:
    use(monkeypatch, f"unix:{clamd}")
    for _ in range(2):
        with pytest.raises(InfectedMedia, match=r"'holiday\.mp4' is not opened: ClamAV found Dubline\.Test\.Marker"):
            take_in(reference(marked(tmp_path)))


def test_a_file_that_is_too_long_for_clamd_is_not_opened(
    clamd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unopened: None
) -> None:
    use(monkeypatch, f"unix:{clamd}")
    large = tmp_path / "large.mp4"
    large.write_bytes(os.urandom(20 * LIMIT_MB << 20))
    with pytest.raises(InvalidMedia, match="StreamMaxLength"):
        take_in(reference(large))


def test_clamd_over_tcp_gets_every_byte_once(clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(b"stream: OK\0")
    use(monkeypatch, script.address)
    video = clips.path("plain.mkv")
    take_in(reference(video))
    take_in(reference(video))
    assert script.streams == [video.read_bytes()]


def test_new_signatures_are_asked_again(clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(b"stream: OK\0")
    use(monkeypatch, script.address)
    take_in(reference(clips.path("plain.mkv")))
    script.answer, script.version = b"stream: New.Signature FOUND\0", b"ClamAV 1/2/now"
    with pytest.raises(InfectedMedia, match=r"New\.Signature"):
        take_in(reference(clips.path("plain.mkv")))


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"INSTREAM size limit exceeded. ERROR\0", InvalidMedia, "StreamMaxLength"),
        (b"stream: Can't allocate memory ERROR\0", InvalidMedia, "could not judge it .*allocate memory"),
        (b"stream: OK, I think\0", InvalidMedia, "could not judge it"),
        (b"UNKNOWN COMMAND\0", InvalidMedia, "could not judge it"),
        (b"stream: Bad\nName\x1b[31m FOUND\0", InvalidMedia, r"Bad\\nName\\x1b"),
        (b"x" * 100_000, InvalidMedia, "could not judge it"),
        (b"", ServiceUnavailable, "it hung up"),
    ],
)
def test_every_other_answer_keeps_the_video_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unopened: None, answer: bytes, kind: type[DublineError], words: str
) -> None:
    use(monkeypatch, Script(answer).address)
    with pytest.raises(kind, match=words) as raised:
        take_in(reference(marked(tmp_path)))
    assert str(raised.value).isprintable()


def test_an_answer_that_comes_early_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unopened: None) -> None:
    use(monkeypatch, Script(b"INSTREAM size limit exceeded. ERROR\0", read_all=False).address)
    with pytest.raises(DublineError):
        take_in(reference(marked(tmp_path)))


def test_a_clamd_that_is_gone_is_worth_a_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unopened: None) -> None:
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    for address in (f"unix:{tmp_path / 'nothing'}", f"tcp://127.0.0.1:{port}"):
        use(monkeypatch, address)
        with pytest.raises(ServiceUnavailable, match="does not answer"):
            take_in(reference(marked(tmp_path)))
        assert not doctor._clamd()[0].ok


def test_a_clamd_that_hangs_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unopened: None
) -> None:
    deaf = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(virus_scan, "ANSWER_TIMEOUT_S", 0.2)
    use(monkeypatch, f"tcp://127.0.0.1:{deaf.getsockname()[1]}")
    with pytest.raises(ServiceUnavailable, match="takes too long"):
        take_in(reference(marked(tmp_path)))
    deaf.close()


def test_something_else_at_the_port_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unopened: None) -> None:
    script = Script(b"stream: OK\0")
    script.version = b"220 mail"
    use(monkeypatch, script.address)
    with pytest.raises(ServiceUnavailable, match="is not clamd"):
        take_in(reference(marked(tmp_path)))


def test_the_doctor_tells_whether_clamd_answers(clamd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._clamd() == []
    use(monkeypatch, f"unix:{clamd}")
    (finding,) = doctor._clamd()
    assert finding.ok and finding.detail.startswith("ClamAV ")
