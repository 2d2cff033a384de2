"""A prompt that begins as an earlier one did is encoded from where the two part.

Towers depend on the media alone and embeddings on their token alone, so that both can be taken
over: of a second question about the same files only the words are new.
"""

from __future__ import annotations

import torch
from torch import Tensor

from avatar_core.models.policy import Encoded, Policy, Prepared


def encode_after(
    policy: Policy, prepared: Prepared, earlier: Prepared, encoded: Encoded
) -> Encoded:
    """Encode a prompt about the same media as an earlier one, without running the towers again.

    Args:
        policy: the model.
        prepared: the prompt, its media before all that differs from the earlier one.
        earlier: the earlier prompt, of the same media.
        encoded: what `policy.encode` gave for it, [1, prefix, hidden].

    Returns:
        What `policy.encode([prepared])` gives.
    """
    shared = shared_length(prepared.input_ids, earlier.input_ids)
    words = Prepared(
        prepared.input_ids[shared:], prepared.positions[:, shared:], None, None, None, None
    )
    added = policy.encode([words])
    return Encoded(
        embeddings=torch.cat([encoded.embeddings[:, :shared], added.embeddings], dim=1),
        positions=prepared.positions[:, None].to(encoded.positions.device),
        lengths=(len(prepared.input_ids),),
    )


def shared_length(one: Tensor, other: Tensor) -> int:
    """How many tokens two prompts, int64 [n] and [m], begin with alike; less than n."""
    width = min(len(one) - 1, len(other))
    alike = one[:width] == other[:width]
    return int(alike.long().cumprod(0).sum())
