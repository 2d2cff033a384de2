from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_core.rewards.votes import majority_agreement, vote_of
from tests.rewards.kinds import COLOURS, answers, sample

GROUPS = st.lists(st.sampled_from(["A", "B", "C", "D", None]), max_size=16)


def test_the_majority_earns_one_and_the_rest_nothing():
    assert majority_agreement(["A", "B", "A", "A"]) == [1, 0, 1, 1]
    assert majority_agreement([4.0, 4.0]) == [1, 1]
    assert majority_agreement([]) == []


def test_a_tie_is_worth_what_a_fair_draw_of_the_winner_would_give():
    # Two answers tied: each wins half of the draws. Four: each a quarter.
    assert majority_agreement(["A", "B", "A", "B"]) == [0.5] * 4
    assert majority_agreement(["A", "B", "C", "D"]) == [0.25] * 4
    # A tie at the top is not shared with those below it.
    assert majority_agreement(["C", "A", "B", "A", "B"]) == [0, 0.5, 0.5, 0.5, 0.5]


def test_by_the_release_rule_the_first_stated_of_the_tied_wins():
    assert majority_agreement(["C", "A", "B", "B", "A"], ties="first") == [0, 1, 0, 0, 1]
    assert majority_agreement(["B", "A", "B"], ties="first") == [1, 0, 1]


def test_an_abstention_is_no_vote_and_earns_nothing():
    # Three abstain, two agree: silence is the largest block and still no majority.
    assert majority_agreement([None, "A", None, "A", None]) == [0, 1, 0, 1, 0]
    assert majority_agreement([None, None, None]) == [0, 0, 0]


def test_a_single_vote_stays_unscored():
    assert majority_agreement(["A"]) == [None]
    assert majority_agreement([None, "A", None]) == [0, None, 0]


@given(GROUPS, st.randoms(use_true_random=False))
def test_the_order_of_the_members_does_not_matter(votes, rng):
    order = list(range(len(votes)))
    rng.shuffle(order)
    rewards = majority_agreement(votes)
    assert majority_agreement([votes[i] for i in order]) == [rewards[i] for i in order]


@given(GROUPS, st.sampled_from(["split", "first"]))
def test_abstentions_never_win_and_change_nothing(votes, ties):
    rewards = majority_agreement(votes, ties=ties)
    silent = [reward for vote, reward in zip(votes, rewards, strict=True) if vote is None]
    assert silent == [0] * len(silent)
    spoken = [reward for vote, reward in zip(votes, rewards, strict=True) if vote is not None]
    assert majority_agreement([vote for vote in votes if vote is not None], ties=ties) == spoken


@given(GROUPS)
def test_a_group_is_worth_the_votes_of_one_winner(votes):
    rewards = majority_agreement(votes)
    stated = [vote for vote in votes if vote is not None]
    if len(stated) < 2:
        assert not any(rewards)
        return
    # k winners with m votes each: k · m rewards of 1/k.
    most = max(map(stated.count, stated))
    assert sum(reward or 0 for reward in rewards) == pytest.approx(most)
    for vote, reward in zip(votes, rewards, strict=True):
        assert (reward != 0) == (stated.count(vote) == most)


@given(GROUPS)
def test_the_names_of_the_answers_do_not_matter(votes):
    renamed = [None if vote is None else float("DCBA".index(vote)) for vote in votes]
    for ties in ("split", "first"):
        assert majority_agreement(renamed, ties=ties) == majority_agreement(votes, ties=ties)


@pytest.mark.parametrize(
    ("kind", "same", "other", "unreadable"),
    [
        ("multiple choice", ["B", "(b)", "green", "It is option B."], "A", "D"),
        ("numerical", ["4", "4.0", "four", "There are 4 dogs"], "5", "some"),
        ("regression", ["-0.5", "-0.50", "−.5", "minus 0.5 m"], "0.5", "low"),
        ("localisation", ["left: dog; top: cat", "Top: the cat\nLeft: a Dog"], "left: dog", "dog"),
        ("ocr", ["Open all night", "“OPEN  all night!”", "open all\nｎｉｇｈｔ"], "open", "..."),
        ("free-form", ["A dog barks", "a dog barks."], "A dog sleeps", " "),
    ],
)
def test_answers_that_mean_the_same_are_one_vote(kind, same, other, unreadable):
    case = sample("", kind, COLOURS if kind == "multiple choice" else ())
    votes = {vote_of(text, case) for text in answers(*same)}
    assert len(votes) == 1
    assert None not in votes
    assert vote_of(answers(other)[0], case) not in {None, *votes}
    assert vote_of(answers(unreadable)[0], case) is None
    assert vote_of(f"<think>{same[0]}", case) is None
    assert vote_of("", case) is None
