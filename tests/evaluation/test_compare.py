from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.errors import DataError, UsageError
from avatar_core.evaluation.compare import check_items, gain_over, read_baseline
from avatar_core.evaluation.ledger import write_rows
from avatar_core.files import write_json
from tests.eval_rows import eval_row

SCENES = ("scenes",)


def earlier(directory: Path, *correct: bool, config: Any = None) -> Path:
    directory.mkdir()
    write_rows(directory, [eval_row(str(i), right) for i, right in enumerate(correct)])
    write_json(directory / "config.json", {"names": ["scenes"]} if config is None else config)
    return directory


def test_a_gain_is_over_the_same_items(tmp_path: Path) -> None:
    baseline = read_baseline(earlier(tmp_path / "a", True, False, False, False), SCENES)
    rows = [eval_row(key, True) for key in "2013"]
    check_items(baseline, {row.id: "red" for row in rows})
    gain = gain_over(baseline, rows, {row.id: row.id for row in rows})
    # 1 of 4 before, 4 of 4 after.
    assert (gain.baseline, gain.before, gain.after, gain.gain) == (tmp_path / "a", 0.25, 1.0, 0.75)
    assert gain.interval is not None


def test_what_is_no_baseline_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    bare = earlier(tmp_path / "bare", True)
    (bare / "config.json").unlink()
    other = earlier(tmp_path / "other", True, config={"names": ["mmvu"]})
    run = earlier(tmp_path / "run", True, config={"stage": 1})
    cases = [
        (tmp_path / "gone", SCENES, "no such directory"),
        (empty, SCENES, "holds no results.jsonl"),
        (bare, SCENES, "holds no config.json"),
        (other, SCENES, "is of mmvu, not of scenes"),
        (run, SCENES, "is of no benchmark, not of scenes"),
        (other, ("mmvu", "scenes"), "name one, not mmvu scenes"),
    ]
    for directory, names, message in cases:
        with pytest.raises(UsageError) as caught:
            read_baseline(directory, names)
        assert message in str(caught.value)
    assert len(cases) == 6


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    directory = earlier(tmp_path / "a", True)
    (directory / "results.jsonl").write_text('{"schema": 1}\n')
    with pytest.raises(DataError, match="results.jsonl:1"):
        read_baseline(directory, SCENES)


def test_other_items_are_refused(tmp_path: Path) -> None:
    baseline = read_baseline(earlier(tmp_path / "a", True, True, True), SCENES)
    for asked, shared in ((["0", "1"], 2), (["0", "1", "2", "3"], 3), (["x", "y", "z"], 0)):
        with pytest.raises(UsageError, match=f"of its 3 it shares {shared} with these"):
            check_items(baseline, dict.fromkeys(asked, "red"))
    with pytest.raises(
        UsageError, match="1 of its 3 items have another reference answer, such as 2"
    ):
        check_items(baseline, {"0": "red", "1": "red", "2": "blue"})


def test_what_changed_is_tested_and_what_media_add_is_given(tmp_path: Path) -> None:
    baseline = read_baseline(earlier(tmp_path / "a", True, False, False, False), SCENES)
    rows = [eval_row(key, key != "0") for key in "0123"]
    clusters = {row.id: row.id for row in rows}
    gain = gain_over(baseline, rows, clusters, figures_of_media=lambda a, b: {"n": len(a) + len(b)})
    # Three gained, one lost: 2 · (C(4,0) + C(4,1)) / 2⁴.
    assert (gain.gained, gain.lost, gain.p_value) == (3, 1, 0.625)
    assert gain.figures == {"n": 8}
    assert gain_over(baseline, rows, clusters).figures == {}
