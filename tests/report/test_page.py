"""The page: self-contained, escaped, the same for the same results, and whole where figures are missing."""

from __future__ import annotations

import html
import json
import re

import pandas as pd
import pytest

from privbench.record import to_frame
from privbench.report.page import render
from tests.report.figures_of_a_run import MANIFEST, nothing_but_failures, whole_run

HOSTILE = '</script><img src=x onerror="alert(1)">{{ 7*7 }}'


def without_plotly(page: str) -> str:
    """Leave out the library, which is most of the page and none of it ours."""
    return "".join(part for part in re.split(r"(<script>.*?</script>)", page, flags=re.DOTALL) if len(part) < 1_000_000)


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", without_plotly(page))))


@pytest.fixture(scope="module")
def page() -> str:
    return render(whole_run(), MANIFEST)


def test_nothing_is_fetched(page):
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", without_plotly(page))
    assert not re.findall(r"url\(|@import", without_plotly(page))
    assert "default-src 'none'" in page


def test_same_results_same_page(page):
    assert render(whole_run(), MANIFEST) == page


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
    page = without_plotly(render(whole_run(name=HOSTILE, group=f"sex={HOSTILE}"), {**MANIFEST, "config": HOSTILE}))
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
