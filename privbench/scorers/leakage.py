"""Leakage of a categorical secret: how much better it is guessed because data was published.

Decoding belongs to the metric: `accuracy` takes the argmax of the posterior, `balanced_accuracy` that of the posterior
over the prior. Of exactly equal maxima each counts as its share, 1/#ties, so that a uniform guess scores chance and low
codes have no privilege. Per-class means run over the values of the secret that the truth holds; against controls, over
those held on both sides, lest a value that only one sample holds pass for leakage.

References
----------
M. Annamalai, A. Gadotti and L. Rocher, "A Linear Reconstruction Approach for Attribute Inference Attacks against
Synthetic Data", USENIX Security 2024 (the randomised game).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from privbench.errors import InputError
from privbench.scorers.compare import Compared, Groups, Reference, all_rows, checked_members, compare_with
from privbench.scorers.estimate import (
    FPR,
    NEAR,
    Codes,
    Estimate,
    among_likeliest,
    balanced,
    hit_shares,
    macro_auc,
    macro_tpr,
    mean,
    proportion,
)
from privbench.scorers.intervals import Floats
from privbench.scorers.score import Score

__all__ = ["score_categorical"]


@dataclass(frozen=True, slots=True)
class _Answers:
    """One attack's answers for all people, scored person by person once."""

    columns: Floats  # (k, T), so that a class's scores lie together
    truth: Codes
    hits: Floats
    balanced_hits: Floats
    squares: Floats
    near_hits: Floats | None  # among the ten likeliest, where there are more values

    @classmethod
    def of(cls, posterior: Floats, truth: Codes, prior: Floats) -> _Answers:
        own = posterior[np.arange(len(truth)), truth]
        squares = (posterior**2).sum(axis=1) - 2 * own + 1
        over_prior = hit_shares(posterior / prior, truth)
        columns = np.ascontiguousarray(posterior.T)
        near = among_likeliest(posterior, truth, NEAR) if posterior.shape[1] > NEAR else None
        return cls(columns, truth, hit_shares(posterior, truth), over_prior, np.clip(squares, 0, 2), near)

    def estimates(self, people: Codes, *, present: Codes, ranked: Codes) -> dict[str, Estimate]:
        """Return the metrics on some people; class means over `present`, ranking metrics over `ranked`."""
        truth = self.truth[people]
        found = {"accuracy": proportion(self.hits[people])}
        if self.near_hits is not None:
            found["top_10_accuracy"] = proportion(self.near_hits[people])
        if len(present):
            k = len(self.columns)
            found["balanced_accuracy"] = balanced(self.balanced_hits[people], truth, present, k)
        if len(ranked):
            scores, positive = self.columns[np.ix_(ranked, people)], truth == ranked[:, None]
            found["auc"] = macro_auc(scores, positive)
            found["tpr_at_fpr_1pct"] = macro_tpr(scores, positive)
        found["brier"] = mean(self.squares[people], scale=2)
        return found


def _probabilities(posterior: ArrayLike, people: int, k: int, what: str) -> Floats:
    p = np.asarray(posterior, float)
    if p.shape != (people, k):
        raise InputError(f"`{what}` must have shape ({people}, {k}); got {p.shape}")
    if not (np.isfinite(p).all() and (p >= 0).all() and np.allclose(p.sum(axis=1), 1, rtol=0, atol=1e-4)):
        raise InputError(f"rows of `{what}` must be probabilities: finite, not negative, with sum 1")
    return p


def score_categorical(
    posterior: ArrayLike,
    truth: ArrayLike,
    *,
    prior: ArrayLike,
    member: ArrayLike,
    groups: Groups,
    reference: Reference,
    reference_posterior: ArrayLike | None = None,
    rng: np.random.Generator | None = None,
) -> list[Score]:
    """Score guesses of a categorical secret with k values for T people.

    Metrics: `accuracy`, `balanced_accuracy`, `auc`, `tpr_at_fpr_1pct`, `brier`, and for more than ten values
    `top_10_accuracy`. Each gives rows ``m`` and
    ``m_advantage``, for everyone and per group, and per group column ``m_gap`` and ``m_advantage_gap``, the
    largest difference between groups. A metric that a set of people leaves undefined (ranking with one value
    only) has no row there, a group without members has none at all, nor has a column with one group a gap. In
    a mean over values, groups that lack some are averaged over fewer, so their gap may stem from which values
    they hold; the gap in advantage is free of that. Where a group has no controls its rows have no baseline
    and no advantage. With `rng`, a column has a row `accuracy_advantage_gap_p_value` too: how often so different
    advantages would arise if they did not depend on the group (`advantage_gap_p_value`). Nothing else uses
    randomness.

    Parameters
    ----------
    posterior : array_like, shape (T, k)
        Rows sum to 1.
    truth : array_like of int, shape (T,)
        Codes in [0, k).
    prior : array_like, shape (k,)
        The release's marginal, as probabilities or counts; mixed with a thousandth of the uniform, so that a
        value that the release lacks divides nothing by zero.
    member : array_like of bool, shape (T,)
        Whose record was in the training data; all, unless `reference` is ``controls``.
    groups : mapping of str to (codes, labels)
        A group column's codes, shape (T,), and its labels.
    reference : {"chance", "controls", "no-report"}
        What the advantage is measured against. Chance is 1/k, 1/k, 1/2, (floor(n0/100) + 1) / (n0 + 1) for n0
        negatives (what untied noise scores at 1 % FPR: 0.01 and a little, more in small groups) and (k -
        1)/k.
    reference_posterior : array_like, shape (T, k), optional
        The same attack's answer without the release; needed by ``no-report``, else unused.
    rng : numpy.random.Generator, optional
        For the permutations; without it there is no p-value.

    Returns
    -------
    list of Score
        For a row over some values only, `n` counts the people who hold them.

    Raises
    ------
    InputError
        If shapes differ, codes or probabilities are out of range, or nobody is a member.
    """
    codes, marginal = np.asarray(truth), np.asarray(prior, float)
    people, k = codes.size, marginal.size
    if codes.shape != (people,) or codes.dtype.kind not in "iu" or ((codes < 0) | (codes >= k)).any():
        raise InputError(f"`truth` must be whole codes in [0, {k}), one a person; got {codes.dtype} of {codes.shape}")
    if not (np.isfinite(marginal).all() and (marginal >= 0).all() and marginal.sum() > 0):
        raise InputError("`prior` must be finite, not negative and not all zero")
    inside = checked_members(people, member, groups, reference, reference_posterior is not None)
    smooth = 0.999 * marginal / marginal.sum() + 0.001 / k
    codes = codes.astype(np.intp)
    answers = _Answers.of(_probabilities(posterior, people, k, "posterior"), codes, smooth)
    others = answers
    if reference == "no-report" and reference_posterior is not None:
        without = _probabilities(reference_posterior, people, k, "reference_posterior")
        others = _Answers.of(without, codes, smooth)

    def compare(members: Codes, controls: Codes) -> dict[str, Compared]:
        mine = np.bincount(codes[members], minlength=k)
        theirs = np.bincount(codes[controls], minlength=k) if len(controls) else mine
        held, mixed = mine > 0, (mine > 0) & (mine < mine.sum())
        present = np.flatnonzero(held & (theirs > 0))
        ranked = np.flatnonzero(mixed & (theirs > 0) & (theirs < theirs.sum()))
        own = answers.estimates(  # no value in common: scored on the members' own, compared with nothing
            members,
            present=present if len(present) else np.flatnonzero(held),
            ranked=ranked if len(ranked) else np.flatnonzero(mixed),
        )
        if reference == "chance":
            negatives = len(members) - mine[ranked]
            noise = float(np.mean((np.floor(FPR * negatives + 1e-9) + 1) / (negatives + 1))) if len(ranked) else 0.0
            constant = {"accuracy": 1 / k, "balanced_accuracy": 1 / k, "auc": 0.5, "tpr_at_fpr_1pct": noise}
            return compare_with(own, {**constant, "brier": (k - 1) / k, "top_10_accuracy": NEAR / k})
        them = members if reference == "no-report" else controls
        return compare_with(own, others.estimates(them, present=present, ranked=ranked) if len(them) else None)

    means = {"accuracy": answers.hits - others.hits if reference == "no-report" else answers.hits}
    return all_rows(compare, member=inside, groups=groups, reference=reference, means=means, rng=rng)
