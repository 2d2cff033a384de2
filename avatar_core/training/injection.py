"""One stored right answer for a prompt that found none in this step.

It joins the comparison of its group, so that the failures have something to be worse than, and is
trained on as what it is: a completion of the policy that sampled it. Its importance ratio is that
of the prompt as it is shown now, also when it was sampled with a hint: then the hint is removed and
the ratio makes up for it. The surrogate bounds it above by 1 + ε, as every ratio of a completion
that is better than its baseline.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from avatar_core.replay import Drawn, ReplayBuffer, Stored
from avatar_core.training.hints import ACCURACY
from avatar_core.training.rollout import Visit
from avatar_core.training.update import Rehearsal, Replayed
from avatar_core.types import Completion, Group


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
        for stored in _newest_first(buffer, group.prompt_id, step):
            used = {member for number, member in replayed if number == stored.number}
            member = best_right(stored.group, used)
            if member is not None and stored.group.media_key == group.media_key:
                tier = buffer.tier_of(group.prompt_id)
                found[place] = Drawn(stored.group, member, tier, stored.number, stored.reuse)
                # A step may visit a prompt twice.
                replayed.add((stored.number, member))
                break
    return found


def _newest_first(buffer: ReplayBuffer, prompt_id: str, step: int) -> Iterator[Stored]:
    """Stored groups of a prompt that are not past use."""
    rule = buffer.rule
    for stored in reversed(list(buffer.groups(prompt_id))):
        old = rule.max_age is not None and step - stored.group.step > rule.max_age
        worn = rule.max_reuse is not None and stored.reuse >= rule.max_reuse
        if not (old or worn):
            yield stored


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


def joined(groups: Sequence[Group], successes: Mapping[int, Drawn]) -> list[Group]:
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
        advantages: of the groups that `joined` gave.
        successes: as given to `joined`.
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
