"""The section on single people: who stands out, and the most exposed of each release, without their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from privbench.report.tables import Cell, Line, Table, advantage_cell, records
from privbench.report.words import game_words, interval, number, percent, points

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LISTED", "exposed", "to_csv"]

Block = dict[str, Any]
_SHOWN = 10
LISTED = 100
"""How many people of each release the file lists."""


def exposed(people: pd.DataFrame) -> list[Block]:
    """Return for every game and secret how many people stand out on each release, and the most exposed of some.

    A release on which nobody stands out has no list: it would be the top of so much noise. A person is a number, and no
    value of a column is shown; nor is a baseline, which in one game is the same for all who share the secret's value.

    Parameters
    ----------
    people : DataFrame
        As `privbench.report.exposure.exposure` returns it.
    """
    found: list[Block] = []
    members = people[people["member"].astype(bool)]
    for (game, secret), part in members.groupby(["game", "secret"], sort=False):
        lines, lists = [], []
        compared = bool(part["by_luck"].notna().any())
        for release, mine in _worst_first(part):
            lines.append(Line(release, _summed_up(mine)))
            if mine["stands_out"].any() or mine["by_luck"].isna().all():
                chosen = mine[mine["stands_out"].astype(bool)] if mine["stands_out"].any() else mine
                lists.append((f"{release}: {_headline(mine, chosen)}", tuple(map(_line, records(chosen[:_SHOWN])))))
        found.append(
            {
                "game": game,
                "secret": secret,
                "words": game_words(str(game)),
                "compared": compared,
                "summary": Table(
                    f"People who stand out on {secret}, {game}: more exposed than luck explains, of whom on average at "
                    "most 1 in 10 is there by luck all the same."
                    if compared
                    else f"People attacked on {secret}, {game}.",
                    (
                        "Release",
                        "People",
                        "Stand out",
                        "As high by luck",
                        "Highest advantage",
                        "Alike in rarest traits",
                    ),
                    (("", tuple(lines)),),
                ),
                "people": Table(
                    f"The most exposed people on {secret}, {game}: the probability that attacks give to the true value "
                    "less the person's baseline, in percentage points, and what makes the person rare.",
                    ("Person", "Advantage", "Attacks right", "As high", "Rare in"),
                    tuple(lists),
                )
                if lists
                else None,
            }
        )
    return found


def to_csv(people: pd.DataFrame) -> str:
    """Return the `LISTED` most exposed people of each release as a CSV text, their known columns included.

    A baseline that depends on the true value tells it: the text is as sensitive as the records.
    """
    members = people[people["member"].astype(bool)]
    return (
        members.groupby(["game", "secret", "defense"], sort=False)
        .head(LISTED)
        .to_csv(index=False, float_format="%.6g", lineterminator="\n")
    )


def _worst_first(part: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    releases = [(str(name), mine) for name, mine in part.groupby("defense", sort=False)]
    return sorted(releases, key=lambda pair: (-pair[1]["stands_out"].sum(), -pair[1]["advantage"].max()))


def _summed_up(mine: pd.DataFrame) -> tuple[Cell, ...]:
    out = mine[mine["stands_out"].astype(bool)]
    first = records(mine[:1])[0]
    if mine["by_luck"].isna().all():
        stand, luck = Cell(number(None), extra="not known", mark="muted"), Cell(number(None), mark="muted")
    elif out.empty:
        stand, luck = Cell("nobody", mark="muted"), Cell(number(None), mark="muted")
    else:
        stand = Cell(f"{len(out):,}", extra=f"{percent(len(out) / len(mine))} of them", mark="above")
        luck = Cell(f"about {number(out['by_luck'].max(), places=0)}")
    everyone = f"{number(mine['rare_count'].median(), places=0)} of {first['rare_of']:,}"
    alike = (
        Cell(everyone) if out.empty else Cell(number(out["rare_count"].median(), places=0), extra=f"all: {everyone}")
    )
    highest = Cell(points(first["advantage"]), interval(first["low"], first["high"]))
    return Cell(f"{len(mine):,}"), stand, luck, highest, alike


def _headline(mine: pd.DataFrame, chosen: pd.DataFrame) -> str:
    shown = min(_SHOWN, len(chosen))
    return f"{shown} of the {len(chosen):,} who stand out" if mine["stands_out"].any() else f"the highest {shown}"


def _line(row: dict[str, Any]) -> Line:
    known = row["by_luck"] == row["by_luck"]
    reached = Cell(
        "1 person" if row["reached"] == 1 else f"{row['reached']:,.0f} people",
        extra=f"about {number(row['by_luck'], places=0)} by luck",
    )
    cells = (
        advantage_cell({name: row[name] for name in ("advantage", "low", "high")}),
        Cell(f"{row['right'] * row['attacks']:.3g} of {row['attacks']}"),
        reached if known else Cell(number(None), mark="muted"),
        Cell("nothing known", mark="muted")
        if not isinstance(row["rare_in"], str)
        else Cell(row["rare_in"], extra=f"{row['rare_count']:,} of {row['rare_of']:,} records"),
    )
    runs = f"run {row['seed']}" if row["seeds"] == 1 else f"runs {row['seed']} and {row['seeds'] - 1} more"
    return Line(f"{runs}, person {row['person']}", cells)
