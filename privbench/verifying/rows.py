"""What tests of a claim found, one row a figure, as the results of a benchmark are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from privbench.claim import Claim
from privbench.dataset import Dataset
from privbench.scorers.claims import score_claim
from privbench.verifying.verification import Test

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["rows_of"]


def rows_of(
    tests: Sequence[Test], claim: Claim, dataset: Dataset, *, defense: str, params: Mapping[str, Any], seed: int
) -> pd.DataFrame:
    """Return one row a figure, as `privbench.record.Row` says.

    Parameters
    ----------
    tests : sequence of Test
        Each in the sense of its own neighbours, in which its rows have the claim, too.
    claim : Claim
        As it was made.
    dataset : Dataset
    defense : str
        Its name.
    params : mapping
        Its parameters.
    seed : int
    """
    from privbench.keys import canonical, code_version, key_of
    from privbench.record import Row, to_frame

    plain = {
        key: value if isinstance(value, str | int | float | bool | None) else repr(value)
        for key, value in params.items()
    }
    rows = []
    for test in tests:
        said = (code_version(), defense, canonical(plain), dataset.sha256, repr(claim), test.method, seed, test.runs)
        converted = claim if test.adjacency == claim.adjacency else claim.as_replace_one()
        for score in score_claim(test.p_value, test.epsilon_lower_bound, n=test.runs):
            rows.append(
                Row(
                    key=key_of(*said),
                    code_version=code_version(),
                    dataset=dataset.name,
                    dataset_sha256=dataset.sha256,
                    known="[]",
                    game="randomised" if test.method == "one-run" else test.method,
                    defense=defense,
                    defense_params=canonical(plain),
                    epsilon=test.claimed,
                    delta=converted.delta,
                    attack=test.method,
                    attack_params=canonical({"adjacency": test.adjacency}),
                    seed=seed,
                    seconds=test.seconds,
                    **asdict(score),
                )
            )
    return to_frame(rows)
