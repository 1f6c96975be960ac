"""An audit as one self-contained HTML page for people who did not run it; it fetches nothing and runs no script.

What was asked, what was found, how sure, what to do, in this order. The look is that of the report of a benchmark.
Names of files and columns are escaped; exposed records are numbers, without their values.
"""

from __future__ import annotations

from typing import Any

from privbench.auditing.advice import small_groups
from privbench.auditing.findings import Findings
from privbench.auditing.tables import (
    attacks_table,
    columns_rows,
    fidelity_table,
    groups_table,
    models_table,
    records_table,
    scale,
)
from privbench.auditing.verdict import verdict
from privbench.auditing.words import GLOSSARY, ROLES, check_name
from privbench.report.strongest import TELLING
from privbench.report.tables import Cell, Line, Table
from privbench.report.template import rendered
from privbench.report.words import VERDICTS, listed, number
from privbench.scorers.leakage_continuous import TOLERANCE

__all__ = ["render"]

_CHIPS = {"alarm": ("leaks", "!"), "warning": ("unclear", "?"), "fine": ("none", "\N{CHECK MARK}")}


def render(findings: Findings) -> str:
    """Return an audit as HTML.

    Parameters
    ----------
    findings : Findings
        Of one audit.

    Returns
    -------
    str
        A whole page.
    """
    import jinja2

    # the report's macros are found under their own name, the audit's page under its folder's
    loader = jinja2.ChoiceLoader(
        [
            jinja2.PrefixLoader({"auditing": jinja2.PackageLoader("privbench", "auditing")}),
            jinja2.PackageLoader("privbench", "report"),
        ]
    )
    return rendered(
        loader,
        "auditing/page.html.j2",
        **_content(findings),
        verdicts=VERDICTS,
        chips=_CHIPS,
        glossary=GLOSSARY,
        listed=listed,
        check_name=check_name,
    )


def _content(findings: Findings) -> dict[str, Any]:
    asked = findings.asked
    step = scale(findings.columns)
    names = {role: name for role, name, _ in asked.files}
    return {
        "asked": asked,
        "title": names.get("synthetic", "a synthetic file"),
        "files": [(role, name, f"{rows:,}", ROLES.get(role, "")) for role, name, rows in asked.files],
        "level": f"{100 * asked.level:g}",
        "answer": verdict(findings),
        "checks": findings.checks,
        "rows": columns_rows(findings, step),
        "axis": [number(100 * place * step, places=0, sign=place > 0) for place in range(4)],
        "against": "controls" if asked.reference == "controls" else "other people",
        "not_asked": _not_asked(findings),
        "groups": groups_table(findings),
        "small_groups": small_groups(findings),
        "records": records_table(findings),
        "attacks": attacks_table(findings),
        "fidelity": fidelity_table(findings),
        "models": models_table(findings),
        "notes": findings.notes,
        "tolerance": f"{100 * TOLERANCE:g}",
        "telling": f"{100 * TELLING:g}",
    }


def _not_asked(findings: Findings) -> Table | None:
    lines = tuple(
        Line(one.column, (Cell(one.reason),), reference=True) for one in findings.columns if one.advantage is None
    )
    caption = "Columns without a figure, and why. Absence from the ranked table is no finding."
    return Table(caption, ("Column", "Why"), (("", lines),)) if lines else None
