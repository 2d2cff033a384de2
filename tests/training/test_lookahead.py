"""Tests of training/lookahead.py: the same prompts, looked at in advance or not."""

from __future__ import annotations

from dataclasses import replace

import torch

from avatar_core.asking import Asked, Asker, look_at
from avatar_core.training.lookahead import Lookahead
from avatar_core.types import Sample


def test_what_was_begun_is_what_is_taken(asker: Asker, samples: list[Sample]) -> None:
    plain = look_at(asker, samples)
    with Lookahead(asker) as lookahead:
        lookahead.start(samples)
        ahead = lookahead.take(samples)
    assert len(plain) == len(ahead) == len(samples)
    for one, other in zip(plain, ahead, strict=True):
        assert isinstance(one, Asked) and isinstance(other, Asked)
        assert torch.equal(one.prepared.input_ids, other.prepared.input_ids)
        assert one.prepared.pixels is not None and other.prepared.pixels is not None
        assert torch.equal(one.prepared.pixels, other.prepared.pixels)


def test_other_samples_than_begun_are_looked_at_now(asker: Asker, samples: list[Sample]) -> None:
    with Lookahead(asker) as lookahead:
        lookahead.start(samples[:1])
        taken = lookahead.take(samples[1:])
        assert [one.sample.id for one in taken] == [sample.id for sample in samples[1:]]
        assert [one.sample.id for one in lookahead.take(samples[:1])] == [samples[0].id]


def test_a_hint_changes_the_text_and_nothing_else(asker: Asker, samples: list[Sample]) -> None:
    (plain,) = look_at(asker, samples[:1])
    assert isinstance(plain, Asked)
    hinted = replace(plain.sample, hint="Listen first.")
    with Lookahead(asker) as lookahead:
        # A batch under way is not disturbed.
        lookahead.start(samples)
        user = lookahead.hinted(hinted, plain.clips, "user")
        system = lookahead.hinted(hinted, plain.clips, "system")
        assert len(lookahead.take(samples)) == len(samples)
    lengths = {len(prompt.input_ids) for prompt in (plain.prepared, user, system)}
    assert len(lengths) == 3
    for prompt in (user, system):
        assert prompt.pixels is not None and plain.prepared.pixels is not None
        assert torch.equal(prompt.pixels, plain.prepared.pixels)
