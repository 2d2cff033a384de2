from __future__ import annotations

import math

import pytest
import torch

from avatar_core.models.policy import TokenLogprobs
from avatar_core.training.sft import negative_log_likelihood


def test_the_loss_is_a_mean_over_tokens_by_hand() -> None:
    # Three tokens of probability ½, ¼ and ½: −(ln ½ + ln ¼ + ln ½) / 3 = 4/3 ln 2.
    logprobs = torch.tensor([[0.5, 0.25], [0.5, 1.0]]).log().requires_grad_()
    mask = torch.tensor([[True, True], [True, False]])
    loss = negative_log_likelihood(TokenLogprobs(logprobs, mask))
    assert float(loss.detach()) == pytest.approx(4 / 3 * math.log(2))
    loss.backward()
    assert logprobs.grad is not None
    assert logprobs.grad[mask].tolist() == pytest.approx([-1 / 3] * 3)


def test_no_token_is_loss_0() -> None:
    nothing = TokenLogprobs(torch.zeros(2, 0), torch.zeros(2, 0, dtype=torch.bool))
    assert float(negative_log_likelihood(nothing)) == 0.0
