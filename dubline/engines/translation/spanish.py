"""Spanish that a rule-based translation from English gets wrong in ways a rule can mend.

Only what is wrong, or stilted in speech, whatever the context: ser for estar before a gerund, a place or a state asked
for; doubled objects of gustar; interrogatives where a relative stands; the familiar you in one number.
"""

from __future__ import annotations

import re
from functools import partial

_ESTAR = {
    "soy": "estoy",
    "eres": "estás",
    "es": "está",
    "somos": "estamos",
    "sois": "estáis",
    "son": "están",
    "era": "estaba",
    "eras": "estabas",
    "éramos": "estábamos",
    "eran": "estaban",
    "fui": "estuve",
    "fue": "estuvo",
    "fuimos": "estuvimos",
    "fueron": "estuvieron",
    "ser": "estar",
    "siendo": "estando",
    "sido": "estado",
    "seré": "estaré",
    "serás": "estarás",
    "será": "estará",
    "seremos": "estaremos",
    "serán": "estarán",
    "sería": "estaría",
    "serían": "estarían",
}
_SER = "|".join(sorted(_ESTAR, key=len, reverse=True))
_GERUND = r"\w*(?:\wando|\wiendo|yendo)(?:me|te|se|lo|la|los|las|le|les|nos)*"
_PLACE = (
    r"aquí|allí|ahí|allá|acá|dentro|fuera|cerca|lejos|arriba|abajo|seguros?|seguras?|listos?|listas?|a punto|de vuelta"
)
_TO_ESTAR = (
    re.compile(rf"\b({_SER})(?= (?:(?:no|también|solo|todavía|aún|siempre) )?(?:{_GERUND})\b)", re.IGNORECASE),
    re.compile(rf"\b({_SER})(?= (?:{_PLACE})\b)", re.IGNORECASE),
    re.compile(rf"(?<=\bdónde )(?<!de dónde )(?!fu)({_SER})\b", re.IGNORECASE),  # 'fueron' is of 'ir', too
    re.compile(rf"(?<=\bdonde )({_SER})(?=\s*\?)", re.IGNORECASE),
    re.compile(r"\b(soy|eres|somos|sois)(?= en\b)", re.IGNORECASE),
    re.compile(rf"(?<=\bcómo )({_SER})(?=\?)", re.IGNORECASE),
)
_ORIGIN = re.compile(r"\b(dónde) (soy|eres|es|somos|sois|son) de(?=\s*\?)", re.IGNORECASE)
_RULES = tuple(
    (re.compile(rule, re.IGNORECASE), wording)
    for rule, wording in (
        (r"\bqué (es|son|era|eran)(?= (?:el|la|los|las|mi|mis|tu|tus|su|sus|nuestr[oa]s?|vuestr[oa]s?)\b)", r"cuál \1"),
        (r"\bcuál (son|eran)\b", r"cuáles \1"),
        (r"\baquello\b", "eso"),
        (r"\b(me|te|le|nos|os|les) (?:lo|la|los|las) (gust\w+)", r"\1 \2"),
        (r"\b((?:el|la|los|las|un|una|unos|unas|alguien|gente|personas?) (?:\w+ )?)quién(?:es)?(?= \w)", r"\1que"),
        (r"\b(es|era|fue|sé|sabes|sabe) qué(?= (?!es\b|era\b|hacer\b|tal\b))(?=\w)(?=[^?]*$)", r"\1 lo que"),
        (r"\bdesde entonces(?= (?:\d|el\b|la\b|ayer\b))", "desde"),
        (r"\bI\b", "yo"),
        (r"(?:(?<=[.!?] )|^)bien(?=, )", "bueno"),
        (r"\bqué un[ao]? (?=\w)(?=[^?]*!)", "qué "),
        # 'To work', of people: what their forms share with the noun 'obra' is left alone.
        (r"\bobr(?=(?:o|amos|áis|an|ando|ar|ado|é|ó|aste|aron|aba\w*|ábamos|ar[éáíe]\w*)\b)", "trabaj"),
        (r"\bvuestr[oa]\b", "tu"),
        (r"\bvuestr[oa]s\b", "tus"),
        (r"\bde el\b(?! (?-i:[A-Z]))", "del"),
        (r"\ba el\b(?! (?-i:[A-Z]))", "al"),
        (r"\by(?= (?:i(?!a|e|o|u)|hi(?!a|e|o|u))\w)", "e"),
    )
)


def _worded(wording: str, match: re.Match[str]) -> str:
    return _like(match.group(), match.expand(wording))


def mended(text: str) -> str:
    """The same with these turns put right; case as it was."""
    text = _ORIGIN.sub(lambda match: _like(match.group(), f"de {match[1].lower()} {match[2]}"), text)
    for pattern in _TO_ESTAR:
        text = pattern.sub(lambda match: _like(match.group(), _ESTAR[match.group().lower()]), text)
    for pattern, wording in _RULES:
        text = pattern.sub(partial(_worded, wording), text)
    return text


def _like(model: str, text: str) -> str:
    return text[:1].upper() + text[1:] if model[:1].isupper() and model != "I" else text
