"""The words with which a language writes sums, dates, times and the like: one YAML file a language."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

LANGUAGES = ("en", "es", "fr", "it", "pt")
Forms = list[str]
"""Singular, plural, and what is read as either."""


class Words(BaseModel):
    """A language's table. Keys that end in `_read` are regular expressions, the others are what is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    months: list[str]
    weekdays: list[str]
    ordinal: list[str]
    """For any number; then, where they differ, for those that end in 1, 2, 3 (for 1 alone where there is but one)."""
    date: dict[str, str]
    prepositions: dict[str, str]
    """Before a date or a time, by their English name."""
    clock: dict[str, str | int]
    day_parts: list[str]
    """After 12, 1-5, 6-11 a.m. and 12, 1-7, 8-11 p.m."""
    it_is: dict[str, str]
    decade: dict[str, str]
    century: str
    nth_time: str
    times: list[str]
    number_sign: str
    percent: str
    share: str
    """The article before a percentage of something."""
    percent_by: str
    """A percentage by which something grows or falls."""
    money: str
    of: str
    """Between millions and what they are millions of."""
    decimals_are_plural: bool
    """Whether 1.5 takes the plural."""
    scales: dict[str, Forms]
    currencies: dict[str, Forms]
    units: dict[str, Forms]
    titles: dict[str, str]
    titles_read: dict[str, str]
    title_article: dict[str, str]
    number_read: str
    scales_read: dict[str, str]
    percent_read: str
    decade_read: str
    century_read: str
    nth_read: str | None = None
    clock_read: str
    contracted: dict[str, str] = Field(default_factory=dict)
    """Words that are a preposition and the article before a date, and the preposition."""


def words(language: str) -> Words | None:
    """The table of a language; None for one without."""
    return table(language) if language in LANGUAGES else None


@lru_cache(maxsize=8)
def table(language: str) -> Words:
    """The table of one of LANGUAGES."""
    return Words(code=language, **_read(f"{language}.yaml"))


@lru_cache(maxsize=1)
def names() -> tuple[dict[str, str | list[str]], ...]:
    """What holidays and institutions are called: in English a list of wordings, in each other language one."""
    return tuple(_read("names.yaml"))


def _read(name: str) -> Any:
    return yaml.safe_load(files(__package__).joinpath(name).read_text(encoding="utf-8"))
