"""Tests of the weights that make the KL estimate of replayed tokens bounded (algo/losses.py)."""

from __future__ import annotations

import math

import torch

from avatar_core.algo.losses import kl_k3, off_policy_weights


def test_weights_by_hand() -> None:
    logp = torch.tensor([[0.1, 0.5, 0.9]]).log()
    old = torch.tensor([[0.4, 0.5, 0.3]]).log()
    mask = torch.tensor([[True, True, False]])
    # 0.1 / 0.4 = 0.25; 0.5 / 0.5 = 1; padding 0.
    torch.testing.assert_close(
        off_policy_weights(logp, old, mask), torch.tensor([[0.25, 1.0, 0.0]])
    )
    # 0.9 / 0.3 = 3, truncated to 1.
    assert off_policy_weights(logp, old, torch.ones(1, 3, dtype=torch.bool))[0, 2] == 1.0


def test_fresh_tokens_keep_their_kl() -> None:
    logp = torch.randn(2, 5, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    mask = torch.ones(2, 5, dtype=torch.bool)
    assert torch.equal(off_policy_weights(logp, logp, mask), torch.ones(2, 5))


def test_the_gradient_on_a_forgotten_token_is_bounded() -> None:
    # The behaviour policy and the reference liked the token (0.5), the policy does not (1e-6):
    # d k3 / d logp = 1 - pi_ref/pi = 1 - 5e5 unweighted; weighted by 1e-6/0.5 it is about -1.
    old = torch.tensor([[math.log(0.5)]])
    mask = torch.ones(1, 1, dtype=torch.bool)
    gradients = []
    for weighted in (False, True):
        logp = torch.tensor([[math.log(1e-6)]], requires_grad=True)
        kl = kl_k3(logp, old, mask)
        if weighted:
            kl = kl * off_policy_weights(logp, old, mask)
        (gradient,) = torch.autograd.grad(kl.sum(), logp)
        gradients.append(float(gradient))
    assert gradients[0] < -4e5
    assert abs(gradients[1] + 1.0) < 1e-3


def test_padding_does_not_leak() -> None:
    logp = torch.tensor([[-1.0, math.nan]], requires_grad=True)
    old = torch.tensor([[-1.0, -math.inf]])
    mask = torch.tensor([[1, 0]])
    assert torch.equal(off_policy_weights(logp, old, mask), torch.tensor([[1.0, 0.0]]))
