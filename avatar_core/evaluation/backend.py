"""Who answers the tasks of an evaluation: what a model in this process and a served one share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from avatar_core.asking import Asker
from avatar_core.config.evaluate import EvalConfig
from avatar_core.evaluation.answering import Backend, LocalModel
from avatar_core.evaluation.batching import fitting_batch
from avatar_core.evaluation.tasks import Task
from avatar_core.media import MediaLoader
from avatar_core.models.loading import load_policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.provenance import new_manifest
from avatar_core.records import Manifest


class Answerer(Protocol):
    """A model that can be put to several benchmarks, one after the other."""

    def manifest(self, config: EvalConfig) -> Manifest:
        """What an evaluation with it is made with."""
        ...

    def batch_size(self, config: EvalConfig, tasks: Sequence[Task], loader: MediaLoader) -> int:
        """Tasks to answer together when the user does not say."""
        ...

    def backend(self, config: EvalConfig, loader: MediaLoader) -> Backend:
        """The model as it answers one benchmark; the configuration is resolved and has a size."""
        ...


class LocalAnswerer:
    """A policy that is loaded into this process."""

    def __init__(self, checkpoint: str) -> None:
        """Load the policy of a checkpoint, as `load_policy` takes it."""
        self._policy: QwenOmniPolicy = load_policy(checkpoint)

    def manifest(self, config: EvalConfig) -> Manifest:
        """What an evaluation with it is made with, a digest of the weights included."""
        return new_manifest(
            config.model, self._policy.model, seed=config.sample_seed or 0, media=config.media
        )

    def batch_size(self, config: EvalConfig, tasks: Sequence[Task], loader: MediaLoader) -> int:
        """As many tasks as surely fit into memory; see `evaluation.batching`."""
        return fitting_batch(
            self._policy,
            self._asker(config, loader),
            tasks,
            max_new_tokens=config.max_new_tokens or 1,
        )

    def backend(self, config: EvalConfig, loader: MediaLoader) -> LocalModel:
        """The policy as it answers one benchmark."""
        return LocalModel(
            self._policy,
            self._asker(config, loader),
            max_new_tokens=config.max_new_tokens or 1,
            batch_size=config.batch_size or 1,
        )

    def _asker(self, config: EvalConfig, loader: MediaLoader) -> Asker:
        return Asker(
            self._policy,
            loader,
            system_prompt=config.system_prompt,
            audio=config.audio,
            blanked=frozenset(config.blank),
        )
