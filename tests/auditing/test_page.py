"""The audit's page: self-contained, escaped, every figure the findings' own, and in sight at a desk and on a phone."""

from __future__ import annotations

import html
import re
import shutil

import pytest

from privbench.auditing.page import render
from privbench.auditing.tables import scale
from privbench.auditing.verdict import verdict
from privbench.auditing.words import check_name
from tests.auditing import example

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CASES = {
    "plain": example.findings,
    "nothing found": example.nothing_found,
    "no control": example.without_control,
    "empty": example.of_nothing,
    "odd": example.odd_names,
    "wide": example.wide,
    "alarms": lambda: example.findings(checks=example.ALARMS),
}
MINUS = "\N{MINUS SIGN}"


def text_of(page: str) -> str:
    bare = re.sub(r"<style>.*?</style>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", bare)))


def section(page: str, name: str) -> str:
    return page[page.index(f'<section id="{name}"') :].partition("</section>")[0]


def rows_of(part: str) -> dict[str, list[str]]:
    """Return the cells of every row of the tables in a part of the page, by the row's label."""
    found = {}
    for row in re.findall(r"<tr[^>]*>(<th scope=\"row\">.*?)</tr>", part, re.DOTALL):
        label, *cells = [text_of(cell).strip() for cell in re.split(r"</t[hd]>", row)][:-1]
        found[label] = cells
    return found


def figure(value: float) -> str:
    return f"{value:+.1f}".replace("-", MINUS) if round(value, 1) else "0.0"


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_fetched_and_no_script_runs(name):
    page = render(CASES[name]())
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", page)
    assert not re.findall(r"url\(|@import|<script", page)
    assert "default-src 'none'; style-src" in page
    assert render(CASES[name]()) == page


@pytest.mark.parametrize("name", CASES)
def test_the_answer_stands_first_with_its_reservations(name):
    found = CASES[name]()
    answer = verdict(found)
    text = text_of(section(render(found), "answer"))
    places = [text.index(" ".join(sentence.split())) for sentence in (*answer.first, answer.found)]
    assert places == sorted(places)
    everything = text_of(render(found))
    assert all(sentence in everything for sentence in (*answer.sure, *answer.next))
    assert not re.search(r"\b(is|are) (private|safe|anonymous)\b", everything)
    assert not re.search(r"[a-z%][.;][A-Z]", everything.replace(example.ODD, "")), "a blank is missing"


@pytest.mark.parametrize("name", ["plain", "no control", "wide"])
def test_every_row_has_its_columns_figures(name):
    found = CASES[name]()
    rows = rows_of(section(render(found), "found"))
    asked = [one for one in found.columns if one.advantage is not None]
    for one in asked:
        mine = one.advantage
        label = one.column + (" to within 5 % of its range" if one.kind == "continuous" else "")
        says, value, _, members, reference, majority, p = rows[label]
        assert "lightgbm, nearest-neighbour" in says
        assert value == f"{figure(100 * mine.advantage)} [{figure(100 * mine.low)}, {figure(100 * mine.high)}]"
        assert members == f"{100 * mine.value:.1f} % of {mine.members:,}"
        assert reference.startswith(f"{100 * mine.reference:.1f} %")
        assert majority == f"{100 * one.majority:.1f} %"
        assert p == f"{one.p_value:.3f}"
    order = [label.removesuffix(" to within 5 % of its range") for label in rows]
    assert [name for name in order if name in {one.column for one in asked}] == [one.column for one in asked]


def test_bars_stand_where_the_figures_are():
    found = example.findings()
    step = scale(found.columns)
    assert step == 0.05  # holds -4.7 and +15.6 points, from -5 to +20
    part = section(render(found), "found")
    first, *_ = re.findall(
        r'whisker" style="left:([\d.]+)%;width:([\d.]+)%"></i><i class="dot leaks" style="left:([\d.]+)%', part
    )
    low, width, value = (float(text) / 100 * 5 * step - step * (place != 1) for place, text in enumerate(first))
    mine = found.columns[0].advantage
    assert low == pytest.approx(mine.low, abs=0.001)
    assert width == pytest.approx(mine.high - mine.low, abs=0.001)
    assert value == pytest.approx(mine.advantage, abs=0.001)


def test_groups_records_models_checks_and_notes_have_their_figures():
    found = example.findings()
    page = render(found)
    groups = rows_of(section(page, "groups"))
    assert groups["sex=Female"][1].startswith("▲ +15.1 [+9.9, +20.3]")
    assert groups["sex=Female"][2:] == ["650", "640"]
    assert groups["4,321"] == ["stands in the synthetic file as it is", "all", "race and country"]
    useful = rows_of(section(page, "useful"))
    assert useful["Accuracy"] == ["83.2 % [82.2, 84.2]", "86.7 %", "5,000"]
    assert useful["Accuracy (sex=Female)"][1:] == ["92.8 %", "1,600"]
    assert useful["Parity difference (sex)"][0] == "0.143 [0.121, 0.165]"
    assert useful["Distance of pairs"] == ["0.046", "0.030"]
    checks = rows_of(section(page, "found"))
    assert all(checks[check_name(one.name)][1] == one.sentence for one in found.checks)
    assert found.notes[0] in text_of(section(page, "files"))
    attacks = rows_of(section(page, "attacks"))
    assert attacks["relationship"][1].startswith("▲ +6.2 [+4.6, +7.8] 66.2 % against 60.0 %")


def test_no_probability_of_a_single_record_is_shown():
    page = render(example.findings())
    assert not re.search(r"0?\.987|98\.7|41\.2", page)


def test_what_is_missing_is_said_to_be_missing():
    text = text_of(render(example.of_nothing()))
    for said in (
        "No column has a figure", "all values are alike", "No group has a figure", "no label was named",
        "No record was found", "No check of the files was made", "No distances were measured",
    ):  # fmt: skip
        assert said in text, said


def test_long_lists_say_how_much_more_there_is():
    group = example.findings().groups[0]
    record = example.findings().records[0]
    text = text_of(render(example.findings(groups=(group,) * 43, records=(record,) * 28)))
    assert "3 more, ranked below these, stand in audit.json" in text
    assert "3 more stand in exposed.csv" in text


@pytest.fixture(scope="module")
def browser():
    if BROWSER is None:
        pytest.skip("no chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["plain", "odd", "wide", "empty"])
def test_a_browser_shows_it_within_the_width_and_runs_nothing(browser, tmp_path, name, width):
    path = tmp_path / "report.html"
    path.write_text(render(CASES[name]()), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: complaints.append(request.url) if request.url != path.as_uri() else None)
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert complaints == []
    for link in page.locator("nav a").all():
        assert page.locator(link.get_attribute("href")).count() == 1
    for track in page.locator(".track").all()[:3]:
        assert track.bounding_box()["width"] > 60
    page.close()


def test_a_nearer_file_is_said_to_follow_chance_only_beside_as_many_control_rows():
    said = text_of(section(render(example.findings()), "useful"))
    assert "clearly nearer than as many control rows may follow what is chance" in said
    assert "fewer control rows lie further away for that reason alone" in said
    assert "control rows" not in text_of(section(render(example.without_control()), "useful"))
