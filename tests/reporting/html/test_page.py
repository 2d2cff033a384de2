from __future__ import annotations

import base64
import hashlib
import re
import time
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from avatar_core.records import CompletionRow
from avatar_core.reporting.html.page import report_page
from tests.reporting.html.views import strip, trained_view, view_of
from tests.run_records import eval_summary, group_row, metrics_row

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\x1b[2J\ud800"
VOID = {"meta", "input", "br"}


class Elements(HTMLParser):
    """Counts elements, and checks that each one is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def elements(page: str) -> Elements:
    found = Elements()
    found.feed(page)
    found.close()
    assert found.open == []
    return found


def test_the_policy_allows_this_style_and_script_alone() -> None:
    page = report_page([trained_view(5)])
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = policy[1].replace("&#x27;", "'")
    assert rules.startswith("default-src 'none'; ")
    for name in ("style", "script"):
        (text,) = re.findall(rf"<{name}>(.*?)</{name}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in rules
    assert "unsafe" not in rules and "http" not in rules
    assert page.index("Content-Security-Policy") < page.index("<style>")


def test_nothing_on_the_page_points_elsewhere() -> None:
    found = elements(report_page([trained_view(5, strips={"p1": strip()})]))
    links = [value for name, value in found.attributes if name in ("href", "src") and value]
    assert len(links) >= 3
    assert all(link.startswith(("#", "data:image/jpeg;base64,")) for link in links)
    # Neither handlers nor inline styles, which the policy would refuse.
    assert [name for name, _ in found.attributes if name.startswith("on") or name == "style"] == []


def test_hostile_text_stays_text_wherever_it_stands() -> None:
    row = group_row([0.0, 1.0], [-1.0, 1.0], question=HOSTILE, solution=HOSTILE, family=HOSTILE)
    told = CompletionRow(
        text=f"{HOSTILE} " * 15,
        tokens=9,
        reward=1.0,
        parts={HOSTILE: 1.0},
        advantage=2.0,
        truncated=True,
    )
    row = row.model_copy(update={"prompt_id": HOSTILE, "completions": (told, *row.completions)})
    run = trained_view(5, HOSTILE)
    score = eval_summary(model=HOSTILE, benchmark=HOSTILE, headline=HOSTILE, metrics={HOSTILE: 1.0})
    hostile = view_of(
        run.records.metrics,
        (row,),
        name=HOSTILE,
        evaluation=score,
        made=run.records.manifest,
        config={**(run.records.config or {}), HOSTILE: HOSTILE},
        strips={HOSTILE: strip()},
    )
    harmless = elements(report_page([trained_view(5)])).names
    page = report_page([hostile])
    names = elements(page).names
    assert names.count("script") == harmless.count("script") == 1
    assert "img" not in names
    page.encode("utf-8")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", page)
    assert page.count("⟨U+202E⟩") > 10


def test_ids_are_unique_and_labels_point_to_them() -> None:
    found = elements(report_page([trained_view(5, "a"), trained_view(5, "b"), view_of(name="c")]))
    ids = [value for name, value in found.attributes if name == "id"]
    assert len(ids) > 20 and len(ids) == len(set(ids))
    wanted = [
        value
        for name, value in found.attributes
        if name in ("for", "aria-labelledby") and value is not None
    ]
    wanted += [v[1:] for n, v in found.attributes if n == "href" and v and v.startswith("#")]
    assert len(wanted) > 10 and set(wanted) <= set(ids)


def test_a_picture_is_stored_once_however_often_it_is_shown() -> None:
    page = report_page([trained_view(40, strips={"p1": strip()})])
    assert page.count("data:image/jpeg") == 1
    assert page.count('href="#strip0"') >= 2


def test_several_runs_are_compared_first() -> None:
    page = report_page([trained_view(5, "a"), trained_view(5, "b")])
    assert page.index("Runs side by side") < page.index('id="run1"')
    assert "Runs side by side" not in report_page([trained_view(5)])


def test_one_run_always_gives_one_page() -> None:
    assert report_page([trained_view(9)]) == report_page([trained_view(9)])


def test_a_long_run_makes_a_small_page() -> None:
    start = time.process_time()
    page = report_page([trained_view(10_000)])
    assert len(page.encode()) < 3_000_000
    assert time.process_time() - start < 20
    assert "of 20,000 groups" in page


def test_long_completions_make_a_small_page_too() -> None:
    text = "A long thought about <what> is seen. " * 50
    told = group_row([0.1 * place for place in range(8)], [0.5] * 8).completions
    long = tuple(item.model_copy(update={"text": text}) for item in told)
    groups = tuple(
        group_row([], step=step, policy_step=step).model_copy(update={"completions": long})
        for step in range(1, 501)
    )
    views = [view_of((metrics_row(500),), groups, name=name) for name in ("a", "b")]
    page = report_page(views)
    # Frames of prompts add up to 1.2 MB.
    assert 300_000 < len(page.encode()) < 1_800_000


def colours(theme: str) -> dict[str, str]:
    style = (files("avatar_core.reporting.html") / "assets/report.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(blocks) == 2
    found: dict[str, str] = {}
    for block in blocks[: 1 if theme == "light" else 2]:
        found.update(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return found


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_marks_stand_out(theme: str) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    named = colours(theme)
    texts = [(ink, ground) for ink in ("ink", "muted", "link") for ground in ("ground", "panel")]
    texts += [("up", "up-ground"), ("down", "down-ground")]
    texts += [("ink", f"w{shade}") for shade in range(7)]
    # AA of WCAG 2.2: 4.5 for text, 3 for what a figure is read from.
    ratios = {pair: contrast(named[pair[0]], named[pair[1]]) for pair in texts}
    assert len(ratios) == 15
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}
    marks = {f"c{place}": contrast(named[f"c{place}"], named["ground"]) for place in range(1, 9)}
    assert {name: ratio for name, ratio in marks.items() if ratio < 3} == {}
