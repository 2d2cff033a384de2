"""Completions from one prefill: the family's greedy decoding, seeds, ends, forbidden tokens."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from avatar_core.models.generation import completion_grid, still_running
from avatar_core.models.policy import Generated, Sampling
from avatar_core.models.qwen_omni import QwenOmniPolicy
from tests.models.prompts import PROMPTS, plain_inputs, tiny_policy

CONTROL = (
    "<|im_start|>",
    "<|IMAGE|>",
    "<|AUDIO|>",
    "<|VIDEO|>",
    "<|vision_bos|>",
    "<|vision_eos|>",
    "<|audio_bos|>",
    "<|audio_eos|>",
)
STOPS = ("<|im_end|>", "<|endoftext|>")


@pytest.fixture(scope="module")
def policy() -> QwenOmniPolicy:
    return tiny_policy()


def ids_of(policy: QwenOmniPolicy, tokens: tuple[str, ...]) -> list[int]:
    return [int(policy.processor.tokenizer.convert_tokens_to_ids(token)) for token in tokens]


@torch.no_grad()
def generate(
    policy: QwenOmniPolicy, seeds: dict[str, list[int]], sampling: Sampling
) -> dict[str, list[Generated]]:
    encoded = policy.encode([policy.prepare(PROMPTS[name]) for name in seeds])
    groups = policy.generate(encoded, sampling, list(seeds.values()))
    return dict(zip(seeds, groups, strict=True))


def lift(policy: QwenOmniPolicy, tokens: list[int], by: float) -> torch.utils.hooks.RemovableHandle:
    """Raise the logits of some tokens until the handle is removed."""
    ids = torch.tensor(tokens)

    def hook(_module: object, _inputs: object, logits: Tensor) -> Tensor:
        return logits.index_add(-1, ids, torch.full((*logits.shape[:-1], len(ids)), by))

    head: torch.nn.Module = policy.model.lm_head
    return head.register_forward_hook(hook)


def test_greedy_decoding_is_that_of_the_family(policy: QwenOmniPolicy) -> None:
    sampling = Sampling(24, temperature=0)
    ours = generate(policy, {name: [0] for name in PROMPTS}, sampling)
    tokens: set[int] = set()
    for name, (one,) in ours.items():
        inputs = plain_inputs(policy, name)
        model: Any = policy.model
        theirs = model.generate(
            **inputs,
            do_sample=False,
            max_new_tokens=24,
            suppress_tokens=ids_of(policy, CONTROL),
            eos_token_id=ids_of(policy, STOPS),
            pad_token_id=ids_of(policy, STOPS)[1],
        )[0, inputs["input_ids"].shape[1] :]
        assert one.token_ids.tolist() == theirs.tolist(), name
        tokens.update(theirs.tolist())
    assert len(ours) == 10
    assert len(tokens) > 9


def test_a_completion_depends_on_its_prompt_and_seed_alone(policy: QwenOmniPolicy) -> None:
    sampling = Sampling(20, temperature=1.0, top_k=50)
    seeds = {name: [5, 6, 7] for name in PROMPTS}
    together = generate(policy, seeds, sampling)
    cases = 0
    for name, group in together.items():
        assert len({tuple(one.token_ids.tolist()) for one in group}) == 3, name
        for seed, one in zip(seeds[name], group, strict=True):
            (alone,) = generate(policy, {name: [seed]}, sampling)[name]
            assert alone.token_ids.tolist() == one.token_ids.tolist()
            torch.testing.assert_close(alone.logprobs, one.logprobs, rtol=0, atol=1e-4)
            cases += 1
    assert cases == 30


def test_control_tokens_are_never_drawn_however_likely(policy: QwenOmniPolicy) -> None:
    handle = lift(policy, ids_of(policy, CONTROL), by=1e4)
    try:
        for sampling in (Sampling(16, temperature=0), Sampling(16, top_k=5), Sampling(16, top_k=0)):
            groups = generate(policy, {name: [1, 2] for name in PROMPTS}, sampling)
            drawn = {
                token
                for group in groups.values()
                for one in group
                for token in one.token_ids.tolist()
            }
            assert len(drawn) > 5
            assert drawn.isdisjoint(ids_of(policy, CONTROL))
            # The recorded log-probability is that of the full softmax, which favours them.
            assert all(bool((one.logprobs < -5e3).all()) for one in groups["text alone"])
    finally:
        handle.remove()


def test_a_stop_token_ends_its_row_and_belongs_to_it(policy: QwenOmniPolicy) -> None:
    handle = lift(policy, ids_of(policy, STOPS), by=4.0)
    try:
        groups = generate(policy, {name: [1, 2, 3, 4] for name in PROMPTS}, Sampling(30, top_k=0))
    finally:
        handle.remove()
    stops = set(ids_of(policy, STOPS))
    lengths, ended = set(), 0
    for group in groups.values():
        for one in group:
            ids = one.token_ids.tolist()
            assert stops.isdisjoint(ids[:-1])
            assert one.truncated == (ids[-1] not in stops)
            assert len(ids) == 30 or not one.truncated
            assert len(one.logprobs) == len(ids)
            lengths.add(len(ids))
            ended += not one.truncated
    assert len(lengths) > 3
    assert 0 < ended


def test_the_grid_holds_groups_of_different_size() -> None:
    assert completion_grid([2, 3, 1]).tolist() == [[0, 1, -1], [2, 3, 4], [5, -1, -1]]


def test_the_grid_shrinks_to_what_still_runs() -> None:
    running = torch.tensor([[0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]).bool()
    # The second prompt leaves; two slots hold the rest, with an ended completion in the last.
    assert still_running(running).tolist() == [[1, 3], [8, 9]]


def test_groups_of_different_size_that_end_at_different_times(policy: QwenOmniPolicy) -> None:
    seeds = {name: list(range(1 + place % 4)) for place, name in enumerate(PROMPTS)}
    handle = lift(policy, ids_of(policy, STOPS), by=4.0)
    try:
        together = generate(policy, seeds, Sampling(30, top_k=0))
        cases = 0
        for name, group in together.items():
            for seed, one in zip(seeds[name], group, strict=True):
                (alone,) = generate(policy, {name: [seed]}, Sampling(30, top_k=0))[name]
                assert alone.token_ids.tolist() == one.token_ids.tolist()
                torch.testing.assert_close(alone.logprobs, one.logprobs, rtol=0, atol=1e-4)
                cases += 1
    finally:
        handle.remove()
    # 1 + 2 + 3 + 4 twice, then 1 + 2.
    assert cases == 23
    assert len({len(one.token_ids) for group in together.values() for one in group}) > 3


def test_the_length_limit_truncates(policy: QwenOmniPolicy) -> None:
    groups = generate(policy, {"text alone": [1]}, Sampling(3, temperature=0))
    (one,) = groups["text alone"]
    assert len(one.token_ids) == 3
    assert one.truncated


@torch.no_grad()
def test_streaming_yields_the_same_tokens(policy: QwenOmniPolicy) -> None:
    sampling = Sampling(12, temperature=1.0, top_k=50)
    (one,) = generate(policy, {"image": [9]}, sampling)["image"]
    encoded = policy.encode([policy.prepare(PROMPTS["image"])])
    assert list(policy.stream(encoded, sampling, 9)) == one.token_ids.tolist()
