from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avatar_core.errors import CheckpointError, UsageError
from avatar_core.files import write_json
from avatar_core.manifest import write_manifest
from avatar_core.records import GroupRow, MetricsRow
from avatar_core.reporting.logs import Problem
from avatar_core.reporting.verify import Verdict, verify_run
from tests.run_records import eval_summary, group_row, metrics_row, write_run

TOKENS = 5


def metrics(step: int, **changes: Any) -> MetricsRow:
    """Totals after steps of one fresh group of 2 and, from step 2 on, one replayed completion."""
    counts = {
        "completions_generated": 2 * step,
        "completions_replayed": step - 1,
        "completions_trained": 3 * step - 1,
        "tokens_generated": 2 * TOKENS * step,
        "groups": step,
    }
    return metrics_row(step, **{**counts, **changes})


def groups(step: int) -> list[GroupRow]:
    fresh = group_row([1.0, 0.0], [0.5, -0.5], step=step, policy_step=step)
    again = group_row([1.0], [0.5], step=step, policy_step=1, source="replayed", no_signal=False)
    return [fresh] if step == 1 else [fresh, again]


def make(folder: Path, steps: int = 3) -> Path:
    rows = [row for step in range(1, steps + 1) for row in groups(step)]
    run = write_run(folder, [metrics(step) for step in range(1, steps + 1)], rows)
    checkpoint = run / "checkpoints" / f"step-{steps}"
    (checkpoint / "trainer" / "replay").mkdir(parents=True)
    (checkpoint / "weights").write_text("w")
    (checkpoint / "trainer" / "replay" / "index").write_text("i")
    write_manifest(checkpoint)
    return run


def verify(run: Path) -> Verdict:
    return verify_run(run, lambda _: None)


def problems(run: Path) -> list[tuple[str, int | None]]:
    return [(problem.file, problem.line) for problem in verify(run).problems]


def edit(run: Path, name: str, line: int, **changes: Any) -> None:
    lines = (run / name).read_text().splitlines()
    lines[line - 1] = json.dumps({**json.loads(lines[line - 1]), **changes})
    (run / name).write_text("".join(f"{text}\n" for text in lines))


def test_a_sound_run_has_no_problems(tmp_path: Path) -> None:
    loaded: list[Path] = []
    verdict = verify_run(make(tmp_path), loaded.append)
    assert verdict.sound
    assert (verdict.steps, verdict.groups, verdict.completions) == (3, 5, 8)
    assert (verdict.checkpoints, verdict.stores, verdict.notes) == (1, 1, ())
    assert loaded == [tmp_path / "checkpoints" / "step-3" / "trainer" / "replay"]


def test_a_torn_line_and_an_unfinished_step_are_notes(tmp_path: Path) -> None:
    run = make(tmp_path)
    begun = json.dumps(groups(4)[0].to_row())
    with (run / "groups.jsonl").open("a") as file:
        file.write(f"{begun}\n{begun[:40]}")
    verdict = verify(run)
    assert verdict.problems == ()
    assert verdict.notes == (
        "groups.jsonl ends in a torn line, as a running or killed run leaves it",
        "groups.jsonl goes on to step 4, which has no row in metrics.jsonl yet",
    )


def test_unsound_lines_are_named(tmp_path: Path) -> None:
    run = make(tmp_path)
    edit(run, "metrics.jsonl", 2, loss="low")
    edit(run, "groups.jsonl", 3, completions=[{}])
    with (run / "groups.jsonl").open("a") as file:
        file.write("{]\n")
    assert problems(run) == [("metrics.jsonl", 2), ("groups.jsonl", 3), ("groups.jsonl", 6)]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("groups", 3),
        ("groups_no_signal", 1),
        ("completions_generated", 5),
        ("completions_trained", 4),
        ("completions_replayed", 2),
        ("tokens_generated", 21),
        ("hints_used", 1),
        ("unscored", 1),
    ],
)
def test_a_count_that_the_groups_do_not_bear_out_is_named(
    tmp_path: Path, name: str, count: int
) -> None:
    run = make(tmp_path)
    edit(run, "metrics.jsonl", 2, **{name: count})
    # The next rise is wrong, too: it makes up for the first.
    assert problems(run) == [("metrics.jsonl", 2), ("metrics.jsonl", 3)]
    assert f"{name} rises by" in verify(run).problems[0].problem


def test_a_lost_group_is_named_once(tmp_path: Path) -> None:
    run = make(tmp_path)
    lines = (run / "groups.jsonl").read_text().splitlines()
    del lines[1]
    (run / "groups.jsonl").write_text("".join(f"{text}\n" for text in lines))
    found = verify(run).problems
    assert {(problem.file, problem.line) for problem in found} == {("metrics.jsonl", 2)}
    assert found[0].problem == "groups rises by 1 in step 2, its groups hold 0"


def test_steps_out_of_order_are_named(tmp_path: Path) -> None:
    run = make(tmp_path)
    edit(run, "groups.jsonl", 4, step=1)
    assert ("groups.jsonl", 4) in problems(run)
    run = make(tmp_path / "b")
    edit(run, "metrics.jsonl", 3, step=2)
    assert Problem("metrics.jsonl", 3, "step 2 does not follow step 2") in verify(run).problems
    run = make(tmp_path / "c")
    edit(run, "groups.jsonl", 5, policy_step=4)
    assert problems(run) == [("groups.jsonl", 5)]


def test_metrics_that_end_before_a_checkpoint_are_a_problem(tmp_path: Path) -> None:
    run = make(tmp_path)
    lines = (run / "metrics.jsonl").read_text().splitlines()
    (run / "metrics.jsonl").write_text("".join(f"{text}\n" for text in lines[:2]))
    assert verify(run).problems == (
        Problem("metrics.jsonl", None, "ends at step 2, but a checkpoint is of step 3"),
    )


def test_a_damaged_checkpoint_is_named_by_its_file(tmp_path: Path) -> None:
    run = make(tmp_path)
    (run / "checkpoints" / "step-3" / "weights").write_text("x")
    assert problems(run) == [("checkpoints/step-3/weights", None)]


def test_a_store_that_cannot_be_loaded_is_a_problem(tmp_path: Path) -> None:
    run = make(tmp_path)

    def refuse(store: Path) -> None:
        raise CheckpointError(f"{store / 'index'}: torn")

    assert verify_run(run, refuse).problems == (
        Problem("checkpoints/step-3/trainer/replay/index", None, "torn"),
    )


def test_documents_are_read_too(tmp_path: Path) -> None:
    run = make(tmp_path)
    write_json(run / "config.json", {"stage": 1, "stepz": 3})
    (run / "manifest.json").write_text("[]")
    (run / "held_out").mkdir()
    (run / "held_out" / "before.jsonl").write_text("{}\n")
    assert problems(run) == [
        ("config.json", None),
        ("manifest.json", None),
        ("held_out/before.jsonl", 1),
    ]
    (run / "config.json").unlink()
    assert Problem("config.json", None, "missing") in verify(run).problems


def test_only_runs_are_verified(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run is here"):
        verify(tmp_path)
    write_json(tmp_path / "config.json", {})
    write_json(tmp_path / "summary.json", eval_summary().to_row())
    with pytest.raises(UsageError, match="holds an evaluation"):
        verify(tmp_path)


def test_a_path_that_the_system_does_not_take_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="RUN .*File name too long"):
        verify(tmp_path / ("x" * 256))
