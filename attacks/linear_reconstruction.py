"""Linear reconstruction: the secrets of all training records at once, from counts in the released rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attacks.known_values import Coding, Rows, same_known
from attacks.learner import skip_without_rows
from attacks.queries import count, draw_groupings
from attacks.query_answers import ask, solve
from attacks.query_choice import choose
from privbench.contracts import Guess, View
from privbench.errors import InputError
from privbench.table import Table, bin_count

__all__ = ["LinearReconstruction"]

Floats = NDArray[np.float64]

# cells of a continuous known column to choose from: as generators cut it, and so fine that values are told apart
_BINS = (32, 16384)
# at most so far is a solution moved towards the release's shares. It is moved by half of what it misses of held-out
# answers, which makes its probabilities come true best, and no less than few rows leave open
_DOUBT = 0.5
# records times column sets, for a secret of two values, and groups times values: what memory and time are spent on
_PLACES, _COUNTS = 4_000_000, 20_000_000


@dataclass(frozen=True)
class LinearReconstruction:
    """Find the secrets of all training records that together explain the counts in the release.

    The known columns of every training record are on a roster. A query counts the released rows that have some known
    values and one secret value; scaled to the number of records it should be the number of records with those known
    values whose secret is that value. Many such queries are a system of linear equations in the secrets, and each
    record gets the distribution, or the value, that solves it best. Settings that are not given are chosen on the
    release alone, by how well the solution of some queries foretells others. A target that is not on the roster is
    answered by naive Bayes.

    Parameters
    ----------
    columns : int or None
        Columns of a query, the secret among them, at least 2; None to choose 2, 3 or 4.
    scaling : str or None
        `marginal` takes the share of all rows, `conditional` the share of the rows with the same known values; None to
        choose.
    bins : int or None
        Cells of equal width into which a continuous known column is cut; None to choose 32, 16,384, or as many as the
        defense cuts, where it has a parameter of that name.
    solver : str or None
        What is least between the answers and what the secrets add up to: `squares`; `whole`, squares too, but each
        record is led to a single value; `absolute` differences; or `exact`, the same as a linear programme (slow, for a
        few thousand records at most). None to choose between the first two.
    queries : int or None
        Most combinations of known values that are asked about, each with every value of the secret; beyond, column
        sets are left out at random. None for twenty a record, and 30,000 at least.
    cells : int
        Cells of equal width into which a continuous secret is cut.

    References
    ----------
    M. Annamalai, A. Gadotti and L. Rocher, "A Linear Reconstruction Approach for Attribute Inference Attacks against
    Synthetic Data", USENIX Security 2024; I. Dinur and K. Nissim, "Revealing Information while Preserving Privacy",
    PODS 2003.
    """

    columns: int | None = None
    scaling: Literal["marginal", "conditional"] | None = None
    bins: int | None = None
    solver: Literal["squares", "whole", "absolute", "exact"] | None = None
    queries: int | None = None
    cells: int = 10

    def __post_init__(self) -> None:
        if self.columns is not None and self.columns < 2:
            raise InputError(f"columns must be at least 2 or None, got {self.columns}")
        if (
            (self.bins is not None and self.bins < 1)
            or (self.queries is not None and self.queries < 1)
            or self.cells < 2
        ):
            raise InputError(
                f"bins and queries must be at least 1 or None and cells at least 2, "
                f"got {self.bins}, {self.queries} and {self.cells}"
            )

    def skip(self, view: View) -> str | None:
        """Return a reason unless the release is a table with a row, and known columns of all records are granted."""
        told = replace(view, targets=view.targets.select(_known(view)))  # it does without the other known columns
        if (reason := skip_without_rows(told, "linear reconstruction")) is not None:
            return reason
        if view.roster is None or len(view.roster) == 0:
            return (
                "linear reconstruction needs the known columns of every training record, and the game grants no roster"
            )
        if not _known(view):
            return "linear reconstruction needs a column that is known and released, and there is none"
        return None

    def infer(self, view: View, *, rng: np.random.Generator) -> Guess:
        """Return each target's distribution; for a continuous secret its mean and spread over the cells' means."""
        known = _known(view)
        assert view.roster is not None
        roster, targets = view.roster.select(known), view.targets.select(known)
        listed, wanted = same_known(roster, targets)
        people = np.bincount(listed, minlength=len(roster) + len(targets))
        inside = people[wanted] > 0
        answers: dict[str, Floats] = {}
        spread: dict[str, Floats] = {}
        for secret in view.secrets:
            rows = Rows(view, secret, self.cells)
            values, codes = rows.secrets()
            counts = np.bincount(codes, minlength=bin_count(secret, self.cells))
            # a value that nobody has in the release remains possible
            prior = (counts + 1 / len(counts)) / (len(rows) + 1)
            posterior = np.empty((len(targets), len(prior)))
            if inside.any():
                # records with the same known values cannot be told apart: each may be the target
                solved = self._reconstruct(view, rows, roster, prior, rng)
                sums = np.column_stack([np.bincount(listed, column, minlength=len(people)) for column in solved.T])
                posterior[inside] = (sums[wanted] / np.maximum(people[wanted], 1)[:, None])[inside]
            if not inside.all():
                posterior[~inside] = _naive_bayes(rows, targets.take(~inside), prior, rng)
            if secret.discrete:
                answers[secret.name] = posterior
            else:
                means = np.bincount(codes, values, minlength=len(counts)) / np.maximum(counts, 1)
                means = np.where(counts > 0, means, values.mean())
                answers[secret.name] = posterior @ means
                squares = posterior @ np.square(means) - np.square(answers[secret.name])
                spread[secret.name] = np.sqrt(np.maximum(squares, 0))
        return Guess(answers, spread)

    def _reconstruct(self, view: View, rows: Rows, roster: Table, prior: Floats, rng: np.random.Generator) -> Floats:
        """Return the distribution of every record on the roster."""
        if len(prior) == 1:
            return np.ones((len(roster), 1))
        groups = self.queries or max(30_000, 20 * len(roster))
        groups = min(groups, _COUNTS // len(prior))
        most = min(4, len(roster.schema.names) + 1)
        kind, trial, solver = choose(
            rows,
            roster,
            prior,
            columns=[self.columns] if self.columns is not None else range(2, most + 1),
            bins=self._cuts(view, roster),
            scalings=[self.scaling] if self.scaling is not None else ["conditional", "marginal"],
            groups=min(groups, 2 * len(roster) + 4000),
            rng=rng,
        )
        coding, places = Coding(roster, kind.bins), _PLACES // (len(prior) - 1)
        groupings = draw_groupings(coding, kind.columns - 1, groups=groups, places=places, rng=rng)
        counts = count(coding, groupings, rows, len(prior))
        answers = ask(groupings, counts, prior, rows=len(rows), scaling=kind.scaling).at_most(groups, rng=rng)
        solved = solve(answers, self.solver or solver, prior, extra=trial.extra)
        doubt = min(max(trial.missed / 2, 1 / (len(rows) + 1)), _DOUBT)
        return (1 - doubt) * solved + doubt * prior

    def _cuts(self, view: View, roster: Table) -> list[int]:
        """Return the numbers of cells to choose from, one of those that cut every column alike."""
        if self.bins is not None:
            return [self.bins]
        own = getattr(view.defense, "bins", None)
        numbers = [*_BINS, *([own] if isinstance(own, int) and own > 0 else [])]
        alike = {tuple(bin_count(column, number) for column in roster.schema.columns): number for number in numbers}
        return list(alike.values())


def _known(view: View) -> list[str]:
    """Return the known columns that the release has."""
    return [name for name in view.targets.schema.names if name in view.release.schema]


def _naive_bayes(rows: Rows, targets: Table, prior: Floats, rng: np.random.Generator) -> Floats:
    """Multiply the prior with how much more common each known value is beside each value of the secret."""
    from scipy.special import softmax

    coding = Coding(targets, _BINS[0])
    everything = 1 + len(targets) * len(coding.sizes)
    columns = draw_groupings(coding, 1, groups=everything, places=everything, rng=rng)
    logs = np.tile(np.log(prior), (len(targets), 1))
    counts = count(coding, columns, rows, len(prior))
    first = 0
    for column in columns:
        own = counts[first : first + len(column.records)]
        first += len(own)
        shares = (own + prior) / (own.sum(axis=1, keepdims=True) + 1)
        logs += np.log(shares / prior)[column.group]
    return np.asarray(softmax(logs, axis=1))
