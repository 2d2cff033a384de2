from __future__ import annotations

import re

from avatar_core.reporting.html.plots_time import time_figure, time_table
from tests.reporting.html.views import view_of
from tests.run_records import metrics_row


def test_phases_are_stacked_and_summed() -> None:
    view = view_of((metrics_row(1), metrics_row(2)))
    made = time_figure(view.records.metrics, view.summary)
    assert made is not None
    # Twice 1 + 2 + 0 + 1 seconds; encoding was not timed.
    assert "8.0 s in all, 50.0\u00a0% of them in “generate”" in made
    assert made.count('class="area') == 4
    assert "<td>4.0</td><td>50.0\u00a0%</td>" in str(time_table(view.summary))


def test_parts_stand_for_their_phase_with_what_they_do_not_cover() -> None:
    row = metrics_row(1, seconds_prefill=0.5, seconds_decode=1.25, seconds_train_encode=0.75)
    view = view_of((row, row))
    made = str(time_figure(view.records.metrics, view.summary))
    # Of twice 1 + 2 + 0 + 1 seconds decoding takes 2.5; each part and rest has an area.
    assert "8.0 s in all, 31.2\u00a0% of them in “decode”" in made
    legend = re.findall(r"</span>([^<]+)</li>", made)
    rest = ["generate, the rest", "reward", "train encode", "train, the rest"]
    assert legend == ["media", "prefill", "decode", *rest]
    table = str(time_table(view.summary))
    assert ">\u2003prefill</th><td>1.0</td><td>12.5\u00a0%</td>" in table


def test_the_least_of_many_parts_are_one_area() -> None:
    train = ("train_encode", "logprobs", "reference", "backward", "optimiser")
    parts = {f"seconds_{name}": 0.125 for name in ("prefill", "decode", *train)}
    view = view_of((metrics_row(1, seconds_encode=0.0625, seconds_reward=0.25, **parts),))
    made = str(time_figure(view.records.metrics, view.summary))
    legend = re.findall(r"</span>([^<]+)</li>", made)
    # Of twelve parts the seven longest: media 1 s, rests 1.75 and 0.375, reward 0.25, three of
    # those that take as long as others.
    kept = ["media", "prefill", "decode", "generate, the rest", "reward", "train encode"]
    assert legend == [*kept, "train, the rest", "other"]
    # 1 + 2 + 0.0625 + 0.25 + 1 seconds, whatever is drawn together.
    assert "4.3 s in all" in made


def test_without_times_there_is_nothing() -> None:
    view = view_of()
    assert time_figure((), view.summary) is None
    assert time_table(view.summary) is None
