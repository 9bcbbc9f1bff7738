"""Write dubline/gateway/catalog.json: what the profiles offer, for the gateway, which imports no engine."""

from __future__ import annotations

import json
import re

from dubline import profiles
from dubline.gateway.catalog import DATA
from dubline.offering import offered


def main() -> None:
    names = sorted(profiles.names())
    found = {"profiles": [offered(profiles.load(name)).model_dump(mode="json") for name in names]}
    text = json.dumps(found, indent=1, ensure_ascii=False)
    # What holds no other list or table stands on one line.
    text = re.sub(r"[\[{][^\[\]{}]*[\]}]", lambda flat: " ".join(flat[0].split()), text)
    DATA.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
