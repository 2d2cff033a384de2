"""`what-if` on made-up records, and with the other commands on those of a real tiny run."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch

from avatar_cli.__main__ import main
from avatar_core.algo import plain
from avatar_core.models.loading import load_policy
from avatar_core.reporting.records_io import load_run
from avatar_core.reporting.settings import train_config
from avatar_core.reporting.what_if import recomputed, running_means
from avatar_core.rewards import REWARDS
from avatar_core.training.run import train
from tests.run_records import group_row, metrics_row, write_run
from tests.training.runs import SETTINGS, small, spread

SOURCES = ("fresh", "replayed", "all")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Six steps of the untrained tiny model; the last four of them replay."""
    folder = tmp_path_factory.mktemp("real")
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATAR_CACHE", str(folder / "cache"))
        patch.setitem(REWARDS, "spread", spread)
        load_policy("tiny").save(folder / "base")
        config = small(folder / "run", folder / "base", "rollout.pool=4", "held_out.samples=0")
        yield train(config).directory


def documents(run: Path, *options: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["replay", "what-if", str(run), "--json", *options]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert set(found) == {"schema", "path", "recorded", "what_if"}
    return found


def test_the_settings_of_a_run_give_its_recorded_advantages(real: Path) -> None:
    records = load_run(real)
    config = train_config(records)
    window = config.replay.window
    found = recomputed(records.groups, config.advantage, plain, baseline=None, window=window)
    compared = {"fresh": 0, "replayed": 0}
    for before, after in zip(records.groups, found, strict=True):
        for recorded, again in zip(before.completions, after.completions, strict=True):
            assert recorded.advantage is not None
            assert again.advantage == pytest.approx(recorded.advantage, abs=1e-6)
            compared[before.source] += 1
    # Two steps of 2 x 4 fresh ones, then four of 2 x 2 fresh and 4 replayed.
    assert compared == {"fresh": 32, "replayed": 16}
    assert any(c.advantage for row in found if row.source == "replayed" for c in row.completions)


def test_the_baselines_on_record_are_rebuilt_from_the_rewards(real: Path) -> None:
    records = load_run(real)
    means = running_means(records.groups, train_config(records).replay.window)
    pairs = [
        (row.baseline, m) for row, m in zip(records.groups, means, strict=True) if row.baseline
    ]
    assert len(pairs) > 4
    assert [mean for _, mean in pairs] == pytest.approx([recorded for recorded, _ in pairs])


def test_a_single_replayed_member_teaches_nothing_against_its_group(
    real: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "replay.members_per_group=1" in SETTINGS
    found = documents(real, "--baseline", "group", capsys=capsys)
    # Two draws may fall into one group only when a tier runs short; most are alone.
    assert (
        found["what_if"]["replayed"]["silent_share"] > found["recorded"]["replayed"]["silent_share"]
    )
    assert found["what_if"]["fresh"] == found["recorded"]["fresh"]
    assert found["what_if"]["baselines"] == {"fresh": "group", "replayed": "group"}


def test_values_are_given_for_every_source(real: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = documents(real, "--lambda", "0.9", "--shape", "inverse", capsys=capsys)
    for side, settings in (("recorded", (0.3, "parabola")), ("what_if", (0.9, "inverse"))):
        assert (found[side]["tas_lambda"], found[side]["tas_shape"]) == settings
        for source in SOURCES:
            signal = found[side][source]
            assert set(signal) == {"groups", "silent_share", "completions", "tokens"}
            assert (
                sum(signal["completions"]["magnitudes"]["counts"]) == signal["completions"]["count"]
            )
            assert all(math.isfinite(value) for value in signal["tokens"].values())
    means = [found[side]["all"]["completions"]["mean"] for side in ("recorded", "what_if")]
    assert means[0] == pytest.approx(means[1], abs=1e-6)
    assert found["recorded"]["all"]["tokens"] != found["what_if"]["all"]["tokens"]


def test_a_real_run_is_sound_until_it_is_damaged(
    real: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "verify", str(real), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["problems"], document["notes"]) == ([], [])
    assert (document["steps"], document["completions"]) == (6, 48)
    assert document["checkpoints"] == document["stores"] == 2
    copy = tmp_path / "run"
    shutil.copytree(real, copy)
    store = copy / "checkpoints" / "step-6" / "trainer" / "replay"
    (store / "manifest.json").write_text("{}")
    assert main(["replay", "verify", str(copy)]) == 4
    assert "checkpoints/step-6/trainer/replay/manifest.json: " in capsys.readouterr().out


def test_a_real_run_is_exported_and_shown(
    real: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.parquet"
    assert main(["replay", "export", str(real), str(file)]) == 0
    frame = pandas.read_parquet(file)
    assert len(frame) == 48
    assert {"part_spread", "part_accuracy"} <= set(frame.columns)
    capsys.readouterr()
    assert main(["replay", "show", str(real), "--json", "--limit", "3"]) == 0
    groups = json.loads(capsys.readouterr().out)["groups"]
    assert len(groups) == 3
    sizes = [
        (item["tokens"], len(item["token_weights"]))
        for group in groups
        for item in group["completions"]
    ]
    assert len(sizes) >= 3
    assert all(tokens == weights for tokens, weights in sizes)


def test_the_table_sets_both_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = [
        group_row([1.0, 1.0], [0.0, 0.0]),
        group_row([1.0, 1.0], [0.5, 0.0], step=2, policy_step=1, source="replayed", baseline=0.5),
    ]
    run = write_run(tmp_path, [metrics_row()], groups)
    assert main(["replay", "what-if", str(run), "--baseline", "vcrs", "--lambda", "0"]) == 0
    out = capsys.readouterr().out
    words = " ".join(out.split())
    assert "recorded: fresh against the group, replayed against the prompt's running mean" in words
    assert "what if: fresh against the prompt's running mean, replayed against" in words
    table = {line[:15].strip(): line[15:].split() for line in out.splitlines()}
    # Fresh: 0 and 0, then R - 0 twice; replayed: ½ and 0 on record, R - ½ twice recomputed.
    assert table["mean of A"] == ["0.000", "1.000", "0.250", "0.500", "0.125", "0.750"]
    assert table["mean weight w"][1::2] == ["1.000"] * 3


@pytest.mark.parametrize("value", ["-1", "nan", "inf"])
def test_a_lambda_out_of_range_is_a_usage_error(tmp_path: Path, value: str) -> None:
    run = write_run(tmp_path, [metrics_row()], [group_row([1.0], [0.0])])
    assert main(["replay", "what-if", str(run), "--lambda", value]) == 2


def test_a_run_without_configuration_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path, [metrics_row()], [group_row([1.0], [0.0])])
    (run / "config.json").unlink()
    assert main(["replay", "what-if", str(run)]) == 2
    assert "config.json: missing" in capsys.readouterr().err
