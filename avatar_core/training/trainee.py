"""What both training loops work on, and how they look at a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from avatar_core.asking import Asked, Failed
from avatar_core.config.hints import HintPlace
from avatar_core.errors import DataError, MediaError
from avatar_core.models.policy import Policy
from avatar_core.rewards.judging.judge import Judge
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.curriculum import Course
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.parallel import ALONE, World
from avatar_core.training.rollout import Visit
from avatar_core.types import Sample


class Look(NamedTuple):
    """What looking at some prompts gave."""

    visits: list[Visit]
    """Those that can be shown to the policy, in order."""
    failures: list[MediaError | DataError]
    """Why the others cannot."""


@dataclass(frozen=True, slots=True)
class Trainee:
    """What the loops work on.

    Attributes:
        policy: the model in training.
        lookahead: makes prompts for it, those of the next step in advance.
        samples: training samples by id, in the order the course counts them.
        course: which of them a step visits.
        state: optimiser, counters and replay buffer.
        judge: grades completions for the `judge` reward; `None` without one.
        world: the processes that train together.
    """

    policy: Policy
    lookahead: Lookahead
    samples: dict[str, Sample]
    course: Course
    state: TrainerState
    judge: Judge | None = None
    world: World = ALONE

    def samples_of(self, step: int) -> list[Sample]:
        """The samples that step `step` visits."""
        return self.samples_at(self.course.prompts(step))

    def samples_at(self, indices: Iterable[int]) -> list[Sample]:
        """The samples at some places of the pool, as the course counts them."""
        ordered = list(self.samples.values())
        return [ordered[index] for index in indices]

    def look_ahead(self, samples: Sequence[Sample]) -> None:
        """Begin to look at this process's share of prompts that `look_at` is given next."""
        self.lookahead.start(self.world.share(samples))

    def look_at(self, samples: Sequence[Sample]) -> Look:
        """Decode and prepare this process's share of some prompts."""
        return self.look_at_own(self.world.share(samples))

    def look_at_own(self, samples: Sequence[Sample]) -> Look:
        """Decode and prepare prompts; those that cannot be read are counted and left out.

        All processes call it together; failures are those of all.
        """
        seen = self.lookahead.take(samples)
        failures = self.world.gather([one.error for one in seen if isinstance(one, Failed)])
        self.state.counters.media_failed += len(failures)
        visits = [
            Visit(
                one.sample,
                one.prepared,
                "+".join(clip.content_hash for clip in one.clips),
                tuple(one.clips),
            )
            for one in seen
            if isinstance(one, Asked)
        ]
        return Look(visits, failures)

    def with_hint(self, visit: Visit, place: HintPlace) -> Visit:
        """A visit whose prompt shows the hint of its sample."""
        prepared = self.lookahead.hinted(visit.sample, visit.clips, place)
        return visit._replace(prepared=prepared, hinted=True)
