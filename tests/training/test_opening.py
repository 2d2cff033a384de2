from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.training.opening import needs_reference
from tests.training.runs import small


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ((), True),
        (("loss.beta=0.0",), False),
        (("loss.beta=0.0", "hints.kl_to=reference"), True),
        (("loss.beta=0.0", "hints.kl_to=reference", "hints.enabled=false"), False),
        (("loss.beta=0.0", "replay.priority=release"), True),
        (("loss.beta=0.0", "replay.priority=release", "replay.kl_weight=0.0"), False),
    ],
)
def test_the_policy_of_the_beginning_is_kept_where_something_looks_at_it(
    settings: tuple[str, ...], needed: bool, tmp_path: Path
) -> None:
    assert needs_reference(small(tmp_path, tmp_path, *settings)) == needed
    assert not needs_reference(small(tmp_path, tmp_path, *settings, stage=0))
