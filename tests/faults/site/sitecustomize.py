"""On the path of processes that are to be struck: a fault test puts this folder on their PYTHONPATH."""

import os

if "DUBLINE_STRIKES" in os.environ:
    from tests.faults import strikes, waved

    strikes.arm(os.environ["DUBLINE_STRIKES"])
    waved.everything()
