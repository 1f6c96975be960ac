"""Splits of a budget: they add up exactly, and the optimal one is not beaten by any split of a fine grid."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defenses.ldp.budget_curve import BudgetCurve
from defenses.ldp.budgets import custom, k_based, uniform
from defenses.ldp.grr import Grr
from defenses.ldp.least_total import least_total
from defenses.ldp.local_hashing import Blh, Olh
from defenses.ldp.optimal import optimal
from defenses.ldp.rounds import Fresh
from defenses.ldp.subset_selection import SubsetSelection
from defenses.ldp.unary import Oue, Sue, The
from defenses.ldp.water_level import water_level
from privbench.errors import InputError
from privbench.rng import stream
from tests.defenses.ldp.channels import PROTOCOLS

OBJECTIVES = ("variance", "success")
FLOORS = {"variance": 1e-6, "success": 0.1}

sizes_of_columns = st.lists(st.integers(1, 10**6), min_size=1, max_size=60)
budgets = st.floats(1e-3, 200.0)


def check_sum(parts, epsilon):
    """The exact sum, not the rounded one."""
    total = sum(map(Fraction, parts))
    assert total <= Fraction(epsilon)
    assert Fraction(epsilon) - total <= Fraction(epsilon) * Fraction(1, 10**12)
    assert float(Fraction(epsilon) - total) <= 1e-12
    assert min(parts) > 0


@given(sizes_of_columns, budgets)
def test_uniform_and_k_based_parts_sum_to_the_budget_and_never_above(sizes, epsilon):
    even, by_values = uniform(sizes, epsilon), k_based(sizes, epsilon)
    check_sum(even, epsilon)
    check_sum(by_values, epsilon)
    assert even == pytest.approx([epsilon / len(sizes)] * len(sizes), rel=1e-12)
    assert by_values == pytest.approx([epsilon * size / sum(sizes) for size in sizes], rel=1e-12)


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=20), budgets, st.floats(-1e-10, 1e-10))
def test_custom_parts_keep_their_proportions(weights, epsilon, rounding):
    names = [f"c{place}" for place in range(len(weights))]
    wanted = [weight / math.fsum(weights) * epsilon * (1 + rounding) for weight in weights]
    parts = custom(names, epsilon, budgets=dict(zip(reversed(names), reversed(wanted), strict=True)))
    check_sum(parts, epsilon)
    assert parts == pytest.approx(wanted, rel=1e-9)


def test_custom_budgets_that_do_not_fit_are_refused():
    names = ["a", "b"]
    assert custom(names, 1.0, budgets={"b": 0.75, "a": 0.25}) == (0.25, 0.75)
    for wrong, message in (
        ({"a": 0.5}, "no budget for 'b'"),
        ({"a": 0.5, "b": 0.4, "bb": 0.1}, "unknown column in the budgets 'bb'; did you mean 'b'"),
        ({"a": 1.0, "b": 0.0}, "got 0 for column 'b'"),
        ({"a": 1.5, "b": -0.5}, "got -0.5 for column 'b'"),
        ({"a": 0.5, "b": math.nan}, "got nan for column 'b'"),
        ({"a": 0.5, "b": 0.4}, "they sum to 0.9, not to epsilon = 1"),
        ({"a": 0.5, "b": 0.5 + 1e-8}, "not to epsilon"),
    ):
        with pytest.raises(InputError, match=message):
            custom(names, 1.0, budgets=wrong)


def test_splits_of_nothing_are_refused():
    for split in (uniform, k_based):
        with pytest.raises(InputError, match="at least one column"):
            split([], 1.0)
        with pytest.raises(InputError, match="has 0 values"):
            split([2, 0], 1.0)
        for epsilon in (0.0, -1.0, math.nan, math.inf):
            with pytest.raises(InputError, match="epsilon must be a positive number"):
                split([2, 3], epsilon)
    with pytest.raises(InputError, match="too small to split"):
        uniform([2, 3], 5e-324)


def makers_of(protocol, sizes):
    return [lambda epsilon, size=size: protocol(size=size, epsilon=epsilon) for size in sizes]


def floors_of(sizes, epsilon, objective):
    parts = zip(uniform(sizes, epsilon), k_based(sizes, epsilon), strict=True)
    return [min(FLOORS[objective] * even, by_values) for even, by_values in parts]


def objective_value(makers, parts, *, objective):
    """Return the total variance of one report a column, or the success in the worst column of two values or more."""
    oracles = [maker(part) for maker, part in zip(makers, parts, strict=True)]
    even = {oracle.size: np.full(oracle.size, 1 / oracle.size) for oracle in oracles}
    if objective == "variance":
        return math.fsum(float(np.sum(oracle.variance(even[oracle.size], reports=1))) for oracle in oracles)
    return max((oracle.success(even[oracle.size]) for oracle in oracles if oracle.size > 1), default=1.0)


def brute_force(makers, floors, epsilon, objective, steps):
    """Return the least objective over all splits on a grid of the budget above the floors."""
    grid = (epsilon - math.fsum(floors)) * np.arange(steps + 1) / steps
    curves = [
        np.array([objective_value([maker], [floor + more], objective=objective) for more in grid])
        for maker, floor in zip(makers, floors, strict=True)
    ]
    combine = np.add if objective == "variance" else np.maximum
    best = curves[0]
    for curve in curves[1:-1]:
        best = np.array([combine(best[: n + 1], curve[n::-1]).min() for n in range(steps + 1)])
    return combine(best, curves[-1][::-1]).min()


@pytest.mark.parametrize(("sizes", "epsilon", "steps"), [((2, 10), 4.0, 1500), ((2, 6, 30), 3.0, 300)])
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("protocol", [Grr, Oue, SubsetSelection, Olh])
def test_no_split_of_a_grid_is_better_than_the_optimal_one(protocol, objective, epsilon, sizes, steps):
    makers = makers_of(protocol, sizes)
    floors = floors_of(sizes, epsilon, objective)
    parts = optimal(makers, epsilon, objective=objective)
    check_sum(parts, epsilon)
    assert all(part >= floor * (1 - 1e-12) for part, floor in zip(parts, floors, strict=True))
    found = objective_value(makers, parts, objective=objective)
    best = brute_force(makers, floors, epsilon, objective, steps)
    assert found <= best * (1 + 1e-9)
    # and the grid comes near to it
    assert found >= best * (1 - 0.02)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_split_of_a_fine_grid_is_better_than_the_optimal_one(protocol, objective, seed):
    rng = stream(seed, "brute", objective, protocol.__name__)
    sizes = rng.choice([2, 3, 4, 5, 8, 10, 20, 50], size=rng.integers(2, 4)).tolist()
    epsilon = float(np.exp(rng.uniform(np.log(0.3), np.log(12))))
    makers = makers_of(protocol, sizes)
    found = objective_value(makers, optimal(makers, epsilon, objective=objective), objective=objective)
    steps = 20_000 if len(sizes) == 2 else 3000
    assert found <= brute_force(makers, floors_of(sizes, epsilon, objective), epsilon, objective, steps) * (1 + 1e-9)


COLUMNS = [(2, 10), (2, 5, 16, 100), (1, 2, 1000), (2, 2, 2, 9, 9, 15, 42, 7)]


@pytest.mark.parametrize(
    ("protocol", "sizes"),
    [*itertools.product((Grr, Sue, Oue), COLUMNS), (SubsetSelection, (1, 2, 30)), (Olh, (2, 10))],
)
@pytest.mark.parametrize("epsilon", [0.5, 8.0])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_optimal_split_is_never_worse_than_uniform_and_k_based(protocol, objective, epsilon, sizes):
    makers = makers_of(protocol, sizes)
    parts = optimal(makers, epsilon, objective=objective)
    check_sum(parts, epsilon)
    found = objective_value(makers, parts, objective=objective)
    for other in (uniform(sizes, epsilon), k_based(sizes, epsilon)):
        assert found <= objective_value(makers, other, objective=objective) * (1 + 1e-12)


def test_small_budgets_are_split_by_powers_of_the_number_of_values():
    """The total variance is k (k - 1) / e^2 under GRR and 4 k / e^2 under OUE: the parts go with the cube roots."""
    sizes = np.array([2, 5, 40])
    for protocol, weight in ((Grr, sizes * (sizes - 1)), (Oue, sizes)):
        parts = np.array(optimal(makers_of(protocol, sizes.tolist()), 1e-3, objective="variance"))
        root = np.cbrt(weight)
        assert parts == pytest.approx(1e-3 * root / root.sum(), rel=1e-3)


def test_columns_above_their_floor_have_the_same_success():
    sizes, epsilon = (2, 5, 10, 20), 8.0
    for protocol in (Grr, Sue, The):
        makers = makers_of(protocol, sizes)
        parts = optimal(makers, epsilon, objective="success")
        floors = floors_of(sizes, epsilon, "success")
        columns = zip(makers, parts, strict=True)
        success = [objective_value([maker], [part], objective="success") for maker, part in columns]
        free = [value for value, part, floor in zip(success, parts, floors, strict=True) if part > floor * (1 + 1e-9)]
        assert len(free) >= 2
        assert free == pytest.approx([free[0]] * len(free), abs=1e-9)
        # who stays at the floor is where the attack succeeds most
        assert max(success) == pytest.approx(max(free[0], success[0]), abs=1e-9)


def test_a_binary_column_gets_its_floor_though_a_guess_at_it_is_right_half_of_the_time():
    makers = makers_of(Grr, (2, 50))
    for floor in (1e-3, 0.05):
        assert optimal(makers, 2.0, objective="success", floor=floor)[0] == pytest.approx(floor * 1.0, rel=1e-9)
    # by default a tenth of the uniform share, or the share by values if that is less
    assert optimal(makers, 2.0, objective="success")[0] == pytest.approx(2.0 * 2 / 52, rel=1e-9)
    assert optimal(makers_of(Grr, (2, 10)), 2.0, objective="success")[0] == pytest.approx(0.1, rel=1e-9)


def test_a_column_of_one_value_gets_the_floor():
    for objective, sizes in itertools.product(OBJECTIVES, ((1, 2, 10), (1, 7))):
        makers = makers_of(Grr, sizes)
        parts = optimal(makers, 2.0, objective=objective)
        assert parts[0] == pytest.approx(floors_of(sizes, 2.0, objective)[0], rel=1e-9)
        check_sum(parts, 2.0)
    assert optimal(makers_of(Grr, (1, 1)), 2.0, objective="success") == (1.0, 1.0)
    assert optimal(makers_of(Grr, (6,)), 2.0, objective="variance") == (2.0,)


def test_equal_columns_get_equal_parts():
    for protocol, objective in itertools.product((Grr, Sue, Oue, Blh), OBJECTIVES):
        parts = optimal(makers_of(protocol, (4, 4, 4)), 3.0, objective=objective)
        assert parts == pytest.approx([1.0] * 3, rel=1e-3)


@pytest.mark.parametrize("epsilon", [1e-3, 50.0, 200.0])
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("protocol", [Grr, Sue, Oue, SubsetSelection, Blh, Olh])
def test_extreme_budgets_are_split(protocol, objective, epsilon):
    sizes = (2, 30)
    makers = makers_of(protocol, sizes)
    parts = optimal(makers, epsilon, objective=objective)
    check_sum(parts, epsilon)
    found = objective_value(makers, parts, objective=objective)
    for other in (uniform(sizes, epsilon), k_based(sizes, epsilon)):
        assert found <= objective_value(makers, other, objective=objective) * (1 + 1e-9)


def test_what_cannot_be_optimised_is_refused():
    makers = makers_of(Grr, (2, 3))
    with pytest.raises(InputError, match="unknown objective 'varance'; did you mean 'variance'"):
        optimal(makers, 1.0, objective="varance")
    for floor in (0.0, 1.5, math.nan):
        with pytest.raises(InputError, match="floor is a fraction"):
            optimal(makers, 1.0, objective="success", floor=floor)
    with pytest.raises(InputError, match="at least one column"):
        optimal([], 1.0, objective="variance")
    with pytest.raises(InputError, match="epsilon must be a positive number"):
        optimal(makers, -1.0, objective="variance")
    unknown = [lambda epsilon: Fresh(SubsetSelection(size=5, epsilon=epsilon), 2)] * 2
    with pytest.raises(InputError, match="no closed form of its success"):
        optimal(unknown, 1.0, objective="success")


def test_the_solvers_take_any_cost():
    """A cost that drops by half where its whole number changes, and one that dips, are worth going for."""
    jump = BudgetCurve(lambda part: 1 / part if part < 0.7 else 0.25, lambda part: int(part >= 0.7))
    plain = BudgetCurve(lambda part: 1 / part)
    parts = least_total([jump, plain], 1.5, floors=[0.1, 0.1])
    assert parts == pytest.approx([0.7, 0.8], abs=1e-9)
    dip = BudgetCurve(lambda part: part if part < 0.7 else part - 0.5, lambda part: int(part >= 0.7))
    rising = BudgetCurve(lambda part: part)
    parts = water_level([dip, rising], 1.0, floors=[0.1, 0.1])
    assert parts == pytest.approx([0.75, 0.25], abs=1e-9)
    # not enough to come to the dip's far side: the two meet before it
    assert water_level([dip, rising], 0.6, floors=[0.1, 0.1]) == pytest.approx([0.3, 0.3], abs=1e-9)
