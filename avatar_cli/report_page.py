"""Writes the page of `avatar report --html`, with frames of the prompts that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from avatar_cli.options import Output
from avatar_core.errors import AvatarError, UsageError
from avatar_core.files import read_errors, user_path, write_atomic
from avatar_core.reporting.html.page import GENERATOR, report_page
from avatar_core.reporting.html.sampling import groups_shown, sampled_groups
from avatar_core.reporting.html.views import RunView

PICTURE_BYTES = 900_000
"""JPEG bytes of all frames on a page; in the page they take a third more."""


def check_page(path: Path) -> None:
    """Refuse a file that the page must not replace; writes nothing.

    Raises:
        UsageError: it is a directory, or a file that is no report.
    """
    user_path(path, "--html")
    if path.is_dir():
        raise UsageError(f"--html {path}: is a directory; name a file")
    if path.exists():
        with read_errors(path), path.open("rb") as file:
            known = GENERATOR.encode() in file.read(4096)
        if not known:
            raise UsageError(f"--html {path}: exists and is no report; name another file")


def write_page(views: Sequence[RunView], path: Path) -> None:
    """Write the page whole or not at all.

    Raises:
        DiskError: the disk refused.
    """
    write_atomic(path, report_page(views))


def with_strips(views: Sequence[RunView], output: Output) -> list[RunView]:
    """The runs with frames of the prompts that the page will show; without, where unreadable."""
    from avatar_cli.render import note, progress_bar
    from avatar_cli.report_pictures import strips_of

    found = []
    for view in views:
        limit = groups_shown(view.records.groups, len(views))
        prompts = dict.fromkeys(row.prompt_id for row in sampled_groups(view.records.groups, limit))
        try:
            with progress_bar(output) as bar:
                bar.add_task("reading frames of the prompts", total=None, note="")
                strips = strips_of(view.records, list(prompts), PICTURE_BYTES // len(views))
        except AvatarError as error:
            strips = {}
            note(f"{view.name}: shown without frames of its prompts: {error}", output)
        found.append(replace(view, strips=strips))
    return found
