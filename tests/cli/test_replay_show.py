from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from avatar_cli.__main__ import main
from avatar_core.algo.plain import token_weights
from avatar_core.records import CompletionRow
from tests.run_records import group_row, metrics_row, write_run

HOSTILE = "[red]\x1b[31m</answer>"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    hostile = CompletionRow(
        text=HOSTILE, tokens=3, reward=0.0, advantage=-1.0, truncated=True, parts={}
    )
    groups = [
        group_row([1.0, 0.0], [1.0, -1.0], step=1, prompt_id="a", tier="easy"),
        group_row([1.0, 0.0], [1.0, -1.0], step=2, prompt_id="b", tier="hard"),
        group_row([], step=3, prompt_id="b", tier="easy", completions=(hostile,)),
    ]
    return write_run(tmp_path / "run", [metrics_row()], groups)


def shown(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["replay", "show", *arguments]) == 0
    return capsys.readouterr().out


def test_groups_are_chosen_by_tier_prompt_and_number(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def steps(*options: str) -> list[int]:
        document = json.loads(shown(str(run), "--json", *options, capsys=capsys))
        assert set(document) == {"schema", "path", "groups"}
        return [group["step"] for group in document["groups"]]

    assert steps() == [1, 2, 3]
    assert steps("--limit", "1") == [3]
    assert steps("--tier", "easy") == [1, 3]
    assert steps("--prompt", "b", "--tier", "hard") == [2]
    assert steps("--tier", "medium") == []


def test_values_have_the_weights_of_the_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(shown(str(run), "--json", "--limit", "1", capsys=capsys))
    (completion,) = document["groups"][0]["completions"]
    # The configuration names no λ, so it is the paper's: 1.3, 1, 1.3 for three tokens.
    assert completion["token_weights"] == pytest.approx([1.3, 1.0, 1.3])
    assert completion["token_weights"] == token_weights(3, 0.3, shape="parabola")
    assert completion["text"] == HOSTILE
    assert (completion["reward"], completion["advantage"]) == (0.0, -1.0)


def test_the_text_of_a_model_is_shown_as_it_is(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(str(run), "--limit", "1", capsys=capsys)
    assert "[red][31m</answer>" in out
    assert "\x1b" not in out
    assert "reward 0.000, advantage -1.000, 3 tokens, truncated" in out


def test_a_run_without_configuration_has_no_weights(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "config.json").unlink()
    document = json.loads(shown(str(run), "--json", "--limit", "1", capsys=capsys))
    assert document["groups"][0]["completions"][0]["token_weights"] is None


def test_nothing_to_show_is_said(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(str(run), "--tier", "medium", capsys=capsys).split() == "no groups to show".split()


def test_an_unknown_prompt_is_a_usage_error(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "show", str(run), "--prompt", "c"]) == 2
    assert "--prompt c: the run has no group of this prompt; known: a, b" in capsys.readouterr().err


def test_a_piped_table_needs_no_torch(run: Path) -> None:
    program = (
        "import sys; from avatar_cli.__main__ import main; "
        f"code = main(['replay', 'show', {str(run)!r}]); "
        "sys.exit(code or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
