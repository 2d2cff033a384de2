"""What both training loops work on, and how they look at a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avatar_core.asking import Asker
from avatar_core.errors import MediaError
from avatar_core.models.policy import Policy
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.rollout import Visit
from avatar_core.types import Sample


@dataclass(frozen=True, slots=True)
class Trainee:
    """What the loop works on.

    Attributes:
        policy: the model in training.
        asker: makes prompts for it.
        samples: training samples by id, in the order the curriculum counts them.
        state: optimiser, counters and replay buffer.
    """

    policy: Policy
    asker: Asker
    samples: dict[str, Sample]
    state: TrainerState


def look_at(trainee: Trainee, samples: Sequence[Sample]) -> list[Visit]:
    """Visits of those samples whose clips can be read; the others are counted.

    Raises:
        MediaError: none of them can.
    """
    visits: list[Visit] = []
    failure: MediaError | None = None
    for sample, clips in zip(samples, trainee.asker.clips(samples), strict=True):
        if isinstance(clips, MediaError):
            trainee.state.counters.media_failed += 1
            failure = clips
        else:
            key = "+".join(clip.content_hash for clip in clips)
            visits.append(Visit(sample, trainee.asker.prepare(sample, clips), key))
    if failure and not visits:
        raise failure
    return visits
