"""One stored right answer for a prompt that found none in this step.

It joins the comparison of its group, so that the failures have something to be worse than, and is
trained on as what it is: a completion of the policy that sampled it. Its importance ratio is that
of the prompt as it is shown now, also when it was sampled with a hint: then the hint is removed and
the ratio makes up for it. The surrogate bounds it above by 1 + ε, as every ratio of a completion
that is better than its baseline.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from avatar_core.replay import Drawn, ReplayBuffer
from avatar_core.training.rollout import Visit
from avatar_core.training.update import Rehearsal, Replayed
from avatar_core.types import ACCURACY, Completion, Group


class Split(NamedTuple):
    """Advantages of an update whose groups were compared together with stored successes."""

    advantages: list[Tensor]
    """Of the fresh completions of each group."""
    rehearsal: Rehearsal
    """What is replayed, the successes among it."""


def is_right(completion: Completion) -> bool:
    """Whether an answer is right at least in part."""
    return (completion.parts.get(ACCURACY) or 0.0) > 0


def has_failed(group: Group) -> bool:
    """Whether no answer of a group is right, of those whose accuracy was scored, if any."""
    scored = any(completion.parts.get(ACCURACY) is not None for completion in group.completions)
    return scored and not any(is_right(completion) for completion in group.completions)


def stored_successes(
    groups: Sequence[Group], buffer: ReplayBuffer, rehearsal: Rehearsal, *, step: int
) -> dict[int, Drawn]:
    """Find a success for each fresh group that failed.

    It is the right answer of the highest reward in the newest stored group of the prompt that has
    one, was shown the same clips and is not past use; what is replayed already is passed over. A
    group that showed a hint gets none: its answers are those to another prompt.

    Args:
        groups: fresh groups of the step, not stored yet.
        buffer: stored groups of earlier steps.
        rehearsal: what the step replays.
        step: optimiser step of now.

    Returns:
        Successes by the place of their group in `groups`; places without one are left out.
    """
    replayed = {(part.draw.number, m) for part in rehearsal.replayed for m in part.members}
    found: dict[int, Drawn] = {}
    for place, group in enumerate(groups):
        if group.hinted or not has_failed(group):
            continue
        for stored in reversed(list(buffer.groups(group.prompt_id))):
            if buffer.rule.spent(step - stored.group.step, stored.reuse):
                continue
            used = {member for number, member in replayed if number == stored.number}
            member = best_right(stored.group, used)
            if member is not None and stored.group.media_key == group.media_key:
                tier = buffer.tier_of(group.prompt_id)
                found[place] = Drawn(stored.group, member, tier, stored.number, stored.reuse)
                # A step may visit a prompt twice.
                replayed.add((stored.number, member))
                break
    return found


def best_right(group: Group, used: Collection[int] = ()) -> int | None:
    """Index of the right answer with the highest reward, the first of equals; `None` without.

    Args:
        group: a stored group.
        used: indices that are passed over.
    """
    right = [
        (completion.reward, -place)
        for place, completion in enumerate(group.completions)
        if completion.reward is not None and is_right(completion) and place not in used
    ]
    return -max(right)[1] if right else None


def with_successes(groups: Sequence[Group], successes: Mapping[int, Drawn]) -> list[Group]:
    """Fresh groups with their success as last member, to be compared together."""
    return [
        replace(group, completions=(*group.completions, drawn.group.completions[drawn.member]))
        if (drawn := successes.get(place))
        else group
        for place, group in enumerate(groups)
    ]


def split(
    advantages: Sequence[Tensor],
    successes: Mapping[int, Drawn],
    visits: Sequence[Visit | None],
    rehearsal: Rehearsal,
) -> Split:
    """Take the successes out of groups that were compared with them, over to what is replayed.

    Args:
        advantages: of the groups that `with_successes` gave.
        successes: as given to `with_successes`.
        visits: the prompt of each group as it was shown, `None` where another process has it: a
            success is trained on where its prompt is.
        rehearsal: what else is replayed.
    """
    injected = [
        Replayed(drawn.group, [drawn.member], drawn, advantages[place][-1:], None)
        for place, drawn in successes.items()
    ]
    return Split(
        [values[:-1] if place in successes else values for place, values in enumerate(advantages)],
        Rehearsal(
            [*rehearsal.replayed, *injected],
            [*rehearsal.visits, *(visits[place] for place in successes)],
        ),
    )
