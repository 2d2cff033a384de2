from __future__ import annotations

import math

import pytest
import torch

from avatar_core.models.policy import TokenLogprobs
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.training.rollout import Visit
from avatar_core.training.sft import losses_of, negative_log_likelihood
from tests.training.gradients import gradients_of, same_gradients


def test_the_loss_is_a_mean_over_tokens_by_hand() -> None:
    # Three tokens of probability ½, ¼ and ½: −(ln ½ + ln ¼ + ln ½) / 3 = 4/3 ln 2.
    logprobs = torch.tensor([[0.5, 0.25], [0.5, 1.0]]).log().requires_grad_()
    mask = torch.tensor([[True, True], [True, False]])
    loss = negative_log_likelihood(TokenLogprobs(logprobs, mask), 3)
    assert float(loss.detach()) == pytest.approx(4 / 3 * math.log(2))
    loss.backward()
    assert logprobs.grad is not None
    assert logprobs.grad[mask].tolist() == pytest.approx([-1 / 3] * 3)


def test_no_token_is_loss_0() -> None:
    nothing = TokenLogprobs(torch.zeros(2, 0), torch.zeros(2, 0, dtype=torch.bool))
    assert float(negative_log_likelihood(nothing, 0)) == 0.0


def test_parts_add_up_to_the_loss_of_the_batch(policy: QwenOmniPolicy, visits: list[Visit]) -> None:
    whole = gradients_of(policy, losses_of(policy, visits, 1, []))
    noted: list[float] = []
    parts = gradients_of(policy, losses_of(policy, visits, 2, noted))
    assert len(noted) == 2
    assert sum(noted) == pytest.approx(whole.loss, rel=1e-6)
    assert same_gradients(whole, parts)
    # More parts than samples are as many as there are samples.
    assert len(list(losses_of(policy, visits, 9, []))) == 3
