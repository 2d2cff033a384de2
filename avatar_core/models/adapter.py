"""Low-rank adapters through peft: a few trainable weights beside every linear layer of a thinker.

A checkpoint then holds `adapter_config.json` and `adapter_model.safetensors` as plain peft reads
them, and names its base model. The reference policy costs no copy of the model: it is the base with
the adapter off or, when a run continues an adapter that was trained before, that adapter frozen.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from transformers import Qwen2_5OmniThinkerForConditionalGeneration

from avatar_core.errors import CheckpointError, UsageError
from avatar_core.manifest import ADAPTER_CONFIG
from avatar_core.models.thinker import unreadable_files

if TYPE_CHECKING:
    from peft import PeftModel

ADAPTER_WEIGHTS = "adapter_model.safetensors"
TRAINED = "default"
REFERENCE = "reference"
WRAPPERS = frozenset({"base_model", "thinker", "model", "language_model"})


def new_adapter(
    model: Qwen2_5OmniThinkerForConditionalGeneration, rank: int, alpha: int, seed: int
) -> PeftModel:
    """Put a trainable adapter on every linear layer of text and towers; it changes nothing yet.

    Args:
        model: is changed in place; its own weights are frozen.
        rank: of every update, r.
        alpha: the update is scaled by α / r.
        seed: initialises the adapter.

    Raises:
        UsageError: the model has no name that the adapter's checkpoint could refer to.
    """
    if not model.name_or_path:
        raise UsageError(
            "tuning=lora needs a saved base model that the adapter can name; "
            "give --init or a model directory, or use --full"
        )
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear", lora_dropout=0.0)
    with torch.random.fork_rng(devices=[]), _old_name_allowed():
        torch.manual_seed(seed)
        return get_peft_model(model, config).eval()


def continue_adapter(adapter: PeftModel, rank: int, alpha: int) -> None:
    """Make an adapter that was read from disk trainable, with a frozen copy as the reference.

    Raises:
        UsageError: it has another rank or alpha.
    """
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    config: Any = adapter.peft_config[TRAINED]
    _refuse_other_size((config.r, config.lora_alpha), (rank, alpha))
    adapter.add_adapter(REFERENCE, copy.deepcopy(config))
    weights = get_peft_model_state_dict(adapter, adapter_name=TRAINED, save_embedding_layers=False)
    set_peft_model_state_dict(adapter, weights, adapter_name=REFERENCE)
    config.inference_mode = False
    adapter.set_adapter(TRAINED)
    adapter.eval()


@contextmanager
def reference_weights(adapter: PeftModel) -> Iterator[None]:
    """Let the model compute what it computed before training, until the block ends."""
    if REFERENCE not in adapter.peft_config:
        with adapter.disable_adapter():
            yield
        return
    adapter.set_adapter(REFERENCE)
    try:
        yield
    finally:
        adapter.set_adapter(TRAINED)


def save_adapter(adapter: PeftModel, directory: Path) -> None:
    """Write the trained adapter and its configuration as plain peft reads them."""
    config: Any = adapter.peft_config[TRAINED]
    # peft keeps a set, whose order differs from process to process; equal runs write equal files.
    if not isinstance(config.target_modules, str):
        config.target_modules = sorted(config.target_modules)
    adapter.save_pretrained(
        str(directory), selected_adapters=[TRAINED], save_embedding_layers=False
    )
    # A model card of blanks that nobody has filled in.
    (directory / "README.md").unlink()


def restore_adapter(adapter: PeftModel, directory: Path) -> None:
    """Load the weights that `save_adapter` wrote.

    Raises:
        CheckpointError: they do not fit this adapter; names the first that does not.
    """
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    with unreadable_files(directory):
        weights = load_file(directory / ADAPTER_WEIGHTS)
    own = get_peft_model_state_dict(adapter, adapter_name=TRAINED, save_embedding_layers=False)
    names = {_place(name): name for name in own}
    renamed = {names.get(_place(name), name): weight for name, weight in weights.items()}
    result: Any = set_peft_model_state_dict(adapter, renamed, adapter_name=TRAINED)
    absent = [key for key in result.missing_keys if f".{TRAINED}." in key]
    strange = [*absent, *result.unexpected_keys]
    if strange:
        raise CheckpointError(
            f"{directory / ADAPTER_WEIGHTS}: does not fit its base model ({strange[0]}); "
            "use another checkpoint"
        )


def base_of(directory: Path) -> str:
    """Name of the model that an adapter on disk belongs to, after a look at its configuration.

    Raises:
        CheckpointError: not a low-rank adapter in safetensors, or it names no base model, or
            itself.
    """
    path = directory / ADAPTER_CONFIG
    document = _adapter_document(path)
    kind, base = document.get("peft_type"), document.get("base_model_name_or_path")
    if kind != "LORA" or not (directory / ADAPTER_WEIGHTS).is_file():
        raise CheckpointError(
            f"{directory}: expected a LORA adapter with {ADAPTER_WEIGHTS}, found peft_type {kind!r}"
        )
    # peft imports the module that this key names.
    if document.get("megatron_config") is not None:
        raise CheckpointError(f"{path}: key 'megatron_config' is not supported; remove it")
    if not isinstance(base, str) or not base:
        raise CheckpointError(f"{path}: base_model_name_or_path names no model; name its base")
    if Path(base).resolve() == directory.resolve():
        raise CheckpointError(
            f"{path}: base_model_name_or_path names the adapter itself; name its base"
        )
    return base


def check_size(directory: Path, rank: int, alpha: int) -> None:
    """Check that an adapter on disk can be continued with a rank and alpha; reads no weights.

    Raises:
        UsageError: it has others.
        CheckpointError: its configuration cannot be read.
    """
    document = _adapter_document(directory / ADAPTER_CONFIG)
    _refuse_other_size((document.get("r"), document.get("lora_alpha")), (rank, alpha))


def read_adapter(model: Qwen2_5OmniThinkerForConditionalGeneration, directory: Path) -> PeftModel:
    """Put an adapter from disk on its base model, frozen.

    Raises:
        CheckpointError: it does not fit the model.
    """
    from peft import PeftConfig, PeftModel

    try:
        config = PeftConfig.from_pretrained(str(directory))
        config.inference_mode = True
        with _old_name_allowed():
            adapter = PeftModel(model, config)
    # peft takes the types of values as they come, and fails where it first uses one.
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{directory / ADAPTER_CONFIG}: does not fit its base model ({error}); "
            "use another checkpoint"
        ) from error
    restore_adapter(adapter, directory)
    return adapter.eval()


def _adapter_document(path: Path) -> dict[str, Any]:
    """The configuration of an adapter as it stands on disk."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: unreadable ({error}); use another checkpoint") from error
    if not isinstance(document, dict):
        raise CheckpointError(f"{path}: unreadable (no JSON object); use another checkpoint")
    return document


def _refuse_other_size(found: tuple[object, object], wanted: tuple[int, int]) -> None:
    """Raise `UsageError` unless rank and alpha of an adapter are those wanted."""
    if found != wanted:
        raise UsageError(
            f"lora.rank={wanted[0]}, lora.alpha={wanted[1]}: the adapter to continue has rank "
            f"{found[0]} and alpha {found[1]}; use those"
        )


def _place(name: str) -> str:
    """Name of a weight without the levels that releases of transformers have moved it through."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


@contextmanager
def _old_name_allowed() -> Iterator[None]:
    # peft 0.21 asks the model by a name that transformers 5.23 calls deprecated.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield
