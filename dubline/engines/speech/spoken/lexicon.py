"""The words of one language that the rules put in place of signs, from `lexicons/LANGUAGE.yaml`."""

from __future__ import annotations

import unicodedata
from dataclasses import field
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

FOLDER = Path(__file__).parent / "lexicons"


@dataclass(frozen=True)
class Lexicon:
    points: dict[str, str]
    """Each sign before decimals that the language is written with, and its word."""
    groups: str
    """Signs between groups of three digits, beside the spaces and the apostrophe."""
    minus: str
    plus: str
    range: str
    """Between two numbers: "five to ten"."""
    percent: str
    permille: str
    times: str
    """Between factors: "three times four"."""
    by: str
    """Between the sides of something: "three by four metres"."""
    fold: tuple[str, str]
    """Behind a number: "once, twice": singular and plural of "2x"."""
    number_sign: str
    """"#5" and "No. 5"."""
    per: str
    """Between units: "kilometres per hour"."""
    per_many: str
    """Before a number of units: "per 100 kilometres"."""
    out_of: str
    """For marks: "eight out of ten"."""
    of: str
    """Between a million and what is counted; empty where nothing stands there."""
    months: tuple[str, ...]
    scales: dict[str, tuple[str, str]]
    """Letters behind a number that stand for thousands, millions, ... : singular and plural."""
    scale_words: tuple[str, ...]
    """Words for large numbers as they are written behind figures."""
    units: dict[str, tuple[str, str] | tuple[str, str, str]]
    """Each symbol's singular and plural; "f" behind them for a feminine."""
    doubtful: tuple[str, ...]
    """Units that are also words: read as units only where nothing but "of" follows."""
    currencies: dict[str, tuple[str, ...]]
    """Each symbol's singular, plural and gender, and those of its hundredth part."""
    ratio: str
    """Between the numbers of a ratio, "16:9"."""
    divided: str
    power: str
    """For "^"."""
    over: str
    """Between numbers with a slash that are no fraction."""
    more_than: str
    """For the plus of "5+"."""
    alone: tuple[str, ...]
    """Units that are also read where no number stands before them."""
    cents: str
    """Between the whole and the cents."""
    signs: dict[str, str]
    """Signs that are read wherever they are left."""
    web: dict[str, str]
    """Signs of e-mail and web addresses."""
    abbreviations: dict[str, str]
    titles: dict[str, str]
    """Abbreviations that are short for a word only before a name."""
    acronyms: dict[str, str]
    """Those that espeak-ng spells though people read them as words, and the other way round."""
    numbered_abbreviations: dict[str, str]
    """Those that are short for a word only before a number."""
    dated: tuple[str, ...] = ()
    """Words before a date in figures: "on 3/5"."""
    parts_of: tuple[str, ...] = ()
    """Words behind a fraction, each with the space or apostrophe that follows it: no date stands before them."""
    half: str = ""
    """Of a whole: "half of the people"."""
    articles: tuple[str, ...] = ()
    """Between a half and its noun: "half of a cup"."""
    approximately: str = ""
    plain_scales: tuple[str, ...] = ()
    """Scale words with no "of" behind them: "thousand"."""
    denominators: dict[int, tuple[str, str]] = field(default_factory=dict)
    numbered: tuple[str, ...] = ()
    """Words behind which a number is a name, not a count: "chapter 21"."""
    roman_cardinal: tuple[str, ...] = ()
    """Words before a roman numeral that is read as a number: "chapter IV"."""
    roman_ordinal: tuple[str, ...] = ()
    """Words before a roman numeral that is read as an ordinal."""
    roman_short: dict[str, str] = field(default_factory=dict)
    """Short forms of the words of `roman_ordinal`."""
    roman_ordinal_after: tuple[str, ...] = ()
    """Words behind a roman numeral that is read as an ordinal."""
    joints: tuple[str, ...] = ()
    """Words between two roman numerals: "chapters IV and V"."""
    regnal: tuple[str, ...] = ()
    """Names of rulers and popes, whose numerals may be a single letter."""
    feminine: tuple[str, ...] = ()
    """Feminine nouns that do not look like it."""
    masculine: tuple[str, ...] = ()
    """Masculine nouns that look like feminines."""
    feminine_endings: tuple[str, ...] = ()
    score: tuple[str, ...] = ()
    """Words before the score of a match."""
    adjectives: tuple[str, ...] = ()
    """Adjectives that may stand between a number and its noun."""
    date_of: str = ""
    """Between the day, the month and the year."""
    functions: tuple[str, ...] = ()
    """Words that are no noun: a number before one of them stands by itself."""
    verbs: str = "(?!)"
    """A pattern for the end of a verb in the plural, which is no noun either: "2/3 agree"."""
    ranked: tuple[str, ...] = ()
    """Words behind which "3°" is an ordinal, and no temperature."""
    weekdays: tuple[str, ...] = ()
    """Days between which a dash is a range."""
    parted: tuple[str, ...] = ()
    """Nouns of which there are halves and quarters: "half a cup"."""
    phones: tuple[str, ...] = ()
    """Words before a phone number."""
    decades: tuple[str, ...] = ()
    """Words before a decade: "the years 90"."""
    clocks: tuple[str, ...] = ()
    """Words before a time of day that is written with a point."""
    years: tuple[str, ...] = ()
    """Words before a year."""


@cache
def lexicon(language: str) -> Lexicon:
    import yaml

    # The base loader makes strings, lists and mappings alone: "no" and "on" are words here.
    text = unicodedata.normalize("NFC", (FOLDER / f"{language}.yaml").read_text("utf-8"))
    return TypeAdapter(Lexicon).validate_python(yaml.CBaseLoader(text).get_single_data())
