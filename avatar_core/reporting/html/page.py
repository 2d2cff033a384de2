"""The report as one page: no file beside it, no request, nothing in it that a text could start."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from avatar_core.reporting.differences import differing_settings, same_items, value_text
from avatar_core.reporting.html.blocks import folded_table, grid, section, table
from avatar_core.reporting.html.markup import Markup, joined, tag
from avatar_core.reporting.html.numbers import count, decimal, percent, points
from avatar_core.reporting.html.plots_scores import (
    held_out_figure,
    overlays,
    paired_figure,
    score_figure,
)
from avatar_core.reporting.html.run_section import run_section
from avatar_core.reporting.html.sampling import groups_shown
from avatar_core.reporting.html.views import STRIP, RunView
from avatar_core.version import VERSION

GENERATOR = "avatar report"
"""How a page says what made it."""


def report_page(views: Sequence[RunView]) -> str:
    """The whole page.

    Args:
        views: the runs, in the order they were given.
    """
    style, script = _asset("report.css"), _asset("report.js")
    strips, pictures = _pictures(views)
    alone = len(views) == 1
    prefixes = [f"run{number}" for number in range(1, len(views) + 1)]
    runs = [
        run_section(
            view, prefix, groups_shown(view.records.groups, len(views)), strips, alone=alone
        )
        for view, prefix in zip(views, prefixes, strict=True)
    ]
    title = "Report of " + (views[0].name if len(views) == 1 else f"{len(views)} runs")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content=f"{GENERATOR} {VERSION}"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        # The hashes of the policy are of exactly these bytes.
        tag("style", Markup(style)),
    )
    body = tag(
        "body",
        tag("a", "To the report", href="#main", class_="skip"),
        pictures,
        tag("header", tag("h1", title), _contents(views, prefixes)),
        tag("main", _comparison(views), *runs, id="main"),
        tag("footer", tag("p", f"avatar {VERSION}. Every figure comes from the records of a run.")),
        tag("script", Markup(script)),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _asset(name: str) -> str:
    return (files("avatar_core.reporting.html") / "assets" / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """A policy under which nothing is loaded and only these two texts act."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _contents(views: Sequence[RunView], prefixes: Sequence[str]) -> Markup | None:
    if len(views) < 2:
        return None
    links = [tag("li", tag("a", "Comparison", href="#comparison"))]
    links += [
        tag("li", tag("a", view.name, href=f"#{prefix}", dir="auto"))
        for view, prefix in zip(views, prefixes, strict=True)
    ]
    return tag("nav", tag("ul", *links), aria_label="Contents")


def _comparison(views: Sequence[RunView]) -> Markup:
    """Runs side by side, and what there is about a baseline."""
    several = len(views) > 1
    figures = [*(overlays(views) if several else ()), paired_figure(views)]
    if several:
        figures += [score_figure(views), held_out_figure(views)]
    return section(
        "Comparison" if several else "Against the baseline",
        _runs_table(views) if several else None,
        _settings(views) if several else None,
        grid(*figures),
        anchor="comparison",
    )


def _settings(views: Sequence[RunView]) -> Markup:
    """In what the runs differ beforehand."""
    found = differing_settings([view.records.config for view in views])
    rows = [[one.key, *map(value_text, one.values)] for one in found]
    title = f"Settings that differ: {count(len(rows))}"
    unlike = same_items([view.items for view in views]) is False
    return joined(
        [
            tag(
                "p",
                "These runs answered different items; their scores are no measure for each other.",
            )
            if unlike
            else Markup(""),
            folded_table(title, ("", *(view.name for view in views)), rows) if rows else Markup(""),
        ]
    )


def _runs_table(views: Sequence[RunView]) -> Markup:
    head = (
        "run",
        "steps",
        "completions",
        "accuracy first",
        "accuracy last",
        "reward last",
        "signal",
        "|A| ≤ 0.1",
        "held-out gain",
    )
    rows = [
        [
            view.name,
            count(view.summary.steps),
            count(view.summary.completions_generated),
            percent(view.summary.accuracy.first),
            percent(view.summary.accuracy.last),
            decimal(view.summary.reward.last),
            percent(view.summary.rewards["fresh"].signal_share),
            percent(view.summary.advantages["all"].within_0_1),
            points(view.held_out["gain"] if view.held_out else None),
        ]
        for view in views
    ]
    return table(head, rows, "Runs side by side")


def _pictures(views: Sequence[RunView]) -> tuple[dict[str, str], Markup | None]:
    """Ids of the pictures of prompts, and the pictures, each once however often it is shown."""
    found = {name: data for view in views for name, data in view.strips.items()}
    if not found:
        return {}, None
    ids = {name: f"strip{number}" for number, name in enumerate(found)}
    width, height = STRIP
    images = [
        tag(
            "image",
            id=ids[name],
            width=width,
            height=height,
            href=f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}",
        )
        for name, data in found.items()
    ]
    hidden = tag("svg", tag("defs", joined(images)), class_="store", aria_hidden="true")
    return ids, hidden
