"""The page: self-contained, escaped, the same for the same results, and whole where figures are missing."""

from __future__ import annotations

import html
import json
import re

import pandas as pd
import pytest

from privbench.record import to_frame
from privbench.report.page import render
from tests.report.figures_of_a_run import MANIFEST, nothing_but_failures, people_of, row, stated, whole_run

HOSTILE = '</script><img src=x onerror="alert(1)">{{ 7*7 }}'


def without_plotly(page: str) -> str:
    """Leave out the library, which is most of the page and none of it ours."""
    return "".join(part for part in re.split(r"(<script>.*?</script>)", page, flags=re.DOTALL) if len(part) < 1_000_000)


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", without_plotly(page))))


@pytest.fixture(scope="module")
def page() -> str:
    return render(whole_run(), MANIFEST, people_of(whole_run()))


def test_nothing_is_fetched(page):
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", without_plotly(page))
    assert not re.findall(r"url\(|@import", without_plotly(page))
    assert "default-src 'none'" in page


def test_same_results_same_page(page):
    assert render(whole_run(), MANIFEST, people_of(whole_run())) == page


def test_the_answer_is_in_plain_sentences_and_never_calls_a_release_safe(page):
    text = text_of(page)
    assert "copy leaks most: the strongest of 2 attacks finds out ill of 41.0 in 100 people more" in text
    assert re.search(r"No leakage was found in noisy epsilon=1 \(up to \+[\d.]+ points cannot be ruled out\)", text)
    assert not re.search(r"\b(is|are) (private|safe|anonymous)\b", text)
    assert not re.search(r"[a-z%][.;][A-Z]", text), "a blank is missing between two sentences"


def test_every_section_has_its_figures(page):
    text = text_of(page)
    for said in (
        "+41.0", "nearly constant model", "Largest gap", "ValueError: </script>", "it needs <reports> & has none",
        "made up", "'age': read as continuous", "bounds are public", "replace-one", "dataset: people", "numpy 2.0",
    ):  # fmt: skip
        assert said in text, said


def test_cell_counts_stand_by_outcome_and_prediction(page):
    found = re.search(
        r"<th scope=\"row\">Female</th>(.*?)</tr>", page[page.index("per group of sex: rates") :], re.DOTALL
    )
    numbers = re.findall(r'class="figure">([^<]*)<', found[1])
    assert numbers[0] == "100"  # 10 + 20 + 30 + 40
    assert numbers[-4:] == ["40", "30", "20", "10"]


def test_how_far_confidence_can_be_trusted_stands_for_every_attack(page):
    section = page[page.index('<section id="confidence"') : page.index('<section id="cost"')]
    text = text_of(section)
    for said in (
        "guess 95.0 % 60.0 % ▲ +35.0 [+30.0, +40.0] too sure right 60.0 %",
        "400 people; controls 50.0 % 0.300 [0.200, 0.400] 0.600",
        "second 55.0 % 54.0 % +1.0 [0.0, +6.0] no more than noise never 0.300",
    ):
        assert said in text, said
    assert 'value="0,1">copy</option>' in section
    assert 'value="2">noisy epsilon=1</option>' in section


def test_whoever_says_the_same_of_everybody_has_no_confidence():
    frame = to_frame(stated(0.95, 0.6, attack="majority"))
    assert "No figures on stated confidence" in text_of(render(frame, MANIFEST))


def test_ranges_of_a_continuous_secret_have_a_table_of_their_own():
    rows = [
        row(metric=f"interval_coverage_{level}", value=level / 200, low=level / 200 - 0.05, high=level / 200 + 0.05,
            baseline=level / 100, control=0.2, n=200)
        for level in (50, 80, 95)
    ]  # fmt: skip
    text = text_of(render(to_frame(rows), MANIFEST))
    assert "Says 95.0 %" in text
    assert re.search(r"guess 25.0 % \[[\d., ]+\] too sure; controls 20.0 %", text)


def test_the_most_exposed_people_are_named_by_number_and_not_by_value(page):
    section = page[page.index('<section id="people"') : page.index('<section id="missing"')]
    text = text_of(section)
    # 30 of each seed are exposed; that five more stand out is within the share of luck that is stated
    assert "copy 200 ▲ 65 32.5 % of them about 4 +59.0" in text
    assert re.search(r"noisy epsilon=1 200 nobody", text)
    assert "copy: 10 of the 65 who stand out" in text
    assert "noisy epsilon=1: " not in text
    assert re.search(r"run 0, person 0 \+59.0 \[\S+ \S+\] 2 of 2 60 people about 0 by luck", text)
    assert "age x sex 1 of 987 records" in text
    assert "real person<" not in page
    assert "of a real person" not in text_of(page)


def test_where_nobody_stands_out_nobody_is_listed():
    text = text_of(render(whole_run(), MANIFEST, people_of(whole_run(), exposed=0)))
    assert "On no release does anybody stand out" in text
    assert "run 0, person" not in text


def test_results_without_figures_on_people_say_so():
    for people in (None, people_of(nothing_but_failures())):
        assert "No figures on single people in this run" in text_of(render(whole_run(), MANIFEST, people))


def test_a_run_that_is_not_finished_says_so_first():
    text = text_of(render(whole_run(), {**MANIFEST, "keys": ["k0", "k1", "k2", "k3"]}))
    assert "This run is not finished: 2 of its 4 cells are missing." in text
    assert text.index("not finished") < text.index("leaks most")


def test_two_games_are_never_ranked_together():
    other = whole_run().assign(game="randomised")
    text = text_of(render(pd.concat([whole_run(), other]), MANIFEST))
    assert text.count("leaks most") == 2


def test_what_anyone_could_say_is_no_verdict():
    frame = whole_run()
    frame["attack"] = frame["attack"].replace({"guess": "majority", "second": "prior"})
    text = text_of(render(frame, MANIFEST))
    assert "This run has no answer" in text
    assert "No leakage was found" not in text


def test_hostile_names_are_text():
    frame = whole_run(name=HOSTILE, group=f"sex={HOSTILE}")
    page = without_plotly(render(frame, {**MANIFEST, "config": HOSTILE}, people_of(frame)))
    assert "<img" not in page
    assert HOSTILE in text_of(page)
    specs = json.loads(re.search(r'id="specs">(.*?)</script>', page, re.DOTALL)[1])
    drawn = [line["text"] for figure in specs.values() for line in figure["layout"].get("annotations", [])]
    assert any("&lt;img" in text for text in drawn)
    assert not any("<img" in text for text in drawn)


@pytest.mark.parametrize("frame", [to_frame([]), nothing_but_failures()], ids=["empty", "failures"])
@pytest.mark.parametrize("manifest", [{}, MANIFEST], ids=["unknown run", "known run"])
def test_a_run_without_figures_is_a_page_that_says_so(frame, manifest):
    text = text_of(render(frame, manifest))
    assert "This run has no answer" in text
    if len(frame):
        assert "pip install 'privbench[generators]'" in text
