"""Linear programmes written down like the formulas they are; HiGHS, which ships with scipy, solves them.

program = Program()
start, end = program.variable(0, 5000), program.variable(0, 6000)
program.at_most(start + 800, end)
program.cost(program.over(end, 4000), 2.0)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted sum of variables (by their number) and a constant."""

    weights: dict[int, float] = field(default_factory=dict)
    constant: float = 0.0

    def __add__(self, other: Linear | float) -> Linear:
        added = other if isinstance(other, Linear) else Linear(constant=other)
        weights = dict(self.weights)
        for number, weight in added.weights.items():
            weights[number] = weights.get(number, 0.0) + weight
        return Linear(weights, self.constant + added.constant)

    def __mul__(self, factor: float) -> Linear:
        return Linear({number: weight * factor for number, weight in self.weights.items()}, self.constant * factor)

    def __sub__(self, other: Linear | float) -> Linear:
        return self + other * -1.0

    __rmul__ = __mul__


def total(terms: Iterable[Linear]) -> Linear:
    result = Linear()
    for term in terms:
        result = result + term
    return result


@dataclass(slots=True)
class Program:
    """Minimize the costs under the constraints."""

    _bounds: list[tuple[float, float]] = field(default_factory=list)
    _integral: list[bool] = field(default_factory=list)
    _costs: dict[int, float] = field(default_factory=dict)
    _rows: list[Linear] = field(default_factory=list)

    def variable(self, low: float = 0.0, high: float = math.inf) -> Linear:
        return self._new(low, high, False)

    def choice(self) -> Linear:
        """A variable that is 0 or 1."""
        return self._new(0.0, 1.0, True)

    def _new(self, low: float, high: float, integral: bool) -> Linear:
        self._bounds.append((low, high))
        self._integral.append(integral)
        return Linear({len(self._bounds) - 1: 1.0})

    def at_most(self, left: Linear | float, right: Linear | float) -> None:
        """Constrain `left <= right`."""
        self._rows.append(Linear() + left - right)

    def equal(self, left: Linear | float, right: Linear | float) -> None:
        self.at_most(left, right)
        self.at_most(right, left)

    def cost(self, term: Linear, weight: float = 1.0) -> None:
        for number, factor in term.weights.items():
            self._costs[number] = self._costs.get(number, 0.0) + factor * weight

    def over(self, term: Linear, bound: Linear | float) -> Linear:
        """How far a term exceeds a bound, 0 where it does not: for costs of positive weight."""
        excess = self.variable()
        self.at_most(term - bound, excess)
        return excess

    def apart(self, one: Linear, other: Linear | float) -> Linear:
        """The distance of two terms: for costs of positive weight."""
        distance = self.variable()
        self.at_most(one - other, distance)
        self.at_most(distance * -1.0, one - other)
        return distance

    def solve(self, time_limit_s: float, gap: float) -> Solution | None:
        """The best values; None where the constraints contradict each other or time ran out without a solution.

        `gap` is the relative distance to the optimum at which a search over choices may stop. The search is
        deterministic as long as the time limit does not end it.
        """
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        if not self._bounds:
            return Solution(())
        size = len(self._bounds)
        entries = [(row, n, w) for row, linear in enumerate(self._rows) for n, w in linear.weights.items()]
        rows, columns, weights = zip(*entries, strict=True) if entries else ((), (), ())
        matrix = csr_array((weights, (rows, columns)), shape=(len(self._rows), size))
        found = milp(
            np.array([self._costs.get(number, 0.0) for number in range(size)]),
            integrality=np.array(self._integral, dtype=int),
            bounds=Bounds([low for low, _ in self._bounds], [high for _, high in self._bounds]),
            constraints=LinearConstraint(matrix, ub=[-linear.constant for linear in self._rows]),
            options={"time_limit": time_limit_s, "mip_rel_gap": gap},
        )
        return None if found.x is None else Solution(tuple(map(float, found.x)), optimal=found.status == 0)


@dataclass(frozen=True, slots=True)
class Solution:
    values: tuple[float, ...]
    optimal: bool = True
    """False where time ran out: these are the best values found until then."""

    def __call__(self, term: Linear) -> float:
        return term.constant + sum(weight * self.values[number] for number, weight in term.weights.items())
