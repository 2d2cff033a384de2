"""Which stored completions a replay draw prefers, and what that preference does to the estimate.

Equations R5–R11 of docs/paper_map.md. The draw happens on the host, between two optimiser steps,
over thousands of candidates and without gradients, so these functions take and return numpy arrays
in float64, not tensors. Chance comes in as noise: every function is one of its arguments alone.

Weights are kept as logarithms: a gap of 10⁶ at temperature 10⁻³ would overflow any exp(s / T).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

# exp(−exp(50)) is 0 in float64, so nothing is lost beyond it, and exp(50) does not overflow.
_CERTAIN = 50.0


def release_scores(
    proxy: Floats, kl: Floats, *, reward_weight: float = 1.0, kl_weight: float = 0.1
) -> Floats:
    """Score stored completions as the authors' release does.

        sᵢ = w_R xᵢ − w_KL kᵢ

    Arguments are of one shape; unscored members are NaN in `proxy` and stay NaN. Equation R5.

    Args:
        proxy: x, advantage (the release) or reward of each completion when it was stored.
        kl: k, mean over its tokens of log π_rollout − log π_ref when it was stored.
        reward_weight: w_R.
        kl_weight: w_KL.

    Returns:
        s, of the same shape.
    """
    return reward_weight * proxy - kl_weight * kl


def softmax_log_weights(scores: Floats, temperature: float) -> Floats:
    """Join the softmax weights of a group's members, so that groups can be drawn as a whole.

        ℓ_g = log Σᵢ exp(sᵢ / T)

    over the members i of group g that are not NaN, by log-sum-exp. Drawing a group by exp(ℓ_g) and
    then a member by exp(sᵢ / T) is drawing the member by softmax over all of them. Equation R6.

    Args:
        scores: s, [N, G]; NaN where there is no member to draw. Finite elsewhere.
        temperature: T > 0.

    Returns:
        ℓ, [N]; −∞ for a group without members.
    """
    scaled = np.where(np.isnan(scores), -np.inf, scores / temperature)
    top = scaled.max(axis=1, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0.0)
    total = np.exp(scaled - shift[:, None]).sum(axis=1)
    return np.where(total > 0, shift + np.log(np.where(total > 0, total, 1.0)), -np.inf)


def informativeness(rewards: Floats, baselines: Floats) -> Floats:
    """Say how much each group's rewards differ from what its prompt gives now.

        u_g = mean over scored i of |Rᵢ − R̄(q_g)|

    which is the mean |A| that VCRS would give it, unscaled; with right-or-wrong rewards of a
    prompt solved at rate p it is 2p(1 − p) on average, largest at ½. Equation R7.

    Args:
        rewards: R, [N, G]; NaN where there is no score.
        baselines: R̄ of each group's prompt, [N].

    Returns:
        u ≥ 0, [N]; 0 for a group without scores.
    """
    scored = ~np.isnan(rewards)
    gaps = np.abs(np.where(scored, rewards - baselines[:, None], 0.0))
    result: Floats = gaps.sum(axis=1) / np.maximum(scored.sum(axis=1), 1)
    return result


def fresh_log_weights(
    signal: Floats, ages: NDArray[np.int64], reuse: NDArray[np.int64], *, tau: float, floor: float
) -> Floats:
    """Prefer groups that teach something, are recent and were rarely used.

        log w_g = log(u_g + u₀) − age_g / τ − log(1 + reuse_g)

    The floor u₀ keeps every group drawable, so that its importance weight exists. Equation R8.

    Args:
        signal: u ≥ 0, [N]; see `informativeness`.
        ages: optimiser steps since each group was drawn from the policy, [N].
        reuse: updates that used each group, [N].
        tau: τ > 0, steps in which the weight falls to 1/e.
        floor: u₀ > 0, in units of reward.

    Returns:
        log w, [N].
    """
    result: Floats = np.log((signal + floor) / (1 + reuse)) - ages / tau
    return result


class TopK(NamedTuple):
    """A weighted draw without replacement."""

    places: Indices
    """Indices of what was drawn, in the order of the draw, [k]."""
    threshold: float
    """κ, the largest perturbed weight that was not drawn; −∞ when all were."""


def gumbel_top_k(log_weights: Floats, noise: Floats, k: int) -> TopK:
    """Draw `k` of N without replacement in proportion to their weights.

    The k largest of log wᵢ + gᵢ, with gᵢ standard Gumbel noise, are distributed like k successive
    draws by w, each from what is left. Kool, van Hoof & Welling (arXiv 1903.06059). Equation R9.

    Args:
        log_weights: log w, [N], up to a common constant; −∞ comes last.
        noise: g, [N].
        k: at least 1; at most N are drawn.
    """
    if k < 1:
        raise ValueError(f"k is {k}: draw at least 1")
    top = log_weights.max(initial=-np.inf)
    # Shifted, so that the noise is not lost in the rounding of large weights.
    shift = float(top) if np.isfinite(top) else 0.0
    keys = log_weights - shift + noise
    if k >= len(keys):
        return TopK(np.argsort(-keys, kind="stable"), -np.inf)
    parted = np.argpartition(keys, len(keys) - k - 1)
    places, last = parted[len(keys) - k :], parted[len(keys) - k - 1]
    return TopK(places[np.argsort(-keys[places], kind="stable")], float(keys[last]) + shift)


def inclusion_probabilities(log_weights: Floats, threshold: float) -> Floats:
    """Probability with which `gumbel_top_k` drew each item, given its threshold.

        qᵢ = P(log wᵢ + gᵢ > κ) = 1 − exp(−exp(log wᵢ − κ))

    Weighting what was drawn by 1 / qᵢ makes a sum over it an unbiased estimate of the sum over all
    N (arXiv 1903.06059, section 4.1); where w is spread thinly, q ≈ k w / Σ w. Equation R10.

    Args:
        log_weights: log w of the items, finite.
        threshold: κ of the draw; −∞ gives 1.

    Returns:
        q in [0, 1], of the same shape.
    """
    rates = np.exp(np.minimum(log_weights - threshold, _CERTAIN))
    result: Floats = -np.expm1(-rates)
    return result


def importance_weights(probabilities: Floats, shares: Floats, *, bound: float) -> Floats:
    """Undo the preference of a draw in the mean over what was drawn.

        vᵢ = min(fᵢ / qᵢ, c)        ŵᵢ = vᵢ / mean(v)

    with fᵢ = k / N, what q would be in a uniform draw; fᵢ / qᵢ ≈ 1 / (N pᵢ) for one draw with
    probability p. The mean over a draw is 1, so the size of the step does not depend on the
    preference; c bounds v and the number of draws bounds ŵ. Equation R11.

    Args:
        probabilities: q of each drawn completion, [n].
        shares: f, share of the candidates that its draw took, [n].
        bound: c ≥ 1.

    Returns:
        ŵ, [n].
    """
    raw = np.minimum(shares / np.maximum(probabilities, np.finfo(np.float64).tiny), bound)
    result: Floats = raw / raw.mean() if len(raw) else raw
    return result
