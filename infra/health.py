"""Ask the process of this container whether it is well: `python -m infra.health` reads its address from HEALTH_URL.

Exit code 0 when it answers 200 within 3 s, else 1.
"""

from __future__ import annotations

import os
import sys

from dubline.proxies import asking

TIMEOUT_S = 3


def healthy(url: str) -> bool:
    try:
        with asking(url).open(url, timeout=TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except OSError:  # no connection, no answer in time, or a status that is an error
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(os.environ["HEALTH_URL"]) else 1)
