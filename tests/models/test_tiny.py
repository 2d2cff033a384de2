"""The embedded model: determined by its seed, small, with a tokenizer made for the scenes."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from avatar_core.data.scenes import make_scene
from avatar_core.models.loading import load_policy
from avatar_core.models.tiny import (
    CHAT_TOKENS,
    MEDIA_TOKENS,
    tiny_model,
    tiny_processor,
    tiny_tokenizer,
)
from tests.models.prompts import all_logprobs, ragged_completions, tiny_policy


def test_same_seed_same_weights() -> None:
    tokenizer = tiny_tokenizer()
    state = torch.get_rng_state()
    one, same, other = (tiny_model(tokenizer, seed).state_dict() for seed in (7, 7, 8))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(one[name], same[name]) for name in one)
    differing = [name for name in one if not torch.equal(one[name], other[name])]
    assert len(differing) > 40


def test_it_has_about_a_million_parameters() -> None:
    model = tiny_model(tiny_tokenizer(), 0)
    assert 0.9e6 < sum(parameter.numel() for parameter in model.parameters()) < 1.2e6


def test_special_tokens_stay_whole() -> None:
    tokenizer = tiny_tokenizer()
    tokens = [*CHAT_TOKENS, *MEDIA_TOKENS.values()]
    assert len(tokens) == 10
    ids = tokenizer("red " + " blue ".join(tokens))["input_ids"]
    for token in tokens:
        assert ids.count(tokenizer.convert_tokens_to_ids(token)) == 1
    assert sorted(tokenizer.get_vocab().values()) == list(range(len(tokenizer)))


def test_any_text_survives_the_tokenizer() -> None:
    tokenizer = tiny_tokenizer()
    for text in ("<think>a</think>\n", "déjà vu — 四 🙂", "  two  spaces\tand a tab", ""):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_texts_of_the_scenes_are_short() -> None:
    tokenizer = tiny_tokenizer()
    words = tokens = 0
    for index in range(200):
        question = make_scene(4, "validation", index, 0).question
        for text in (question.text, question.response):
            words += len(re.findall(r"\w+|[^\w\s]+", text))
            tokens += len(tokenizer(text)["input_ids"])
    assert words > 5000
    assert tokens / words <= 1.6


def test_the_tokenizer_survives_being_saved(tmp_path: Path) -> None:
    processor = tiny_processor()
    processor.save_pretrained(tmp_path)
    again = type(processor).from_pretrained(tmp_path, local_files_only=True)
    texts = ["What colour is it?", "I hear 3 tones: high at 1, low at 2.", "<think>x</think>\n\n y"]
    for index in range(100):
        texts.append(make_scene(4, "validation", index, 0).question.response)
    assert len(texts) == 103
    for text in texts:
        assert again.tokenizer(text)["input_ids"] == processor.tokenizer(text)["input_ids"]


@torch.no_grad()
def test_a_saved_model_computes_the_same(tmp_path: Path) -> None:
    made = tiny_policy(seed=5)
    made.save(tmp_path)
    read = load_policy(str(tmp_path), device="cpu")
    completions = ragged_completions(made)
    pairs = zip(all_logprobs(made, completions), all_logprobs(read, completions), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert made.processor.tokenizer.get_vocab() == read.processor.tokenizer.get_vocab()
