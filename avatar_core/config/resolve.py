"""From a preset, a file and `--set` to one frozen configuration; the nearest name answers a typo.

Later sources win: model defaults, `presets/<preset>.toml` (its `[all]`, then `[stage<N>]`), the
scale of the embedded model (`presets/tiny.toml`) when `model` is `tiny`, the user's file (its own
`[stage<N>]` last), `--set` and flags.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from avatar_core.config.base import Frozen
from avatar_core.config.judge import redacted
from avatar_core.config.train import FREE_ON_RESUME, TrainConfig
from avatar_core.config.unknown import instead
from avatar_core.errors import UsageError
from avatar_core.naming import nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_CONFIG_BYTES = 1 << 20
STAGE_TABLES = tuple(f"stage{stage}" for stage in range(4))
"""Tables of a user's file that hold for one stage each."""
OF_THE_RUN = ("out", "init", "stage")
"""Keys that stand outside of those tables, since they chain the stages."""
Model = TypeVar("Model", bound=Frozen)
Tree = dict[str, Any]


def preset_names() -> list[str]:
    """Names that `--preset` takes."""
    folder = resources.files("avatar_core.config").joinpath("presets")
    names = (entry.name for entry in folder.iterdir())
    return sorted(name[:-5] for name in names if name.endswith(".toml") and name != "tiny.toml")


def resolve_train(
    *,
    stage: int | None = None,
    preset: str | None = None,
    file: Path | None = None,
    assignments: Iterable[str] = (),
    flags: Mapping[str, object] | None = None,
) -> TrainConfig:
    """Resolve the configuration of a training run.

    Args:
        stage: 0 to 3; `None` takes the one that `file` or an assignment names.
        preset: one of `preset_names()`; `None` likewise, else "paper".
        file: a TOML file of overrides, as `--dry-run` prints them; its tables `[stage0]` to
            `[stage3]` are laid over its other keys, each for its stage alone.
        assignments: `section.key=value` strings, values in TOML or bare text.
        flags: fields given as flags, sections as mappings; `None` values are not given.

    Raises:
        UsageError: no stage, an unknown preset or key, or a value out of range; names it and the
            nearest valid name.
    """
    assigned = [parse_assignment(text) for text in assignments]
    given = present({**(flags or {}), "stage": stage, "preset": preset})
    user: Tree = read_toml(file) if file else {}
    lay_stage_table(user, [*assigned, given])
    for assignment in assigned:
        merge(user, assignment, whole=())
    merge(user, given)
    if "stage" not in user:
        raise UsageError("Missing option '--stage': give 0 to 3, or a --config that names it")
    defaults = {name: TrainConfig.model_fields[name].default for name in ("model", "preset")}
    model, preset, stage = (
        user.get(name, defaults.get(name)) for name in ("model", "preset", "stage")
    )
    if preset not in preset_names():
        known = nearest(str(preset), preset_names())
        raise UsageError(f"--preset {preset}: unknown preset{known}")
    tree: Tree = {}
    for name in [str(preset), *(["tiny"] if model == "tiny" else [])]:
        document = read_preset(name)
        # The tiny scale may differ between presets: [grpo.stage1] refines [stage1] for preset grpo.
        for table in (document, document.get(str(preset), {})):
            merge(tree, table.get("all", {}))
            merge(tree, table.get(f"stage{stage}", {}))
    merge(tree, {"out": f"runs/stage{stage}"})
    merge(tree, user)
    return validate(TrainConfig, tree)


def lay_stage_table(user: Tree, later: Sequence[Mapping[str, Any]]) -> None:
    """Replace the stage tables of a user's file by what that of the stage in question holds.

    Args:
        user: the file's content; changed in place.
        later: what is laid over it afterwards, the strongest last; it may name the stage.

    Raises:
        UsageError: a table is none, or names what stands outside of it.
    """
    tables = {name: user.pop(name) for name in STAGE_TABLES if name in user}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(f"configuration key {name}: is a table; write [{name}] above its keys")
        for key in OF_THE_RUN:
            if key in table:
                raise UsageError(
                    f"configuration key {name}.{key}: give {key} outside of the table, or --{key}"
                )
    stages = [tree["stage"] for tree in (user, *later) if "stage" in tree]
    merge(user, tables.get(f"stage{stages[-1]}", {}) if stages else {})


def stage_tables(configs: Sequence[TrainConfig]) -> Tree:
    """Stages that were resolved together, as one tree that resolves to them again.

    Args:
        configs: each has its run in a directory of one root, as `stages.resolve_stages` gives them.
    """
    first = configs[0]
    tables = {
        f"stage{config.stage}": config.model_dump(mode="json", exclude=set(OF_THE_RUN))
        for config in configs
    }
    return present({"out": str(Path(first.out).parent), "init": first.init, **tables})


def present(values: Mapping[str, object]) -> Tree:
    """The values that are not `None`, in sections too."""
    return {
        key: present(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }


def read_preset(name: str) -> Tree:
    """The parsed TOML of a packaged preset, or of the scale `tiny`."""
    file = resources.files("avatar_core.config").joinpath("presets", f"{name}.toml")
    return tomllib.loads(file.read_text("utf-8"))


def read_toml(path: Path) -> Tree:
    """Parse a TOML configuration file.

    Raises:
        UsageError: missing, larger than 1 MiB or not TOML.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--config {path}: cannot be read ({error.strerror})") from error
    if len(data) > MAX_CONFIG_BYTES:
        raise UsageError(f"--config {path}: larger than {MAX_CONFIG_BYTES} bytes")
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"--config {path}: not valid TOML ({error})") from error


def parse_assignment(text: str) -> Tree:
    """Turn `a.b=value` into {"a": {"b": value}}; the value is TOML, else plain text."""
    key, equals, raw = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--set {text!r}: expected key=value, for example --set optim.lr=1e-4")
    try:
        value = tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        value = raw
    tree: Any = value
    for part in reversed(key.strip().split(".")):
        tree = {part: tree}
    return dict(tree)


def merge(base: Tree, extra: Mapping[str, Any], whole: Collection[str] = ("weights",)) -> None:
    """Merge `extra` into `base` in place: tables key by key, but those named in `whole` replace.

    Reward weights are such a table: a preset's weights and a user's are alternatives.
    """
    for key, value in extra.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict) and key not in whole:
            merge(base[key], value, whole)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def validate(model: type[Model], tree: Mapping[str, Any]) -> Model:
    """Validate a tree; the first problem becomes a `UsageError` with key, value and remedy."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        problem = error.errors()[0]
        path = [str(part) for part in problem["loc"]]
        key = ".".join(path)
        if problem["type"] == "extra_forbidden":
            remedy = instead(key, list(dotted_keys(model)), training=model is TrainConfig)
            raise UsageError(f"unknown configuration key {key!r}; {remedy}") from error
        said = problem["msg"].removeprefix("Value error, ")
        if not key:
            raise UsageError(said) from error
        value = json.dumps(_without_keys(key, problem["input"]), default=str)[:80]
        raise UsageError(f"configuration key {key}={value}: {said}") from error


def _without_keys(key: str, value: object) -> object:
    """A refused value as it may be shown: an address without the key that it may hold."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    holds_address = key == "judge" or key.endswith("url") or "://" in text
    return redacted(text) if holds_address else value


def dotted_keys(model: type[BaseModel], prefix: str = "") -> Iterable[str]:
    """All dotted leaf keys of a configuration model."""
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from dotted_keys(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


def frozen_changes(old: TrainConfig, new: TrainConfig) -> list[str]:
    """Fields that differ and may not change on resume, as `key: old -> new`."""
    before, after = flatten(old.model_dump(mode="json")), flatten(new.model_dump(mode="json"))
    changes = []
    for key in sorted(before.keys() | after.keys()):
        free = key in FREE_ON_RESUME or key.split(".")[0] in FREE_ON_RESUME
        if before.get(key) != after.get(key) and not free:
            changes.append(f"{key}: {before.get(key)} -> {after.get(key)}")
    return changes


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted leaves of a nested mapping."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            leaves.update(flatten(value, f"{prefix}{key}."))
        else:
            leaves[prefix + key] = value
    return leaves
