from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from avatar_core.rewards.judging.cache import ReplyCache
from avatar_core.rewards.judging.chat import Reply
from avatar_core.rewards.judging.judge import JudgeRequest
from avatar_core.rewards.judging.pictures import Picture
from avatar_core.rewards.judging.rubric import ChatPrompt
from avatar_core.rewards.judging.rubric_judge import RubricJudge, prompt_key
from tests.rewards.judging.cases import COMPLETION, SAMPLE, Scripted, clip_of, completions
from tests.rewards.judging.chat_server import MEAN, SCORES, VERDICT

OTHER = "<think>No.</think><answer>right: dog</answer>"


def test_a_verdict_carries_scores_and_their_mean() -> None:
    (verdict,) = RubricJudge(Scripted(VERDICT)).grade([JudgeRequest(SAMPLE, COMPLETION)])
    assert verdict.scores == SCORES
    assert verdict.reward == MEAN


def test_a_failure_is_unscored_and_leaves_the_others_alone() -> None:
    responder = Scripted(VERDICT, Reply(None, "refused"), "I would rather not say")
    requests = [JudgeRequest(SAMPLE, text) for text in completions(3)]
    verdicts = RubricJudge(responder).grade(requests)
    assert [verdict.reward for verdict in verdicts] == [MEAN, None, None]
    assert [verdict.failure for verdict in verdicts] == [None, "unreachable", "unparsed"]
    assert verdicts[1].reason == "refused"


@pytest.mark.parametrize(("unparsed", "reward"), [("unscored", None), ("zero", 0.0)])
def test_the_two_rules_for_replies_without_scores(unparsed: str, reward: float | None) -> None:
    # Paper map 6.3: the release counts such a reply as 0; a judge that is down stays unscored.
    judge = RubricJudge(Scripted("hm", Reply(None, "down")), unparsed=unparsed)  # type: ignore[arg-type]
    verdicts = judge.grade([JudgeRequest(SAMPLE, text) for text in (COMPLETION, OTHER)])
    assert [verdict.reward for verdict in verdicts] == [reward, None]
    assert verdicts[0].failure == "unparsed"


def test_equal_prompts_are_asked_once() -> None:
    responder = Scripted(VERDICT)
    requests = [JudgeRequest(SAMPLE, text) for text in (COMPLETION, OTHER, COMPLETION)]
    assert [verdict.reward for verdict in RubricJudge(responder).grade(requests)] == [MEAN] * 3
    assert len(responder.asked) == 2


def test_stored_replies_are_not_asked_for_again(tmp_path: Path) -> None:
    request = JudgeRequest(SAMPLE, COMPLETION, clip_of(4))
    for asked in (1, 0):
        responder = Scripted(VERDICT)
        cache = ReplyCache(tmp_path / "judge.sqlite")
        (verdict,) = RubricJudge(responder, cache=cache).grade([request])
        assert verdict.reward == MEAN
        assert len(responder.asked) == asked


def test_failures_are_asked_for_again(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "judge.sqlite")
    responder = Scripted("hm", Reply(None, "down"), VERDICT)
    judge = RubricJudge(responder, cache=cache)
    rewards = [judge.grade([JudgeRequest(SAMPLE, COMPLETION)])[0].reward for _ in range(4)]
    assert rewards == [None, None, MEAN, MEAN]
    assert len(responder.asked) == 3


def test_an_outage_changes_nothing_but_the_time(tmp_path: Path) -> None:
    """A run that stops in an outage and is taken up again sees the verdicts of one without."""
    requests = [JudgeRequest(SAMPLE, text) for text in completions(6)]
    replies = [f'{{"location_accuracy": {index / 8}}}' for index in range(6)]
    whole = RubricJudge(Scripted(*replies)).grade(requests)
    cache = ReplyCache(tmp_path / "judge.sqlite")
    broken = Scripted(*replies[:3], *[Reply(None, "down")] * 3)
    assert [v.reward for v in RubricJudge(broken, cache=cache).grade(requests)][3:] == [None] * 3
    later = Scripted(*replies[3:])
    assert RubricJudge(later, cache=cache).grade(requests) == whole
    assert len(later.asked) == 3


def test_completions_about_one_clip_share_its_pictures() -> None:
    responder = Scripted(VERDICT)
    clip = clip_of(16)
    RubricJudge(responder, frames=4).grade(
        [JudgeRequest(SAMPLE, text, clip) for text in (COMPLETION, OTHER)]
    )
    first, second = responder.asked
    assert len(first.pictures) == 4
    assert first.pictures is second.pictures


def test_a_judge_that_only_reads_gets_no_pictures() -> None:
    responder = Scripted(VERDICT)
    RubricJudge(responder, frames=0).grade([JudgeRequest(SAMPLE, COMPLETION, clip_of(16))])
    assert responder.asked[0].pictures == ()


def test_the_key_hangs_on_all_that_a_reply_depends_on() -> None:
    identity = ("served", "model", "512")
    pictures = tuple(Picture(frame) for frame in clip_of(3).frames)  # type: ignore[union-attr]
    prompt = ChatPrompt("text", pictures)
    changed = [
        prompt_key(identity, prompt),
        prompt_key(("served", "other", "512"), prompt),
        prompt_key(("local", "model", "512"), prompt),
        prompt_key(("served", "model", "256"), prompt),
        prompt_key(identity, replace(prompt, text="texts")),
        prompt_key(identity, replace(prompt, pictures=pictures[:2])),
        prompt_key(identity, replace(prompt, pictures=pictures[::-1])),
    ]
    assert len(set(changed)) == len(changed) == 7
    assert prompt_key(identity, ChatPrompt("text", pictures)) == changed[0]
