"""What a person edits in single lines of a dub: as part of a request, and in a file (`--edits`)."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from dubline.domain.errors import InvalidRequest
from dubline.domain.glossary import normal
from dubline.domain.mending import Mend, Mends
from dubline.domain.time import Span
from dubline.storage.value import Value

LONGEST_CHARS = 1000
"""Five times what attribution lets into one line (`dubline.domain.attribution.LONGEST_CHARS`)."""
_REFUSED = frozenset(("Cc", "Cs", "Zl", "Zp"))
"""Unicode categories: control characters, halves of surrogate pairs, separators of lines and paragraphs."""


def _one_line(text: str) -> str:
    """Composed, without white space around it. Raises ValueError for characters that cannot be spoken or shown."""
    if any(unicodedata.category(char) in _REFUSED for char in text):
        raise ValueError("it has line breaks or other control characters; write one line of text")
    if not text.strip():
        raise ValueError("it is empty; leave it out")
    return normal(text).strip()


def _speakable(text: str) -> str:
    if not any(char.isalnum() for char in text):
        raise ValueError("it has no letter or digit that could be spoken; 'keep_original: true' leaves a line undubbed")
    return text


Name = Annotated[str, Field(max_length=100), AfterValidator(_one_line)]
Text = Annotated[str, Field(max_length=LONGEST_CHARS), AfterValidator(_one_line), AfterValidator(_speakable)]
Instant = Annotated[int, Field(ge=0)]


class LineEdit(Value):
    """What is to be other in one line. What it leaves out stays; of two edits of the same thing the later holds."""

    # Texts are what was said in somebody's video: an error that quotes them would carry them into logs.
    model_config = ConfigDict(title="Edited line", hide_input_in_errors=True)

    segment: Name = Field(title="Line", description="Id of the line, as manifest.json names it.")
    language: Name | None = Field(
        default=None,
        description="Target language that text, voice and keep_original are for; keep_original without it is for all. "
        "What the source says, and when, is one for all languages.",
    )
    source_text: Text | None = Field(default=None, description="What is said in the source; it is translated again.")
    text: Text | None = Field(default=None, description="The translation as it is to be spoken.")
    voice: Name | None = Field(default=None, description="Voice that speaks this line.")
    start_ms: Instant | None = Field(
        default=None, title="Start in milliseconds", description="When the line begins in the source."
    )
    end_ms: Instant | None = Field(
        default=None, title="End in milliseconds", description="When the line ends in the source."
    )
    keep_original: bool | None = Field(
        default=None, description="Keep the original's sound in this line; false takes an earlier edit back."
    )

    @model_validator(mode="after")
    def _check(self) -> LineEdit:
        if (self.start_ms is None) != (self.end_ms is None):
            raise ValueError("start_ms and end_ms belong together; give both or none")
        if self.start_ms is not None and self.end_ms is not None and self.end_ms <= self.start_ms:
            raise ValueError("end_ms is not after start_ms")
        if self.language is None and (self.text is not None or self.voice is not None):
            raise ValueError("text and voice are for one target language; name it as language")
        if not self.changes:
            raise ValueError("nothing is edited; give source_text, text, voice, start_ms and end_ms, or keep_original")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        """What is edited, as fields of a Mend."""
        said = {name: getattr(self, name) for name in ("source_text", "text", "voice", "keep_original")}
        if self.start_ms is not None and self.end_ms is not None:
            said["span"] = Span(self.start_ms, self.end_ms)
        return {name: value for name, value in said.items() if value is not None}


_OF_SOURCE, _OF_LANGUAGE = frozenset(("source_text", "span")), frozenset(("text", "voice", "keep_original"))


def in_source(edits: Iterable[LineEdit]) -> Mends:
    """What holds for the source. Every line that is edited at all stands in it, so that unknown ones are found."""
    return Mends(tuple(_together(edits, _OF_SOURCE)))


def speaking(edits: Iterable[LineEdit], language: str) -> Mends:
    """What holds for one target language beside the source."""
    own = [edit for edit in edits if edit.language in (None, language)]
    return Mends(tuple(mend for mend in _together(own, _OF_LANGUAGE) if mend != Mend(mend.segment)))


def edited(edits: Sequence[LineEdit], language: str) -> frozenset[str]:
    """Ids of the lines in which something was edited, in the source or for this target language."""
    mends = (*in_source(edits).lines, *speaking(edits, language).lines)
    return frozenset(mend.segment for mend in mends if mend != Mend(mend.segment))


def _together(edits: Iterable[LineEdit], fields: frozenset[str]) -> Iterator[Mend]:
    """All edits of a line as one. In the order of the lines' ids: that of the edits counts only within a line."""
    found: dict[str, dict[str, Any]] = {}
    for edit in edits:
        found.setdefault(edit.segment, {}).update({k: v for k, v in edit.changes.items() if k in fields})
    return (Mend(segment, **changes) for segment, changes in sorted(found.items()))


class _Texts(yaml.SafeLoader):
    """Texts stay texts: 'no' is a word, and 0003 the id of a line."""


_Texts.yaml_implicit_resolvers = {
    char: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for char, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> tuple[LineEdit, ...]:
    """The edits of a YAML or JSON file, which is a list. Raises InvalidRequest that names the file and the place."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = json.loads(text) if path.suffix.lower() == ".json" else yaml.load(text, Loader=_Texts)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise InvalidRequest(f"The edits file {path} cannot be read ({error.strerror}); correct --edits.") from None
    except UnicodeDecodeError:
        raise InvalidRequest(f"The edits file {path} is not UTF-8; save it as UTF-8.") from None
    except (yaml.YAMLError, json.JSONDecodeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InvalidRequest(f"The edits file {path} is neither YAML nor JSON ({reason}); correct it.") from None
    return _parsed([] if found is None else found, path)


def _parsed(found: Any, path: Path) -> tuple[LineEdit, ...]:
    if not isinstance(found, list):
        raise InvalidRequest(f"The edits file {path} is no list; begin each edit with '- segment: ...'.")
    try:
        return TypeAdapter(tuple[LineEdit, ...]).validate_python(found)
    except ValidationError as error:
        fault = error.errors()[0]
        number, *fields = fault["loc"]
        place = f"edit {int(number) + 1}" + (f", {'.'.join(map(str, fields))}" if fields else "")
        reason = fault["msg"].removeprefix("Value error, ")
        raise InvalidRequest(f"The edits file {path} is wrong at {place}: {reason}.") from None
