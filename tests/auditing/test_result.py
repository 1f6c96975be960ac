"""What an audit says as table, JSON and Markdown: the findings' own figures, and nothing half written."""

from __future__ import annotations

import io
import json
import math
import re
import stat
from dataclasses import asdict, fields, replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from privbench.auditing import page
from privbench.auditing.findings import ColumnFinding, Findings
from privbench.auditing.result import AuditResult
from privbench.auditing.verdict import verdict
from privbench.errors import InputError
from privbench.record import to_frame
from tests.auditing import example

FILES = {"report.html", "summary.md", "audit.json", "figures.parquet", "exposed.csv"}


def result(found: Findings) -> AuditResult:
    return AuditResult(found, to_frame([]))


def printed(found: Findings) -> str:
    text = io.StringIO()
    result(found).print(Console(file=text, width=100))
    return text.getvalue()


# terminal


def test_thresholds_stand_in_the_summary_of_a_job():
    found = result(example.findings())
    assert "### Thresholds" not in found.to_markdown()
    assert "- **above the threshold**: advantage of relationship: 0.1234" in found.to_markdown({"advantage": 0.05})
    quiet = result(example.nothing_found())
    assert "- none is crossed" in quiet.to_markdown({"advantage": 0.5, "exposed": 0.0})
    assert "near\\_copies: this audit has no such figure" in quiet.to_markdown({"near_copies": 0.1})


def test_how_files_were_read_stands_in_terminal_and_summary_what_is_left_out_first():
    notes = tuple(f"column 'c{i}': blanks removed." for i in range(12))
    found = example.findings(
        notes=(*notes, "column 'pay': in the training file, but not in the control file; left out.")
    )
    late = "The time limit of 1 s ended before lightgbm was made on age."
    found = replace(found, notes=(*found.notes, late))
    text = printed(found)
    assert text.index("The time limit") < text.index("column 'c0'")
    assert text.index("column 'pay'") < text.index("column 'c0'")
    assert "and 4 more, in the report" in text
    assert "column 'c11'" not in text
    assert all(note.partition(":")[0] in result(found).to_markdown() for note in found.notes)


# table


def test_the_table_has_the_findings_figures_in_their_order():
    found = example.findings()
    table = result(found).columns
    assert list(table["column"]) == [one.column for one in found.columns]
    assert list(table["verdict"]) == ["leaks", "unclear", "none", "untested"]
    for row, one in zip(table.to_dict("records"), found.columns, strict=True):
        if one.advantage is None:
            assert pd.isna(row["advantage"])
            assert row["reason"] == one.reason
            continue
        mine = one.advantage
        assert (row["advantage"], row["low"], row["high"]) == (mine.advantage, mine.low, mine.high)
        assert (row["members"], row["controls"], row["score"]) == (mine.members, mine.controls, mine.value)
        assert (row["reference"], row["majority"], row["p_value"]) == (mine.reference, one.majority, one.p_value)
        assert row["attack"] == "lightgbm, nearest-neighbour"
    assert list(result(example.of_nothing()).columns.columns) == list(table.columns)


@pytest.mark.parametrize("name", example.ALL)
def test_the_terminal_has_every_figure_within_its_width(name):
    found = example.ALL[name]()
    text = printed(found)
    assert max(map(len, text.splitlines())) <= 100
    assert " ".join(verdict(found).found.split()) in " ".join(text.split())
    for one in found.columns[:20]:
        if one.advantage is not None:
            assert f"{100 * one.advantage.advantage:+.1f} [".replace("-", "\u2212") in text
            assert f"{100 * one.advantage.value:.1f}" in text


def test_groups_with_too_few_people_are_named_wherever_an_audit_is_read():
    said = (
        "Nothing is said of these groups, of which too few people were attacked: race=Other (members: 5, controls: "
        "3) and race=Unknown (members: 2,000, controls: 1)."
    )
    for found in (example.small_groups(), replace(example.small_groups(), groups=())):
        assert said in " ".join(printed(found).split())
        assert said in " ".join(result(found).to_markdown().split())
        assert said in " ".join(result(found).to_html().split())
    assert "Nothing is said" not in printed(example.findings())
    lone = replace(example.small_groups(), asked=replace(example.ASKED, reference="others", controls=0))
    assert "race=Other (members: 5) and race=Unknown" in " ".join(printed(lone).split())


def test_the_notebook_shows_names_and_no_markup():
    shown = result(example.odd_names())._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


# JSON


def document(found: Findings) -> dict:
    return json.loads(result(found).to_json(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.mark.parametrize("name", example.ALL)
def test_json_has_all_of_the_findings(name):
    found = example.ALL[name]()
    plain = document(found)
    assert plain["schema_version"] == 1
    assert set(plain) == {"schema_version", "verdict", *(field.name for field in fields(Findings))}
    for mine, one in zip(plain["columns"], found.columns, strict=True):
        for field in fields(ColumnFinding):
            if field.name == "advantage":
                assert mine["advantage"] == (None if one.advantage is None else asdict(one.advantage))
            elif field.name == "attacks":
                assert mine["attacks"] == [{"attack": name, **asdict(figure)} for name, figure in one.attacks]
            elif field.name in ("chosen", "missed"):
                assert mine[field.name] == list(getattr(one, field.name))
            else:
                assert mine[field.name] == getattr(one, field.name)
    assert plain["checks"] == [asdict(one) for one in found.checks]
    assert plain["groups"] == [asdict(one) for one in found.groups]
    assert plain["small_groups"] == [asdict(one) for one in found.small_groups]
    assert plain["usefulness"]["downstream"] == [asdict(one) for one in found.usefulness.downstream]
    assert plain["asked"]["files"] == [{"role": r, "name": n, "rows": rows} for r, n, rows in found.asked.files]
    assert plain["asked"]["seconds"] == found.asked.seconds
    assert plain["notes"] == list(found.notes)


def test_json_keeps_to_itself_what_may_tell_a_value():
    (first, *_) = document(example.findings())["records"]
    assert first["record"] == 4321
    assert "baseline" not in first


def test_json_has_numbers_of_numpy_and_no_nan():
    odd = example.column("a", 0.1, 0.05)
    odd = replace(odd, p_value=np.float64(0.25), majority=math.nan, advantage=replace(odd.advantage, high=math.inf))
    first = document(example.findings(columns=(odd,)))["columns"][0]
    assert (first["p_value"], first["majority"], first["advantage"]["high"]) == (0.25, None, None)


# Markdown


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of the lines of tables, cut where Markdown cuts."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_markdown_has_the_figures_of_every_column():
    found = example.findings()
    rows = {row[0]: row for row in rows_of(result(found).to_markdown())}
    assert rows["relationship"] == [
        "relationship", "leakage found", "+12.3", "+9.1, +15.6", "72.3\u00a0%", "60.0\u00a0%", "45.7\u00a0%",
        "lightgbm, nearest-neighbour", "0.021",
    ]  # fmt: skip
    assert rows["sex"][2:4] == ["\u22120.2", "\u22122.2, +1.8"]
    assert all(check.sentence in result(found).to_markdown() for check in found.checks)


def test_markdown_shows_fifteen_columns_and_counts_the_rest():
    text = result(example.wide(60)).to_markdown()
    assert sum(row[0].startswith("a\\_rather") for row in rows_of(text)) == 15
    assert "And 45 more columns" in text


def test_markdown_escapes_names():
    text = result(example.odd_names()).to_markdown()
    widths = {len(row) for row in rows_of(text)}
    assert widths == {9, 3}
    assert not re.search(r"(?<!\\)<script", text)
    assert "\\*c\\*" in text


# files


def test_the_folder_holds_all_of_it_and_the_records_are_for_the_owner_only(tmp_path):
    audit = result(example.findings())
    assert audit.write(tmp_path / "out") == tmp_path / "out" / "report.html"
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == FILES
    assert stat.S_IMODE((folder / "exposed.csv").stat().st_mode) == 0o600
    assert (folder / "audit.json").read_text() == audit.to_json()
    assert (folder / "summary.md").read_text() == audit.to_markdown()
    assert (folder / "report.html").read_text() == audit.to_html()
    listed = pd.read_csv(folder / "exposed.csv")
    assert listed[["record", "probability", "baseline"]].to_numpy().tolist() == [
        [4321, 0.987, 0.412],
        [17, 0.876, 0.234],
    ]
    assert list(pd.read_parquet(folder / "figures.parquet").columns) == list(audit.frame.columns)


def test_records_of_an_earlier_audit_do_not_stay(tmp_path):
    result(example.findings()).write(tmp_path)
    result(example.nothing_found()).write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"exposed.csv"}


def test_nothing_is_written_when_a_page_cannot_be_made(tmp_path, monkeypatch):
    def broken(_):
        raise RuntimeError("no page")

    monkeypatch.setattr(page, "render", broken)
    with pytest.raises(RuntimeError, match="no page"):
        result(example.findings()).write(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        result(example.findings()).write(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_no_p_value_is_nothing():
    found = example.findings(columns=(replace(example.column("a", 0.3, 0.1), p_value=0.00012),))
    assert rows_of(result(found).to_markdown())[2][-1] == "\\< 0.001"
    assert "&lt; 0.001" in result(found).to_html()
