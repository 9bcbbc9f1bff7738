"""Sampling in which each row of a batch draws from a generator of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class RowSampling(TorchFunctionMode):
    """While it is active, `torch.multinomial` on a batch gives each row what it would get alone.

    Row i draws what `torch.multinomial` draws after `torch.manual_seed(seeds[i])` in a batch of one. Libraries that
    sample through torch's global generator need no change for it. Probabilities may hold several lines for each row of
    the batch, row by row, as in (rows * frames, choices).
    """

    def __init__(self, seeds: Sequence[int], device: str) -> None:
        super().__init__()
        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is not torch.multinomial:
            return func(*args, **kwargs)
        probabilities, *rest = args
        rows = probabilities.chunk(len(self._generators))
        drawn = [
            func(row, *rest, **{**kwargs, "generator": generator})
            for row, generator in zip(rows, self._generators, strict=True)
        ]
        return torch.cat(drawn)
