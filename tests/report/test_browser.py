"""The page in a real browser: no error, no request, tables and figures in sight, at the width of a desk and a phone."""

from __future__ import annotations

import shutil

import pytest

from privbench.report.page import render
from tests.report.figures_of_a_run import MANIFEST, nothing_but_failures, people_of, whole_run

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")
SIZES = [(1280, 900), (390, 844)]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield running
        running.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens a run's page at a size, and what the browser complained of meanwhile."""
    contexts = []

    def open_(frame, *, size, dark=False):
        path = tmp_path / "report.html"
        path.write_text(render(frame, MANIFEST, people_of(frame)), encoding="utf-8")
        width, height = size
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page, complaints = context.new_page(), []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: complaints.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        return page, complaints

    yield open_
    for context in contexts:
        context.close()


def sideways(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_tables_and_figures_are_in_sight_without_complaint(opened, size, dark):
    page, complaints = opened(whole_run(), size=size, dark=dark)
    plots = page.locator(".plot")
    assert plots.count() >= 4
    for plot in plots.all():
        drawn = plot.locator("svg.main-svg").first
        assert drawn.is_visible()
        assert drawn.bounding_box()["width"] > 250
        assert plot.locator(".scatterlayer path.point").count() > 0
    assert page.locator("#people tbody tr").count() > 10
    for table in page.locator("table").all():
        assert table.is_visible()
        assert table.locator("td").count() > 0
    assert complaints == []
    assert sideways(page) <= 0


@pytest.mark.parametrize("size", SIZES)
def test_the_release_chosen_is_the_one_drawn(opened, size):
    page, complaints = opened(whole_run(), size=size)
    plot, select = page.locator("#confidence .plot"), page.locator("#confidence select")
    assert plot.locator(".scatterlayer path.point").count() == 2  # two attacks on `copy`
    select.select_option("noisy epsilon=1")
    page.wait_for_function("document.querySelectorAll('#confidence .scatterlayer path.point').length === 1")
    select.select_option("copy")
    page.wait_for_function("document.querySelectorAll('#confidence .scatterlayer path.point').length === 2")
    assert complaints == []
    assert sideways(page) <= 0


@pytest.mark.parametrize("size", SIZES)
def test_a_hostile_name_is_neither_run_nor_too_wide(opened, size):
    name = "</script><img src=x onerror=alert(1)>" + "w" * 80
    page, complaints = opened(whole_run(name=name, group=f"sex={name}"), size=size)
    assert page.locator("th", has_text=name).first.is_visible()
    assert complaints == []
    assert sideways(page) <= 0


@pytest.mark.parametrize("size", SIZES)
def test_a_run_without_figures_is_a_whole_page(opened, size):
    page, complaints = opened(nothing_but_failures(), size=size)
    assert page.get_by_text("This run has no answer").is_visible()
    assert complaints == []
    assert sideways(page) <= 0


@pytest.mark.parametrize("size", SIZES)
def test_every_link_of_the_contents_leads_somewhere(opened, size):
    page, _ = opened(whole_run(), size=size)
    for link in page.locator("nav a").all():
        assert page.locator(link.get_attribute("href")).count() == 1
