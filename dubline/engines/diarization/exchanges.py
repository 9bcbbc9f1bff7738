"""Who says what in a quick exchange: each short utterance is judged by its own voice.

A pipeline of windows tells voices apart by seconds of speech; between turns of one word its windows blur, and a speaker
of a few words founds none. An utterance between two pauses is one person's, so its embedding is not blurred.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from dubline.domain.time import Span, difference, intersection, merged

PAUSE_MS = 90
"""Between two utterances; turns in a quick exchange begin 0.2 s after each other (Stivers et al., PNAS 2009), of which
the detector's frames take a part."""
SHORT_MS = 1_500
"""Longer utterances are left to the pipeline."""
LEAST_MS = 250
"""Less says more about the sound than about the voice."""
CLEAR = 0.04
"""By how much an utterance's cosine has to be greater with one voice than with the other. Of 60 words by six synthetic
voices all are right, by 0.06 to 0.36 (`python -m bench.exchanges` says what comes of it)."""
TWO = 0.22
"""Squared distance of two halves' means, less their scatter, above which the one voice that was found is two: of two of
those voices it is 0.29 to 0.51, for the worst halves of one 0.07 to 0.13."""
ALTERNATING, TWO_IN_TURN = 0.75, 0.16
"""Share of the utterances that are of another half than the one before, and the distance that is enough then: people
who take turns alternate. Of 54 exchanges of nine voices with themselves, four alternate so much by chance, at 0.15 and
less; of twelve by two Spanish pairs that are taken for one voice without this, all do, eleven of them at 0.16 and more.
"""
FEWEST = 6
"""Utterances that this is asked of; fewer scatter too much."""
_TAKEN, _MOST = 12, 200
"""Utterances that a known voice is known by, the longest ones; and those that are compared where there is one voice."""

Vector = NDArray[np.float64]
Embed = Callable[[Span], Vector]
Turns = Mapping[str, Sequence[Span]]
"""Label of a speaker -> when he speaks."""


def judged(tracks: Turns, speech: Sequence[Span], embed: Embed) -> dict[str, list[Span]]:
    """The speakers' turns, with short utterances given to the speaker whose voice they have.

    `speech` has the utterances, in order, with a pause between any two; `embed` gives the embedding of a span's sound,
    of length 1. Where one speaker was found and the utterances are two people's, there is another one, whose label is
    his with a ' behind it.
    """
    heard = [span for span in speech if span.len_ms >= LEAST_MS]
    return _parted(tracks, heard, embed) if len(tracks) == 1 else _corrected(tracks, heard, embed)


def _parted(tracks: Turns, heard: Sequence[Span], embed: Embed) -> dict[str, list[Span]]:
    """The one speaker, or two."""
    ((name, turns),) = tracks.items()
    halves = _halves([span for span in heard if span.len_ms <= SHORT_MS], embed)
    if halves is None:
        return {name: list(turns)}
    means = dict(zip((name, f"{name}'"), halves, strict=True))
    return _reassigned({name: turns, f"{name}'": []}, {span: _ranked(embed(span), means)[0] for span in heard})


def _corrected(tracks: Turns, heard: Sequence[Span], embed: Embed) -> dict[str, list[Span]]:
    """Voices are known by longer utterances; a speaker who has none, by his short ones."""
    whose = _speakers(heard, tracks)
    means = {}
    for name in tracks:
        longest = sorted((span for span in heard if whose.get(span) == name), key=lambda span: -span.len_ms)
        known = [span for span in longest if span.len_ms > SHORT_MS] or longest
        if known:
            means[name] = _mean(np.stack([embed(span) for span in known[:_TAKEN]]))
    if len(means) < 2:
        return {name: list(turns) for name, turns in tracks.items()}
    short = ((span, _surely(embed(span), means)) for span in heard if span.len_ms <= SHORT_MS)
    return _reassigned(tracks, {span: name for span, name in short if name})


def _speakers(heard: Sequence[Span], tracks: Turns) -> dict[Span, str]:
    """Who has most of each utterance; `heard` is in order."""
    starts = [span.start_ms for span in heard]
    shares: dict[Span, dict[str, int]] = {}
    for name, turns in tracks.items():
        for piece in intersection(heard, turns):
            own = shares.setdefault(heard[bisect_right(starts, piece.start_ms) - 1], {})
            own[name] = own.get(name, 0) + piece.len_ms
    return {span: max(own, key=lambda name: own[name]) for span, own in shares.items()}


def _mean(vectors: Vector) -> Vector:
    mean: Vector = vectors.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _ranked(vector: Vector, means: Mapping[str, Vector]) -> list[str]:
    """Whose voice it is, the nearest first."""
    return sorted(means, key=lambda name: -float(vector @ means[name]))


def _surely(vector: Vector, means: Mapping[str, Vector]) -> str | None:
    """Whose voice it is; None where another one's is nearly as near."""
    first, second, *_ = _ranked(vector, means)
    return first if float(vector @ (means[first] - means[second])) >= CLEAR else None


def _halves(short: Sequence[Span], embed: Embed) -> tuple[Vector, Vector] | None:
    """The means of two voices, that of the one who speaks more first; None where the utterances are one person's.

    Only short ones are compared: the embedding of a word and that of a sentence differ, whoever speaks.
    """
    if len(short) < FEWEST:
        return None
    taken = short[:: -(-len(short) // _MOST)]
    vectors = np.stack([embed(span) for span in taken])
    number = fcluster(linkage(vectors, "ward"), 2, "maxclust")
    sides = sorted((vectors[number == 1], vectors[number == 2]), key=len, reverse=True)
    enough = TWO_IN_TURN if np.mean(number[1:] != number[:-1]) >= ALTERNATING else TWO
    if min(map(len, sides)) < 2 or _apart(*sides) < enough:
        return None
    return _mean(sides[0]), _mean(sides[1])


def _apart(left: Vector, right: Vector) -> float:
    """Squared distance of the means, less what it is expected to be for halves of one that scatter like these."""
    means = [side.mean(axis=0) for side in (left, right)]
    scatter = sum(float(np.square(side - mean).sum()) for side, mean in zip((left, right), means, strict=True))
    expected = scatter / (len(left) + len(right) - 2) * (1 / len(left) + 1 / len(right))
    return float(np.square(means[0] - means[1]).sum()) - expected


def _reassigned(tracks: Turns, given: Mapping[Span, str]) -> dict[str, list[Span]]:
    result = {}
    for name, turns in tracks.items():
        others = [span for span, speaker in given.items() if speaker != name]
        own = [span for span, speaker in given.items() if speaker == name]
        result[name] = list(merged([*difference(turns, others), *own]))
    return {name: turns for name, turns in result.items() if turns}
