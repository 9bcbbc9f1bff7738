"""Where weights come from and whether they are here and whole. The catalogue is models.yaml beside this file."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dubline.domain.errors import InvalidRequest, ModelMissing, OutputUnavailable
from dubline.engines.fetch import Observer, fetch
from dubline.engines.model_catalogue import CATALOGUE, FileEntry, Hub, ModelEntry, load_catalogue, override_variable

RECORD = ".resolved.json"
"""In the folder of a hub model: the commit that was pulled, and the sha256 and size of each file."""


def _silent(_: str) -> None:
    """The observer of somebody who does not watch."""


@dataclass(frozen=True, slots=True)
class ModelState:
    status: Literal["present", "missing", "damaged"]
    checked: Literal["size", "sha256"]
    """How deep the look was."""
    folder: Path
    """Where the model is, or would be."""
    problems: tuple[str, ...] = ()
    """What is wrong, a clause for each file."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a person who chooses or lists models is told."""

    name: str
    description: str
    licence: str
    licence_note: str | None
    size: int
    """Bytes; rough where `size_is_rough`."""
    size_is_rough: bool
    sources: tuple[str, ...]
    """In the order they are tried."""
    state: ModelState


class ModelStore:
    """Models below `root`, one folder each, as the catalogue lists them. Unknown names raise InvalidRequest."""

    def __init__(self, root: Path, catalogue: Path = CATALOGUE) -> None:
        self.root = root
        self._catalogue = catalogue

    def names(self) -> tuple[str, ...]:
        return tuple(load_catalogue(self._catalogue))

    def describe(self, name: str) -> ModelInfo:
        entry = self._entry(name)
        local = (f"folder in {override_variable(name)}",) if self._override(name) else ()
        sources = local + tuple(source.label for source in entry.sources)
        rough, state = not entry.files, self.state(name)
        return ModelInfo(name, entry.description, entry.licence, entry.licence_note, entry.size, rough, sources, state)

    def path(self, name: str) -> Path:
        """The folder with the model's files, each of the size it must have. Raises ModelMissing with the command that
        mends it."""
        state = self.state(name)
        if state.status != "present":
            raise ModelMissing(self._sentence(name, state))
        return state.folder

    def fingerprint(self, name: str) -> str:
        """Hex digest over the sha256 of the model's files. Needs no file on disk where the catalogue lists them; raises
        ModelMissing for a hub model that was not pulled yet.

        A hub model in a folder of the user's own has no record of its content: names, sizes and times stand in for it.
        """
        expected = self._expected(name)
        if expected is not None:
            lines = [f"{file} {entry.sha256}" for file, entry in sorted(expected.items())]
        else:
            folder = self.path(name)
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            stats = [(path.relative_to(folder), path.stat()) for path in files]
            lines = [f"{file} {stat.st_size} {stat.st_mtime_ns}" for file, stat in stats]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def state(self, name: str) -> ModelState:
        """A quick look: are all files there, with the right sizes?"""
        return self._look(name, "size")

    def verify(self, name: str) -> ModelState:
        """A thorough look: every file is read and its sha256 compared."""
        return self._look(name, "sha256")

    def pull(self, name: str, progress: Observer = _silent) -> Path:
        """Bring the model in from the first source that works and return its folder; does nothing when it is there.

        Nothing counts as present before every file was checked. Raises ModelMissing that names every source tried and
        why it failed, and OutputUnavailable when the store cannot be written. Safe to call from several processes.
        """
        if self.state(name).status == "present" or self._override(name):
            return self.path(name)
        with _disk_errors(self.root), self._alone(name, progress):
            if self.state(name).status != "present":  # another process may have pulled it while this one waited
                self._install(name, progress)
        return self.path(name)

    def _entry(self, name: str) -> ModelEntry:
        models = load_catalogue(self._catalogue)
        if name not in models:
            raise InvalidRequest(f"There is no model '{name}'; use one of: {', '.join(models)}.")
        return models[name]

    def _override(self, name: str) -> Path | None:
        given = os.environ.get(override_variable(name))
        return Path(given).expanduser().absolute() if given else None

    def _folder(self, name: str) -> Path:
        return self._override(name) or self.root / name

    def _expected(self, name: str) -> Mapping[str, FileEntry] | None:
        """What the model's files must be; None where nobody knows."""
        return self._entry(name).files or read_record(self._folder(name))

    def _look(self, name: str, depth: Literal["size", "sha256"]) -> ModelState:
        expected, folder = self._expected(name), self._folder(name)
        if not folder.is_dir():
            return ModelState("missing", depth, folder, ("there is no such folder",))
        if expected is not None:
            problems = find_problems(folder, expected, depth)
        elif self._override(name):
            problems = () if any(folder.iterdir()) else ("the folder is empty",)
        else:
            problems = (f"it has no readable {RECORD}",)
        return ModelState("damaged" if problems else "present", depth, folder, problems)

    def _sentence(self, name: str, state: ModelState) -> str:
        variable = override_variable(name)
        where = f"{state.folder}, which {variable} names" if self._override(name) else str(state.folder)
        what = f"Model '{name}' is {state.status}: looked in {where}, and {state.problems[0]}"
        if self._override(name):
            return f"{what}; correct {variable}, or unset it and run `dubline models pull {name}`."
        return f"{what}; run `dubline models pull {name}`, or point {variable} at a folder that has its files."

    @contextmanager
    def _alone(self, name: str, progress: Observer) -> Iterator[None]:
        """Hold the model's lock; the system drops it when the process dies."""
        place = self.root / ".tmp"
        place.mkdir(parents=True, exist_ok=True)
        with (place / f"{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress(f"{name}: waiting for another process that pulls it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _install(self, name: str, progress: Observer) -> None:
        """Try the sources in order, in a folder aside, until one gives exactly the files that the model has."""
        entry, tried = self._entry(name), []
        work, partial = self.root / ".tmp" / name, self.root / ".tmp" / f"{name}.partial"
        try:
            for source in entry.sources:
                shutil.rmtree(work, ignore_errors=True)
                staged = work / "staged"
                staged.mkdir(parents=True)
                downloads = partial if isinstance(source, Hub) else work
                try:
                    commit = fetch(source, entry.files, staged, downloads, lambda line: progress(f"{name}: {line}"))
                    progress(f"{name}: checking")
                    _seal(staged, entry.files, commit)
                except ModelMissing as error:
                    tried.append(f"{source.label} ({error})")
                    continue
                _replace(self.root / name, staged, work / "old")
                shutil.rmtree(partial, ignore_errors=True)
                return
        finally:
            shutil.rmtree(work, ignore_errors=True)
        raise ModelMissing(
            f"Model '{name}' could not be pulled; tried {'; '.join(tried)}. Mend that and run `dubline models pull "
            f"{name}` again, or point {override_variable(name)} at a folder that has its files."
        )


def read_record(folder: Path) -> dict[str, FileEntry] | None:
    """What a pull from the hub wrote down about its files; None where there is no record that can be read."""
    try:
        files = json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
        return {name: FileEntry.model_validate(entry) for name, entry in files.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def find_problems(folder: Path, expected: Mapping[str, FileEntry], depth: Literal["size", "sha256"]) -> tuple[str, ...]:
    """A clause for each file that is not what it must be."""
    problems = []
    for name, entry in expected.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif (size := path.stat().st_size) != entry.size:
            problems.append(f"{name} has {size} bytes instead of {entry.size}")
        elif depth == "sha256" and (found := _sha256(path)) != entry.sha256:
            problems.append(f"{name} has the sha256 {found} instead of {entry.sha256}")
    return tuple(problems)


def _seal(staged: Path, expected: Mapping[str, FileEntry], commit: str | None) -> None:
    """Check what was fetched, or write down what a hub gave, and make it durable. Raises ModelMissing."""
    if not expected:
        files = [path for path in sorted(staged.rglob("*")) if path.is_file()]
        if not files:
            raise ModelMissing("it has none of the files that were asked for")
        found = {
            str(path.relative_to(staged)): {"sha256": _sha256(path), "bytes": path.stat().st_size} for path in files
        }
        (staged / RECORD).write_text(json.dumps({"commit": commit, "files": found}, indent=1), encoding="utf-8")
    elif problems := find_problems(staged, expected, "sha256"):
        raise ModelMissing(f"what it gave was refused: {problems[0]}")
    for path in (staged, *staged.rglob("*")):
        _sync(path)


def _replace(final: Path, staged: Path, old: Path) -> None:
    """A damaged model in the way is moved aside first, since a folder cannot be renamed over another."""
    if final.exists():
        final.rename(old)
    staged.rename(final)
    _sync(final.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _disk_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputUnavailable(
            f"Cannot write models below {root}: {reason}; make room or set DUBLINE_HOME to another disk."
        ) from error
