"""Formulas go to the solver as they are written."""

import pytest

from dubline.domain.linear_program import Program, total


def solved(program):
    solution = program.solve(5.0, 1e-6)
    assert solution is not None
    return solution


def test_costs_pull_a_variable_to_its_target_until_a_constraint_stops_it():
    program = Program()
    x = program.variable(0, 100)
    program.cost(program.apart(x, 40))
    program.at_most(x, 30)
    assert solved(program)(x) == pytest.approx(30)


def test_an_excess_costs_only_above_its_bound():
    program = Program()
    x = program.variable(0, 100)
    program.cost(x, -1.0)
    program.cost(program.over(x, 60), 3.0)
    assert solved(program)(x * 2 + 1) == pytest.approx(121)


def test_a_choice_takes_one_of_its_options_whole():
    program = Program()
    options = [program.choice() for _ in range(3)]
    program.equal(total(options), 1.0)
    lasts = total(option * ms for option, ms in zip(options, (900.0, 1250.0, 2000.0), strict=True))
    program.cost(program.apart(lasts, 1300))
    solution = solved(program)
    assert [round(solution(option)) for option in options] == [0, 1, 0]
    assert solution(lasts - 1000) == pytest.approx(250)


def test_constraints_that_contradict_each_other_have_no_solution():
    program = Program()
    x = program.variable(0, 10)
    program.at_most(11, x)
    assert program.solve(5.0, 1e-6) is None


def test_nothing_to_decide_is_decided():
    assert Program().solve(5.0, 1e-6) is not None
