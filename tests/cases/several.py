"""Translate the videos of a list in one process: `python -m tests.cases.several LIST.json`.

The list has requests; what became of each is written beside it, as LIST.done.json: the warnings, or the error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dubline.domain.errors import DublineError
from dubline.request import TranslateRequest
from dubline.settings import share_threads


def main() -> None:
    share_threads()
    from flows import launch

    path = Path(sys.argv[1])
    ended = {}
    for name, request in json.loads(path.read_text(encoding="utf-8")).items():
        try:
            manifest = launch.run(TranslateRequest.model_validate(request))
            ended[name] = {"warnings": manifest.warnings, "error": None, "exit_code": 0}
        except DublineError as error:
            ended[name] = {"warnings": [], "error": str(error), "exit_code": error.exit_code}
    launch.close()
    path.with_suffix(".done.json").write_text(json.dumps(ended), encoding="utf-8")


if __name__ == "__main__":
    main()
