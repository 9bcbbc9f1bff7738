"""The codes in the README are those that the code has, with their statuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from dubline.domain.errors import kebab
from dubline.gateway import errors
from dubline.gateway.rpc import statuses

ROOT = Path(__file__).parent.parent.parent
FRAMEWORK = {("bad-request", 400), ("not-found", 404), ("method-not-allowed", 405)}
"""Of FastAPI itself, named after their statuses."""


def documented() -> dict[str, tuple[int, str]]:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| .* \| `([A-Z_]+)` \|$", readme, re.MULTILINE)
    return {code: (int(status), rpc) for code, status, rpc in rows}


def raised() -> Iterator[tuple[str, int]]:
    """Of every Refused(status, code, ...) below the gateway."""
    for path in (ROOT / "dubline" / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
                match node.args[:2]:
                    case [ast.Constant(int(status)), ast.Constant(str(code))]:
                        yield code, status


def library() -> Iterator[tuple[str, int]]:
    for kind, status in errors.STATUS.items():
        yield kind.code, status
        for special in kind.__subclasses__():
            yield special.code, errors.status_of(special("x"))


def test_every_code_is_documented_with_its_status_and_no_other_is() -> None:
    found = {*raised(), *library(), *FRAMEWORK}
    codes = [code for code, _ in found]
    assert len(codes) == len(set(codes)), "a code has one status"
    assert {code: status for code, (status, _) in documented().items()} == dict(found)
    assert all(kebab(HTTPStatus(status).name.title().replace("_", "")) == code for code, status in FRAMEWORK)


def test_the_statuses_of_grpc_are_documented() -> None:
    for code, (status, rpc) in documented().items():
        assert statuses.OF[status].name == rpc, code
