"""A collection under local differential privacy: everybody randomises their sensitive columns before sending them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from defenses.ldp import budgets
from defenses.ldp.collection_checks import FAKED, check_asked, check_named, check_settings
from defenses.ldp.fake_claims import amplified
from defenses.ldp.fakes import Fake, Faked
from defenses.ldp.memoised_budgets import memoised
from defenses.ldp.optimal import optimal
from defenses.ldp.protocols import DISCRETE, DiscreteName, NumericName, numeric_oracle
from defenses.ldp.pure_protocol import PureProtocol
from defenses.ldp.rounds import Fresh
from defenses.ldp.survey import Oracle, Survey, jointly, one_by_one, one_genuine, sampled
from defenses.ldp.unary import UnaryEncoding
from privbench.claim import Adjacency, Claim
from privbench.errors import DoesNotApplyError, InputError
from privbench.reports import Reports
from privbench.schema import Column
from privbench.table import Table

__all__ = ["Collection"]

Allocation = Literal["uniform", "k-based", "custom", "optimal", "combined", "sampled", "rs+fd", "rs+rfd"]

# allocations that need to know a column's number of values
_OF_VALUES = ("k-based", "optimal", "combined", *FAKED)


@dataclass(frozen=True)
class Collection:
    """Collect randomised reports of the sensitive columns, the other columns in the clear.

    Parameters
    ----------
    epsilon : float
        Budget of one person in one round of one survey, from 1e-6 to 500; with memoise, of any number of rounds. The
        claim has the total of what was spent.
    protocol : str
        How a value of a discrete column is randomised: grr (generalised randomised response), sue and oue (symmetric
        and optimised unary encoding), ss (subset selection), blh and olh (binary and optimised local hashing), the
        (thresholding with histogram encoding).
    allocation : str
        How the budget is spent on d columns. uniform gives each epsilon / d; k-based in proportion to its number of
        values; custom what `budgets` says; optimal what minimises `objective`; combined randomises the vector of
        values as one (grr only); sampled asks for one column, drawn at random, with all of epsilon; rs+fd does so
        secretly and fakes the others; rs+rfd with fakes from public priors.
    columns : tuple of str or None
        The columns that are randomised; None for the secrets.
    numeric : str
        How a number of a continuous column is randomised: piecewise, duchi, hybrid or square-wave.
    budgets : dict of str to float or None
        With allocation custom: the budget of every column; they sum to epsilon.
    objective : str
        With allocation optimal: variance (the total variance of all estimates) or success (the worst column's attack
        success, no column below a tenth of the uniform share, or below its k-based share where that is less).
    fakes : str or None
        With allocation rs+fd: uniform (a uniform value, grr), zero (randomised zero vectors, sue, oue and the) or
        random (a randomised uniform value, all); None for the first that fits.
    priors : dict of str to tuple of float, or None
        With allocation rs+rfd: public probabilities of a column's values, from which its fakes are drawn; a column that
        is not named has Zipf's law over the values in the domain's order.
    amplify : bool
        With rs+fd and rs+rfd: randomise the genuine column with the published ln(d (e^epsilon - 1) + 1). That keeps
        epsilon for a change of a single column at best; what it keeps for whole records is what is claimed. False
        randomises it with epsilon, which is then the claim.
    rounds : int
        How often each person reports the same value.
    memoise : bool
        In several rounds randomise a permanent answer, drawn once, in place of the value (grr, sue and oue). The
        permanent answer keeps epsilon, however many rounds follow; what the given rounds spend of it is claimed.
    first_share : float
        With memoise: what the first report alone spends, as a share of epsilon, from 0.001 to 0.999.
    surveys : int
        How many surveys ask for columns, each with a budget of its own.
    asked : int or None
        How many columns a survey asks for, drawn in turn; None for all.

    References
    ----------
    P. Kairouz, S. Oh and P. Viswanath, "Extremal Mechanisms for Local Differential Privacy", JMLR 2016; T. Wang, J.
    Blocki, N. Li and S. Jha, "Locally Differentially Private Protocols for Frequency Estimation", USENIX Security 2017;
    H. Arcolezi, S. Gambs, J.-F. Couchot and C. Palamidessi, "On the Risks of Collecting Multidimensional Data Under
    Local Differential Privacy", VLDB 2023.
    """

    epsilon: float = 1.0
    protocol: DiscreteName = "grr"
    allocation: Allocation = "uniform"
    columns: tuple[str, ...] | None = None
    numeric: NumericName = "piecewise"
    budgets: dict[str, float] | None = None
    objective: Literal["variance", "success"] = "variance"
    fakes: Literal["uniform", "zero", "random"] | None = None
    priors: dict[str, tuple[float, ...]] | None = None
    amplify: bool = True
    rounds: int = 1
    memoise: bool = False
    first_share: float = 0.5
    surveys: int = 1
    asked: int | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        if self.allocation in FAKED:
            for name, shares in (self.priors or {"a column": (0.5, 0.5)}).items():
                self._faked(name, len(shares), self.epsilon, 2)
        if self.columns is not None:
            self._check_columns(self.columns)

    def release(self, train: Table, *, rng: np.random.Generator) -> Reports:
        """Randomise the sensitive columns of every record on their own.

        Raises
        ------
        InputError
            If there is no column to randomise, `columns` names one that does not exist, `budgets` or `priors` one that
            is not randomised, or the surveys do not ask for every column.
        DoesNotApplyError
            If one is continuous and the allocation, or several rounds, are for discrete columns.
        """
        names = train.schema.secrets if self.columns is None else self.columns
        self._check_columns(names)
        columns = [train.schema[name] for name in names]
        for column in columns:
            if not column.discrete and (self.allocation in _OF_VALUES or self.rounds > 1):
                what = f"allocation {self.allocation}" if self.allocation in _OF_VALUES else "a collection of rounds"
                raise DoesNotApplyError(
                    f"ldp: column {column.name!r} is continuous and {what} is for discrete columns; leave it out of "
                    "columns, or declare it ordinal or categorical"
                )
        collected = [self._survey(train, asked, number, rng) for number, asked in enumerate(self._asked(columns, rng))]
        common = self._assumptions(train, names)
        claims = [Claim(one.epsilon, 0.0, Adjacency.LOCAL, (*common, *one.said)) for one in collected]
        return Reports(
            train.schema,
            train.without(names),
            tuple(reported for survey in collected for reported in survey.reported),
            len(train),
            Claim.compose(claims),
            collected[0].together,
            collected[0].joint_epsilon,
        )

    def _check_columns(self, names: Sequence[str]) -> None:
        if not names:
            raise InputError("ldp: no column to randomise; name a secret, or set columns")
        check_named("priors", self.priors or (), names)
        check_asked(len(names), surveys=self.surveys, asked=self.asked)

    def _asked(self, columns: Sequence[Column], rng: np.random.Generator) -> list[list[Column]]:
        """Return the columns of each survey: a new order of all is begun when the last one is used up."""
        width = check_asked(len(columns), surveys=self.surveys, asked=self.asked)
        if width == len(columns):
            return [list(columns)] * self.surveys
        found, left = [], list[int]()
        for _ in range(self.surveys):
            if len(left) < width:
                fresh = [int(place) for place in rng.permutation(len(columns)) if place not in left]
                left += fresh
            found.append([columns[place] for place in sorted(left[:width])])
            left = left[width:]
        return found

    def _survey(self, train: Table, columns: Sequence[Column], number: int, rng: np.random.Generator) -> Survey:
        if self.allocation == "combined":
            return jointly(train, columns, epsilon=self.epsilon, number=number, rng=rng)
        if self.allocation in FAKED:
            d = len(columns)
            genuine = amplified(self.epsilon, columns=d) if self.amplify else self.epsilon
            oracles = [self._faked(column.name, column.size, genuine, d) for column in columns]
            return one_genuine(train, columns, oracles, number=number, rng=rng)
        total = self.epsilon * (1 if self.memoise else self.rounds)
        if self.allocation == "sampled":
            return sampled(train, columns, self._oracle, epsilon=self.epsilon, total=total, number=number, rng=rng)
        parts = dict(zip([column.name for column in columns], self._parts(columns), strict=True))
        return one_by_one(train, columns, parts, self._oracle, total=total, number=number, rng=rng)

    def _parts(self, columns: Sequence[Column]) -> tuple[float, ...]:
        names = [column.name for column in columns]
        if self.allocation == "custom":
            return budgets.custom(names, self.epsilon, budgets=self.budgets or {})
        if self.allocation == "uniform":
            return budgets.uniform([1] * len(columns), self.epsilon)
        sizes = [column.size for column in columns]
        if self.allocation == "k-based":
            return budgets.k_based(sizes, self.epsilon)
        makers = [partial(self._once, size) for size in sizes]
        return optimal(makers, self.epsilon, objective=self.objective)

    def _once(self, size: int, epsilon: float) -> PureProtocol:
        return DISCRETE[self.protocol](size=size, epsilon=epsilon)

    def _oracle(self, column: Column, epsilon: float) -> Oracle:
        """Return the randomiser of one column, of all rounds."""
        if not column.discrete:
            return numeric_oracle(self.numeric, column, epsilon)
        if self.memoise:
            step = DISCRETE[self.protocol]
            first = epsilon * self.first_share
            return memoised(step, size=column.size, epsilon=epsilon, epsilon_first=first, rounds=self.rounds)  # type: ignore[arg-type]  # __post_init__
        once = self._once(column.size, epsilon)
        return once if self.rounds == 1 else Fresh(once, self.rounds)

    def _faked(self, name: str, size: int, epsilon: float, columns: int) -> Faked:
        genuine = self._once(size, epsilon)
        if self.allocation == "rs+rfd":
            given = (self.priors or {}).get(name)
            weights = np.asarray(given, float) if given is not None else 1 / np.arange(1, size + 1)
            prior = tuple(float(share) for share in (weights / weights.sum() if given is None else weights))
            return Faked(genuine, 1 / columns, "prior", prior)
        fitting: Fake = "random"
        if self.protocol == "grr" or isinstance(genuine, UnaryEncoding):
            fitting = "uniform" if self.protocol == "grr" else "zero"
        return Faked(genuine, 1 / columns, self.fakes or fitting)

    def _assumptions(self, train: Table, names: tuple[str, ...]) -> tuple[str, ...]:
        said = [f"it covers {', '.join(names)} only: the other columns are collected as they are"]
        if self.memoise:
            said.append("a person's values do not change between rounds")
            said.append(
                f"it is what the {self.rounds} rounds spend: with any number of further rounds it is at most "
                f"{self.epsilon * self.surveys:.12g} in total"
            )
        if undeclared := train.schema.undeclared(names):
            said.append(f"the domains of {', '.join(undeclared)} are public, though they were read off the file")
        return tuple(said)
