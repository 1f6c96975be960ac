"""The report as one self-contained HTML page for people who did not run the benchmark; it fetches nothing.

plotly.js is written into the page, and the page's own content-security policy forbids every connection, so that a
report can be opened where there is no network and nobody learns that it was. The same results give the same page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from privbench.report.choice import choice
from privbench.report.confidence import confidence
from privbench.report.exposed import LISTED, exposed
from privbench.report.glossary import GLOSSARY
from privbench.report.per_group import fairness, groups
from privbench.report.sections import answer, games, trade_offs
from privbench.report.strongest import strongest
from privbench.report.summary import costs, labels, leaderboard, over_seeds, problems
from privbench.report.tables import Cell, Line, Table, problems_table
from privbench.report.template import rendered
from privbench.report.theory import theory
from privbench.report.words import VERDICTS, listed, number, percent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["render"]

_DATASET = ("name", "source", "records", "test", "sha256", "notes")
_ADJACENCY = {
    "replace-one": "one record exchanged for another",
    "add-remove": "one record there or not",
    "local": "one person's own answer, even from the collector",
}


def render(frame: pd.DataFrame, manifest: dict[str, Any], people: pd.DataFrame | None = None) -> str:
    """Return the report of a run as HTML.

    Parameters
    ----------
    frame : DataFrame
        Rows as `privbench.record.Row` says; there may be none.
    manifest : dict
        What the run was (``run.json``); whatever is missing is said to be unknown.
    people : DataFrame or None
        As `privbench.report.exposure.exposure` returns it; None where no figures on single people were kept.

    Returns
    -------
    str
        A whole page, about 5 MB, nearly all of it plotly.js.
    """
    import jinja2
    from plotly.offline import get_plotlyjs

    content = _content(frame, manifest, people)
    specs = {figure.name: figure.spec for figure in _figures(content)}
    return rendered(
        jinja2.PackageLoader("privbench", "report"),
        "page.html.j2",
        **content,
        specs=specs,
        plotly_js=get_plotlyjs(),
        verdicts=VERDICTS,
        glossary=GLOSSARY,
        listed=listed,
        pct=percent,
    )


def _content(frame: pd.DataFrame, manifest: dict[str, Any], people: pd.DataFrame | None) -> dict[str, Any]:
    """Return everything that the template shows but style and scripts."""
    board, top, cost, missing = leaderboard(frame), strongest(frame), costs(frame), problems(frame)
    table = over_seeds(frame)
    named = labels(frame)
    defenses = list(dict.fromkeys(named["defense"]))
    claimed = _claims(manifest, frame, named)
    modelled = missing[missing["model"].notna()]
    planned = set(manifest.get("keys") or ())
    open_ = len(planned - set(frame["key"]))
    why = (["the run is not finished"] if open_ else list(dict.fromkeys(modelled["reason"]))) or [
        "no downstream model was trained; that takes a game that leaves the records as they are (holdout, report), "
        "a label and protected columns"
    ]
    sums = missing.groupby("status")["count"].sum()
    return {
        "dataset": {**dict.fromkeys(_DATASET), **(manifest.get("dataset") or {})},
        "created": _moment(manifest.get("created")),
        "answer": answer(top, board, cost, defenses),
        "defenses": defenses,
        "attacks": list(dict.fromkeys(named["attack"].dropna())),
        "secrets": list(dict.fromkeys(table["secret"].dropna())),
        "known": _known(frame),
        "games": games(board, top, missing, table),
        "choice": choice(frame),
        "theory": theory(frame),
        "confidence": confidence(frame, table, top),
        "people": [] if people is None or people.empty else exposed(people),
        "listed_people": LISTED,
        "trade_offs": trade_offs(cost, top),
        "groups": groups(table, top),
        "fairness": fairness(table, cost),
        "why_no_models": why,
        "problems": None if missing.empty else problems_table(missing, caption="What has no figure, and why."),
        "open": open_,
        "planned": len(planned),
        "failed": int(sums.drop("skipped", errors="ignore").sum()),
        "skipped": int(sums.get("skipped", 0)),
        "claims": claimed,
        "unclaimed": [name for name in defenses if name not in {line.label for line in _lines(claimed)}],
        "config": manifest.get("config"),
        "versions": _versions(manifest.get("versions") or {}),
        "code": list(dict.fromkeys(frame["code_version"])),
        "seeds": manifest.get("seeds") or sorted(set(frame["seed"].tolist())),
        "cells": frame["key"].nunique(),
        "seconds": manifest.get("seconds"),
    }


def _figures(content: dict[str, Any]) -> Iterator[Any]:
    for block in (*content["games"], *content["groups"]):
        yield block["figure"]
    for section in ("confidence", "theory"):
        yield from (block["figure"] for block in content[section] if block["figure"])
    for block in content["trade_offs"]:
        yield from block["figures"]
    for block in content["fairness"]:
        for column in block["columns"]:
            yield column["figure"]


def _claims(manifest: dict[str, Any], frame: pd.DataFrame, named: pd.DataFrame) -> Table | None:
    """Return what the releases guarantee; a claim names its defense by label, or by name and parameters."""
    pairs = zip(frame["defense"], frame["defense_params"], strict=True)
    label = dict(zip(pairs, named["defense"], strict=True))
    lines = []
    for claim in manifest.get("claims") or []:
        name = claim.get("defense", "?")
        assumes = "; ".join(claim.get("assumes") or ()) or "nothing beside the mechanism"
        hides = str(claim.get("adjacency", "not stated"))
        delta = claim.get("delta")
        lines.append(
            Line(
                str(label.get((name, claim.get("params", "{}")), name)),
                (
                    Cell(_short(claim.get("epsilon"))),
                    Cell(_short(delta)),
                    Cell(hides, extra=_ADJACENCY.get(hides, "")),
                    Cell(assumes),
                ),
            )
        )
    if not lines:
        return None
    caption = "What the releases guarantee by their own account, and what must be true for it to hold."
    return Table(caption, ("Release", "Epsilon", "Delta", "What it hides", "Assumes"), (("", tuple(lines)),))


def _lines(table: Table | None) -> list[Line]:
    return [] if table is None else [line for _, lines in table.sections for line in lines]


def _short(value: float | None) -> str:
    return number(value) if value is None else f"{value:g}"


def _known(frame: pd.DataFrame) -> list[str]:
    """Return the columns that the adversary knows, over all games."""
    found: dict[str, None] = {}
    for text in frame["known"].dropna().unique():
        try:
            columns = json.loads(text)
        except json.JSONDecodeError:
            columns = [text]
        found.update(dict.fromkeys(map(str, columns if isinstance(columns, list) else [columns])))
    return list(found)


def _versions(versions: dict[str, str]) -> list[tuple[str, str]]:
    """Sort versions, this package's and Python's first: a manifest read back has another order."""
    return sorted(versions.items(), key=lambda pair: (pair[0] != "privbench", pair[0] != "python", pair[0]))


def _moment(created: str | None) -> str:
    """Write an ISO moment as people do; whatever it is, it is shown."""
    from datetime import datetime

    if not created:
        return "at an unknown time"
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return str(created)
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".strip()
