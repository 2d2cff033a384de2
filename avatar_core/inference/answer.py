"""What an answer to a question holds, and the vote among several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class Given(NamedTuple):
    """What the model was given with a question."""

    modalities: tuple[str, ...]
    """Of "text", "frames", "sound"."""
    frames: int | None
    """Frames of all files; `None` without a picture."""
    sound_seconds: float | None
    """Seconds of sound of all files; `None` without sound."""
    prompt_tokens: int
    """Length of the whole prompt in tokens, those of frames and sound included."""


class Vote(NamedTuple):
    """One answer among several drawn."""

    answer: str | None
    """As it was first spelt; `None` for the draws that state no answer."""
    votes: int
    """Draws that state it."""
    share: float
    """The same as a fraction of all draws."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Attributes:
        answer: the stated answer without tags; empty when none was stated.
        reasoning: what was thought before it.
        text: the whole completion, tags included.
        modalities: what the model was given, of "text", "frames", "sound".
        frames: frames it was given; `None` without a picture.
        sound_seconds: seconds of sound it was given; `None` without sound.
        prompt_tokens: length of the prompt in tokens, those of frames and sound included.
        seconds: wall time from the file, of further questions from the question, to the end of the
            text, without loading the model.
        truncated: generation of this text stopped at the length limit.
        votes: how often each answer was drawn, the most frequent first; empty for a greedy answer.
    """

    answer: str
    reasoning: str
    text: str
    modalities: tuple[str, ...]
    frames: int | None
    sound_seconds: float | None
    prompt_tokens: int
    seconds: float
    truncated: bool
    votes: tuple[Vote, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """Give the answer as JSON values."""
        votes = [vote._asdict() for vote in self.votes]
        return asdict(self) | {"modalities": list(self.modalities), "votes": votes}


def count_votes(answers: Sequence[str]) -> tuple[Vote, ...]:
    """How often each answer was given, the most frequent first, of equally frequent the earlier.

    Answers are compared without case and runs of blanks. Draws without an answer come last.

    Args:
        answers: stated answers, empty where none was stated; at least one.
    """
    folded = [folded_answer(answer) for answer in answers]
    counts = Counter(answer for answer in folded if answer)
    silent = len(folded) - counts.total()
    found = [(answers[folded.index(key)].strip(), votes) for key, votes in counts.most_common()]
    ballot: list[tuple[str | None, int]] = [*found, *([(None, silent)] if silent else [])]
    return tuple(Vote(answer, votes, votes / len(answers)) for answer, votes in ballot)


def majority(answers: Sequence[str]) -> int:
    """Place of the first draw that states the most frequent answer; 0 when none states any."""
    winner = count_votes(answers)[0].answer
    folded = [folded_answer(answer) for answer in answers]
    return 0 if winner is None else folded.index(folded_answer(winner))


def folded_answer(answer: str) -> str:
    """An answer as answers are compared: without case and runs of blanks."""
    return " ".join(answer.split()).casefold()
