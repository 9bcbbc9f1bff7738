"""How many voices a set of speaker embeddings holds, and which embedding is whose.

Ward's tree of the embeddings is cut from the root down: a node is two speakers where the means of its two sides lie
further apart than one voice's own scatter would put them. Unlike a single height for the whole tree, this neither
depends on how long the recording is nor on how a few odd embeddings were joined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import ClusterNode, linkage, to_tree

THRESHOLD = 0.105
"""Squared distance of two voices' mean unit vectors, less their scatter, above which they are two people.

Chosen together with SCATTER so that the number of speakers is right on as many as possible of 70 recordings of 0.5 to
10 minutes: pyannote's sample, LibriSpeech test-other (10 readers alone, in twos, threes and fours, clean and by
telephone) and synthetic voices mixed alike. At window steps of 0.1, 0.15 and 0.25 one in fourteen came out wrong, all
pairs: near-identical voices found as one, or mixed windows taken for a third person. At a step of 0.15 all
values from 0.085 to 0.11 do as well; 0.08 begins to split single readers, 0.115 joins the sample's two women."""
SCATTER = 1.2
"""Squared distance that the mean over one second of speech has from the voice's true mean; n seconds divide it by n."""
MIN_SPEECH_S = 4.0
"""Less speech than this founds no speaker: it goes to the nearest one."""
MOST_EMBEDDINGS = 6_000
"""An hour or so of speech; the tree needs memory for every pair, so longer recordings are thinned out evenly."""

Vectors = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClusteringRule:
    seconds_each: float
    """Speech that one embedding stands for: the step of the window it was taken from."""
    threshold: float = THRESHOLD
    min_speech_s: float = MIN_SPEECH_S


def cluster_speakers(embeddings: Vectors, rule: ClusteringRule, speakers: int | None = None) -> Labels:
    """Label each embedding with its speaker, 0.. in order of appearance.

    `embeddings` is float (n, dimension), in order of time, n >= 1. With `speakers`, that many are made as long as there
    are as many embeddings; otherwise their number is found.
    """
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    thinning = -(-len(unit) // MOST_EMBEDDINGS)
    kept = np.arange(0, len(unit), thinning)
    if len(kept) < 2 or speakers == 1:
        return np.zeros(len(unit), np.int64)
    rule = replace(rule, seconds_each=rule.seconds_each * thinning)
    tree = to_tree(linkage(unit[kept], "ward"))
    members = _found(tree, unit[kept], rule) if speakers is None else _forced(tree, rule, speakers)
    return _labelled(unit, [kept[rows] for rows in members])


def _found(tree: ClusterNode, unit: Vectors, rule: ClusteringRule) -> list[list[int]]:
    pending, speakers = [tree], []
    while pending:
        node = _without_scraps(pending.pop(), rule)
        if node is None:
            continue
        if node.is_leaf() or _apart(node, unit, rule) < rule.threshold:
            speakers.append(node.pre_order())
        else:
            pending += [node.left, node.right]
    return speakers


def _forced(tree: ClusterNode, rule: ClusteringRule, speakers: int) -> list[list[int]]:
    """Split the widest node until there are enough; scraps found a speaker only where nothing else is left to split."""
    for floor in (rule, replace(rule, min_speech_s=0.0)):
        nodes = [_without_scraps(tree, floor)]
        while len(nodes) < speakers:
            widest = max(nodes, key=lambda node: node.dist)
            if widest.is_leaf() or not widest.dist:
                break
            nodes.remove(widest)
            nodes += [_without_scraps(side, floor) for side in (widest.left, widest.right)]
        if len(nodes) == speakers:
            break
    return [node.pre_order() for node in nodes]


def _without_scraps(node: ClusterNode, rule: ClusteringRule) -> ClusterNode:
    """Follow the larger side down while the other holds too little speech to be somebody.

    A node none of whose splits leaves enough on both sides is one speaker, and comes back whole.
    """
    inner = node
    while not inner.is_leaf():
        small, large = sorted((inner.left, inner.right), key=lambda side: side.count)
        if small.count * rule.seconds_each >= rule.min_speech_s:
            return inner
        inner = large
    return node


def _apart(node: ClusterNode, unit: Vectors, rule: ClusteringRule) -> float:
    """Squared distance of the two sides' means, less what their scatter alone is expected to add."""
    left, right = unit[node.left.pre_order()], unit[node.right.pre_order()]
    distance = float(np.square(left.mean(axis=0) - right.mean(axis=0)).sum())
    return distance - SCATTER / rule.seconds_each * (1 / len(left) + 1 / len(right))


def _labelled(unit: Vectors, members: list[NDArray[np.int64]]) -> Labels:
    """Number the clusters by first appearance; embeddings in none go to the nearest mean."""
    ordered = sorted(members, key=min)
    means = np.stack([unit[rows].mean(axis=0) for rows in ordered])
    labels: Labels = np.argmax(unit @ means.T - np.square(means).sum(axis=1) / 2, axis=1).astype(np.int64)
    for label, rows in enumerate(ordered):
        labels[rows] = label
    return labels
