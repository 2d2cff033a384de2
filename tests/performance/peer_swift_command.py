"""One turn of the other side of `peer_swift`: the command of ms-swift, in a process of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.performance.peer_data import MODEL, ROWS, SYSTEM, Case
from tests.performance.peer_swift_plugin import CALLBACK, LOG, NAME
from tests.performance.peer_turns import (
    FPS,
    GROUP,
    LEARNING_RATE,
    MAX_FRAMES,
    MIN_FRAMES,
    Task,
    Turn,
)
from tests.training.runs import read_rows

PLUGIN = Path(__file__).with_name("peer_swift_plugin.py")
LAST_LINES = 15
"""Of the other side's output, shown when it fails."""


def swift_settings(task: Task, out: Path) -> dict[str, object]:
    """Options of `swift rlhf` for the same work as `our_config`."""
    return {
        "rlhf_type": "grpo",
        "model": task.data / MODEL,
        "model_type": "qwen2_5_omni",
        "template": "qwen2_5_omni",
        "system": SYSTEM,
        "use_hf": "true",
        "check_model": "false",
        "tuner_type": "full",
        "torch_dtype": "float32",
        "attn_impl": "sdpa",
        "freeze_vit": "false",
        "freeze_aligner": "false",
        "freeze_llm": "false",
        "dataset": task.data / ROWS,
        "split_dataset_ratio": 0,
        "external_plugins": PLUGIN,
        "reward_funcs": NAME,
        "callbacks": CALLBACK,
        "num_generations": GROUP,
        "per_device_train_batch_size": GROUP,
        "gradient_accumulation_steps": 1,
        "num_iterations": 1,
        "max_completion_length": task.case.new_tokens,
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": 0,
        "beta": task.beta,
        "max_steps": task.steps,
        "learning_rate": LEARNING_RATE,
        "lr_scheduler_type": "constant",
        "warmup_ratio": 0,
        "weight_decay": 0,
        "adam_beta2": 0.999,
        "max_grad_norm": 1.0,
        "gradient_checkpointing": "false",
        "use_vllm": "false",
        "use_cpu": "true",
        "bf16": "false",
        "fp16": "false",
        "dataset_num_proc": 1,
        "dataloader_num_workers": 0,
        "logging_steps": 1,
        "log_completions": "false",
        "report_to": "none",
        "save_strategy": "no",
        "eval_strategy": "no",
        "seed": task.seed,
        "output_dir": out,
    }


def swift_environment(task: Task, out: Path) -> dict[str, str]:
    """Variables by which ms-swift is told how to read media; all its caches are in `out`."""
    pixels = str(task.case.side**2)
    return os.environ | {
        LOG: str(out / "steps.jsonl"),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(out / "hf"),
        "MODELSCOPE_CACHE": str(out / "modelscope"),
        "ENABLE_AUDIO_OUTPUT": "0",
        "USE_AUDIO_IN_VIDEO": "1",
        # Its default starts a program for every sound, which takes a step of 1.3 s to 2.8 s.
        "SWIFT_AUDIO_LOAD_BACKEND": "soundfile_pyav",
        "FPS": str(FPS),
        "FPS_MIN_FRAMES": str(MIN_FRAMES),
        "FPS_MAX_FRAMES": str(MAX_FRAMES),
        "VIDEO_MIN_PIXELS": pixels,
        "VIDEO_MAX_PIXELS": pixels,
    }


def swift_turn(task: Task, python: Path, out: Path) -> Turn:
    """Train by the command of ms-swift, in a process of its own."""
    out.mkdir(parents=True)
    options = [
        part
        for name, value in swift_settings(task, out).items()
        for part in (f"--{name}", f"{value}")
    ]
    done = subprocess.run(
        [python.with_name("swift"), "rlhf", *options],
        env=swift_environment(task, out),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    (out / "output.txt").write_text(done.stdout)
    if done.returncode:
        raise SystemExit("\n".join(done.stdout.splitlines()[-LAST_LINES:]))
    return turn_of_log(out / "steps.jsonl", task.case)


def turn_of_log(path: Path, case: Case) -> Turn:
    """The turn that a log of `StepLog` tells of."""
    versions, *steps = read_rows(path)
    counted = steps[case.warm_up :]
    rows = [row for step in counted for row in step["completions"]]
    return Turn(
        seconds=counted[-1]["ended"] - steps[case.warm_up - 1]["ended"],
        generated=[len(row["tokens"]) for row in rows],
        trained=len(rows),
        prompts={row["id"]: row["prompt"] for row in rows},
        first=steps[0]["completions"],
        versions=versions,
    )
