"""Write dubline/gateway/catalog.json: what the profiles offer, for the gateway, which imports no engine."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from dubline import profiles
from dubline.domain.languages import LANGUAGES
from dubline.engines.model_catalogue import load_catalogue
from dubline.engines.registry import engine_class, models_of
from dubline.gateway.catalog import DATA
from dubline.profiles import Profile


def offered(profile: Profile) -> dict[str, Any]:
    speech, asr = engine_class(profile.speech), engine_class(profile.asr)
    voices = {code: speech.voices(code) for code in LANGUAGES if speech.voices(code)}
    return {
        "name": profile.name,
        "description": profile.description,
        "engines": {spec.capability: spec.engine for spec in profile.engines},
        "licences": {model: load_catalogue()[model].licence for spec in profile.engines for model in models_of(spec)},
        "pairs": _pairs(profile, [code for code in LANGUAGES if asr.recognizes(code)], list(voices)),
        "voices": {
            code: [{"id": v.id, "register": v.register, "native": v.native} for v in found]
            for code, found in voices.items()
        },
    }


def _pairs(profile: Profile, sources: list[str], targets: list[str]) -> dict[str, list[str]]:
    """The most frequent set of targets stands once, under `*`."""
    translator = engine_class(profile.translation)
    found = {
        source: [t for t in targets if t == source or translator.supports(profile.translation, source, t)]
        for source in sources
    }
    usual = Counter(map(tuple, found.values())).most_common(1)[0][0]
    return {"*": list(usual)} | {source: those for source, those in found.items() if tuple(those) != usual}


def main() -> None:
    names = sorted(profiles.names())
    text = json.dumps({"profiles": [offered(profiles.load(name)) for name in names]}, indent=1, ensure_ascii=False)
    DATA.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
