"""How a dropped video is to be dubbed: `video.mp4.yaml` beside it, `dubline.yaml` for the whole folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import PurePosixPath
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from dubline import glossaries
from dubline.cast_file import VoiceOverride
from dubline.domain.errors import InvalidRequest
from dubline.domain.file_names import MAX_NAME
from dubline.domain.glossary import NO_GLOSSARY, Glossary
from dubline.domain.languages import language
from dubline.media.inputs import printable
from dubline.request import TrackName
from dubline.storage.value import Value

MAX_BYTES = 64 << 10
"""Of a file with options."""
MAX_GLOSSARY_BYTES = 256 << 10
"""Of a glossary beside it."""
MAX_CHOICES = 1000
"""Voices that a file may choose; an alias of YAML says many in few bytes."""
MAX_REQUEST_BYTES = 450_000
"""Of all options as JSON. The Prefect server refuses parameters of more than 524,288."""
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters and halves of characters, which databases do not take."""


def _codes(value: Any) -> Any:
    """`languages: es, fr` is as good as a list."""
    return [code.strip() for code in value.split(",")] if isinstance(value, str) else value


def _choices(value: Any) -> Any:
    """`S1: em_alex`, or `S1: {es: em_alex}` for one target language."""
    if not isinstance(value, Mapping):
        return value
    choices = (
        {"speaker": speaker, "voice": voice, "language": code}
        for speaker, chosen in value.items()
        for code, voice in (chosen.items() if isinstance(chosen, Mapping) else [(None, chosen)])
    )
    return list(islice(choices, MAX_CHOICES + 1))


class Options(Value):
    """What a sidecar may say. Every key is optional; what it leaves out, the folder's own file says."""

    languages: Annotated[tuple[str, ...], BeforeValidator(_codes)] = ()
    source_language: str | None = None
    track: TrackName | None = None
    profile: str = "offline"
    glossary: Glossary = NO_GLOSSARY
    voices: Annotated[tuple[VoiceOverride, ...], BeforeValidator(_choices), Field(max_length=MAX_CHOICES)] = ()
    burn_in: bool = False
    loudness: float | None = Field(default=None, ge=-40, le=-8)

    def over(self, defaults: Options) -> Options:
        """These options, with the defaults' where nothing was said."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return defaults.model_copy(update=said)

    def digest(self) -> str:
        """Equal for equal options: sha256, in hex."""
        # What was done before a track could be named is not done again.
        unsaid = {"track"} if self.track is None else None
        return hashlib.sha256(self.model_dump_json(exclude=unsaid).encode()).hexdigest()

    def request(self, video: str, out: str) -> dict[str, Any]:
        """A TranslateRequest, as JSON. `video` and `out` are absolute paths or URIs."""
        return {"video": video, "out": out, **self.model_dump(mode="json")}


def parse(content: bytes, name: str, read: Callable[[str], bytes]) -> Options:
    """The options of a file called `name`; `read` gives the bytes of a file beside it, for a glossary's name.

    Raises InvalidRequest: which file, which line, which key, what to do.
    """
    try:
        return _parsed(content, name, read)
    except UnicodeDecodeError:
        raise InvalidRequest(f"{name} is not UTF-8; save it as UTF-8.") from None
    except yaml.YAMLError as error:
        raise InvalidRequest(f"{name} is not YAML ({' '.join(str(error).split())}); correct it.") from None
    except RecursionError:
        raise InvalidRequest(f"{name}, or its glossary, is nested too deeply; correct it.") from None
    except InvalidRequest as error:
        raise InvalidRequest(printable(str(error))) from None


def _parsed(content: bytes, name: str, read: Callable[[str], bytes]) -> Options:
    # Texts stay texts: Norwegian is 'no', and a speaker may be called 1.
    loader = yaml.BaseLoader(content.decode("utf-8-sig"))
    root = loader.get_single_node()
    data = loader.construct_document(root) if root else {}
    if not isinstance(root, yaml.MappingNode | None) or not isinstance(data, dict):
        raise InvalidRequest(f"{name} holds no keys; write lines such as 'languages: [es]'.")
    keys = {key.value: (key.start_mark.line + 1, value) for key, value in (root.value if root else [])}
    if "glossary" in data:
        data["glossary"] = _glossary(data["glossary"], keys["glossary"][1], name, read)
    try:
        options = Options.model_validate(data)
        _check(options)
    except ValidationError as error:
        raise _explained(error, name, {key: line for key, (line, _) in keys.items()}) from None
    except InvalidRequest as error:
        raise InvalidRequest(f"{name}: {error}") from None
    return options


def complete(options: Options, name: str) -> Options:
    """Raises InvalidRequest where no target language is said anywhere."""
    if not options.languages:
        raise InvalidRequest(
            f"No target language is given for {name}; write '{name}.yaml' with a line such as 'languages: [es]', "
            "or 'dubline.yaml' with that line for the whole folder."
        )
    return options


def _glossary(value: Any, node: yaml.Node, name: str, read: Callable[[str], bytes]) -> Glossary:
    """The terms themselves, or the name of a file beside the sidecar."""
    if isinstance(value, dict):
        return glossaries.of_mapping(node, f"in {name}")
    if not isinstance(value, str) or not _is_name(value):
        raise InvalidRequest(f"{name}: 'glossary' names no file beside it; write terms, or a name such as terms.csv.")
    try:
        return glossaries.parse(read(value), value)
    except FileNotFoundError:
        raise InvalidRequest(f"{name} names the glossary {value}, which is not beside it; put it there.") from None


def _is_name(text: str) -> bool:
    """Whether a file directly in the folder can be called so."""
    plain = not _NO_TEXT.search(text) and PurePosixPath(text).name == text and not text.startswith(".")
    return plain and 0 < len(text.encode()) <= MAX_NAME


def _check(options: Options) -> None:
    """What can be known without the engines and the profiles, which may be on another machine or in a block.

    Raises InvalidRequest.
    """
    for text in _texts(options.model_dump()):
        if _NO_TEXT.search(text):
            raise InvalidRequest(f"'{text}' holds a control character or half of one; remove it.")
    if len(options.model_dump_json()) > MAX_REQUEST_BYTES:
        raise InvalidRequest("The glossary or the choices of voices are too long; shorten them.")
    for code in (*options.languages, *filter(None, (options.source_language,))):
        language(code)


def _texts(value: Any) -> Iterator[str]:
    """All texts in a dumped value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _texts(inner)


def _explained(error: ValidationError, name: str, lines: Mapping[str, int]) -> InvalidRequest:
    fault = error.errors()[0]
    key = str(fault["loc"][0])
    where = f"{name}, line {lines.get(key, 1)}"
    if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
        return InvalidRequest(f"{where}: there is no key '{key}'; use one of: {', '.join(Options.model_fields)}.")
    return InvalidRequest(f"{where}: '{key}' is wrong ({fault['msg']}); correct it.")
