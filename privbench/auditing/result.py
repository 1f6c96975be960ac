"""What an audit gives back: the findings, the flat table of figures, and how they show themselves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from privbench.atomic import write_atomically, write_private
from privbench.auditing.findings import Findings
from privbench.errors import InputError
from privbench.result import EXPOSED

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from privbench.auditing.crossings import Crossing

__all__ = ["AuditResult", "check_file", "check_folder"]


@dataclass(frozen=True, slots=True, eq=False)
class AuditResult:
    """The answer to whether a synthetic file gives people away.

    Parameters
    ----------
    findings : Findings
        All that was found, as plain values.
    frame : DataFrame
        One flat row a figure, as `privbench.record.Row` says.

    Examples
    --------
    >>> from privbench.auditing.findings import Asked, Findings, Usefulness
    >>> asked = Asked((), None, (), (), (), None, 0, 0, "controls", 0.95, 0, 0.0, "1")
    >>> import pandas
    >>> AuditResult(Findings(asked, (), (), (), (), Usefulness(()), ()), pandas.DataFrame()).verdict
    'No column could be asked, so this audit cannot say what else the file gives away.'
    """

    findings: Findings
    frame: pd.DataFrame

    @property
    def verdict(self) -> str:
        """What has to be said first, if anything, and the finding."""
        from privbench.auditing.verdict import verdict

        return verdict(self.findings).sentence

    @property
    def columns(self) -> pd.DataFrame:
        """The columns, ranked: those not asked last, without figures but with a reason.

        `column`, `kind`, `verdict` (``leaks``, ``unclear``, ``none``, ``untested``), `attack`, `metric`, `advantage`,
        `low`, `high`, `members`, `controls`, `score` (of members), `reference` (of controls, or without a control file
        of the attack on other people's records), `majority`, `p_value`, `reason`.
        """
        import pandas as pd

        from privbench.auditing.standing import standing

        figures = ("metric", "advantage", "low", "high", "members", "controls", "value", "reference")
        rows = []
        for one in self.findings.columns:
            row = {
                "column": one.column,
                "kind": one.kind,
                "verdict": standing(one, self.findings),
                "attack": ", ".join(dict.fromkeys(one.chosen)),
                **{name: None if one.advantage is None else getattr(one.advantage, name) for name in figures},
                "majority": one.majority,
                "p_value": one.p_value,
                "reason": one.reason,
            }
            row["score"] = row.pop("value")
            rows.append(row)
        kinds = {
            **dict.fromkeys(("column", "kind", "verdict", "attack", "metric"), "string"),
            **dict.fromkeys(("advantage", "low", "high"), "float64"),
            **dict.fromkeys(("members", "controls"), "Int64"),
            **dict.fromkeys(("score", "reference", "majority", "p_value"), "float64"),
            "reason": "string",
        }
        return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)

    def print(self, console: Console | None = None) -> None:
        """Print the verdict, the ranked columns and what to do."""
        from privbench.auditing.terminal import print_findings
        from privbench.report.console import standard_console

        print_findings(self.findings, console or standard_console())

    def to_json(self) -> str:
        """Return all of it as JSON; `privbench.auditing.machine` documents the keys."""
        from privbench.auditing.machine import to_json

        return to_json(self.findings)

    def to_markdown(self, thresholds: Mapping[str, float] | None = None) -> str:
        """Return the verdict, the columns and the checks as GitHub-style Markdown, and which thresholds are crossed."""
        from privbench.auditing.markdown import to_markdown

        return to_markdown(self.findings, thresholds or {})

    def to_html(self) -> str:
        """Return the page for people who did not run the audit, self-contained."""
        from privbench.auditing.page import render

        return render(self.findings)

    def crossed(self, thresholds: Mapping[str, float]) -> tuple[Crossing, ...]:
        """Return the figures whose interval lies above a threshold, as ``{"advantage": 0.05}``.

        Parameters
        ----------
        thresholds : mapping of str to float
            Names in `privbench.auditing.thresholds.THRESHOLDS`.

        Raises
        ------
        InputError
            If a name is unknown; or if nothing is crossed, and a threshold cannot be judged.
        """
        from privbench.auditing.crossings import crossed

        return crossed(self.findings, thresholds)

    def write(self, folder: str | Path) -> Path:
        """Write ``report.html``, ``summary.md``, ``audit.json``, ``figures.parquet`` and ``exposed.csv`` into a folder.

        All are made before the first is written, and each is moved to its place whole. ``exposed.csv`` is about real
        people, as sensitive as the records and readable by its owner only; there is none where nobody is listed.

        Parameters
        ----------
        folder : path
            Made if it is not there; an earlier audit in it is replaced.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        target = Path(folder)
        texts = {"summary.md": self.to_markdown(), "audit.json": self.to_json(), "report.html": self.to_html()}
        listed = _exposed(self.findings) if self.findings.records else None
        figures = _parquet(self.frame)
        check_folder(target)
        write_atomically(target / "figures.parquet", lambda half: half.write_bytes(figures))
        # where nobody is listed, one that stands there is of another audit
        write_private(target / EXPOSED, listed)
        for name, text in texts.items():
            write_atomically(target / name, _writer(text))
        return target / "report.html"

    def write_markdown(self, path: str | Path, *, thresholds: Mapping[str, float] | None = None) -> None:
        """Write the summary in Markdown to a file, such as that of ``$GITHUB_STEP_SUMMARY``.

        Parameters
        ----------
        path : path
        thresholds : mapping of str to float or None
            As in `crossed`: which of them are crossed stands in the summary.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        check_file(path)
        write_atomically(Path(path), _writer(self.to_markdown(thresholds)))

    def __repr__(self) -> str:
        return f"<AuditResult: {self.verdict}>"

    def _repr_html_(self) -> str:
        import html

        table = self.columns.drop(columns=["kind", "metric"]).to_html(
            index=False, float_format="{:.3f}".format, na_rep=""
        )
        return f"<p><b>{html.escape(self.verdict)}</b></p>{table}"


def check_folder(folder: Path) -> None:
    """Refuse a folder in which nothing can be written, before a long audit rather than after it.

    Raises
    ------
    InputError
        Naming the file or folder that is in the way.
    """
    if reason := _closed(folder):
        raise InputError(f"{folder}: {reason}; choose another folder for the audit's results")


def check_file(path: str | Path, *, read: Sequence[Path] = ()) -> None:
    """Refuse a name under which no summary can be written, before a long audit rather than after it.

    Parameters
    ----------
    path : path
        Where the summary is to be written.
    read : sequence of Path
        Files of the audit, which it must not take the place of.

    Raises
    ------
    InputError
        Naming what is in the way.
    """
    given, file = str(path), Path(path)
    if not given.strip():
        raise InputError("markdown: the file's name is empty ($GITHUB_STEP_SUMMARY is, outside of a job); give one")
    try:
        what = "is a folder" if not file.name or given.endswith("/") or file.is_dir() else ""
        if any(other.exists() and file.exists() and file.samefile(other) for other in read):
            what = "is a file of the audit"
        what = what or ("is no regular file" if file.exists() and not file.is_file() else _closed(file.parent))
    except OSError as error:  # of a name that is too long, or in a folder that may not be looked into
        what = f"cannot be written ({error.strerror})"
    if what:
        raise InputError(f"markdown: {given}: {what}; choose another file for the summary")


def _closed(folder: Path) -> str:
    """Return why nothing can be written in a folder, or in the last of its parents that is there; empty if it can."""
    try:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not there.is_dir():
            return f"{there} is a file"
        with tempfile.TemporaryFile(dir=there):
            return ""
    except OSError as error:
        return f"nothing can be written there ({error.strerror})"


def _writer(text: str) -> Callable[[Path], object]:
    return lambda half: half.write_bytes(text.encode())


def _exposed(findings: Findings) -> str:
    """Return the records as CSV, everything known of their exposure included."""
    import csv
    import io

    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["record", "why", "columns", "probability", "baseline", "rare_in"])
    for one in findings.records:
        rows.writerow([one.record, one.why, "; ".join(one.columns), one.probability, one.baseline, one.rare_in])
    return text.getvalue()


def _parquet(frame: pd.DataFrame) -> bytes:
    import io

    sink = io.BytesIO()
    frame.to_parquet(sink, index=False)
    return sink.getvalue()
