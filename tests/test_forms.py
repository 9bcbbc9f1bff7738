"""What people read in the forms that Prefect makes of the deployed flows' parameters and of the blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.utilities.callables import parameter_schema

import blocks

ROOT = Path(__file__).parent.parent
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
Field = dict[str, Any]


def of_flow(entrypoint: str) -> Field:
    module, _, name = entrypoint.rpartition(".")
    return parameter_schema(getattr(import_module(module), name)).model_dump()


FORMS = {
    **{one["name"]: of_flow(one["entrypoint"]) for one in DEPLOYMENTS},
    **{name: getattr(blocks, name).model_json_schema() for name in blocks.__all__},
}


def fields(part: Field, known: dict[str, Field]) -> Iterator[tuple[str, Field]]:
    """What a form shows, as it shows it, and what is nested in it; a block of another kind has a form of its own."""
    for name, field in part.get("properties", {}).items():
        names = re.findall(r'"#/definitions/(\w+)"', json.dumps(field))
        yield name, known[names[0]] | field if "$ref" in field else field
        for group in names:
            if "block_type_slug" not in known[group]:
                yield group, known[group]
                yield from ((f"{group}.{path}", inner) for path, inner in fields(known[group], known))


@pytest.mark.parametrize("form", FORMS)
def test_every_field_says_what_it_is(form: str) -> None:
    for path, field in fields(FORMS[form], FORMS[form].get("definitions", {})):
        assert field.get("description"), path
        title = field.get("title", "")
        assert re.match("[A-Z]", title) and not re.search("_|[a-z][A-Z]", title), f"{path}: {title!r} is no title"
        assert not re.search(r"\b(S|Ms|Hz|Db|Mb|Id|Uri|Url|Sha\d*)$", title), f"{path}: {title!r} is no word"


def test_nested_fields_are_looked_at_too() -> None:
    form = FORMS["translate-video"]
    seen = {path for path, _ in fields(form, form["definitions"])}
    assert seen > {"request", "TranslateRequest.Glossary.Term.target", "TranslateRequest.LineEdit.end_ms"}
