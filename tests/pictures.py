"""Pictures of a report for the documentation: `python -m tests.pictures DIR RUN...`."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from avatar_cli.__main__ import main
from tests.chromium import Browser, open_browser

SIZE = (1280, 1500)
COLOURS = 96
"""A palette keeps a picture of text and lines below 300 kB."""


def make_pictures(folder: Path, runs: list[str]) -> list[Path]:
    """Write `report-light.png` and `report-dark.png` of a report of some runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch, "report.html")
        if main(["report", "--quiet", *runs, "--html", str(page)]) != 0:
            raise SystemExit("the report could not be made")
        with open_browser(Path(scratch, "profile")) as browser:
            browser.open(page)
            return [_picture(browser, theme, folder) for theme in ("light", "dark")]


def _picture(browser: Browser, theme: str, folder: Path) -> Path:
    browser.show_as(theme=theme)
    path = folder / f"report-{theme}.png"
    picture = Image.open(io.BytesIO(browser.picture(*SIZE))).convert("RGB")
    picture.quantize(COLOURS).save(path, optimize=True)
    return path


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    for written in make_pictures(Path(sys.argv[1]), sys.argv[2:]):
        sys.stdout.write(f"{written}: {written.stat().st_size} bytes\n")
