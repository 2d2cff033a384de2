from __future__ import annotations

import re
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from avatar_core.data.scenes import TEMPLATES, scene_samples
from avatar_core.errors import UsageError
from avatar_core.rewards.judging.judge import JudgeRequest
from avatar_core.rewards.judging.rubric import SCORES
from avatar_core.rewards.judging.scripted import ScriptedJudge, grade_scene
from avatar_core.types import Sample
from tests.rewards.judging.cases import COMPLETION, SAMPLE, scene_sample
from tests.rewards.judging.test_scene_claims import FACTS

HEARS, SEES, PLACES, SAYS = SCORES
WHICH = Sample(
    id="by hand",
    question="Which object makes the high tone? Answer as position: object.",
    media=(),
    solution="top left: red circle",
    problem_type="localisation",
    needs=frozenset({"frames", "sound"}),
    extra={"facts": FACTS},
)
SEEN = "I see top left a red circle flash at 2, bottom left a blue square."
HEARD = "I hear high at 2."
SO = "So high is the red circle."
ANSWER = "top left: red circle"


def grade(*thoughts: str, answer: str = ANSWER, sample: Sample = WHICH) -> dict[str, float]:
    completion = f"<think>{' '.join(thoughts)}</think><answer>{answer}</answer>"
    return dict(grade_scene(sample, completion).scores)


def test_the_taught_traces_of_every_template_score_one() -> None:
    families = set()
    cases = 0
    for stage in (1, 2, 3):
        for index in range(120):
            sample = scene_sample(stage, index)
            verdict = grade_scene(sample, sample.responses[0])
            assert verdict.reward == 1.0, (sample.responses[0], verdict)
            families.add(sample.family)
            cases += 1
    assert cases == 360
    assert families == {template.name for template in TEMPLATES}


def test_scores_that_have_no_meaning_are_absent() -> None:
    present = {}
    for stage in (1, 2, 3):
        for index in range(len(TEMPLATES)):
            sample = scene_sample(stage, index)
            present[sample.family] = set(grade_scene(sample, sample.responses[0]).scores)
    assert present["colour"] == {SEES, SAYS}
    assert present["position"] == {SEES, PLACES, SAYS}
    assert present["tone count"] == {HEARS, SAYS}
    assert present["order"] == {HEARS, SEES, SAYS}
    assert present["where"] == present["which"] == present["sounding"] == set(SCORES)


def test_a_right_trace() -> None:
    assert grade(SEEN, HEARD, SO) == {HEARS: 1.0, SEES: 1.0, PLACES: 1.0, SAYS: 1.0}


@pytest.mark.parametrize(
    ("thoughts", "score", "value"),
    [
        # One tone wanted. A second, wrong one: P = 1/2, R = 1, F1 = 2/3. None: 0.
        ((SEEN, "I hear high at 2, low at 3.", SO), HEARS, 2 / 3),
        ((SEEN, "I hear high at 2, high at 2.", SO), HEARS, 2 / 3),
        ((SEEN, SO), HEARS, 0.0),
        ((SEEN, "I hear nothing.", SO), HEARS, 0.0),
        # Wanted: two objects and a flash. Without the blue square: P = 1, R = 2/3, F1 = 4/5, and
        # the conclusion follows: (4/5 + 1) / 2.
        (("I see top left a red circle flash at 2.", HEARD, SO), SEES, 0.9),
        # A wrong colour: P = R = 2/3, and the conclusion follows: (2/3 + 1) / 2.
        (
            ("I see top left a red circle flash at 2, bottom left a red square.", HEARD, SO),
            SEES,
            5 / 6,
        ),
        # The flash at a time without tone: P = R = 2/3, and nothing follows from it.
        (
            ("I see top left a red circle flash at 3, bottom left a blue square.", HEARD, SO),
            SEES,
            1 / 3,
        ),
        # All true, but the conclusion does not follow, or is missing.
        ((SEEN, HEARD, "So high is the blue square."), SEES, 0.5),
        ((SEEN, HEARD, "So high is the red circle and the blue square."), SEES, 0.5),
        ((SEEN, HEARD), SEES, 0.5),
        # Nothing stated: F1 = 0, and nothing can follow.
        ((HEARD, SO), SEES, 0.0),
        # The answer is right, but the conclusion names another object, or there is none.
        ((SEEN, HEARD, "So high is the blue square."), SAYS, 0.0),
        ((SEEN, HEARD), SAYS, 0.0),
    ],
)
def test_each_fault_of_the_reasoning_costs_its_score(
    thoughts: tuple[str, ...], score: str, value: float
) -> None:
    assert grade(*thoughts)[score] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(
    ("answer", "place", "caption"),
    [
        ("top left: red circle", 1.0, 1.0),
        ("bottom left: red circle", 0.0, 0.0),
        ("top left: blue square", 1.0, 0.0),
        # Two places named, one right: P = 1/2, R = 1. The conclusion names the circle alone.
        ("top left: red circle; bottom left: blue square", 2 / 3, 0.0),
        ("a red circle", 0.0, 0.0),
    ],
)
def test_the_answer_is_held_against_the_solution(answer: str, place: float, caption: float) -> None:
    scores = grade(SEEN, HEARD, SO, answer=answer)
    assert scores[PLACES] == pytest.approx(place, abs=1e-12)
    assert scores[SAYS] == caption


def test_a_letter_counts_as_the_option_it_stands_for() -> None:
    places = ("top left", "top right", "bottom left", "bottom right")
    where = replace(
        WHICH,
        question="Where is the object that makes the high tone?",
        solution="A",
        problem_type="multiple choice",
        options=places,
    )
    so = "So high is top left."
    assert set(grade(SEEN, HEARD, so, answer="A", sample=where).values()) == {1.0}
    assert set(grade(SEEN, HEARD, so, answer="top left", sample=where).values()) == {1.0}
    wrong = grade(SEEN, HEARD, so, answer="B", sample=where)
    assert (wrong[PLACES], wrong[SAYS]) == (0.0, 0.0)


def test_looking_pays_more_than_guessing_right() -> None:
    """Of stage 3: a right guess without reasoning, and a careful trace with a wrong last step."""
    guesses, careful = [], []
    for index in range(60):
        sample = scene_sample(3, index)
        trace = sample.responses[0]
        answer = trace[trace.index("<answer>") :]
        guesses.append(grade_scene(sample, f"<think>I guess.</think>{answer}").reward)
        slip = re.sub(r"<answer>.*</answer>", "<answer>middle</answer>", trace)
        careful.append(grade_scene(sample, slip).reward)
    assert len(guesses) == 60
    # Location alone, 1 of 4 scores; hearing and seeing, 2 of 4.
    assert statistics.mean(r for r in guesses if r is not None) == 0.25
    assert statistics.mean(r for r in careful if r is not None) == 0.5


def test_listing_everything_does_not_pay() -> None:
    tones = ", ".join(f"{pitch} at {time}" for time in (1, 2, 3, 4) for pitch in ("high", "low"))
    # 8 tones stated, 1 of them true: P = 1/8, R = 1, F1 = 2/9.
    assert grade(SEEN, f"I hear {tones}.", SO)[HEARS] == pytest.approx(2 / 9, abs=1e-12)


def test_a_sample_of_the_library_carries_its_facts(tmp_path: Path) -> None:
    (sample,) = scene_samples(split="train", stage=3, count=1, root=tmp_path)
    (verdict,) = ScriptedJudge().grade([JudgeRequest(sample, sample.responses[0])])
    assert verdict.reward == 1.0


def test_other_data_are_refused() -> None:
    with pytest.raises(UsageError, match=r"facts of scenes only; sample 'dog'.*judge\.kind"):
        ScriptedJudge().grade([JudgeRequest(SAMPLE, COMPLETION)])
