"""The rows in examples/own_data_rows are read as its page says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from avatar_core.data.samples import check_samples, read_samples

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "own_data_rows"
EXPECTED = {
    "native.jsonl": [("multiple choice", "B"), ("numerical", "3"), ("ocr", "NO ENTRY")]
    + [("free-form", "milk")],
    "authors.jsonl": [("numerical", "4"), ("multiple choice", "B")]
    + [("localisation", "top right: bell; left: wind")],
    "video_r1.json": [("multiple choice", "A"), ("ocr", "NO ENTRY")],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_example_is_sound(name: str, tmp_path: Path, originals: dict[str, bytes]) -> None:
    path = tmp_path / name
    shutil.copy(EXAMPLES / name, path)
    suffixes = {Path(original).suffix: content for original, content in originals.items()}
    named = set(re.findall(r'"(?:\./)?([a-z]+/[a-z]+(\.[a-z0-9]+))"', path.read_text()))
    assert named
    # Without its media every row is a problem.
    assert check_samples(path).total == len(EXPECTED[name])
    for relative, suffix in named:
        (tmp_path / relative).parent.mkdir(exist_ok=True)
        (tmp_path / relative).write_bytes(suffixes[suffix])
    samples = read_samples(path)
    assert [(sample.problem_type, sample.solution) for sample in samples] == EXPECTED[name]


def test_every_example_is_tried() -> None:
    files = {path.name for path in EXAMPLES.iterdir()} - {"README.md"}
    assert files == set(EXPECTED)
