"""Read a glossary from a CSV or YAML file."""

from __future__ import annotations

from pathlib import Path, PurePath

import yaml

from dubline.domain.errors import InvalidRequest
from dubline.domain.glossary import ANY, Collector, Glossary, parse_csv

TABLES, MAPPINGS = frozenset((".csv", ".tsv")), frozenset((".yaml", ".yml"))


def read(path: Path) -> Glossary:
    """The file's glossary. Raises InvalidRequest that names the file, and the line that is wrong."""
    _require_known(str(path))
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidRequest(f"The glossary {path} cannot be read ({error.strerror}); correct --glossary.") from None


def parse(content: bytes, name: str) -> Glossary:
    """The glossary of a file's content; its name's ending says what it is. Raises InvalidRequest like `read`."""
    suffix = _require_known(name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Collector(name).broken(line, "is not UTF-8", "save the file as UTF-8") from None
    return parse_csv(text, name) if suffix in TABLES else parse_yaml(text, name)


def _require_known(name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    if suffix not in TABLES | MAPPINGS:
        raise InvalidRequest(f"The glossary {name} is neither .csv, .tsv, .yaml nor .yml; rename or convert it.")
    return suffix


def parse_yaml(text: str, name: str) -> Glossary:
    """Read a mapping: `term: translation`, or `term: {es: translation, fr: keep}`.

    Raises InvalidRequest that names file and line.
    """
    try:
        # Composed, not loaded: nodes know their lines, a term given twice is seen, and 'no' stays a word.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Collector(name).broken(line, f"is not YAML ({error.problem})", "correct it") from None
    except yaml.YAMLError as error:  # a character that YAML forbids, which has no mark
        raise InvalidRequest(f"The glossary {name} is not YAML ({str(error).splitlines()[0]}); correct it.") from None
    return Glossary() if root is None else of_mapping(root, name)


def of_mapping(root: yaml.Node, name: str) -> Glossary:
    """The glossary of a mapping inside a YAML document. Raises InvalidRequest that names `name` and the line."""
    collector = Collector(name)
    if not isinstance(root, yaml.MappingNode):
        raise collector.broken(root.start_mark.line + 1, "is no entry", "write entries as 'term: translation'")
    for key, value in root.value:
        _read_entry(key, value, collector)
    return collector.glossary()


def _read_entry(key: yaml.Node, value: yaml.Node, collector: Collector) -> None:
    line = key.start_mark.line + 1
    if not isinstance(key, yaml.ScalarNode):
        raise collector.broken(line, "has a term that is no text", "quote it")
    if isinstance(value, yaml.MappingNode) and value.value:
        for language, translation in value.value:
            where = language.start_mark.line + 1
            if not isinstance(language, yaml.ScalarNode) or not isinstance(translation, yaml.ScalarNode):
                raise collector.broken(where, f"under '{key.value}' is no translation", "write it as 'es: translation'")
            collector.add(key.value, translation.value, None if language.value == ANY else language.value, where)
    elif isinstance(value, yaml.ScalarNode):
        collector.add(key.value, value.value, None, line)
    else:
        raise collector.broken(line, f"has no translation for '{key.value}'", "write a text, or one for each language")
