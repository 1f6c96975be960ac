"""What a run gives back: the flat table of figures, where it is kept, and how it shows itself."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privbench.atomic import write_atomically, write_private
from privbench.errors import InputError
from privbench.store import Store

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

__all__ = ["EXPOSED", "Result"]

EXPOSED = "exposed.csv"
"""The file beside the other results that lists the most exposed people."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """The figures of a run.

    Parameters
    ----------
    frame : DataFrame
        One flat row a figure, as `privbench.record.Row` says.
    manifest : dict
        The exact config, versions, data set, claims and cells.
    folder : Path
        Where the results are kept; running the same config there again takes up where it stopped.
    """

    frame: pd.DataFrame
    manifest: dict[str, Any]
    folder: Path

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Read the last run in a folder.

        Raises
        ------
        InputError
            If the folder holds no run.
        """
        store = Store(Path(folder))
        manifest = store.manifest()
        return cls(store.read(manifest["keys"]), manifest, store.folder)

    @property
    def failures(self) -> pd.DataFrame:
        """Rows of cells without figures that should have had some, each with its reason."""
        return self.frame[~self.frame["status"].isin(["ok", "skipped"])]

    @property
    def leaderboard(self) -> pd.DataFrame:
        """Advantage with interval, defense by attack, over the seeds: the most leaking first."""
        from privbench.report.summary import leaderboard

        return leaderboard(self.frame)

    @property
    def choices(self) -> pd.DataFrame:
        """The local collections side by side: leakage, error, accuracy, parity, who pays, and what is dominated.

        Columns as `privbench.report.choice.choices` says.
        """
        from privbench.report.choice import choices

        return choices(self.frame)

    @property
    def people(self) -> pd.DataFrame:
        """The people attacked, a row for each on each release, the most exposed first, with what makes them rare.

        Their known columns are real people's, and a baseline may betray the secret: keep it as safe as the data. Empty
        where the results were made by a version that kept no such figures.
        Columns as `privbench.report.exposure.exposure` says.
        """
        from privbench.report.exposure import exposure

        return exposure(self.frame, *Store(self.folder).read_people(self.frame["key"]))

    def print(self, console: Console | None = None) -> None:
        """Print the leaderboard, what the protection costs, and what has no figure and why."""
        from privbench.report.console import standard_console
        from privbench.report.terminal import print_leaderboard

        print_leaderboard(self.frame, self.manifest, console or standard_console())

    def write_report(self, path: str | Path | None = None) -> Path:
        """Write the report, one self-contained HTML page, and return where it is.

        In the results' folder, also where the page is put elsewhere, ``exposed.csv`` lists the most exposed people with
        their known columns. Its figures tell the secret: it is as sensitive as the records, and for its owner's eyes.

        Parameters
        ----------
        path : path or None
            The file; None for report.html in the results' folder.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        from privbench.report.exposed import to_csv
        from privbench.report.page import render

        target = self.folder / "report.html" if path is None else Path(path)
        people = self.people
        text = render(self.frame, self.manifest, people)
        write_atomically(target, lambda half: half.write_text(text, encoding="utf-8"))
        # where nobody is listed, one that stands there is of another run
        listed = to_csv(people) if len(people) else None
        try:
            write_private(self.folder / EXPOSED, listed)
        except InputError as error:  # results that can only be read have a report all the same
            logging.getLogger(__name__).warning("%s", error)
        return target

    def _repr_html_(self) -> str:
        return self.leaderboard.to_html(index=False, float_format="{:.3f}".format)
