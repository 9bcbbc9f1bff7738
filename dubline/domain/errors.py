"""Every error that Dubline raises on purpose. The type says whether a retry can help and how a command exits.

    DublineError                    exit  retry
    ├── InvalidRequest                 2  no     an option, a name or a configuration file is wrong
    │   └── UnsupportedLanguage        4  no     a language or a pair that the chosen engines cannot do
    ├── InvalidMedia                   3  no     the input is not a video that can be read
    │   └── InfectedMedia              3  no     a virus scanner found something in the input
    ├── OutputUnavailable              5  no     the output place cannot be written, or its disk is full
    ├── ModelMissing                   6  no     weights or a program that an engine needs are not there
    ├── GateFailed                     7  no     a quality gate found a structural fault
    ├── EngineFailed                   8  no     an engine could not process good input
    │   └── EngineUnavailable          8  yes    an engine's host was lost, out of memory or unreachable
    ├── MediaToolFailed                9  yes    ffmpeg crashed or ran out of time on media that was accepted
    └── ServiceUnavailable            10  yes    the Prefect server or clamd cannot be reached or started
        └── StoreUnavailable          10  yes    the S3 store or a web server cannot be reached, or lost what it had

Exit code 0 is success, 1 an error nobody foresaw (a bug), 130 an interruption by the user.

`code` is the type's name for programs, such as `invalid-media`: the same over REST, over gRPC and in a session's error.
"""

from __future__ import annotations

from typing import ClassVar


class DublineError(Exception):
    """Base of all. The message is one sentence: what, where, what to do."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    code: ClassVar[str] = "dubline-error"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.code = kebab(cls.__name__)


def kebab(name: str) -> str:
    """`InvalidMedia` as `invalid-media`."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


class InvalidRequest(DublineError):
    exit_code = 2


class UnsupportedLanguage(InvalidRequest):
    exit_code = 4


class InvalidMedia(DublineError):
    exit_code = 3


class InfectedMedia(InvalidMedia):
    pass


class OutputUnavailable(DublineError):
    exit_code = 5


class ModelMissing(DublineError):
    exit_code = 6


class GateFailed(DublineError):
    exit_code = 7


class EngineFailed(DublineError):
    exit_code = 8


class EngineUnavailable(EngineFailed):
    retryable = True


class MediaToolFailed(DublineError):
    exit_code = 9
    retryable = True


class ServiceUnavailable(DublineError):
    exit_code = 10
    retryable = True


class StoreUnavailable(ServiceUnavailable):
    pass
