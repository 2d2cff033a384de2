from __future__ import annotations

import pytest

from avatar_cli.options import Output
from avatar_cli.progress import Course, signal_share, training_note, training_progress
from tests.run_records import metrics_row


def test_the_note_names_what_matters() -> None:
    row = metrics_row(300, reward_mean=-0.256, groups=4, groups_no_signal=1)
    # 4 completions a step. Of a first step that is not the run's, what it adds is not known.
    expected = "reward -0.26, accuracy 50.0 %, 1,200 completions, signal - (10 steps)"
    assert training_note([row]) == expected
    empty = metrics_row(1, reward_mean=None, accuracy_fresh=None, groups=0)
    assert training_note([empty]) == "reward -, accuracy -, 4 completions, signal - (10 steps)"

    taught = metrics_row(2).model_copy(update={"stage": 0, "loss": 0.12345})
    assert training_note([taught]) == "loss 0.123"


def test_the_signal_is_that_of_the_last_ten_steps() -> None:
    # Two groups a step: in the first five steps neither has signal, then both.
    rows = [
        metrics_row(step, groups=2 * step, groups_no_signal=2 * min(step, 5))
        for step in range(1, 21)
    ]
    # Steps 1 to 6: 2 of 12. Steps 3 to 12: 7 of 10. Steps 11 to 20: all.
    for seen, expected in ((1, 0.0), (6, 2 / 12), (12, 0.7), (20, 1.0)):
        assert signal_share(rows[:seen]) == pytest.approx(expected)
    # Resumed behind step 3: steps 5 to 6, one with signal.
    assert signal_share(rows[3:6]) == pytest.approx(0.5)


def test_the_rest_of_a_stage_is_estimated_from_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course(0.0)
    # 90 s of loading and a first step, then 2 s a step.
    for step in (1, 2, 3):
        course.take(metrics_row(step), 90.0 + 2.0 * step)
        monkeypatch.setattr("time.monotonic", lambda step=step: 90.0 + 2.0 * step)
        if step == 1:
            assert course.times(10) == "0:01:32 so far"
    # 7 steps are left.
    assert course.times(10) == "0:01:36 so far, about 0:00:14 left"
    assert course.times(3) == "0:01:36 so far"
    course.take(metrics_row(1).model_copy(update={"stage": 2}), 96.0)
    assert course.times(10) == "0:01:36 so far"


def test_notes_go_to_stderr_unless_quiet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for output, expected in (
        (Output(), "loading [x] " + "y" * 100 + "\n"),
        (Output(quiet=True), ""),
    ):
        with training_progress(output) as watcher:
            watcher.say("loading [x] " + "y" * 100)
            watcher.step(metrics_row(1), 20)
        shown = capsys.readouterr()
        assert (shown.out, shown.err) == ("", expected)


def test_a_log_gets_ten_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with training_progress(Output()) as watcher:
        for step in range(1, 21):
            watcher.step(metrics_row(step), 20)
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if line.startswith("stage 1, step ")]) == 10
    # One line each, whatever its length.
    assert len(lines) == 10
    assert lines[0].startswith("stage 1, step 2 of 20: reward ")
    assert lines[0].endswith(" left")
