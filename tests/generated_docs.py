"""Writes the parts of docs/ that follow from the code; a test fails when they are stale.

python -m tests.generated_docs --write

`commands.md` is written whole. In other documents what stands between the two marks of a part is
replaced.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import typer
from pydantic import BaseModel

from avatar_cli.app import app
from avatar_core.config.resolve import flatten, preset_names, resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.records import CompletionRow, EvalRow, GroupRow, MetricsRow

DOCS = Path(__file__).resolve().parent.parent / "docs"
SHARED = ("--json", "--quiet", "--debug", "--help")
"""Options of every command, told once."""
KINDS = {
    "int": "N",
    "integer": "N",
    "float": "X",
    "path": "PATH",
    "directory": "PATH",
    "file": "PATH",
}
"""What an option's value is called, by its type; anything else is a text."""
HEAD = """# Commands

Generated from the program by `python -m tests.generated_docs --write`.

Every command also takes `--json` (one JSON document on standard output and nothing else there),
`-q`, `--quiet` (no progress, no notes), `--debug` (the traceback of an error) and `-h`, `--help`.
`avatar --version` prints the version. Exit codes are in [errors.md](errors.md).
"""


class Model(NamedTuple):
    """Sizes of a published thinker, from which memory follows."""

    name: str
    """Short name."""
    parameters: int
    """All weights, towers and head included."""
    adapter: int
    """Weights of a rank 8 adapter on every linear layer but the head."""
    layers: int
    """Layers of the text model."""
    hidden: int
    """Width of the text model."""
    intermediate: int
    """Width inside its feed-forward layers."""
    kv: int
    """Width of keys, and of values, of one layer: heads of keys times 128."""


MODELS = (
    Model("Qwen2.5-Omni-3B", 4_703_464_448, 27_261_952, 36, 2048, 11008, 256),
    Model("Qwen2.5-Omni-7B", 8_931_813_888, 32_504_832, 28, 3584, 18944, 512),
)
PROMPT = 1300
"""Tokens of a prompt in the table: 16 frames of 224 x 224 and half a minute of sound."""
GROUP = 8
GIB = 1 << 30


def table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(escaped, line))} |" for line in lines)


def escaped(cell: str) -> str:
    """A text as a cell: bars are escaped, and outside of code what would be taken for a tag."""
    pieces = cell.replace("|", r"\|").split("`")
    pieces[::2] = [piece.replace("<", r"\<") for piece in pieces[::2]]
    return "`".join(pieces)


def commands(command: Any, path: str = "avatar") -> Iterator[tuple[str, Any]]:
    """Every command that does something, with the words that call it, in order of the help."""
    for name, one in command.commands.items():
        words = f"{path} {name}"
        yield from commands(one, words) if hasattr(one, "commands") else [(words, one)]


def value_name(parameter: Any) -> str:
    """What stands for the value of an option, empty for a flag."""
    if getattr(parameter, "is_flag", False):
        return ""
    if choices := getattr(parameter.type, "choices", None):
        return "|".join(map(str, choices))
    kind = str(getattr(parameter.type, "name", "")).partition(" ")[0]
    return str(parameter.metavar or KINDS.get(kind, "TEXT"))


def option_row(parameter: Any) -> list[str]:
    """An option as a row: how it is written, and what it does."""
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    told = (parameter.help or "").strip()
    default = parameter.default
    plain = isinstance(default, str | int | float) and not isinstance(default, bool)
    if plain and "[default" not in told:
        told += f" [default: {default}]"
    return [f"`{names} {value_name(parameter)}`".replace(" `", "`"), told]


def commands_page() -> str:
    """The whole of commands.md."""
    parts = [HEAD]
    for words, command in commands(typer.main.get_command(app)):
        given = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option"]
        own = [p for p in options if not set(SHARED) & set(p.opts)]
        names = " ".join(p.metavar or p.name.upper() for p in given)
        text = " ".join((command.help or "").split())
        parts.append(f"## {words}\n\n`{words} {names}`\n".replace(" `\n", "`\n") + f"\n{text}\n")
        rows = [[f"`{p.metavar or p.name.upper()}`", p.help or ""] for p in given]
        rows += [option_row(p) for p in own]
        if rows:
            parts.append(table(("argument or option", "meaning"), rows) + "\n")
    return "\n".join(parts)


def preset_table() -> str:
    """The settings in which the presets differ for a large model, stage by stage where needed."""
    names = preset_names()
    found: dict[str, dict[str, list[str]]] = {}
    for name in names:
        for stage in (1, 2, 3):
            config = resolve_train(stage=stage, preset=name, flags={"model": "some/model"})
            for key, value in settings_of(config).items():
                if key not in ("out", "stage", "preset"):
                    found.setdefault(key, {}).setdefault(name, []).append(shown(value))
    rows = [
        [f"`{key}`", *(by_stage(of[name]) for name in names)]
        for key, of in sorted(found.items())
        if len(set(map(tuple, of.values()))) > 1
    ]
    return table(("setting", *(f"`{name}`" for name in names)), rows)


def by_stage(values: Sequence[str]) -> str:
    """The values of stages 1 to 3, as one where they agree."""
    if len(set(values)) == 1:
        return values[0]
    return "; ".join(f"stage {stage}: {value}" for stage, value in enumerate(values, start=1))


def settings_of(config: TrainConfig) -> dict[str, Any]:
    """Dotted settings; reward weights are one of them, as they replace each other whole."""
    document = config.model_dump(mode="json")
    weights = document["reward"].pop("weights")
    told = ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
    return {**flatten(document), "reward.weights": told}


def shown(value: object) -> str:
    """A value as a table has it."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def settings_table() -> str:
    """Every setting of a training run with its default and meaning."""
    rows = [
        [f"`{key}`", shown(default), meaning.replace("\n", " ")]
        for key, default, meaning in fields(TrainConfig, "")
    ]
    return table(("key", "default", "meaning"), rows)


def fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, object, str]]:
    """Dotted leaves of a configuration with default and description."""
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from fields(kind, f"{prefix}{name}.")
        else:
            default = info.get_default(call_default_factory=True, validated_data={})
            if isinstance(default, Mapping):
                default = ", ".join(f"{key} {value}" for key, value in default.items())
            if isinstance(default, tuple):
                default = list(default) or None
            yield f"{prefix}{name}", default, info.description or ""


def record_table(kind: type[BaseModel]) -> str:
    """The fields of a row or document on disk."""
    rows = [
        [f"`{info.alias or name}`", (info.description or "").replace("\n", " ")]
        for name, info in kind.model_fields.items()
    ]
    return table(("field", "meaning"), rows)


def memory_table() -> str:
    """Memory of one training step by formula, in GiB."""
    rows = []
    for model in MODELS:
        for tuning in ("LoRA", "full"):
            for length in (512, 2048):
                rows.append([model.name, tuning, str(length), *memory(model, tuning, length)])
    head = ("model", "tuning", "new tokens", "weights and optimiser", "KV cache")
    return table((*head, "activations", "with checkpointing", "sum with checkpointing"), rows)


def memory(model: Model, tuning: str, length: int) -> list[str]:
    """The cells of a row: what `gpu_recipe.md` calls W, K, A, C and W + max(K, C)."""
    width = 2 if tuning == "LoRA" else 4
    if tuning == "LoRA":
        weights = 2 * model.parameters + 16 * model.adapter
    else:
        weights = 16 * model.parameters + 4 * model.parameters
    tokens = PROMPT + GROUP * length
    cache = 2 * model.kv * model.layers * width * tokens
    kept = 7 * model.hidden + 4 * model.intermediate
    activations = kept * model.layers * width * tokens
    checkpointed = (model.hidden * model.layers + kept) * width * tokens
    total = weights + max(cache, checkpointed)
    return [f"{size / GIB:.1f}" for size in (weights, cache, activations, checkpointed, total)]


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "presets.md": {"presets": preset_table, "settings": settings_table},
    "gpu_recipe.md": {"memory": memory_table},
    "data_formats.md": {
        kind.__name__: partial(record_table, kind)
        for kind in (MetricsRow, GroupRow, CompletionRow, EvalRow)
    },
}


def marked(name: str) -> tuple[str, str]:
    """The lines between which a part stands."""
    return f"<!-- begin {name}, generated -->\n", f"\n<!-- end {name} -->"


def pages() -> dict[Path, str]:
    """Every document with generated parts, as it should be."""
    found = {DOCS / "commands.md": commands_page()}
    for file, parts in PARTS.items():
        text = (DOCS / file).read_text(encoding="utf-8")
        for name, make in parts.items():
            begin, end = marked(name)
            if text.count(begin) != 1 or text.count(end) != 1:
                raise ValueError(f"{file}: the marks of part {name} must be there once")
            before, after = text.partition(begin)[0], text.partition(end)[2]
            text = before + begin + make() + end + after
        found[DOCS / file] = text
    return found


def stale() -> dict[Path, str]:
    """Documents that are not as they should be, and what they should hold."""
    return {
        path: text
        for path, text in pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the generated parts of docs/.")
    parser.add_argument("--write", action="store_true", help="Write; without it only compare.")
    write = parser.parse_args().write
    due = stale()
    for path, text in due.items():
        if write:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.name}: {'written' if write else 'stale'}\n")
    sys.exit(0 if write else len(due))
