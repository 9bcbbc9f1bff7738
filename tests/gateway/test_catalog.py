"""What the gateway says of the profiles is what their engines can do."""

from __future__ import annotations

from dubline import profiles
from dubline.gateway.catalog import catalog
from dubline.offering import offered


def test_the_catalogue_is_what_the_engines_offer() -> None:
    made = [offered(profiles.load(name)) for name in sorted(profiles.names())]
    assert made == catalog().profiles, "write it anew: python -m scripts.catalog"
