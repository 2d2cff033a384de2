"""Votes over answers, counted by hand."""

from __future__ import annotations

from avatar_core.inference.answer import Answer, Vote, count_votes, majority


def test_votes_are_counted_without_case_and_blanks() -> None:
    answers = ["blue", "Red", "", " red ", "light  Blue", "light blue"]
    # Red has two draws, light blue two, blue one, and one draw states none.
    assert count_votes(answers) == (
        Vote("Red", 2, 2 / 6),
        Vote("light  Blue", 2, 2 / 6),
        Vote("blue", 1, 1 / 6),
        Vote(None, 1, 1 / 6),
    )
    assert sum(vote.votes for vote in count_votes(answers)) == len(answers)


def test_the_most_frequent_answer_wins() -> None:
    assert majority(["blue", "Red", " red "]) == 1
    assert majority(["blue", "red"]) == 0
    assert majority(["", "red"]) == 1
    # Draws that state nothing win over no answer, however many they are.
    assert majority(["", "", "red"]) == 2
    assert majority(["", ""]) == 0
    assert count_votes(["", ""]) == (Vote(None, 2, 1.0),)


def test_an_answer_as_json_values() -> None:
    answer = Answer("red", "", "red", ("text",), None, None, 7, 0.5, False, (Vote("red", 2, 1.0),))
    document = answer.to_document()
    assert document["modalities"] == ["text"]
    assert document["votes"] == [{"answer": "red", "votes": 2, "share": 1.0}]
    assert (document["frames"], document["prompt_tokens"]) == (None, 7)
