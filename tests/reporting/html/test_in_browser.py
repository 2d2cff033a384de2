"""The page in a browser: it draws, filters, sorts, prints and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_core.reporting.html.page import report_page
from tests.chromium import Browser, missing_browser, open_browser, requested
from tests.reporting.html.views import strip, trained_view
from tests.run_records import group_row

pytestmark = [
    pytest.mark.skipif(missing_browser() is not None, reason=str(missing_browser())),
    pytest.mark.xdist_group("chromium"),
]

SHOWN = "return [...document.querySelectorAll('#run1-table tbody tr')].filter(r => !r.hidden)"
TAB, ENTER, DOWN = "\ue004", "\ue007", "\ue015"
HOSTILE = "<script>document.title='taken'</script><img src=http://192.0.2.1/x onerror=alert(1)>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    view = trained_view(40, strips={"p1": strip()})
    hostile = group_row([0.0, 1.0], [-2.0, 2.0], step=99, question=HOSTILE, prompt_id="</td>")
    groups = (*view.records.groups, hostile)
    path = tmp_path_factory.mktemp("page") / "report.html"
    records = type(view.records)(
        view.records.path,
        view.records.config,
        view.records.manifest,
        view.records.metrics,
        groups,
        None,
    )
    shown = type(view)("run", records, view.summary, strips=view.strips)
    path.write_text(report_page([shown, trained_view(12, "other")]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(window: Browser, page: Path) -> Browser:
    window.show_as()
    window.log("browser")
    window.log("performance")
    window.open(page)
    return window


def test_the_page_loads_without_a_complaint_and_asks_for_nothing(
    browser: Browser, page: Path
) -> None:
    assert browser.log("browser") == []
    addresses = [url for url in requested(browser, page) if not url.startswith("data:")]
    assert addresses == [page.as_uri()]
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert browser.run("return document.title") == "Report of 2 runs"
    assert browser.run("return document.querySelectorAll('script').length") == 1


def test_a_request_and_a_complaint_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "open.html"
    path.write_text("<!doctype html><img src='http://127.0.0.1:9/x.png'><script>throw 1</script>")
    browser.log("performance")
    browser.open(path)
    assert requested(browser, path) == [path.as_uri(), "http://127.0.0.1:9/x.png"]
    assert any("Uncaught" in entry["message"] for entry in browser.log("browser"))


def test_every_plot_is_drawn_and_named(browser: Browser) -> None:
    boxes = browser.run(
        "return [...document.querySelectorAll('svg.chart')].map(s => {"
        "const b = s.getBBox(), r = s.getBoundingClientRect();"
        "return [b.width, b.height, r.width, s.querySelectorAll('.line,.area,.bar,.dot').length,"
        "(s.getAttribute('aria-label') || '').length, s.querySelectorAll('desc').length]})"
    )
    # Two runs with twelve plots each, and two that compare them.
    assert len(boxes) >= 20
    for width, height, shown, marks, name, described in boxes:
        assert width > 300 and height > 50 and shown > 200
        assert marks >= 1 and name > 20 and described == 1


def test_no_text_leaves_its_drawing(browser: Browser) -> None:
    outside = browser.run(
        "return [...document.querySelectorAll('svg.chart text')].filter(t => {"
        "const a = t.getBoundingClientRect(), b = t.closest('svg').getBoundingClientRect();"
        "return a.left < b.left - 1 || a.right > b.right + 1 || a.bottom > b.bottom + 1"
        "}).map(t => t.textContent)"
    )
    assert outside == []
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def test_the_table_is_filtered_by_keyboard(browser: Browser) -> None:
    everything = browser.run(f"{SHOWN}.length")
    assert everything == 81
    browser.run("document.querySelector('#run1-tier').focus()")
    # all, easy, medium, hard
    browser.type(DOWN + DOWN + DOWN)
    hard = browser.run(f"{SHOWN}.map(r => r.dataset.tier)")
    assert set(hard) == {"hard"} and 0 < len(hard) < everything
    status = "return document.querySelector('#run1-table [role=status]').textContent"
    assert browser.run(status) == f"{len(hard)} shown"
    browser.type(TAB + DOWN)
    fresh = browser.run(f"{SHOWN}.map(r => r.dataset.source)")
    assert set(fresh) == {"fresh"} and 0 < len(fresh) < len(hard)
    browser.type(TAB + "shown at 5")
    assert browser.run(f"{SHOWN}.map(r => r.cells[0].textContent)") == ["5"]


def test_the_table_is_sorted_by_keyboard(browser: Browser) -> None:
    browser.run("document.querySelectorAll('#run1-table button')[4].focus()")
    state = "return document.querySelectorAll('#run1-table th')[5].getAttribute('aria-sort')"
    spreads = f"{SHOWN}.map(r => Number(r.cells[5].dataset.key))"
    browser.type(ENTER)
    falling = browser.run(spreads)
    assert browser.run(state) == "descending"
    assert falling == sorted(falling, reverse=True) and falling[0] == 1.0
    browser.type(ENTER)
    assert browser.run(state) == "ascending"
    assert browser.run(spreads) == sorted(falling)


def test_text_of_a_model_is_only_text(browser: Browser) -> None:
    found = f"{SHOWN}.filter(r => r.cells[0].textContent === '99').map(r => r.cells[3].textContent)"
    (cell,) = browser.run(found)
    assert HOSTILE in cell
    assert browser.run("return document.querySelectorAll('img').length") == 0
    assert browser.run("return document.title") == "Report of 2 runs"


def test_both_themes_and_paper(browser: Browser) -> None:
    colours = (
        "const s = getComputedStyle(document.body);"
        "const line = getComputedStyle(document.querySelector('.line.c1')).stroke;"
        "return [s.backgroundColor, s.color, line]"
    )
    browser.show_as(theme="light")
    light = browser.run(colours)
    browser.show_as(theme="dark")
    dark = browser.run(colours)
    assert light[0] == "rgb(255, 255, 255)"
    assert dark[0] == "rgb(20, 23, 27)"
    assert all(a != b for a, b in zip(light, dark, strict=True))
    browser.show_as(media="print", theme="dark")
    assert browser.run(colours) == light
    controls = "return getComputedStyle(document.querySelector('.controls')).display"
    assert browser.run(controls) == "none"
    rows = "return document.querySelectorAll('#run1-table tbody tr')"
    printed = browser.run(
        f"{rows.replace('return ', 'return [...')}]"
        ".filter(r => getComputedStyle(r).display !== 'none').length"
    )
    assert printed == 20
