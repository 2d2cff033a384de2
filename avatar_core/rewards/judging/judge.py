"""What a judge is: it grades completions, and says so when it could not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from avatar_core.errors import ServiceError
from avatar_core.types import Clip, Sample

Failure = Literal["unparsed", "unreachable"]


@dataclass(frozen=True, slots=True, eq=False)
class JudgeRequest:
    """One completion to grade.

    Attributes:
        sample: the question with its solution; `extra` may hold `audio_cues` (an audio caption) and
            `facts` (what a scene shows).
        completion: generated text with its tags.
        clip: what was seen; `None` when nothing was.
    """

    sample: Sample
    completion: str
    clip: Clip | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of one completion.

    Attributes:
        scores: score in [0, 1] by name, of those that were given.
        reward: mean of the scores; `None` when the completion could not be graded.
        failure: "unparsed" (the judge replied without scores) or "unreachable" (it did not reply).
        reason: what went wrong, in a few words.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    reward: float | None = None
    failure: Failure | None = None
    reason: str = ""


class Judge(Protocol):
    """Grades completions."""

    def grade(self, requests: Sequence[JudgeRequest]) -> list[Verdict]:
        """One verdict per request, in order; a request that fails is a verdict, not an error."""
        ...


def verdict_of(scores: Mapping[str, float]) -> Verdict:
    """The verdict of given scores: the reward is the mean of those present, at least one."""
    return Verdict(dict(scores), sum(scores.values()) / len(scores))


@dataclass(slots=True)
class JudgeCounts:
    """What became of the completions given to a judge so far.

    Attributes:
        graded: completions with a reward from scores.
        unparsed: completions whose reply held no scores.
        unreachable: completions without a reply.
    """

    graded: int = 0
    unparsed: int = 0
    unreachable: int = 0


class CountingJudge:
    """A judge whose failures are counted, and which gives up after too many in a row.

    Attributes:
        counts: cumulative since it was made.
    """

    def __init__(self, judge: Judge, max_failures: int) -> None:
        self.counts = JudgeCounts()
        self._judge = judge
        self._max_failures = max_failures
        self._in_a_row = 0

    def grade(self, requests: Sequence[JudgeRequest]) -> list[Verdict]:
        """Grade and count.

        Raises:
            ServiceError: as many completions in a row as allowed were left without a reward.
        """
        verdicts = self._judge.grade(requests)
        for verdict in verdicts:
            self._count(verdict)
        return verdicts

    def _count(self, verdict: Verdict) -> None:
        match verdict.failure:
            case None:
                self.counts.graded += 1
            case "unparsed":
                self.counts.unparsed += 1
            case "unreachable":
                self.counts.unreachable += 1
        self._in_a_row = self._in_a_row + 1 if verdict.reward is None else 0
        if self._in_a_row >= self._max_failures:
            raise ServiceError(
                f"the judge left {self._in_a_row} completions in a row ungraded, last because of: "
                f"{verdict.reason}; mend the judge or correct the settings below judge, then resume"
            )
