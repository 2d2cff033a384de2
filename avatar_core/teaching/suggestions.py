"""What a teacher is asked, what its reply says, and whether that can be used as a hint.

The teacher reads question, options and audio caption, and is not told the answer. What it writes is
refused when it gives the answer away all the same, is too long or could not be shown to a policy.
"""

from __future__ import annotations

from dataclasses import replace

from avatar_core.data.leak import leaks
from avatar_core.errors import DataError
from avatar_core.rewards.judging.rubric import audio_caption
from avatar_core.rewards.tags import split_completion
from avatar_core.training.data import refuse_control_tokens
from avatar_core.types import Sample
from avatar_core.wording import question_text

MAX_WORDS = 40
_EDGE = "\"'“”*` "
_LABELS = ("hint", "suggestion")

_TASK = f"""\
You help a student who looks at a video, listens to it and answers questions. The student keeps \
getting this question wrong. Write one short strategic suggestion of at most {MAX_WORDS} words: \
what to look at or listen to first, and how to go on from there. An example of the kind: find the \
sounding object first, then count.
Do not answer the question. Name no option, letter or number that could be the answer. Reply with \
the suggestion and nothing else.

"""


def prompt_text(sample: Sample, *, fault: str | None = None) -> str:
    """What the teacher is asked.

    Args:
        sample: the question.
        fault: what was wrong with an earlier suggestion, as the end of a sentence.
    """
    caption = audio_caption(sample.extra)
    heard = f"\n\nWhat is heard: {caption}" if caption else ""
    again = f"\n\nAn earlier suggestion was refused: it {fault}. Write another one."
    return f"{_TASK}Question:\n{question_text(sample)}{heard}{again if fault else ''}"


def suggestion_of(reply: str) -> str:
    """The suggestion in a reply: without reasoning, label and quotes around it, on one line.

    >>> suggestion_of('<think>hm</think>Hint: "Find the sounding object first."')
    'Find the sounding object first.'
    """
    plain = " ".join(split_completion(reply).answer.split()).strip(_EDGE)
    label, colon, rest = plain.partition(":")
    labelled = colon and label.strip(_EDGE).casefold() in _LABELS
    return rest.strip(_EDGE) if labelled else plain


def fault_of(hint: str, sample: Sample) -> str | None:
    """Why a suggestion cannot be a hint, as the end of a sentence; `None` when it can."""
    if not hint:
        return "was empty"
    if len(hint.split()) > MAX_WORDS:
        return f"had more than {MAX_WORDS} words"
    if leaks(hint, sample):
        return "gave the answer away"
    try:
        refuse_control_tokens(replace(sample, hint=hint), sample.id)
    except DataError:
        return "held a control token"
    return None
