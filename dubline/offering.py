"""What the profiles offer on this machine: which of their engines, models, pairs and voices are here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from dubline import profiles
from dubline.domain.errors import DublineError
from dubline.domain.languages import LANGUAGES
from dubline.engines.model_catalogue import load_catalogue
from dubline.engines.models import ModelStore
from dubline.engines.registry import engine_class, entry, models_of
from dubline.profiles import Profile
from dubline.settings import settings
from dubline.storage.offers import Offer, ProfileOffered, VoiceOffered


def offers() -> Iterator[Offer]:
    """Of each profile in the profiles' folder; one that is wrong is left out, and `dubline doctor` says why."""
    for name in profiles.names():
        try:
            profile = profiles.load(name)
            yield Offer(profile=offered(profile), missing=missing(profile))
        except DublineError:
            continue


def offered(profile: Profile) -> ProfileOffered:
    """Raises InvalidRequest for an engine that cannot be imported."""
    speech, asr = engine_class(profile.speech), engine_class(profile.asr)
    voices = {code: speech.voices(code) for code in LANGUAGES if speech.voices(code)}
    pairs = _pairs(profile, [code for code in LANGUAGES if asr.recognizes(code)], list(voices))
    reached = {target for targets in pairs.values() for target in targets}
    return ProfileOffered(
        name=profile.name,
        description=profile.description,
        engines={spec.capability: spec.engine for spec in profile.engines},
        licences={model: load_catalogue()[model].licence for spec in profile.engines for model in models_of(spec)},
        pairs=pairs,
        voices={
            code: [VoiceOffered(id=v.id, register=v.register, native=v.native) for v in found]
            for code, found in voices.items()
            if code in reached
        },
    )


def _pairs(profile: Profile, sources: list[str], targets: list[str]) -> dict[str, list[str]]:
    translator = engine_class(profile.translation)
    found = {
        source: [t for t in targets if t != source and translator.supports(profile.translation, source, t)]
        for source in sources
    }
    return {source: those for source, those in found.items() if those}


def missing(profile: Profile) -> tuple[str, ...]:
    """Models whose files are not here, and packages that are not installed."""
    store = ModelStore(settings().models)
    models = [model for spec in profile.engines for model in models_of(spec)]
    packages = [package for spec in profile.engines for package in entry(spec).packages]
    lacks = [model for model in models if store.state(model).status != "present"]
    return tuple(dict.fromkeys((*lacks, *(package for package in packages if not _installed(package)))))


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
