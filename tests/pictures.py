"""Pictures of a report for the documentation: `python -m tests.pictures DIR RUN...`."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path
from unittest import mock

from PIL import Image
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from avatar_cli.__main__ import main
from tests.chromium import Browser, open_browser

SIZE = (1280, 1500)
COLOURS = 256
"""A palette keeps a picture of text and lines below 250 kB."""
COLUMNS = 80
TERMINAL = {"FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
"""What makes the program print as it does on a terminal of that width."""
FETCHED = r"@font-face \{.*?\}|<!--.*?-->"
"""Fonts that the template of a drawing would have fetched, and the address of its maker."""


def make_pictures(folder: Path, runs: list[str]) -> list[Path]:
    """Write `terminal.svg`, `report-light.png` and `report-dark.png` of a report of some runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch, "report.html")
        _report("--quiet", *runs, "--html", str(page))
        with open_browser(Path(scratch, "profile")) as browser:
            browser.open(page)
            pages = [_picture(browser, theme, folder) for theme in ("light", "dark")]
    return [terminal_picture(folder, runs), *pages]


def terminal_picture(folder: Path, runs: list[str]) -> Path:
    """Write `terminal.svg`: what `avatar report` prints about some runs, in its colours."""
    screen = Console(record=True, width=COLUMNS, file=io.StringIO())
    command = f"avatar report {' '.join(runs)}"
    screen.print(Text.from_ansi(f"$ {command}\n{_report(*runs)}"))
    drawn = screen.export_svg(title=command, theme=MONOKAI, unique_id="terminal")
    path = folder / "terminal.svg"
    path.write_text(re.sub(FETCHED, "", drawn, flags=re.DOTALL), encoding="utf-8")
    return path


def _report(*arguments: str) -> str:
    """What `avatar report` prints on a terminal."""
    printed = io.StringIO()
    with mock.patch.dict(os.environ, TERMINAL), contextlib.redirect_stdout(printed):
        if main(["report", *arguments]) != 0:
            raise SystemExit("the report could not be made")
    return printed.getvalue()


def _picture(browser: Browser, theme: str, folder: Path) -> Path:
    browser.show_as(theme=theme)
    path = folder / f"report-{theme}.png"
    picture = Image.open(io.BytesIO(browser.picture(*SIZE))).convert("RGB")
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    return path


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    for written in make_pictures(Path(sys.argv[1]), sys.argv[2:]):
        sys.stdout.write(f"{written}: {written.stat().st_size} bytes\n")
