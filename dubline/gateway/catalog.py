"""What can be asked for: the profiles that work where videos are translated, with their pairs and voices.

The machines that translate tell what they have (`dubline.storage.offers`). As long as none ever did, what is shipped
counts, as package data: `python -m scripts.catalog` writes it from the engines; a test fails when the two differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from dubline.domain.errors import UnsupportedLanguage
from dubline.domain.languages import LANGUAGES
from dubline.gateway.errors import Refused, invalid
from dubline.storage import offers
from dubline.storage.database import Database
from dubline.storage.offers import ProfileOffered

DATA = Path(__file__).parent / "catalog.json"


class Catalog(BaseModel):
    model_config = ConfigDict(frozen=True)

    profiles: list[ProfileOffered]


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """Of what is shipped."""
    return Catalog.model_validate(json.loads(DATA.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Offered:
    """The profiles that can be asked for now, and what the others lack."""

    profiles: Sequence[ProfileOffered]
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def get(self, name: str) -> ProfileOffered | None:
        """None for a profile of which nothing is known. Raises Refused for one that lacks something."""
        found = next((one for one in self.profiles if one.name == name), None)
        if found is None and name in self.missing:
            lacks = f" ({', '.join(self.missing[name])})" if self.missing[name] else ""
            raise Refused(
                422,
                "profile-not-available",
                f"The profile '{name}' is not complete on the machines that translate{lacks}; choose another profile, "
                f"or have it completed there: dubline models pull --profile {name}.",
            )
        return found


async def offered(database: Database) -> Offered:
    found = await offers.known(database)
    return Offered(found.offered, found.missing) if found else Offered(catalog().profiles)


def require_pair(profile: ProfileOffered, source: str | None, target: str) -> None:
    """Raises UnsupportedLanguage. Where the source is not known yet, any will do from which the target is reached."""
    if source == target:
        raise UnsupportedLanguage(f"The video is in '{source}' already; choose another target language.")
    if source is not None and source not in profile.pairs:
        raise UnsupportedLanguage(
            f"The profile '{profile.name}' cannot translate out of {_named(source)}; choose another profile."
        )
    reached = {one for some in profile.pairs.values() for one in some} if source is None else profile.pairs[source]
    if target not in reached:
        spoken = f" from {_named(source)}" if source else ""
        raise UnsupportedLanguage(
            f"The profile '{profile.name}' cannot translate{spoken} into {_named(target)}; choose one of: "
            f"{_all(reached)}, or another profile."
        )


def require_voice(profile: ProfileOffered, target: str, voice: str, at: str) -> None:
    """Raises Refused, which names the part of the request and the voices that there are."""
    known = [one.id for one in profile.voices.get(target, ())]
    if voice not in known:
        raise invalid(
            at,
            f"There is no voice '{voice}' for {_named(target)} in the profile '{profile.name}'; use one of: "
            f"{', '.join(known) or 'none'}.",
        )


def _named(code: str) -> str:
    return f"{LANGUAGES[code].name} ('{code}')" if code in LANGUAGES else f"'{code}'"


def _all(codes: Any) -> str:
    return ", ".join(sorted(codes)) or "none"
