"""An audit as JSON, for machines: all of `Findings`, numbers as numbers, keys that stay.

The document is an object with these keys; absent figures are null, NaN and infinity do not occur.

``schema_version``
    1; it is raised when a key changes its meaning or goes.
``verdict``
    ``standing`` (``leaks``, ``unclear``, ``none``: no leakage found, ``untested``), ``first``, ``found``, ``sure``,
    ``next``: sentences, as `privbench.auditing.verdict.Verdict` says.
``asked``
    As `Asked`; ``files`` is a list of ``{"role", "name", "rows"}``.
``checks``
    A list as `Check`.
``columns``
    A list as `ColumnFinding`, ranked; ``advantage`` is an object as `Advantage` or null; ``attacks`` is a list of such
    objects, each with the name under ``attack``; ``standing`` as above.
``groups``
    A list as `GroupFinding`.
``small_groups``
    A list as `SmallGroup`: groups of the protected columns named that have too few people for a figure.
``records``
    A list as `RecordFinding`, but without ``baseline``: it is alike for people with the same value, and may tell it.
    Whoever has the training file can look the records up.
``usefulness``
    As `Usefulness`: ``fidelity``, ``fidelity_control`` and ``downstream`` are lists as `Score`.
``notes``
    Sentences on how the files were read.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from privbench.auditing.findings import Findings
from privbench.auditing.standing import standing
from privbench.auditing.verdict import verdict

__all__ = ["SCHEMA_VERSION", "to_json"]

SCHEMA_VERSION = 1


def to_json(findings: Findings) -> str:
    """Return an audit as a JSON document, as the module says.

    Parameters
    ----------
    findings : Findings
        Of one audit.
    """
    plain = asdict(findings)
    answer = verdict(findings)
    plain["asked"]["files"] = [dict(zip(("role", "name", "rows"), file, strict=True)) for file in findings.asked.files]
    for column, of in zip(plain["columns"], findings.columns, strict=True):
        column["standing"] = standing(of, findings)
        column["attacks"] = [{"attack": name, **asdict(advantage)} for name, advantage in of.attacks]
    for record in plain["records"]:
        del record["baseline"]
    document = {
        "schema_version": SCHEMA_VERSION,
        "verdict": {name: getattr(answer, name) for name in ("standing", "first", "found", "sure", "next")},
        **plain,
    }
    return json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Return a value of JSON: tuples as lists, numbers of numpy as Python's, what is not finite as None."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
