from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks import find
from avatar_core.config.evaluate import EvalConfig
from avatar_core.errors import UsageError
from avatar_core.evaluation.selecting import check_selection, root_of, style_of


def config(*names: str, **changes: Any) -> EvalConfig:
    return EvalConfig(names=names, **changes)


def test_benchmarks_are_given_in_the_order_asked() -> None:
    found = check_selection(config("tomato", "scenes", "mmvu"))
    assert [one.name for one in found] == ["tomato", "scenes", "mmvu"]


def test_what_no_benchmark_has_is_refused() -> None:
    cases: list[tuple[EvalConfig, str]] = [
        (config("mmvu", "mmvu"), "named twice"),
        (config("mvbnech"), "not part of avatar"),
        (config("mmvu", subset="open"), "mmvu has no subset 'open'"),
        (config("mmvu", "tomato", subset="mc"), "tomato has no subset 'mc'"),
        (config("vsi_bench", prompt="authors"), "vsi_bench has no authors prompt"),
        (config("tomato", mode="ref"), "tomato has no modes"),
    ]
    for wrong, message in cases:
        with pytest.raises(UsageError) as caught:
            check_selection(wrong)
        assert message in str(caught.value)
    assert len(cases) == 6


def test_the_wording_is_that_asked_for_else_the_first_of_the_benchmark() -> None:
    assert style_of(find("mmvu"), config("mmvu")) == "official"
    assert style_of(find("mmvu"), config("mmvu", prompt="think")) == "think"


def test_a_folder_of_the_benchmark_is_taken_before_the_data_root(tmp_path: Path) -> None:
    assert root_of(config("mmvu"), "mmvu") is None
    assert root_of(config("mmvu", data_root=tmp_path), "mmvu") == tmp_path
    assert root_of(config("mmvu", "tomato", data_root=tmp_path), "mmvu") == tmp_path / "mmvu"
    (tmp_path / "mmvu").mkdir()
    assert root_of(config("mmvu", data_root=tmp_path), "mmvu") == tmp_path / "mmvu"
