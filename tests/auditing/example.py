"""Findings made by hand: one sure leak, one that is unclear, columns without; alarms, groups and records on demand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from privbench.auditing.findings import (
    Advantage,
    Asked,
    Check,
    ColumnFinding,
    Findings,
    GroupFinding,
    RecordFinding,
    SmallGroup,
    Usefulness,
)
from privbench.scorers.score import Score

ODD = "a|b <script>alert(1)</script> *c* `d` [e](http://x.example)"
"""A name that HTML, Markdown and rich would each read as markup."""

ASKED = Asked(
    files=(("training", "train.csv", 15000), ("synthetic", "synthetic.csv", 30000), ("control", "control.csv", 5000)),
    known=None,
    secrets=("relationship", "age", "sex"),
    groups=("sex",),
    attacks=("lightgbm", "nearest-neighbour"),
    label="income",
    members=2000,
    controls=1900,
    reference="controls",
    level=0.95,
    seed=7,
    seconds=41.3,
    version="0.1.0",
)
FINE = (
    Check("control-in-training", "fine", "12 of 5,000 control records also stand in the training file.", 0.0024, 0.001,
          0.004, 5000),
    Check("copies", "fine", "No more training rows are copied than control rows.", 0.001, -0.002, 0.004, 15000),
    Check("near-copies", "warning", "Some training rows are nearly copied.", 0.012, 0.003, 0.021, 15000),
)  # fmt: skip
ALARMS = (
    Check("copies", "alarm", "1,234 of 15,000 training rows stand in the synthetic file as they are.", 0.08227, 0.0771,
          0.0873, 15000),
    Check("control-differs", "alarm", "The control file is of another population: a classifier tells it from the "
          "training file in 91.3 of 100 pairs.", 0.913, 0.9, 0.926, 5000),
)  # fmt: skip
NO_CONTROL = Check("no-control", "warning", "No control file was given: leakage cannot be told from general knowledge.")
USEFUL = Usefulness(
    fidelity=(Score("tvd_1way", 0.0134, None, None, 30000), Score("tvd_2way", 0.0456, None, None, 30000)),
    downstream=(
        Score("downstream_accuracy", 0.8321, 0.8219, 0.8423, 5000, None, 0.8667),
        Score("downstream_auc", 0.881, 0.871, 0.891, 5000, None, 0.921),
        Score("demographic_parity_difference", 0.1432, 0.1211, 0.1653, 5000, "sex", 0.1731),
        Score("group_accuracy", 0.9123, 0.9001, 0.9211, 1600, "sex=Female", 0.9277),
        Score("prediction_entropy", 0.71, None, None, 5000, None, 0.72),
    ),
    judged_on="5,000 records of the control file",
    fidelity_control=(Score("tvd_1way", 0.0101, None, None, 5000), Score("tvd_2way", 0.0303, None, None, 5000)),
)


def advantage(
    value: float,
    half: float,
    *,
    reference: float = 0.6,
    metric: str = "accuracy",
    people: tuple[int, int] = (2000, 1900),
) -> Advantage:
    return Advantage(metric, reference + value, reference, value, value - half, value + half, *people)


def column(name: str, value: float, half: float, **more: Any) -> ColumnFinding:
    metric = more.pop("metric", "accuracy")
    return ColumnFinding(
        name,
        more.pop("kind", "continuous" if metric == "within_tolerance" else "categorical"),
        ("lightgbm", "nearest-neighbour"),
        advantage(value, half, metric=metric),
        p_value=0.0213 if value > half else 0.4321,
        majority=0.4567,
        attacks=(("lightgbm", advantage(value, half / 2, metric=metric)),
                 ("nearest-neighbour", advantage(value / 2, half / 2, metric=metric))),
        **more,
    )  # fmt: skip


def findings(**changes: Any) -> Findings:
    """Return one leaking column, one unclear, one without, and one not asked; `changes` replace whole fields."""
    plain = Findings(
        asked=ASKED,
        checks=FINE,
        columns=(
            column("relationship", 0.1234, 0.0321),
            column("age", 0.0321, 0.0789, metric="within_tolerance"),
            column("sex", -0.0021, 0.0199),
            ColumnFinding(
                "id", "categorical", (), None, None, None, reason="nearly everybody has a value of their own"
            ),
        ),
        groups=(
            GroupFinding("relationship", "sex=Female", advantage(0.1511, 0.0522, people=(650, 640))),
            GroupFinding("age", "sex=Male", advantage(0.0217, 0.0922, metric="within_tolerance", people=(1350, 1260))),
        ),
        records=(
            RecordFinding(4321, "stands in the synthetic file as it is", (), 0.987, 0.412, "race and country"),
            RecordFinding(17, "inferred far better than others with its values", ("relationship",), 0.876, 0.234),
        ),
        usefulness=USEFUL,
        notes=("column 'age': whole numbers in one file, decimals in another; read as numbers.",),
        exposed=1,
    )
    return replace(plain, **changes)


def nothing_found() -> Findings:
    """Return three columns in none of which anything is found."""
    return findings(
        checks=FINE[:2],
        columns=(column("relationship", 0.0123, 0.0246), column("age", 0.0011, 0.0311), column("sex", -0.0021, 0.0199)),
        groups=(),
        records=(),
        exposed=0,
    )


def standing_out(people: int = 12) -> Findings:
    """Return an audit of a secret that hardly anybody has: nothing on average, but single people stand out."""
    few = replace(column("hiv", 0.001, 0.003), advantage=advantage(0.001, 0.003, reference=0.995))
    listed = tuple(
        RecordFinding(place + 1, "guessed right with far more confidence", ("hiv",), 1.0, 0.001)
        for place in range(people)
    )
    return replace(
        nothing_found(), asked=replace(ASKED, secrets=("hiv",)), columns=(few,), records=listed, exposed=people
    )


def without_control() -> Findings:
    """Return an audit of two files."""
    asked = replace(ASKED, files=ASKED.files[:2], controls=0, reference="others")
    return findings(asked=asked, checks=(NO_CONTROL,), usefulness=Usefulness(USEFUL.fidelity), exposed=0)


def of_nothing() -> Findings:
    """Return an audit in which no column could be asked."""
    asked = replace(ASKED, secrets=(), attacks=(), groups=(), label=None, members=0, controls=0)
    left = ColumnFinding("id", "categorical", (), None, None, None, reason="all values are alike")
    return Findings(asked, (), (left,), (), (), Usefulness(()), ())


def odd_names() -> Findings:
    """Return an audit of files, columns and groups with names that are markup."""
    asked = replace(
        ASKED, files=tuple((role, ODD, rows) for role, _, rows in ASKED.files), known=(ODD,), secrets=(ODD,),
        groups=(ODD,), label=ODD, attacks=(ODD,),
    )  # fmt: skip
    return findings(
        asked=asked,
        checks=(*(Check("copies", "alarm", ODD, 0.1, 0.09, 0.11, 10),), *FINE[:1]),
        columns=(column(ODD, 0.2, 0.1), ColumnFinding(ODD + "2", "categorical", (), None, None, None, reason=ODD)),
        groups=(GroupFinding(ODD, f"{ODD}={ODD}", advantage(0.1, 0.05)),),
        records=(RecordFinding(1, ODD, (ODD,), 0.9, 0.1, ODD),),
        notes=(ODD,),
    )


def small_groups() -> Findings:
    """Return an audit in which some of the groups named have too few people."""
    return findings(small_groups=(SmallGroup("race=Other", 5, 3), SmallGroup("race=Unknown", 2000, 1)))


def wide(count: int = 60) -> Findings:
    """Return an audit of many columns with long names, of long intervals and short ones."""
    columns = tuple(column(f"a_rather_long_column_name_{i:02d}", 0.5 - i / 100, 0.03 + i / 500) for i in range(count))
    return findings(asked=replace(ASKED, secrets=tuple(one.column for one in columns)), columns=columns)


ALL = {
    "plain": findings,
    "nothing": nothing_found,
    "standing out": standing_out,
    "no control": without_control,
    "empty": of_nothing,
    "odd": odd_names,
    "small groups": small_groups,
    "wide": wide,
    "alarms": lambda: findings(checks=ALARMS),
}
"""All of them by what they are about."""
