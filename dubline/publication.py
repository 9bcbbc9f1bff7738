"""The output folder: files put there whole or not at all, and the manifest that says what each of them is.

The manifest is written last and names every file with its sha256. A folder whose manifest fits the request and whose
files are all as it says needs no run: that is how the same request again costs next to nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from dubline import claims
from dubline.claims import Claim
from dubline.domain.errors import InvalidRequest, OutputUnavailable
from dubline.storage.artifacts import sha256_of
from dubline.storage.places import owner, remove_if_orphaned, sync_directory
from dubline.storage.value import Value

MANIFEST = "manifest.json"
PARTIAL, PROBE = ".partial-", ".dubline-"
"""What a process has in the folder for a while begins with one of these and ends with the process's name."""
Role = Literal[
    "video",
    "video-burned",
    "subtitles-srt",
    "subtitles-vtt",
    "subtitles-ass",
    "source-srt",
    "source-vtt",
    "source-ass",
    "report-html",
    "report-json",
    "cast",
    "clip",
    "waveform",
]


class PublishedFile(Value):
    role: Role
    path: str
    """Relative to the output folder."""
    sha256: str
    language: str | None = None


class ManifestPhrase(Value):
    """What is said between two pauses of a line."""

    id: str
    source_start_ms: int
    source_end_ms: int
    text: str
    speed: float
    """Engine speed against the voice's natural rate."""
    stretch: float
    """Tempo that was applied to the finished clip."""
    start_ms: int
    end_ms: int
    """Where the stretched clip stands in the dub."""
    clip: str
    """The untouched clip, relative to the output folder."""
    clip_sha256: str


class ManifestLine(Value):
    """One line of a dub: enough to measure it again from the media and its clips alone."""

    segment: str
    speaker: str
    source_start_ms: int
    source_end_ms: int
    source_text: str
    text: str
    voice: str
    start_ms: int
    end_ms: int
    """From the first phrase's start to the last one's end; the source's where the original sound was kept."""
    phrases: tuple[ManifestPhrase, ...]
    """Empty where the original sound was kept."""
    flags: tuple[str, ...]
    edited: bool = False
    """Whether a person edited it, in the source or for this language."""


class ManifestDub(Value):
    language: str
    video: str
    alternatives: bool = False
    """Whether the translator offered other wordings of a line to choose from."""
    voices: dict[str, str] = Field(default_factory=dict)
    """Speaker -> voice; lines that a person gave another one differ."""
    lines: tuple[ManifestLine, ...]


class ManifestStretch(Value):
    """Clear speech of its speaker that is in no line; its original sound is heard in the dub."""

    start_ms: int
    end_ms: int
    speaker: str = ""
    """Empty where nobody knows whose it is."""


class Manifest(Value):
    key: str
    """What was asked: the content of the source, languages, engines and stages."""
    source: str
    """Where the source video is."""
    source_sha256: str
    source_language: str | None
    duration_ms: int
    dubbed_track: int | None
    """Stream index in the source of the audio track that was dubbed."""
    original_track: int = 1
    """Which audio track of a dubbed video that is, counted from 0: the dub stands first, all originals behind it."""
    loudness: float | None = None
    """What the dub was to have, in LUFS; None for the source's own."""
    dubs: tuple[ManifestDub, ...]
    files: tuple[PublishedFile, ...]
    warnings: tuple[str, ...] = ()
    unrecognized: tuple[ManifestStretch, ...] = ()
    """What a person should listen to, as the quality gates say, too."""
    stage_seconds: dict[str, float] = Field(default_factory=dict)
    """Stage -> wall time of the run that wrote this; stages found in the cache are left out."""

    @property
    def claim(self) -> Claim:
        """Whose results these are."""
        return Claim(source_sha256=self.source_sha256, source=self.source)


def read(folder: Path) -> Manifest | None:
    """The folder's manifest; None where there is none that can be read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None


def in_place(folder: Path, key: str) -> Manifest | None:
    """The manifest, when it answers this very request and every file it names is there, byte for byte."""
    manifest = read(folder)
    if manifest is None or manifest.key != key:
        return None
    return manifest if all(_unchanged(folder, file) for file in manifest.files) else None


def _unchanged(folder: Path, file: PublishedFile) -> bool:
    path = folder / file.path
    return path.is_file() and sha256_of(path) == file.sha256


@contextmanager
def output_errors(folder: Path) -> Iterator[None]:
    """Say in one sentence why the output folder cannot be used."""
    try:
        yield
    except OSError as error:
        raise OutputUnavailable(
            f"Cannot write to the output folder {folder}: {os.strerror(error.errno or 0)}; "
            "make room or choose another with --out."
        ) from error


def require_writable(folder: Path) -> None:
    """Find out before any work starts. Raises OutputUnavailable."""
    with _private(folder):
        pass


def require_own(folder: Path, mine: Claim) -> None:
    """Raises InvalidRequest where another video's results are, or come."""
    manifest = read(folder)
    there = manifest.claim if manifest else claims.read(folder)
    mine.require(folder, there, finished=manifest is not None)


def claim(folder: Path, mine: Claim) -> None:
    """Keep the folder for a video's results until they are there. Raises InvalidRequest where it is another's."""
    kept = None
    while kept is None:  # else one that had come first has given it back
        require_own(folder, mine)
        with _private(folder) as private:
            claims.make(folder, private, mine)
        try:
            require_own(folder, mine)
        except InvalidRequest:  # another was quicker
            claims.release(folder, mine)
            raise
        kept = claims.read(folder)


@contextmanager
def _private(folder: Path) -> Iterator[Path]:
    """A place of this process in the folder, which is made where there is none. Raises OutputUnavailable."""
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        private = folder / f"{PROBE}{owner()}"
        private.mkdir(exist_ok=True)
        yield private
        private.rmdir()


def staging(folder: Path) -> Path:
    """Where this process gathers what is to be published in the folder."""
    return folder / f"{PARTIAL}{owner()}"


class Folder:
    """An output folder being filled. Files are staged in a hidden place inside it, then renamed, the manifest last."""

    def __init__(self, folder: Path, *, of_one_video: bool = True) -> None:
        """`of_one_video`: whether another video's results there are refused. A session's folder is its own."""
        self.folder, self._of_one_video = folder, of_one_video
        self._stage = staging(folder)
        self.files: list[PublishedFile] = []

    def add(self, role: Role, name: str, content: Path | str, language: str | None = None) -> str:
        """Stage a file (copied from a path, or written from text) under its final relative name; returns the name.

        A name that was added before is left as it is: two languages share the source's subtitles.
        """
        if any(file.path == name for file in self.files):
            return name
        with output_errors(self.folder):
            path = self._stage / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, path)
            else:
                path.write_text(content, encoding="utf-8")
            with path.open("rb") as file:
                os.fsync(file.fileno())
        self.files.append(PublishedFile(role=role, path=name, sha256=sha256_of(path), language=language))
        return name

    def commit(self, manifest: Manifest) -> Manifest:
        """Move everything into place. Until the manifest stands, no reader takes the folder for finished.

        Returns the manifest with the files it names. Raises InvalidRequest where another video's results are, or come.
        """
        manifest = manifest.model_copy(update={"files": tuple(self.files)})
        if self._of_one_video:
            claim(self.folder, manifest.claim)
        with output_errors(self.folder):
            (self.folder / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(self.folder / "clips", ignore_errors=True)
            for file in self.files:
                final = self.folder / file.path
                final.parent.mkdir(parents=True, exist_ok=True)
                (self._stage / file.path).replace(final)
            staged = self._stage / MANIFEST
            staged.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
            staged.replace(self.folder / MANIFEST)
            claims.release(self.folder, manifest.claim)
            sync_directory(self.folder)
        return manifest

    def __enter__(self) -> Folder:
        for kind in (PARTIAL, PROBE):
            for folder in self.folder.glob(f"{kind}*"):
                remove_if_orphaned(folder, folder.name.removeprefix(kind))
        with output_errors(self.folder):
            self._stage.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._stage, ignore_errors=True)
