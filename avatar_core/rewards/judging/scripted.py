"""The judge of `scenes`: it checks a trace step by step against the facts of its scene.

The four scores of the rubric become:

1. `audio_cue_grounding`: the tones that the reasoning states against those that are heard (F1).
   The rubric gives its judge an audio caption; here the facts are the caption. Only for questions
   that need the sound.
2. `visual_object_identification`: the objects that the reasoning states, and the flashes where
   sound and picture belong together, against the scene (F1). Where the question is what makes a
   tone or flashes with it, the mean of this and of whether the conclusion follows: 1 when it points
   to those objects that flash with such a tone *by the reasoning's own statements*, else 0. Only
   for questions that need the frames.
3. `location_accuracy`: the positions that the final answer names against those of the solution
   (F1). Only where the solution names any.
4. `caption_correctness`: accuracy of the final answer, and 0 when the reasoning's conclusion says
   something else or there is none.

A statement made twice counts as one right and one wrong, so that rambling does not pay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from avatar_core.choices import LETTERS
from avatar_core.errors import UsageError
from avatar_core.rewards.accuracy import accuracy_reward
from avatar_core.rewards.answer import answer_text, extract_letter, extract_pairs, split_completion
from avatar_core.rewards.judging.judge import JudgeRequest, Verdict, verdict_of
from avatar_core.rewards.judging.rubric import SCORES
from avatar_core.rewards.judging.scene_claims import (
    Claim,
    Trace,
    Truth,
    agreement,
    places_in,
    read_trace,
    truth_of,
)
from avatar_core.types import Sample

_TIED = re.compile(r"\b(?:makes?|flashes with) (?:the (?P<pitch>high|low)|a) tone\b")


class ScriptedJudge:
    """Grades completions about `scenes`."""

    def grade(self, requests: Sequence[JudgeRequest]) -> list[Verdict]:
        """One verdict per request, in order; every one has a reward.

        Raises:
            UsageError: a sample carries no facts of a scene.
        """
        return [grade_scene(request.sample, request.completion) for request in requests]


def grade_scene(sample: Sample, completion: str) -> Verdict:
    """Grade one completion against `sample.extra["facts"]`.

    Raises:
        UsageError: there are no facts.
    """
    facts = sample.extra.get("facts")
    if not isinstance(facts, dict) or not {"things", "tones"} <= facts.keys():
        raise UsageError(
            f"the scripted judge knows the facts of scenes only; sample {sample.id!r} has none: "
            "set judge.kind to 'served' or 'local'"
        )
    trace = read_trace(split_completion(completion).reasoning)
    truth = truth_of(facts)
    needs = sample.needs or {"frames", "sound"}
    scores = {
        SCORES[0]: agreement(trace.heard, truth.tones) if "sound" in needs else None,
        SCORES[1]: _identification(sample, trace, truth) if "frames" in needs else None,
        SCORES[2]: _location(sample, completion),
        SCORES[3]: _caption(sample, completion, trace),
    }
    return verdict_of({name: score for name, score in scores.items() if score is not None})


def _identification(sample: Sample, trace: Trace, truth: Truth) -> float:
    sounding = not sample.needs or "sound" in sample.needs
    wanted = truth.objects | truth.flashes if sounding else truth.objects
    stated = agreement(trace.seen, wanted, truth.flashes | truth.others)
    tied = _TIED.search(sample.question.casefold())
    return stated if tied is None else (stated + follows(trace, tied["pitch"])) / 2


def follows(trace: Trace, pitch: str | None) -> float:
    """1 when the conclusion points to what makes the tone by the trace's own claims, else 0.

    Args:
        trace: the reasoning.
        pitch: "high" or "low"; `None` for any tone.
    """
    times = {time for _, heard, time in _of(trace.heard, "tone") if pitch in (None, heard)}
    makers = {name for _, name, time in _of(trace.seen, "flash") if time in times}
    return float(bool(makers) and _pointed_at(trace) == makers)


def _pointed_at(trace: Trace) -> set[str]:
    """Names of the claimed objects that the conclusion names, else places, else tells by colour."""
    objects = [(place, name) for _, place, name in _of(trace.seen, "object")]
    for words in (
        [name for _, name in objects],
        [place for place, _ in objects],
        [name.split(" ")[0] for _, name in objects],
    ):
        hits = {
            name
            for (_, name), word in zip(objects, words, strict=True)
            if _contains(trace.conclusion, word)
        }
        if hits:
            return hits
    return set()


def _of(claims: Sequence[Claim], kind: str) -> list[Claim]:
    return [claim for claim in claims if claim[0] == kind]


def _location(sample: Sample, completion: str) -> float | None:
    wanted = places_in(_stated(sample, sample.solution))
    if not wanted:
        return None
    return agreement(places_in(_stated(sample, completion)), frozenset(wanted))


def _caption(sample: Sample, completion: str, trace: Trace) -> float | None:
    (accuracy,) = accuracy_reward([completion], sample)
    if accuracy is None:
        return None
    return accuracy if _concludes(sample, completion, trace) else 0.0


def _concludes(sample: Sample, completion: str, trace: Trace) -> bool:
    """Whether the conclusion says what the answer says."""
    if sample.problem_type == "localisation":
        names = {name for _, name in extract_pairs(completion) or ()}
        claimed = {name for _, _, name in _of(trace.seen, "object")}
        return bool(names) and names == {
            name for name in names | claimed if _contains(trace.conclusion, name)
        }
    answer = _stated(sample, completion).casefold().strip()
    if answer in ("yes", "no"):
        denies = _contains(trace.conclusion, "not")
        return bool(trace.conclusion) and denies == (answer == "no")
    return bool(answer) and _contains(trace.conclusion, answer)


def _stated(sample: Sample, text: str) -> str:
    """The answer in words: of a multiple-choice question the text of the chosen option."""
    if not sample.options:
        return answer_text(text)
    letters = LETTERS[: len(sample.options)]
    letter = extract_letter(text, letters, sample.options)
    return "" if letter is None else sample.options[letters.index(letter)]


def _contains(text: str, words: str) -> bool:
    return re.search(rf"\b{re.escape(words)}\b", text) is not None
