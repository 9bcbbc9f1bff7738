"""Spoken English, written as rule-based translation knows it: in full, in plain words, with its main verbs.

Apertium's English dictionaries are of written language. What people say ("gonna", "let's", "No.", "do that") is unknown
there, or is read as something else. The rules below give such turns another English form of the same meaning; they are
about closed classes of words only (auxiliaries, pronouns, particles), and hold for every target language.
"""

from __future__ import annotations

import re
from functools import partial

HESITATIONS = frozenset(
    (
        "uh",
        "um",
        "uhm",
        "er",
        "erm",
        "eh",
        "ah",
        "oh",
        "mm",
        "mhm",
        "hm",
        "hmm",
        "huh",
        "ugh",
        "aw",
        "aah",
        "ooh",
        "wow",
    )
)
"""Sounds, not words: they need no translation."""

_PRONOUN = r"(?:i|you|he|she|it|we|they|this|that|there|who|what)"
_BEGIN = r"(?:^|(?<=[.!?,;:]\s)|(?<=\band\s)|(?<=\bbut\s)|(?<=\bso\s)|(?<=\bokay\s)|(?<=\bnow\s))"
"""Where a clause begins."""
_SO = rf"(?:(?-i:\bSo,?)|{_BEGIN}so,|(?<=\bokay )so,?|(?<=\bokay, )so,?)"
"""That goes on with the talk; in the midst of a sentence it says what follows from what."""
_END = r"(?=\s*(?:$|[.!?,;:]))"
_AUXILIARY = r"(?:\b(?:do|does|did|will|would|can|could|should|must|may|might|not|i|you|we|they|he|she|it)|n't)"
_DETERMINER = r"(?:the|a|an|my|your|his|her|our|their)"
_STARTER = r"(?:if|when|where|why|how|let|is|are|do|does|in|inside|on|at|from|after|before|now|once|here)"
_TAG_VERB = r"(?:is|are|was|were|do|does|did|has|have|can|could|would|will)"
_THING = r"(?:it|this|that|which|everything|nothing)"
_SUBJECT = r"(?:i|you|he|she|it|we|they)"
_FINITE = r"(?:am|is|are|was|were|can|could|will|would|should|must|may|have|has|had)(?:n't)?"
_ASKED = r"(?:(?:why|where|when|who|how|how much|how many) )?"
_QUESTION = r"(?=[^.!?]*\?)"
_SOMEBODY = (
    r"(?:(?:you|him|her|them|me|us|someone|somebody|everyone|everybody|people)\b"
    r"|(?:a|the|my|your|his|her|our|their) (?:\w+ )?(?:\w*(?:man|men|woman|women|friend|friends|doctor|teacher|boss)"
    r"|mother|father|mom|dad|wife|husband|sons?|daughters?|sisters?|brothers?|kids?|child|children|parents|family|boy"
    r"|girl|people)\b)"
)
_PERSON = rf"(?:(?-i:[A-Z]\w+)|{_SOMEBODY})"
_BE = r"(?:am|is|are|was|were|be|'s|'m|'re)"

_REDUCTIONS = (
    (r"gonna", "going to"),
    (r"wanna(?: to)?", "want to"),
    (r"kinda|sorta", "somewhat"),
    (r"lotta", "lot of"),
    (r"outta", "out of"),
    (r"(could|should|would|might|must)(?:a| of)(?= \w)", r"\1 have"),
    (r"lemme", "let me"),
    (r"gimme", "give me"),
    (r"dunno", "do not know"),
    (r"y'all|you guys|ya", "you"),
    (r"c'mon", "come on"),
    (r"'?(?:cause|cuz|coz)(?= (?:i|you|he|she|it|we|they|the|that|there|this)\b)", "because"),
    (r"'?em", "them"),
    (r"(\w{2,})in'(?!\w)", r"\1ing"),
    (r"ok", "okay"),
    (r"yeah|yep|yup|yea|yah", "yes"),
    (r"nope|nah", "no"),
    (r"hey", "hello"),
    (r"dude|buddy|bro", "friend"),
    (r"awesome", "fantastic"),
    (r"super(?= \w)", "very"),
)
"""Words as they are said, and as they are written."""
_CONTRACTIONS = (
    (r"(i|you|he|she|it|we|they|who|that|this|there|what)'ll", r"\1 will"),
    (r"(what|who|where|how|when|why|that|there|these|those)'re", r"\1 are"),
    (r"how'd", "how did"),
    (r"(he|she|it|that|there|here|what|who|where)'s not", r"\1 is not"),
    (r"(must|need|might|may|shall)n't", r"\1 not"),
    (r"i ain't", "I am not"),
    (r"ain't", "is not"),
    (r"won't", "will not"),
)
_SUM = r"((?:\d[\d,.]*\d|\d)(?![\d.,]*\d)(?: (?:million|billion|trillion)\b)?)"
_MONEY = ((rf"\${_SUM}", r"\1 dollars"), (rf"€{_SUM}", r"\1 euros"), (rf"£{_SUM}", r"\1 pounds"))
"""Recognizers write a currency's sign before the figure; it is said after it."""
_NUMERAL = r"\d+|one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty"
_MEASURE = r"second|minute|hour|day|week|month|year|star|page|mile|meter|kilometer|dollar|person|part|step|point"
_SHORT_FORMS = (
    (
        r"\bthe (?-i:U\.S\.A?\.?|USA|US)(?![\w.])(?=(?: [a-z]|[^\w ]|$| (?:in|on|and|to|is|was|has|for)\b))",
        "the United States",
    ),
    (r"\b(?-i:U\.S\.A\.?|USA)(?![\w.])", "the United States"),
    (r"\bU\.S\.(?= [a-z])", "American"),
    (r"\b(?:e\.g\.|eg\.),?", "for example"),
    (r"\b(?:i\.e\.|ie\.),?", "that is to say,"),
    (r"\bapprox\.", "approximately"),
    (r"\bw/(?= )", "with"),
    (r"(?<=[\w] )&(?= [\w])", "and"),
    (r"(?<=\w)/(hour|day|week|month|year|night|person|minute|second)\b", r" per \1"),
    (r"\bover (?=\d)", "more than "),
    (r"(?:(?<=\d)|(?<=dollars)) an? (hour|day|week|month|year|night|person)\b", r" per \1"),
    # The dictionaries' rules glue the words of a measure with hyphens together.
    (rf"\b({_NUMERAL})-({_MEASURE})(?:-old)? ([a-z]+)\b", r"\3 of \1 \2s"),
    # Behind a name the dictionaries take it for the plural of 'life'.
    (
        r"\b((?-i:(?!He|She|It|Who|Our|Their|My|Your|His|Her|The|These|Those|Some|Many|All)[A-Z]\w+)) lives "
        r"(?=(?:in|at|with|here|near)\b)",
        r"\1 resides ",
    ),
)
"""Abbreviations and signs, in words."""
_TURNS = (
    # People met are not conditions met, and what is loved is not wanted.
    (rf"\bmet (?={_PERSON})", "encountered "),
    (rf"\bmeet (?={_PERSON})", "encounter "),
    (r"\b(i|you|we|they) love to\b", r"\1 like to"),
    (rf"\b(i|you|we|they) love (?!{_SOMEBODY}|each other)(?=\w)", r"\1 adore "),
    (rf"\bloves (?!{_SOMEBODY}|each other)(?=\w)", "adores "),
    # A verb that is no noun, too.
    (r"(?<!\bit)(?<!\bthis)(?<!\bthat) works (?=(?:for|in|at|with|here|there|hard|every|all|as)\b)", " is working "),
    (rf"{_BEGIN}let(?:'s| us)( now)?(?= \w)", r"we are\1 going to"),
    (rf"{_BEGIN}let me(?= \w)", "I am going to"),
    (rf"{_BEGIN}come on{_END}", "we go"),
    (r"thank you so much|thanks a lot|thanks so much|many thanks", "thank you very much"),
    (r"how are you (?:doing|today)(?=[?])", "how are you"),
    (
        rf"(?<=, )(?:{_TAG_VERB}(?:n't)?|won't) {_PRONOUN}(?: not)?(?=\?)",
        "right",
    ),
    (
        rf"{_SO}(?= (?:{_PRONOUN}|{_DETERMINER}|{_STARTER})\b)",
        "then,",
    ),
    (rf"{_BEGIN}i mean,", "that is to say,"),
    (r"(i|you|we|they) guess", r"\1 suppose that"),
    (r"suppose that (?:so|not)", "suppose"),
    (rf"({_BE}|was all) like,", r"\1 saying:"),
    (r", like,", ","),
    (rf"({_BE}|so|very|really|pretty|quite|how|looks?) (?:great|cool){_END}", r"\1 fantastic"),
    (rf"{_BEGIN}(?:great|cool){_END}", "fantastic"),
    # Of things; people work with another verb.
    (rf"\b({_THING}(?: {_TAG_VERB}|'ll)?(?:n't| not)?) work(s?)\b", r"\1 function\2"),
    (r"\bgreat(?= (?!deal|many|number|majority|extent|importance|big|war|power)[a-z])", "fantastic"),
    (r"\b(you|we) please (\w[^.!?]*)", r"\1 \2, please"),
    (rf"{_BEGIN}please(?= \w)", "please,"),
    # Romance languages ask without turning subject and verb around; turned around, the verb loses its person.
    (rf"{_BEGIN}({_ASKED})({_FINITE}) ({_SUBJECT})\b{_QUESTION}", r"\1\3 \2"),
    (rf"{_BEGIN}(what )({_FINITE}) ((?!i\b){_SUBJECT})\b{_QUESTION}", r"\1\3 \2"),
    (rf"{_BEGIN}({_ASKED}|what )do (i|you|we|they)(?= \w){_QUESTION}", r"\1\2"),
    (
        rf"\b(know|knew|think|believe|said|hope|suppose|guess)(?= (?:i|he|she|we|they|(?:you|it) {_FINITE}|there)\b)",
        r"\1 that",
    ),
    (r"(?:'ve|'s| have| has)? gotta\b", " have to"),
    (r"\bthat (?=much\b|many\b)", "so "),
    # Of people and trains; of the hour, 'it is late' is right as it is.
    (rf"\b(i|you|we|they)(?: am| are|'m|'re) late{_END}", r"\1 arrive late"),
    (rf"\b((?!(?:it|that|this)\b)\w+)(?: is|'s) late{_END}", r"\1 arrives late"),
    (rf"\b((?!(?:it|that|this)\b)\w+) (?:was|were) late{_END}", r"\1 arrived late"),
    (rf"(?<=\w)(?: is|'s) over{_END}", " has ended"),
    # 'Do' as a main verb is lost as if it were an auxiliary, and a 'that' after the verb is read as a conjunction.
    (
        r"(do|does|did|done|doing|make|made|know|like|love|see|saw|hear|heard|get|got|use|try|want|need|say|said|tell|think|about|of|with|for|to|at|in|on)"
        rf" that(?={_END}|\s+(?:again|later|now|then|today|yesterday|tomorrow|too|with|for|on|in|at|to|and|or|if)\b)",
        r"\1 this",
    ),
    (rf"({_AUXILIARY}) do (?=this|that|it|these|those|something|anything|nothing|everything)", r"\1 make "),
    (rf"({_AUXILIARY}) did (?=this|that|it|these|those|something|anything|nothing|everything)", r"\1 made "),
)
"""Turns of speech that are read wrongly, and others of the same meaning that are not."""


def _compiled(rules: tuple[tuple[str, str], ...], edges: bool) -> tuple[tuple[re.Pattern[str], str], ...]:
    before, after = (r"(?<![\w'])", r"(?![\w'])") if edges else ("", r"\b")
    return tuple((re.compile(f"{before}(?:{rule}){after}" if edges else rule, re.IGNORECASE), to) for rule, to in rules)


_RULES = (
    _compiled(_MONEY, False)
    + _compiled(_SHORT_FORMS, False)
    + _compiled(_REDUCTIONS, True)
    + _compiled(_CONTRACTIONS, True)
    + _compiled(_TURNS, False)
)
_PAST: dict[str, str] = dict(
    re.findall(
        r"(\w+):(\w+)",
        """
        become:became begin:began break:broke bring:brought build:built buy:bought catch:caught choose:chose come:came
        cost:cost cut:cut do:did draw:drew drink:drank drive:drove eat:ate fall:fell feel:felt fight:fought find:found
        fly:flew forget:forgot get:got give:gave go:went grow:grew hang:hung have:had hear:heard hide:hid hit:hit
        hold:held hurt:hurt keep:kept know:knew lead:led learn:learned leave:left lend:lent let:let lie:lied lose:lost
        make:made mean:meant meet:met pay:paid put:put read:read ride:rode ring:rang run:ran say:said see:saw sell:sold
        send:sent shoot:shot shut:shut sing:sang sit:sat sleep:slept speak:spoke spend:spent stand:stood steal:stole
        swim:swam take:took teach:taught tell:told think:thought throw:threw understand:understood wake:woke wear:wore
        win:won write:wrote stop:stopped plan:planned drop:dropped
        """,
    )
)
"""Past of verbs that do not just take -ed, the frequent ones."""
_DID = re.compile(
    rf"{_BEGIN}(?P<asked>{_ASKED}(?:what )?)did (?P<who>{_SUBJECT})"
    rf"(?P<how> (?:really|ever|just|also|even|actually|always))? (?P<verb>[a-z]+){_QUESTION}",
    re.IGNORECASE,
)
"""A question about the past: Romance languages ask without an auxiliary, and without 'did' the verb has to say when."""
_BARE_NO = re.compile(r"\b(no)\.(?=\s|$)(?!\s*\d)", re.IGNORECASE)
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")


def _worded(wording: str, match: re.Match[str]) -> str:
    return _cased(match, match.expand(wording))


def plain(text: str) -> str:
    """The same in plain written English; an upper-case start stays one."""
    text = text.translate(_APOSTROPHES)
    for rule, wording in _RULES:
        text = rule.sub(partial(_worded, wording), text)
    text = _DID.sub(lambda m: _cased(m, f"{m['asked']}{m['who']}{m['how'] or ''} {_past(m['verb'].lower())}"), text)
    # 'No.' is the abbreviation of 'number' in the dictionaries.
    return " ".join(_BARE_NO.sub(r"\1 .", text).split())


def _past(verb: str) -> str:
    if verb in _PAST:
        return _PAST[verb]
    if verb.endswith("e"):
        return f"{verb}d"
    return re.sub(r"(?<=[^aeiou])y$", "i", verb) + "ed"


def _cased(match: re.Match[str], wording: str) -> str:
    """The new wording with the capital of a sentence's start, and without that of a word that no longer starts it."""
    said = match.group().lstrip(" '")
    first = said.split(maxsplit=1)[0]
    if not first[:1].isupper() or first == "I":
        return wording
    starts = not match.string[: match.start()].strip(" '\"“") or match.string[: match.start()].rstrip()[-1:] in ".!?"
    wording = re.sub(rf"(?<=\s){re.escape(first)}\b", first.lower(), wording)
    return wording[:1].upper() + wording[1:] if starts else wording
