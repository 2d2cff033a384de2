from __future__ import annotations

from avatar_core.reporting.html.sampling import FEWEST, groups_shown, sampled_groups
from tests.run_records import group_row


def test_few_groups_are_all_shown() -> None:
    groups = [group_row([1.0], step=step) for step in range(5)]
    assert sampled_groups(groups, 5) == groups
    assert sampled_groups([], 5) == []


def test_rare_kinds_are_shown_and_all_of_the_run_is() -> None:
    groups = [group_row([1.0], step=step, policy_step=0) for step in range(1000)]
    groups += [group_row([1.0], step=1000, policy_step=0, hinted=True) for _ in range(3)]
    groups += [group_row([1.0], step=s, policy_step=0, tier="hard") for s in range(1001, 1021)]
    shown = sampled_groups(groups, 100)
    # 100 · 1000 / 1023 ≈ 98 of the many, all 3 hinted ones, 8 of the 20 hard ones.
    assert len(shown) == 98 + 3 + 8
    assert sum(row.hinted for row in shown) == 3
    assert shown[0] is groups[0] and shown[-1] is groups[-1]
    assert [row.step for row in shown] == sorted(row.step for row in shown)


def test_runs_share_the_groups_of_a_page() -> None:
    groups = [group_row([1.0])]
    assert [groups_shown(groups, runs) for runs in (1, 4, 100)] == [240, 60, FEWEST]
    assert groups_shown([], 1) == 240


def test_long_completions_make_the_groups_fewer() -> None:
    row = group_row([1.0] * 8)
    long = row.completions[0].model_copy(update={"text": "x" * 5000})
    rows = [row.model_copy(update={"completions": (long,) * 8})] * 300
    # 1,200 around, and eight of 1,500 characters with 200 around: 14,800 bytes each.
    assert groups_shown(rows, 1) == 1_200_000 // 14_800
    assert groups_shown(rows, 2) == 600_000 // 14_800
