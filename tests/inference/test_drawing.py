"""Tokens become pieces of text that join to the whole."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.inference.drawing import text_pieces
from avatar_core.models.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()


def decode(ids: torch.Tensor) -> str:
    return str(TOKENIZER.decode(ids.tolist(), skip_special_tokens=True))


@given(st.lists(st.integers(0, len(TOKENIZER) - 1), max_size=40))
@settings(max_examples=200, deadline=None)
def test_pieces_of_any_tokens_join_to_their_text(ids: list[int]) -> None:
    pieces = list(text_pieces(ids, decode))
    assert "".join(pieces) == decode(torch.tensor(ids, dtype=torch.long))
    assert all(pieces)


@given(st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_no_character_is_broken(text: str) -> None:
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    pieces = list(text_pieces(ids, decode))
    assert "".join(pieces) == decode(torch.tensor(ids, dtype=torch.long))
    for piece in pieces[:-1]:
        assert not piece.endswith("\N{REPLACEMENT CHARACTER}")


def test_a_character_of_several_tokens_waits() -> None:
    ids = TOKENIZER("a🎬b", add_special_tokens=False)["input_ids"]
    assert len(ids) == 6  # the clapper board is four bytes, of which the vocabulary joins none
    assert list(text_pieces(ids, decode)) == ["a", "🎬", "b"]
