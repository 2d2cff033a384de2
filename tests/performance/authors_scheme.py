"""A whole RL step of this project against the authors' scheme, same tokens, same loss.

    python -m tests.performance.authors_scheme [--repeats 7] [--prefix 330] [--tokens 32]

Both sides begin with a decoded clip, as a warm media cache hands it out, and end with an optimiser
step (of learning rate 0, so that every round does the same work): prompt, completions, rewards,
log-probabilities, reference, loss, backward. This project's side is its own training code. The
other is a loop written here after the authors' scheme: the processor makes a batch with a copy of
prompt and media for every completion, the family's `generate` draws from it, and three forward
passes over the batch follow: old log-probabilities, reference, training. `without_old_pass` leaves
the first out, as on-policy implementations may.

Tokens are drawn by this project's rule on both sides, and ends of turn never, so that both do the
same work: equal tokens, and equal loss and gradient norm, are asserted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from avatar_core.algo.losses import kl_k3, off_policy_weights
from avatar_core.config.train import RolloutConfig, SamplingConfig, TrainConfig
from avatar_core.models.policy import Prompt
from avatar_core.models.prompting import control_tokens, processor_inputs
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.models.recompute import layers_of, recomputed
from avatar_core.models.sampling import draw_tokens, uniforms_from_seeds
from avatar_core.phases import Stopwatch
from avatar_core.seeds import seed_from
from avatar_core.training.learning import Share, learn
from avatar_core.training.optimiser import make_optimiser
from avatar_core.training.rollout import Visit, draw_completions, score_groups
from avatar_core.training.step import take_step
from avatar_core.training.update import NOTHING_REPLAYED, Scored, loss_terms
from avatar_core.types import Completion, Sample
from tests.models.prompts import plain_towers, tiny_policy
from tests.performance.measuring import arguments, in_turns, prompt_of, ratio, report, spread
from tests.performance.rl_step import copies, family_logprobs

STEP = 1


class Outcome(NamedTuple):
    """What a step gave, to be compared."""

    tokens: list[list[int]]
    loss: float
    gradient_norm: float
    seconds: dict[str, float]


class Task(NamedTuple):
    """What both sides begin with."""

    policy: QwenOmniPolicy
    prompt: Prompt
    visit: Visit
    config: TrainConfig
    advantages: Tensor
    """One for each completion; rewards of untrained weights are all equal."""
    recompute: bool = False
    """Whether the authors' side computes activations again in the backward pass."""


def shared_step(task: Task) -> Outcome:
    """The step of this project, by its own training code."""
    policy, config, watch = task.policy, task.config, Stopwatch()
    optimiser = make_optimiser(policy.parameters(), config.optim)
    with watch.phase("media"):
        visits = [task.visit._replace(prepared=policy.prepare(task.prompt))]
    with watch.phase("encode"):
        encoded = policy.encode([visit.prepared for visit in visits])
    with watch.phase("generate"):
        size = config.rollout.group_size
        drawn = draw_completions(policy, encoded, visits, sizes=[size], config=config, step=STEP)
    with watch.phase("reward"):
        groups = score_groups(visits, drawn, config.reward, STEP)
    with watch.phase("train"):
        share = Share(visits, [group.completions for group in groups], [task.advantages])
        found = learn(policy, optimiser, share, encoded, NOTHING_REPLAYED, config, lr=0.0)
    tokens = [one.token_ids.tolist() for one in drawn[0]]
    norm = found.outcome.grad_norm or 0.0
    return Outcome(tokens, float(found.terms.loss), norm, watch.seconds)


class ProjectDraw(LogitsProcessor):
    """Leaves the one token that this project would draw."""

    def __init__(self, uniforms: Tensor, forbidden: Sequence[int], config: TrainConfig) -> None:
        self._uniforms, self._config, self._step = uniforms, config, 0
        self._forbidden = torch.tensor(forbidden, device=uniforms.device)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        sampling = self._config.sampling
        drawn = draw_tokens(
            scores.float().index_fill(-1, self._forbidden, float("-inf")),
            self._uniforms[:, self._step],
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
        )
        self._step += 1
        return torch.full_like(scores, float("-inf")).scatter(-1, drawn[:, None], 0.0)


def authors_step(task: Task, *, old_pass: bool = True) -> Outcome:
    """The same step with a copy of prompt and media for every completion, and separate passes."""
    with plain_towers(task.policy.model):
        return family_step(task, old_pass=old_pass)


def family_step(task: Task, *, old_pass: bool) -> Outcome:
    """The authors' step with towers as they are."""
    policy, config, watch = task.policy, task.config, Stopwatch()
    model: Any = policy.model
    size = config.rollout.group_size
    optimiser = make_optimiser(policy.parameters(), config.optim)
    with watch.phase("media"):
        inputs: dict[str, Any] = dict(processor_inputs(task.prompt, policy.processor))
        inputs = {name: torch.as_tensor(v, device=policy.device) for name, v in inputs.items()}
        batch = copies(inputs, size)
    with watch.phase("generate"):
        tokens = family_tokens(task, batch)
    with watch.phase("reward"):
        completions = [
            Completion(
                token_ids=row.cpu().numpy().astype("int32"),
                logprobs=torch.zeros(len(row)).numpy(),
                text=policy.decode(row),
                truncated=True,
            )
            for row in tokens
        ]
        score_groups([task.visit], [completions], config.reward, STEP)
    rows = list(tokens)
    with watch.phase("reference"), torch.no_grad(), policy.reference() as reference:
        frozen = family_logprobs(reference.model, inputs, rows)
    behaviour = None
    if old_pass:
        with watch.phase("old"), torch.no_grad():
            behaviour = family_logprobs(model, inputs, rows)
    with watch.phase("train"):
        with recomputed(layers_of(model) if task.recompute else []):
            current = family_logprobs(model, inputs, rows)
        mask = torch.ones_like(tokens, dtype=torch.bool)
        behaviour = current.detach() if behaviour is None else behaviour
        kl = kl_k3(current, frozen, mask) * off_policy_weights(current, behaviour, mask)
        advantages = task.advantages.to(policy.device)
        loss = loss_terms(Scored(current, mask, behaviour, kl, advantages), config).loss
        outcome = take_step(optimiser, loss, lr=0.0, max_norm=config.optim.max_grad_norm)
    norm = outcome.grad_norm or 0.0
    return Outcome(tokens.tolist(), float(loss.detach()), norm, watch.seconds)


@torch.no_grad()
def family_tokens(task: Task, batch: dict[str, Any]) -> Tensor:
    """Completions by the family's own decoding, int64 [completions, tokens]."""
    config, tokenizer = task.config, task.policy.processor.tokenizer
    limit = config.sampling.max_new_tokens
    name = task.visit.sample.id
    seeds = [
        seed_from(config.seed, "rollout", STEP, name, draw)
        for draw in range(config.rollout.group_size)
    ]
    stops = {tokenizer.eos_token_id, tokenizer.pad_token_id}
    forbidden = sorted(set(control_tokens(task.policy.processor).values()) - stops)
    uniforms = uniforms_from_seeds(seeds, limit).to(task.policy.device)
    draw = ProjectDraw(uniforms, forbidden, config)
    model: Any = task.policy.model
    made: Tensor = model.generate(
        **batch,
        use_audio_in_video=True,
        do_sample=False,
        max_new_tokens=limit,
        eos_token_id=sorted(stops),
        pad_token_id=tokenizer.pad_token_id,
        logits_processor=LogitsProcessorList([draw]),
    )
    return made[:, batch["input_ids"].shape[1] :]


def without_ends(policy: QwenOmniPolicy) -> None:
    """Make ends of turn so unlikely that every completion runs to the length limit."""
    tokenizer = policy.processor.tokenizer
    stops = torch.tensor([tokenizer.eos_token_id, tokenizer.pad_token_id], device=policy.device)

    def lower(_module: object, _inputs: object, logits: Tensor) -> Tensor:
        by = logits.new_full((*logits.shape[:-1], len(stops)), -1e4)
        return logits.index_add(-1, stops, by)

    head: torch.nn.Module = policy.model.lm_head
    head.register_forward_hook(lower)


def make_task(prefix: int, tokens: int, group: int, seed: int) -> Task:
    """A tiny policy with a prompt and a question."""
    policy = tiny_policy(seed)
    return task_of(policy, prompt_of(policy, prefix, seed=seed), tokens, group, seed)


def task_of(policy: QwenOmniPolicy, prompt: Prompt, tokens: int, group: int, seed: int) -> Task:
    """A task of a policy, which moves a little from its reference and never ends a turn again."""
    without_ends(policy)
    with policy.reference():
        pass  # Without an adapter the copy is made here, before the weights move.
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        for parameter in policy.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.01)
    sample = Sample("noise", prompt.texts[0], (prompt.clips[0].ref,), "red", "free-form")
    config = TrainConfig(
        seed=seed,
        sampling=SamplingConfig(max_new_tokens=tokens),
        rollout=RolloutConfig(group_size=group, fresh_per_group=group),
    )
    visit = Visit(sample, policy.prepare(prompt), "", prompt.clips)
    return Task(policy, prompt, visit, config, torch.linspace(-1.0, 1.0, group))


def check_equal(ours: Outcome, theirs: Outcome) -> dict[str, float]:
    """Assert that two steps did the same; returns what was compared."""
    assert ours.tokens == theirs.tokens
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-4, abs=1e-6)
    assert ours.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-4)
    return {
        "loss": ours.loss,
        "loss_difference": abs(ours.loss - theirs.loss),
        "gradient_norm": ours.gradient_norm,
        "gradient_norm_difference": abs(ours.gradient_norm - theirs.gradient_norm),
    }


def main() -> None:
    chosen = arguments(__doc__, repeats=7, prefix=330, tokens=32, group=8)
    if chosen.quick:
        chosen.repeats, chosen.prefix, chosen.tokens, chosen.group = 2, 100, 8, 4
    task = make_task(chosen.prefix, chosen.tokens, chosen.group, chosen.seed)
    sides = {
        "shared": partial(shared_step, task),
        "authors": partial(authors_step, task),
        "without_old_pass": partial(authors_step, task, old_pass=False),
    }
    compared = check_equal(shared_step(task), authors_step(task))
    seconds = in_turns(sides, chosen.repeats)
    document = {
        "claim": "whole RL step, warm media, against the authors' scheme",
        "seed": chosen.seed,
        "prefix": len(task.visit.prepared.input_ids),
        "tokens": chosen.tokens,
        "group": chosen.group,
        "compared": compared,
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "phases": {name: side().seconds for name, side in sides.items()},
        "ratio": ratio(seconds, "authors", "shared"),
        "ratio_without_old_pass": ratio(seconds, "without_old_pass", "shared"),
    }
    report(document, chosen.out)


if __name__ == "__main__":
    main()
