"""The suites by name, in the order of the stages that they stand behind."""

from __future__ import annotations

from dubline.domain.errors import InvalidRequest
from quality_suites import media, output, segments, speech, timeline, transcript, translation
from quality_suites.rules import Suite

SUITES: dict[str, Suite] = {
    module.SUITE.name: module.SUITE for module in (media, segments, transcript, translation, speech, timeline, output)
}


def suite(name: str) -> Suite:
    """Raises InvalidRequest that lists the names there are."""
    try:
        return SUITES[name]
    except KeyError:
        raise InvalidRequest(f"There is no quality suite '{name}'; use one of: {', '.join(SUITES)}.") from None
