"""On the path of processes that are to be struck: a fault test puts this folder on their PYTHONPATH."""

import os
import sys

if "DUBLINE_STRIKES" in os.environ and "multiprocessing.resource_tracker" not in " ".join(sys.orig_argv):
    from tests.faults import strikes, waved

    strikes.arm(os.environ["DUBLINE_STRIKES"])
    if "DUBLINE_REAL_GATES" in os.environ:
        waved.nothing()
    else:
        waved.everything()
