"""E-mail and web addresses, names of accounts, phone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dubline.engines.speech.spoken.language import Language, last_word
from dubline.engines.speech.spoken.rules import Rule

_ENDINGS = "com|org|net|edu|gov|info|io|eu|es|fr|it|pt|br|in|uk|us|de|tv|app|dev|ai|mx|ar"
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_WEB = re.compile(
    r"(?:https?://|www\.)(?:[^\s,;!?()\[\]]|\?(?=\w))*[^\s.,:;!?()\[\]]"
    rf"|(?<![\w@.-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:{_ENDINGS})(?:/[\w./?=&%-]*[\w/])?(?![\w.]\w|\w)",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"(?<!\w)([@#])([^\W\d]\w*)")
_PARTS = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_PHONE = re.compile(
    r"(?<![\w.,/:])(?:\+ ?\d{1,3}[ .-]?)?(?:\(\d{1,4}\)[ .-]?)?\d{1,7}(?:[ .-]\d{2,8})+(?![\w/:]|[.,-]\d)"
    r"|(?<![\w.,])\+?\d{9,13}(?![\w.,]\d|\w)"
)


def rules(language: Language) -> Iterator[Rule]:
    def address(match: re.Match[str]) -> str:
        return _read(re.sub(r"^https?://", "", match.group()).rstrip("/"), language)

    def account(match: re.Match[str]) -> str:
        return f"{language.words.web[match.group(1)]} {match.group(2).replace('_', ' ')}"

    yield _MAIL, address
    yield _WEB, address
    yield _ACCOUNT, account


def _read(address: str, language: Language) -> str:
    """Word by word; the dots and dashes by their names."""
    web = language.words.web
    return " ".join(
        language.integer(part) if part.isdecimal() else web.get(part.lower(), part if part.isalpha() else "")
        for part in _PARTS.findall(address)
    )


def phones(language: Language) -> Iterator[Rule]:
    def phone(match: re.Match[str]) -> str:
        written = match.group()
        if re.fullmatch(language.phone_pattern, written):
            pass
        elif not _is_phone(written, last_word(match.string[: match.start()]) in language.words.phones):
            return written
        groups = [language.phone_group(group) for group in re.findall(r"\d+", written)]
        return (f"{language.words.plus} " if written.startswith("+") else "") + ", ".join(groups)

    yield _PHONE, phone


def _is_phone(written: str, announced: bool) -> bool:
    """Whether groups of digits are a phone number, and no range, date or number with its thousands apart."""
    groups = re.findall(r"\d+", written)
    if written.startswith("+") or (announced and "." not in written and sum(map(len, groups)) > 5):
        return 3 <= sum(map(len, groups)) <= 15
    if not 7 <= sum(map(len, groups)) <= 15 or re.fullmatch(r"\d{4}-\d\d-\d\d|\d\d?[.-]\d\d?[.-]\d{4}", written):
        return False
    if groups[0][0] == "0" and len(groups[0]) > 1 and "." not in written:
        return True
    if len(groups) == 1:
        return len(written) == 10 and written[0] in "6789"
    if all(re.fullmatch(r"\d{1,3}(?:[ .]\d{3})+", part) for part in written.split("-")):
        return False
    if len(groups) == 2 and "-" in written:
        return len(groups[1]) == 4 and not int(groups[0]) < int(groups[1]) <= 2 * int(groups[0]) and not _years(groups)
    return "." not in written or [*map(len, groups)] == [3, 3, 4] or len(set(map(len, groups))) == 1


def _years(groups: list[str]) -> bool:
    return all(1000 <= int(group) < 2100 for group in groups)
