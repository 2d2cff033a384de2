"""Tables of a run, cell by cell, from records counted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.table import Table

from avatar_cli.tables import (
    advantage_table,
    comparison_table,
    magnitude_table,
    reward_table,
    run_heading,
    run_tables,
    throughput_line,
    tier_table,
    time_table,
    unique_reward_table,
)
from avatar_core.evaluation_records import EvalTiming
from avatar_core.reporting.records_io import RunRecords
from avatar_core.reporting.summary import RunSummary, summarise
from avatar_core.reporting.timing import Throughput
from tests.run_records import eval_summary, group_row, metrics_row


def summary(metrics: Any = (), groups: Any = (), **changes: Any) -> RunSummary:
    values = {"config": None, "manifest": None, "evaluation": None, **changes}
    return summarise(RunRecords(Path("some/run"), metrics=metrics, groups=groups, **values))


@pytest.fixture
def run() -> RunSummary:
    groups = (
        group_row([1.0, 0.0, 0.0, None], [1.5, -0.5, -0.5, None]),
        group_row([0.5, 0.5], [0.0, 0.0]),
        group_row([1.0], [0.05], source="replayed", step=9, policy_step=2, tier="hard"),
    )
    return summary((metrics_row(1, accuracy_fresh=0.25), metrics_row(2, reward_mean=0.75)), groups)


def rows(table: Table) -> dict[str, list[str]]:
    """Cells of each row by its label."""
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return {label: list(cells) for label, *cells in zip(*columns, strict=True)}


def test_the_heading_says_where_and_how_far(run: RunSummary) -> None:
    assert run_heading(run).plain == (
        "some/run, stage 1, 2 steps, 8 completions generated, "
        "training accuracy 25.0 % in the first tenth of the steps, 50.0 % in the last"
    )
    assert run_heading(summary()).plain == "some/run, no training step on record"
    assert run_heading(summary(evaluation=eval_summary())).plain == "some/run"


def test_a_run_shows_the_tables_it_has_data_for(run: RunSummary) -> None:
    titles = [
        "Over the run",
        "Reward diversity",
        "Advantage statistics",
        "Replay buffer",
        "Time by phase",
    ]
    assert [str(table.title) for table in run_tables(run)] == titles
    assert run_tables(summary()) == []
    score = eval_summary(model="m[x]", benchmark="scenes")
    (table,) = run_tables(summary(evaluation=score))
    assert str(table.title) == "Evaluation of m[x] on scenes"
    (table,) = run_tables(summary(config={"names": ["scenes"], "model": "m"}))
    assert str(table.title) == "Evaluation of m on scenes, not ended"


def test_rewards_by_source(run: RunSummary) -> None:
    table = rows(reward_table(run))
    # Fresh, replayed, all. Fresh rewards are 1 0 0 ½ ½ and one without a score: mean 2/5; deviation
    # from the mean of squares (1 + 2/4) / 5 = 0.3: √(0.3 - 0.16) = 0.374.
    assert table["groups"] == ["2", "1", "3"]
    assert table["scored completions"] == ["5", "1", "6"]
    assert table["unscored completions"] == ["1", "0", "1"]
    assert table["distinct rewards per group"] == ["1.50", "1.00", "1.33"]
    assert table["groups with signal"] == ["50.0 %", "0.0 %", "33.3 %"]
    assert table["reward mean"] == ["0.400", "1.000", "0.500"]
    assert table["reward std"][:2] == ["0.374", "0.000"]
    assert table["reward lowest"] == ["0.000", "1.000", "0.000"]
    assert table["reward highest"] == ["1.000", "1.000", "1.000"]
    short = rows(unique_reward_table(run))
    assert short["distinct rewards"] == table["distinct rewards per group"]
    assert short["groups with signal"] == table["groups with signal"]


def test_advantages_by_source(run: RunSummary) -> None:
    table = rows(advantage_table(run))
    # Fresh: 1.5 -0.5 -0.5 0 0, mean 0.1; replayed 0.05.
    assert table["completions"] == ["5", "1", "6"]
    assert table["mean"] == ["0.100", "0.050", "0.092"]
    assert table["|A| ≤ 0.1"] == ["40.0 %", "100.0 %", "50.0 %"]
    assert table["|A| ≤ 0.25"] == ["40.0 %", "100.0 %", "50.0 %"]
    assert table["|A| > 1"] == ["20.0 %", "0.0 %", "16.7 %"]


def test_magnitudes_are_shares_of_each_source(run: RunSummary) -> None:
    table = rows(magnitude_table(run))
    assert table["0 to 0.1"] == ["40.0 %", "100.0 %", "50.0 %"]
    assert table["0.5 to 1"] == ["40.0 %", "0.0 %", "33.3 %"]
    # 1.5 is the lower edge of the last bin, which has no upper one.
    assert table["1.5 and more"] == ["20.0 %", "0.0 %", "16.7 %"]
    assert len(table) == 6
    assert rows(magnitude_table(summary())) == {}


def test_tiers_and_phases(run: RunSummary) -> None:
    tiers = rows(tier_table(run))
    # 1, 2 and 5 of 8 prompts; one draw from the hard tier, of policy 2 at step 9.
    assert tiers["easy"] == ["1", "12.5 %", "0", "-", "-", "-"]
    assert tiers["medium"] == ["2", "25.0 %", "0", "-", "-", "-"]
    assert tiers["hard"] == ["5", "62.5 %", "1", "7.0", "7", "0.00"]
    phases = rows(time_table(run.phases, run.throughput))
    # Two steps of 1 + 2 + 0 + 1 seconds; what was not measured has no row or no seconds.
    assert phases["generate"] == ["4.0", "50.0 %"]
    assert phases["media"] == phases["train"] == ["2.0", "25.0 %"]
    # 200 tokens in 4 seconds of generating.
    assert time_table(run.phases, run.throughput).caption == "50 tokens generated per second"


def test_parts_of_phases_are_indented_with_their_share_of_all() -> None:
    timed = metrics_row(1, seconds_decode=1.0, seconds_backward=0.25, tokens_trained=70)
    steps = summary((timed,))
    table = time_table(steps.phases, steps.throughput)
    # A step of 1 + 2 + 0 + 1 seconds.
    assert list(rows(table)) == ["media", "generate", "  decode", "reward", "train", "  backward"]
    assert rows(table)["  decode"] == ["1.0", "25.0 %"]
    assert rows(table)["  backward"] == ["0.2", "6.2 %"]
    assert table.caption == "50 tokens generated per second\n70 tokens trained on per second"


def test_an_evaluation_shows_where_its_time_went() -> None:
    timing = EvalTiming(
        items=4,
        seconds=8.0,
        phases={"media": 2.0, "decode": 5.0},
        tokens_prompt=400,
        tokens_generated=40,
        items_per_second=0.5,
    )
    score, time = run_tables(summary(evaluation=eval_summary(), timing=timing))
    assert (str(score.title), str(time.title)) == ("Evaluation of tiny on scenes", "Time by phase")
    assert rows(time) == {"media": ["2.0", "25.0 %"], "decode": ["5.0", "62.5 %"]}
    assert time.caption == "0.50 items per second\n5 tokens generated per second"
    assert throughput_line(Throughput()) is None


def test_runs_compared_show_the_first_and_the_last_tenth(run: RunSummary) -> None:
    table = rows(comparison_table([run]))
    assert table == {
        "some/run": ["2", "8", "25.0 %\n50.0 %", "0.500\n0.750", "50.0 %", "50.0 %"],
    }
    empty = rows(comparison_table([summary()]))
    assert empty == {"some/run": ["0", "-", "-\n-", "-\n-", "-", "-"]}
