"""Sums of money that an engine tore, whichever engine it is: translated again with the sum out of its hands.

An engine's own wording stands where it has the figure and the currency, in whatever form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from dubline.domain.transcript import Line
from dubline.engines.contracts import TranslationRequest
from dubline.engines.translation.written.expressions import find
from dubline.engines.translation.written.masks import lost, masked, unmasked
from dubline.engines.translation.written.table import Words, words
from dubline.engines.translation.written.values import CURRENCY_SIGNS, Money

_FIGURE = re.compile(r"\d(?:[\d.,\u00a0\u202f ]*\d)?")
_FACTORS = {None: 1, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}

Render = Callable[[TranslationRequest], tuple[Line, ...]]


def whole(lines: tuple[Line, ...], render: Render, request: TranslationRequest) -> tuple[Line, ...]:
    """The lines with their sums whole; `render` translates a request without more ado. Raises what it raises."""
    texts = dict(request.texts)
    broken = {line.segment for line in lines if _torn(texts[line.segment], line.text, request)}
    if not broken:
        return lines
    hidden = {segment: masked(texts[segment], request.source, request.target) for segment in broken}
    part = replace(request, texts=tuple((segment, one.text) for segment, one in hidden.items()), alternatives=0)
    again = {line.segment: line for line in render(part)}
    return tuple(
        unmasked(again[line.segment], hidden[line.segment].masks, request.source, request.target)
        if line.segment in broken and not lost(again[line.segment].text, hidden[line.segment].masks)
        else line
        for line in lines
    )


def _torn(source: str, text: str, request: TranslationRequest) -> bool:
    table, target = words(request.source), words(request.target)
    if table is None or target is None:
        return False
    sums = [found.value for found in find(source, table) if isinstance(found.value, Money)]
    figures = {re.sub(r"\D", "", figure) for figure in _FIGURE.findall(text)}
    return any(not _has(one, figures, text.casefold(), target) for one in sums)


def _has(value: Money, figures: set[str], text: str, target: Words) -> bool:
    amount = value.amount.last or value.amount.first
    forms = {amount.whole + amount.decimals, f"{amount.value * _FACTORS[value.scale]:.0f}"}
    singular = target.currencies[value.currency][0].casefold()
    sign = CURRENCY_SIGNS.get(value.currency, value.currency.casefold())
    named = singular[:4] in text or sign in text or value.currency.casefold() in text
    return bool(forms & figures) and named
