"""One GRPO update of one group by the pure functions: rewards, advantages, token weights, loss."""

import sys

import torch

from avatar_core.algo.advantages import group_advantages, vcrs_advantages
from avatar_core.algo.losses import kl_k3, policy_loss
from avatar_core.algo.tas import tas_weights


def loss_of_a_group():
    """The loss of four completions of up to three tokens, two of them right."""
    rewards = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    advantages = group_advantages(rewards)[0]
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 1, 1], [1, 0, 0]])
    logp = torch.full((4, 3), -1.0, requires_grad=True)
    terms = policy_loss(
        logp,
        # The policy has not moved since it drew these tokens: every importance ratio is 1.
        logp.detach(),
        advantages,
        mask,
        weights=tas_weights(mask, 0.3),
        kl=kl_k3(logp, torch.full((4, 3), -1.1), mask),
        beta=0.1,
    )
    terms.loss.backward()
    return terms, logp.grad


def replayed_advantages():
    """Two stored completions against the recent mean reward of their prompts."""
    return vcrs_advantages(torch.tensor([1.0, 0.0]), torch.tensor([0.25, 0.25]))


if __name__ == "__main__":
    found, gradient = loss_of_a_group()
    sys.stdout.write(f"loss {found.loss:.4f}, effective sample size {found.ess:.2f}\n")
    sys.stdout.write(f"gradient of the log-probabilities\n{gradient}\n")
    sys.stdout.write(f"replayed advantages {replayed_advantages()}\n")
