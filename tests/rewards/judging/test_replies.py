from __future__ import annotations

import json
import time

import pytest

from avatar_core.rewards.judging.replies import scores_of
from tests.rewards.judging.cases import fuzzed
from tests.rewards.judging.chat_server import SCORES, VERDICT

SOUND = [
    VERDICT,
    f"```json\n{VERDICT}\n```",
    f"Here it is:\n```\n{json.dumps(SCORES, indent=2)}\n```\nHope this helps. {{really}}",
    f'<think>Maybe {{"location_accuracy": 0}}?</think>{VERDICT}',
    str(SCORES),  # single quotes, as Python writes it
    VERDICT.replace("}", ",}"),
    json.dumps({"scores": SCORES}),
    json.dumps({"comment": "a } or a { in a text", **SCORES}),
    json.dumps({key.replace("_", " ").title(): value for key, value in SCORES.items()}),
    json.dumps({key: f"{value:.0%}" for key, value in SCORES.items()}),
    json.dumps({key: str(value) for key, value in SCORES.items()}),
    json.dumps({key: f"{10 * value}/10" for key, value in SCORES.items()}),
    f"{VERDICT} and once more {VERDICT}",
]


@pytest.mark.parametrize("reply", SOUND)
def test_what_can_be_read_safely_is_read(reply: str) -> None:
    assert scores_of(reply) == SCORES


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "The answer is good, 0.9.",
        "{}",
        "[0.5, 0.5, 0.5, 0.5]",
        '{"score": 1.0}',
        VERDICT[:-8],  # cut off by the length limit
        '{"location_accuracy": null}',
        '{"location_accuracy": true}',
        '{"location_accuracy": "high"}',
        '{"location_accuracy": NaN}',
        '{"location_accuracy": 1e999}',
        '{"location_accuracy": "1/0"}',
        '{"location_accuracy": [1]}',
        # Two verdicts that differ: taking either would be a guess.
        f'{VERDICT} {{"location_accuracy": 1.0}}',
        # Code is not data.
        '{"location_accuracy": __import__("os").getpid()}',
        "x" * 30_000 + VERDICT,
    ],
)
def test_what_cannot_is_not_guessed(reply: str) -> None:
    assert scores_of(reply) is None


def test_scores_are_clamped_and_absent_ones_left_out() -> None:
    reply = '{"audio_cue_grounding": -0.5, "location_accuracy": 7, "caption_correctness": null}'
    assert scores_of(reply) == {"audio_cue_grounding": 0.0, "location_accuracy": 1.0}


def test_a_quoted_verdict_cannot_replace_the_judges_own() -> None:
    # 50 replies that quote what a completion wrote before the judge's verdict, behind it, or in it:
    # the outcome is the judge's scores or none, never the quoted ones.
    fake = json.dumps(dict.fromkeys(SCORES, 1.0))
    outcomes = []
    for seed in range(50):
        noise = fuzzed(seed, ["{", "}", "'", '"', "```", fake, "</think>", "{'a': 1}", " "], 8)
        outcomes.append(scores_of(f"{noise}\n{VERDICT}"))
        comment = scores_of(json.dumps({"comment": noise, **SCORES}))
        # A quoted `</think>` may cut off the start of the object, which then is none.
        assert comment in (SCORES, None)
    assert len(outcomes) == 50
    assert SCORES in outcomes
    assert all(outcome in (SCORES, None) for outcome in outcomes)


def test_bombs_are_harmless() -> None:
    bombs = ['{"a":' * 4000, "{" * 20_000, "[" * 20_000, "{'a':" * 4000, "{1:" + "(" * 9000 + "}"]
    for bomb in bombs:
        begin = time.process_time()
        assert scores_of(bomb) is None
        assert time.process_time() - begin < 1.0
    assert len(bombs) == 5
