"""How many items are answered together when nobody says: as many as surely fit into memory.

The rule of `--batch-size auto`, applied once, at the start of an evaluation:

1. The longest of eight prompts spread over the benchmark, plus a whole answer, is the length of an
   item in tokens.
2. An item takes, for each of its tokens, the keys and values of all layers and the activations of
   one layer, and besides these the scores of one token over the vocabulary, three times in float32.
3. The batch is the largest power of two, at most 32, whose items take half of the free memory.

The number is kept in the evaluation's configuration, so that a resumed evaluation cuts the same
batches whatever memory is free then. A batch that does not fit after all is answered in halves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import PretrainedConfig

from avatar_core.asking import Asker, Seen
from avatar_core.evaluation.tasks import Task
from avatar_core.models.qwen_omni import QwenOmniPolicy

PROBED = 8
"""Prompts whose length is measured."""
LARGEST = 32
"""Largest batch that is chosen."""
SHARE = 0.5
"""Part of the free memory that a batch may take."""
HIDDEN_COPIES = 8
"""Vectors of the hidden width that one layer holds for a token, besides its two of the MLP."""
SCORE_COPIES = 3
"""Float32 copies of the vocabulary's scores: as computed, allowed, normalised."""
UNKNOWN_MEMORY = 4 << 30
"""Bytes taken to be free where the system does not say."""


def fitting_batch(
    policy: QwenOmniPolicy, asker: Asker, tasks: Sequence[Task], *, max_new_tokens: int
) -> int:
    """Items to answer together; 1 when none of the probed prompts can be prepared.

    Args:
        policy: the model.
        asker: makes its prompts.
        tasks: of the benchmark.
        max_new_tokens: length limit of an answer.
    """
    turns = asker.look([task.content for task in spread(tasks, PROBED) if not task.missing])
    lengths = [len(seen.prepared.input_ids) for seen in turns if isinstance(seen, Seen)]
    if not lengths:
        return 1
    config = policy.model.config.get_text_config()
    taken = item_bytes(config, max(lengths) + max_new_tokens, policy.model.dtype.itemsize)
    return batch_within(free_memory(policy.device), taken)


def spread(tasks: Sequence[Task], count: int) -> list[Task]:
    """At most `count` tasks at even distances, the first one among them."""
    return list(tasks[:: -(-len(tasks) // count)])


def batch_within(free: int, taken: int) -> int:
    """The largest power of two, from 1 to `LARGEST`, whose items fit into `SHARE` of the memory.

    Args:
        free: bytes that are free.
        taken: bytes of one item.
    """
    fitting = min(LARGEST, max(1, int(free * SHARE) // taken))
    return 1 << (fitting.bit_length() - 1)


def item_bytes(config: PretrainedConfig, tokens: int, width: int) -> int:
    """Bytes that answering one item takes, by the rule above.

    Args:
        config: of the text model.
        tokens: prompt and answer.
        width: bytes of one number of the model.
    """
    head = config.hidden_size // config.num_attention_heads
    kept = 2 * config.num_hidden_layers * config.num_key_value_heads * head
    passing = HIDDEN_COPIES * config.hidden_size + 2 * config.intermediate_size
    scores = SCORE_COPIES * config.vocab_size * 4
    return int(tokens * (kept + passing) * width + scores)


def free_memory(device: torch.device) -> int:
    """Bytes that a device can still give: of a GPU, or of the whole machine for the CPU."""
    if device.type == "cuda":
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + idle
    stated = Path("/proc/meminfo")
    found = re.search(r"MemAvailable:\s+(\d+) kB", stated.read_text()) if stated.is_file() else None
    return int(found[1]) << 10 if found else UNKNOWN_MEMORY
