from __future__ import annotations

import pytest

from avatar_cli.options import Output
from avatar_cli.progress import training_note, training_progress
from tests.run_records import metrics_row


def test_the_note_names_what_matters() -> None:
    row = metrics_row(300, reward_mean=-0.256, groups=4, groups_no_signal=1)
    # Three groups of four have signal; 4 completions a step.
    expected = "reward -0.26, accuracy 50.0 %, 1,200 completions, signal 75.0 %"
    assert training_note(row) == expected
    empty = metrics_row(1, reward_mean=None, accuracy_fresh=None, groups=0)
    assert training_note(empty) == "reward -, accuracy -, 4 completions, signal -"


def test_notes_go_to_stderr_unless_quiet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for output, expected in ((Output(), "loading [x]\n"), (Output(quiet=True), "")):
        with training_progress(output) as watcher:
            watcher.say("loading [x]")
            watcher.step(metrics_row(1), 20)
        shown = capsys.readouterr()
        assert (shown.out, shown.err) == ("", expected)


def test_a_log_gets_ten_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with training_progress(Output()) as watcher:
        for step in range(1, 21):
            watcher.step(metrics_row(step), 20)
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if line.startswith("stage 1, step ")]) == 10
    assert lines[0].startswith("stage 1, step 2 of 20: reward ")
