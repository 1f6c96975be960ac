"""The density ratio, and the kernels on which it and the search for rows rest."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from attacks.copying import Copied, fit, same_share
from attacks.even import drawn_evenly
from attacks.kernels import Profiles, totals, weights
from attacks.ladder import Ladder, canonical, evenly_spaced
from attacks.secret_cells import SecretCells
from privbench.errors import InputError
from privbench.release import SyntheticTable
from privbench.rng import stream
from privbench.schema import Column, Kind
from tests.attacks.granted import (
    QUESTIONS,
    WHY,
    adult,
    answers_or_says_why,
    brier,
    keeps_its_contract,
    make,
    odd_views,
    play,
    right,
    see,
)

ATTACK = make("attacks", "density-ratio")
KNOWN = ("grade", "work", "sex", "age")


def infer(view, **params):
    return make("attacks", "density-ratio", **params).infer(view, rng=stream(0, "attack"))


class TestKernels:
    def columns(self):
        rng = stream(0, "kernels")
        return [
            (Column("c", Kind.CATEGORICAL, ("a", "b", "c")), lambda n: rng.choice(3, size=n, p=[0.6, 0.3, 0.1])),
            (Column("o", Kind.ORDINAL, (None, *range(20))), lambda n: rng.integers(21, size=n)),
            (Column("i", Kind.CONTINUOUS, low=17, high=90, integer=True), lambda n: rng.integers(17, 91, size=n) * 1.0),
            (Column("x", Kind.CONTINUOUS, low=-3.0, high=5.0), lambda n: rng.uniform(-3, 5, size=n)),
        ]

    def test_every_kernel_is_a_distribution_over_the_values(self):
        for column, draw in self.columns():
            values, rows = draw(400), draw(50)
            ladder = Ladder.of(column, [values, rows])
            shares = stream(0, column.name).dirichlet(np.ones(ladder.rungs + 1))
            kernel = Copied(ladder, shares, 0, 1)
            everyone = np.unique(np.concatenate([values, rows]), return_index=True)[1]
            # positions in one table: rows as people too
            both = Ladder.of(column, [np.concatenate([values, rows]), rows])
            kernel = Copied(both, shares, 0, 1)
            np.testing.assert_allclose(kernel.between(everyone, np.arange(50)).sum(axis=0), 1, atol=1e-12)

    def test_scales_lie_in_one_another(self):
        for column, draw in self.columns():
            codes = Ladder.of(column, [draw(500)]).codes[0]
            for finer, coarser in pairwise(codes):
                pairs = np.unique(np.stack([finer, coarser]), axis=1)
                assert len(np.unique(pairs[0])) == pairs.shape[1]

    def test_a_blank_cell_says_nothing(self):
        column, draw = self.columns()[1]
        blank = np.arange(40) % 2 == 0
        ladder = Ladder.of(column, [draw(40), draw(30)], [blank])
        kernel = Copied(ladder, np.full(ladder.rungs + 1, 1 / (ladder.rungs + 1)), 1, 0)
        beside = kernel.between(np.arange(30), np.flatnonzero(blank))
        np.testing.assert_allclose(beside, np.repeat(ladder.mass[1][-1][:, None], 20, axis=1))

    def test_weights_are_products_of_kernels_and_totals_their_sums(self):
        drawn = [(column, draw(60), draw(25)) for column, draw in self.columns()]
        ladders = [Ladder.of(column, [rows, people]) for column, rows, people in drawn]
        kernels = [Copied(ladder, np.full(ladder.rungs + 1, 1 / (ladder.rungs + 1)), 1, 0) for ladder in ladders]
        profiles = Profiles.of(ladders, 0, 60)
        cells = stream(1).integers(4, size=60)
        held = profiles.held(cells)
        codes = [ladder.codes[1][0] for ladder in ladders]
        for block, weight in weights(kernels, codes, np.arange(25), profiles.first):
            each = np.prod([kernel.between(np.arange(25)[block], np.arange(60)) for kernel in kernels], axis=0)
            sums = totals(weight[:, held.profile], held, 4)
            np.testing.assert_allclose(sums, each @ np.eye(4)[cells])

    def test_em_finds_how_often_each_column_was_copied(self):
        rng = stream(0, "em")
        columns = [Column(name, Kind.CATEGORICAL, tuple(range(30))) for name in "abcd"]
        rows = rng.integers(30, size=(4, 500))
        came = rng.integers(500, size=400)
        often = np.array([0.95, 0.9, 0.8, 0.6])
        people = np.where(rng.random((4, 400)) < often[:, None], rows[:, came], rng.integers(30, size=(4, 400)))
        people[:, 300:] = rng.integers(30, size=(4, 100))
        ladders = [Ladder.of(column, [own, asked]) for column, own, asked in zip(columns, rows, people, strict=True)]
        profiles = Profiles.of(ladders, 0, 500)
        usual = np.prod([ladder.mass[1][-1] for ladder in ladders], axis=0)
        found = fit(ladders, (1, np.arange(400)), profiles, background=usual)
        assert found.copied == pytest.approx(0.75, abs=0.08)
        np.testing.assert_allclose([shares[0] for shares in found.shares], often, atol=0.08)
        assert same_share(found.shares) == pytest.approx(often.mean(), abs=0.05)

    def test_nobody_is_copied_from_the_own_row(self):
        column = Column("x", Kind.CONTINUOUS, low=0.0, high=1.0)
        ladder = Ladder.of(column, [stream(0, "loo").random(300)])
        shares = fit([ladder], (0, np.arange(300)), Profiles.of([ladder], 0, 300), itself=True).shares[0]
        assert shares[0] < 0.05  # no two numbers are equal

    def test_a_canonical_order_is_the_contents_own(self):
        table = play(known=KNOWN).targets
        order = stream(3).permutation(len(table))
        assert table.take(canonical(table)).sha256 == table.take(order).take(canonical(table.take(order))).sha256
        np.testing.assert_array_equal(evenly_spaced(np.arange(10), 3), [0, 3, 6])

    @pytest.mark.parametrize("column", [Column("v", Kind.CATEGORICAL, tuple(range(3))), Column("v", Kind.CONTINUOUS)])
    def test_values_drawn_for_a_cell_are_in_it(self, column):
        values = np.array([0, 1, 1, 2] * 5) if column.discrete else stream(0, "cells").random(20)
        cells = SecretCells.of(column, values, bins=6)
        drawn = np.repeat(np.arange(cells.size), 50)
        np.testing.assert_array_equal(cells.code(cells.draw(drawn, rng=stream(1))), drawn)

    def test_many_values_share_cells_and_are_drawn_as_they_are_common(self):
        column = Column("v", Kind.CATEGORICAL, tuple(range(100)))
        values = np.concatenate([np.zeros(500, int), np.arange(100)])
        cells = SecretCells.of(column, values, most=10)
        assert cells.size <= 11
        drawn = np.repeat(np.arange(cells.size), 50)
        np.testing.assert_array_equal(cells.code(cells.draw(drawn, rng=stream(1))), drawn)
        answer, spread = cells.answer(np.full((3, cells.size), 1 / cells.size))
        assert answer.shape == (3, 100)
        assert spread is None
        np.testing.assert_allclose(answer.sum(axis=1), 1)


def test_an_even_mix_near_the_targets_is_noticed_and_a_usual_one_is_not():
    rng = stream(0, "even")
    usual = np.array([0.7, 0.2, 0.1])
    for own, expected in ((np.full(3, 1 / 3), True), (usual, False)):
        targets, others = np.eye(3)[rng.choice(3, size=200, p=own)], np.eye(3)[rng.choice(3, size=200, p=usual)]
        assert drawn_evenly(targets, others) == expected
    assert not drawn_evenly(np.zeros((5, 3)), np.zeros((5, 3)))
    alike = np.full((50, 4), 0.25)
    assert not drawn_evenly(alike, alike)


@pytest.mark.parametrize(("secrets", "known"), QUESTIONS)
@pytest.mark.parametrize("defense", ["identity", "suppress-cells"])
def test_the_contract(secrets, known, defense):
    keeps_its_contract(ATTACK, see(play(secrets=secrets, known=known, population=200), defense))


@pytest.mark.parametrize("secret", ["ill", "wage"])
@pytest.mark.parametrize("what", ["one row", "one row many times", "a constant secret", "a column all missing",
                                  "a known column less", "no row"])  # fmt: skip
def test_odd_releases(what, secret):
    answers_or_says_why(ATTACK, odd_views(see(play(secrets=(secret,), population=100)))[what], WHY.get(what))


def test_few_public_people_are_enough():
    view = see(play(population=100))
    for number, why in ((0, "grants none"), (1, None), (2, None)):
        answers_or_says_why(ATTACK, replace(view, population=view.population.take(np.arange(number))), why)


def test_without_a_population_or_rows_it_says_why():
    assert "population" in ATTACK.skip(see(play()))
    assert "not a table" in ATTACK.skip(see(play(population=50), "ldp"))
    with pytest.raises(InputError, match="'auto', 'conditional' or 'uniform'"):
        make("attacks", "density-ratio", prior="flat")


@pytest.mark.parametrize("defense", ["identity", "resample"])
def test_it_finds_far_more_than_a_forest_where_secrets_were_drawn(defense):
    round_ = adult("randomised", records=5000, targets=500, population=3000)
    view = see(round_, defense)
    mine = right(infer(view), round_, "marital-status").mean()
    forest = right(make("attacks", "random-forest").infer(view, rng=stream(0)), round_, "marital-status").mean()
    # one standard error of either is 0.02
    assert mine > forest + 0.1


def test_members_are_guessed_better_than_controls_and_both_as_surely_as_it_says():
    inside, outside, scores = 0, 0, []
    for seed in range(3):
        round_ = play(known=KNOWN, seed=seed, records=300, targets=100, population=200)
        view = see(round_, seed=seed)
        posterior = infer(view).answers["ill"]
        hit = posterior.argmax(axis=1) == round_.truth["ill"]
        inside, outside = inside + hit[round_.member].sum(), outside + hit[~round_.member].sum()
        truth = round_.truth["ill"]
        prior = np.tile(view.release.marginal("ill"), (len(truth), 1))
        scores.append(brier(prior, truth) - brier(posterior, truth))
    assert stats.fisher_exact([[inside, 300 - inside], [outside, 300 - outside]]).pvalue < 1e-3
    assert np.mean(scores) > 0


@pytest.mark.parametrize("game", ["randomised", "holdout"])
@pytest.mark.parametrize("prior", ["auto", "uniform"])
def test_an_independent_release_leaves_chance(game, prior):
    hits, members, asked = 0, 0, 0
    for seed in range(4):
        round_ = play(game, known=KNOWN, seed=seed, records=200, targets=100, population=150)
        other = play("randomised", known=KNOWN, seed=100 + seed, records=200).train
        view = replace(see(round_), release=SyntheticTable(other.with_schema(round_.train.schema), 200))
        hit = right(infer(view, prior=prior), round_)
        members, asked = members + hit[round_.member].sum(), asked + round_.member.sum()
        hits += hit.sum() if game == "randomised" else hit[~round_.member].sum()
    if game == "randomised":
        assert stats.binomtest(int(hits), int(asked), 1 / 3).pvalue > 0.001
    else:
        table = [[members, asked - members], [hits, asked - hits]]
        assert stats.fisher_exact(table).pvalue > 0.001


def test_a_continuous_secret_is_found_near_its_own_row():
    round_ = play("randomised", secrets=("wage",), known=("age", "grade", "work", "sex"), records=300, population=200)
    guess = infer(see(round_))
    missed = np.abs(guess.answers["wage"] - round_.truth["wage"]).mean()
    assert missed < 0.85 * np.abs(round_.truth["wage"] - 50).mean()
    assert (guess.spread["wage"] > 0).all()


@pytest.mark.slow
def test_ten_thousand_rows_and_a_thousand_targets_take_about_a_second():
    view = see(adult("holdout", records=10_000, targets=500, population=5000))
    began = time.perf_counter()
    infer(view)
    assert time.perf_counter() - began < 3
