"""One training run: check the inputs, take up where it stopped, train, record, save, measure.

Files of a run directory: `config.json`, `manifest.json`, `metrics.jsonl`, `groups.jsonl`,
`held_out/`, `checkpoints/`. Nothing is written there before every input has been checked.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import torch

from avatar_core.asking import Asker
from avatar_core.config.replay import ReplayConfig
from avatar_core.config.stages import cold_start_config
from avatar_core.config.train import TrainConfig
from avatar_core.data.scenes import cache_directory
from avatar_core.errors import RunLockedError, memory_errors
from avatar_core.evaluation_records import EvalRow
from avatar_core.files import run_lock, write_json
from avatar_core.manifest import CHECKPOINTS, is_sound
from avatar_core.media import MediaLoader
from avatar_core.models.policy import Policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.plural import counted
from avatar_core.replay import ReplayBuffer
from avatar_core.rewards.judging.judge import Judge
from avatar_core.run_directory import HELD_OUT, SUMMARY
from avatar_core.training.advance import advance
from avatar_core.training.checkpoint import TrainerState
from avatar_core.training.curriculum import course_of
from avatar_core.training.data import Data, data_digest, load_data
from avatar_core.training.directory import check_directory, held_out_rows
from avatar_core.training.held_out import HeldOut, document_of, measure_held_out, summarise
from avatar_core.training.judging import judge_of
from avatar_core.training.lookahead import Lookahead
from avatar_core.training.opening import open_policy
from avatar_core.training.optimiser import make_optimiser
from avatar_core.training.parallel import ALONE, World, joined_processes
from avatar_core.training.preflight import check_stages
from avatar_core.training.taking_up import claim, resume_point, take_up
from avatar_core.training.telemetry import Counters
from avatar_core.training.trainee import Trainee
from avatar_core.training.watcher import SILENT, Watcher
from avatar_core.types import Sample
from avatar_core.version import VERSION

WAITING_SECONDS = 0.5
"""Time between two looks at a stage 0 that another process runs."""


class RunResult(NamedTuple):
    """What a finished run leaves."""

    directory: Path
    """The run directory."""
    checkpoint: Path
    """The last checkpoint."""
    held_out: HeldOut | None
    """Held-out accuracy before and after; `None` when it was not measured."""
    leads: bool = True
    """Whether this process wrote it; of several that train together only the first does."""


def train(config: TrainConfig, *, resume: bool = True, watcher: Watcher = SILENT) -> RunResult:
    """Run or continue one stage, together with the processes that a launcher started, if any.

    Args:
        config: what to do; `config.out` is the run directory.
        resume: take up a run found in `config.out`; else it must be empty.
        watcher: is told how it goes.

    Raises:
        AvatarError: see `avatar_core.errors`; after a signal `Stopped`, with everything saved.
    """
    with joined_processes() as world, memory_errors(memory_remedy(config)):
        watcher = watcher if world.leads else SILENT
        (data,) = checked([config], resume=resume, watcher=watcher, world=world)
        return run_stage(config, data, resume=resume, watcher=watcher, world=world)


def checked(
    configs: Sequence[TrainConfig], *, resume: bool, watcher: Watcher, world: World
) -> list[Data | None]:
    """The samples of runs that follow each other, after a check of every input; see `check_stages`.

    Of several processes the first does what takes long.
    """
    quick = not world.leads
    return check_stages(configs, resume=resume, quick=quick, survivors=True, say=watcher.say)


def run_stage(
    config: TrainConfig,
    data: Data | None,
    *,
    resume: bool,
    watcher: Watcher,
    world: World = ALONE,
) -> RunResult:
    """Run or continue a stage whose inputs have been checked; `None` stands for scenes unmade.

    Of several processes the first alone locks, writes, measures and speaks.
    """
    run = Path(config.out)
    watcher = watcher if world.leads else SILENT
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    with ExitStack() as stack:
        if world.leads:
            stack.enter_context(run_lock(run))
        # Another process may have begun a run here before the lock was taken.
        check_directory(run, config, resume=resume)

        with world.lead_first():
            start = starting_point(config, watcher)
            data = data if data is not None else prepared(config, watcher)
        checkpoint = resume_point(run, data)
        judge = judge_of(config, run)
        watcher.say(f"loading {start}")
        policy = open_policy(start, config)
        world.wait()
        if world.leads:
            claim(run, config, policy)
        world.wait()

        loader = stack.enter_context(MediaLoader(config.media))
        asker = Asker(policy, loader, system_prompt=config.rollout.system_prompt)
        lookahead = stack.enter_context(Lookahead(asker))
        trainee = new_trainee(policy, lookahead, data, config, judge, world)
        gained = train_measured(config, policy, trainee, asker, data.held_out, checkpoint, watcher)
        world.wait()
    last = run / CHECKPOINTS / f"step-{config.steps}"
    return RunResult(run, last, gained, leads=world.leads)


def train_measured(
    config: TrainConfig,
    policy: QwenOmniPolicy,
    trainee: Trainee,
    asker: Asker,
    held_out: Sequence[Sample],
    checkpoint: Path | None,
    watcher: Watcher,
) -> HeldOut | None:
    """Train from a checkpoint to the end, and measure what the whole run gained, if anything does.

    Accuracy before is that of the policy that the run began with, so it is measured before the
    weights of the checkpoint are restored.
    """
    run, leads = Path(config.out), trainee.world.leads
    measured = held_out if leads else []
    before = measure(policy, asker, measured, config, "before", watcher)
    done = take_up(run, config, policy, trainee.state, checkpoint, writes=leads)
    watcher.say(standing(run, done, config.steps))
    advance(run, config, trainee, done, watcher)
    after = measure(policy, asker, measured, config, "after", watcher)
    if not measured:
        return None
    gained = summarise(before, after, measured)
    write_json(run / HELD_OUT / SUMMARY, document_of(gained))
    return gained


def standing(run: Path, done: int, steps: int) -> str:
    """What a run is about to do, `done` of its `steps` having been taken."""
    if done == 0:
        return "training"
    if done < steps:
        return f"going on after step {done} of {steps}"
    return (
        f"already finished: {run} has its {counted(done, 'step')}; nothing to do; "
        "raise --steps to go on"
    )


def prepared(config: TrainConfig, watcher: Watcher) -> Data:
    """The samples of a run, with the clips of scenes made where missing."""
    watcher.say(f"preparing {config.data} for stage {config.stage}")
    data = load_data(config)
    for note in data.notes:
        watcher.say(note)
    return data


def starting_point(config: TrainConfig, watcher: Watcher) -> str:
    """What the policy is loaded from: `init`, the embedded model's own stage 0, or `model`."""
    if config.init is not None:
        return config.init
    if config.model == "tiny" and config.stage > 0:
        return str(cold_start(watcher))
    return config.model


def cold_start(watcher: Watcher) -> Path:
    """The embedded model after stage 0, trained now or taken from the cache; its run directory.

    It is trained once for all seeds and presets, so that runs compared start from one policy.
    """
    first = cold_start_config()
    watcher.say("preparing scenes for stage 0")
    data = load_data(first)
    taught = data_digest(data.training.values())
    identity = f"{VERSION} {taught} {first.model_dump_json()}"
    name = hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()
    run = cache_directory().parent / "stage0" / name
    if not is_sound(run / CHECKPOINTS / f"step-{first.steps}"):
        watcher.say(f"no --init given: running stage 0 first; it is kept in {run} for later runs")
        run_or_await(first.model_copy(update={"out": str(run)}), data, watcher)
    return run


def run_or_await(config: TrainConfig, data: Data, watcher: Watcher) -> None:
    """Run a stage to its end, or wait while another process does.

    The lock of a process that is killed is free at once, and the run goes on here from its last
    checkpoint.
    """
    waiting = False
    while not is_sound(Path(config.out) / CHECKPOINTS / f"step-{config.steps}"):
        try:
            run_stage(config, data, resume=True, watcher=watcher)
        except RunLockedError:
            if not waiting:
                watcher.say(f"another process is running it in {config.out}; waiting for its end")
            waiting = True
            time.sleep(WAITING_SECONDS)


def memory_remedy(config: TrainConfig) -> str:
    """What to lower when memory runs out, as the end of a sentence."""
    sizes = ["media.max_frames", "media.max_pixels", "held_out.batch_size"]
    if config.stage == 0:
        sizes = ["supervised.batch_size", *sizes]
    else:
        rollout = ["rollout.prompts_per_step", "rollout.group_size", "sampling.max_new_tokens"]
        sizes = [*rollout, *sizes]
    adapter = ", or use --lora" if config.tuning == "full" else ""
    return f"start a new --out with a lower {', '.join(sizes)}{adapter}"


def new_trainee(
    policy: QwenOmniPolicy,
    lookahead: Lookahead,
    data: Data,
    config: TrainConfig,
    judge: Judge | None,
    world: World,
) -> Trainee:
    """A policy with all that its training needs, as a run begins."""
    return Trainee(
        policy=policy,
        lookahead=lookahead,
        samples=data.training,
        course=course_of(config, len(data.training)),
        state=TrainerState(
            optimiser=make_optimiser(policy.parameters(), config.optim, policy.matrices()),
            counters=Counters(),
            buffer=ReplayBuffer.from_config(stored_by(config)),
            data=data_digest(data.training.values()),
        ),
        judge=judge,
        world=world,
    )


def stored_by(config: TrainConfig) -> ReplayConfig:
    """How groups are stored; without replay they still are, for baselines and tiers, unranked."""
    plain = config.replay.model_copy(update={"priority": "uniform"})
    return config.replay if config.replay.enabled else plain


def measure(
    policy: Policy,
    asker: Asker,
    samples: Sequence[Sample],
    config: TrainConfig,
    when: str,
    watcher: Watcher,
) -> list[EvalRow]:
    """Held-out rows before or after the stage, kept in `held_out/<when>.jsonl`."""
    if not samples:
        return []
    path = held_out_rows(Path(config.out), when)
    if not path.is_file():
        watcher.say(f"answering {counted(len(samples), 'held-out sample')} {when} the stage")
    return measure_held_out(policy, asker, samples, config, path)
