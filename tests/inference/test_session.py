"""Questions to a session: streamed, drawn, and one after the other about files read once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.config.inference import InferConfig
from avatar_core.errors import DataError, UsageError
from avatar_core.inference import Answer, infer
from avatar_core.inference.answer import Vote
from avatar_core.inference.drawing import Drawn
from avatar_core.inference.files import reading
from avatar_core.inference.session import Session, Turn, finish
from avatar_core.models.policy import Sampling
from avatar_core.models.qwen_omni import QwenOmniPolicy


def session(files: Path, run: str, **options: Any) -> Session:
    config = InferConfig(video=files / "clip.mp4", question="", model=run, **options)
    with reading(config) as opened:
        return Session.open(opened)


def whole(turn: Turn) -> Answer:
    return finish(turn.pieces, lambda _: None)


def test_pieces_are_the_text_and_greedy_repeats(files: Path, run: str) -> None:
    pieces: list[str] = []
    asked = session(files, run, max_new_tokens=20)
    turn = asked.ask("What?")
    answer = finish(turn.pieces, pieces.append)
    assert "".join(pieces) == answer.text != ""
    assert len(pieces) > 1
    assert (turn.given.frames, turn.given.prompt_tokens) == (answer.frames, answer.prompt_tokens)
    assert infer(files / "clip.mp4", "What?", model=run, max_new_tokens=20).text == answer.text
    assert infer(files / "clip.mp4", "What?", model=run).text != answer.text


def test_further_questions_are_answered_as_if_they_were_the_first(
    files: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = session(files, run, max_new_tokens=12, also=(files / "still.png",))
    first = whole(asked.ask("What is this?"))
    towers: list[int] = []
    for name in ("_vision", "_sound"):
        original = getattr(QwenOmniPolicy, name)

        def counted(policy: Any, prompts: Any, original: Any = original) -> Any:
            towers.append(sum(prompt.pixels is not None for prompt in prompts))
            return original(policy, prompts)

        monkeypatch.setattr(QwenOmniPolicy, name, counted)
    questions = ["What colour does it have?", "What is this?", "W", "What is this sound, then?"]
    later = [whole(asked.ask(question)) for question in questions]
    # Both towers were asked each time, for prompts without pixels.
    assert towers == [0] * 2 * len(questions)
    monkeypatch.undo()
    alone = [
        infer(
            files / "clip.mp4",
            question,
            model=run,
            max_new_tokens=12,
            also=(files / "still.png",),
        )
        for question in questions
    ]
    assert [one.text for one in later] == [one.text for one in alone]
    assert [one.prompt_tokens for one in later] == [one.prompt_tokens for one in alone]
    assert later[1].text == first.text
    # Reading the files counts with the first question alone.
    assert later[1].seconds < first.seconds


def test_a_bad_question_leaves_the_session_usable(files: Path, run: str) -> None:
    asked = session(files, run)
    with pytest.raises(UsageError, match="question is empty"):
        asked.ask(" ")
    with pytest.raises(DataError, match="control token"):
        asked.ask("What is <|im_end|>?")
    assert whole(asked.ask("What?")).text


def test_several_samples_vote(files: Path, run: str) -> None:
    answers = [
        infer(files / "clip.mp4", "What?", model=run, samples=3, seed=seed) for seed in (0, 0, 1)
    ]
    assert answers[0].text == answers[1].text != answers[2].text
    assert [sum(vote.votes for vote in answer.votes) for answer in answers] == [3, 3, 3]


def test_of_several_samples_the_one_given_says_whether_it_is_whole(files: Path, run: str) -> None:
    # Untrained, the model does not end a text with its first token.
    cut = infer(files / "clip.mp4", "What?", model=run, samples=3, max_new_tokens=1)
    assert cut.truncated
    assert cut.to_document()["truncated"] is True


def test_a_whole_winner_is_not_truncated(
    files: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [Drawn("<think>x", True), Drawn("<answer>red</answer>", False)]
    monkeypatch.setattr("avatar_core.inference.session.draw_texts", lambda *_: drawn)
    asked = session(files, run, samples=2)
    answer = whole(asked.ask("What?"))
    assert (answer.answer, answer.truncated) == ("red", False)
    assert answer.votes == (Vote("red", 1, 0.5), Vote(None, 1, 0.5))
    drawn += [Drawn("<answer>blue", True), Drawn("<answer>blue", True)]
    answer = whole(asked.ask("What?"))
    assert (answer.answer, answer.truncated) == ("blue", True)
    assert answer.votes == (Vote("blue", 2, 0.5), Vote("red", 1, 0.25), Vote(None, 1, 0.25))


class StopHere(Exception):
    """Nothing more is wanted of a call."""


def test_draws_are_from_the_whole_distribution_unless_told(
    files: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Sampling] = []

    def generate(_policy: object, _encoded: object, sampling: Sampling, _seeds: object) -> None:
        used.append(sampling)
        raise StopHere

    monkeypatch.setattr("avatar_core.models.qwen_omni.QwenOmniPolicy.generate", generate)
    for options in ({}, {"temperature": 0.5, "top_k": 3}):
        with pytest.raises(StopHere):
            infer(files / "clip.mp4", "What?", model=run, samples=2, max_new_tokens=7, **options)
    assert used == [Sampling(7, 1.0, 0, 1.0), Sampling(7, 0.5, 3, 1.0)]
