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
from typing import Any

import torch
import typer
from pydantic import BaseModel
from transformers import Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

from avatar_cli.app import app
from avatar_core.config.resolve import flatten, preset_names, resolve_train
from avatar_core.config.train import TrainConfig
from avatar_core.evaluation_records import EvalRow
from avatar_core.records import CompletionRow, GroupRow, MetricsRow
from avatar_core.training.memory import Load, estimate
from avatar_core.training.memory_inputs import thinker_of
from avatar_core.training.memory_layers import Pass, Precision, Thinker
from tests.models.full_shape import FULL_3B, FULL_7B

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


PROMPT = 1300
"""Tokens of a prompt of the table of memory: 16 frames of 224 x 224, half a minute of sound."""
PATCHES = 2048
FRAMES = 3000
"""Mel frames of that prompt."""
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
    found = preset_values("some/model")
    return settings_by_preset(
        {key: of for key, of in found.items() if len(set(map(tuple, of.values()))) > 1}
    )


def tiny_table() -> str:
    """The settings of the embedded model that differ from those of a large one in some preset."""
    large = preset_values("some/model")
    return settings_by_preset(
        {key: of for key, of in preset_values("tiny").items() if of != large[key]}
    )


def preset_values(model: str) -> dict[str, dict[str, list[str]]]:
    """By setting and preset, the values of stages 1 to 3."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in preset_names():
        for stage in (1, 2, 3):
            config = resolve_train(stage=stage, preset=name, flags={"model": model})
            for key, value in settings_of(config).items():
                if key not in ("out", "stage", "preset", "model"):
                    found.setdefault(key, {}).setdefault(name, []).append(shown(value))
    return found


def settings_by_preset(found: Mapping[str, Mapping[str, list[str]]]) -> str:
    """A table with a row per setting and a column per preset."""
    names = preset_names()
    rows = [
        [f"`{key}`", *(by_stage(of[name]) for name in names)] for key, of in sorted(found.items())
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
    """Memory of one training step of the published models, in GiB."""
    rows = [
        [name, tuning, str(length), *memory(thinker_of(model, rank), rank, length)]
        for name, model in published_models().items()
        for tuning, rank in (("LoRA", 8), ("full", 0))
        for length in (512, 2048)
    ]
    head = ("model", "tuning", "new tokens", "always", "update", "with checkpointing", "step")
    return table((*head, "highest", "with checkpointing"), rows)


def memory(thinker: Thinker, rank: int, length: int) -> list[str]:
    """The figures of a row: what is always held, update, step and peak, with checkpointing too."""
    precision = Precision(2 if rank else 4, rank)
    batch = Pass(1, PROMPT, GROUP, length, PATCHES, FRAMES)
    kept, again = (
        estimate(
            thinker,
            precision,
            Load(((batch,),), batch, None, True, checkpointing, False, 0, 0, 0, 0),
            base=0,
            gpu=True,
        )
        for checkpointing in (False, True)
    )
    update, cheaper = (sum(one.phases["update"].values()) for one in (kept, again))
    sizes = (sum(kept.always.values()), update, cheaper, sum(kept.phases["step"].values()))
    return [f"{size / GIB:.1f}" for size in (*sizes, kept.peak, again.peak)]


def published_models() -> dict[str, Any]:
    """The published thinkers without their weights."""
    found = {}
    for name, shape, layers in (("3B", FULL_3B, 36), ("7B", FULL_7B, 28)):
        config = Qwen2_5OmniThinkerConfig(
            text_config={**shape.text, "num_hidden_layers": layers},
            vision_config={**shape.vision, "depth": 32, "fullatt_block_indexes": [7, 15, 23, 31]},
            audio_config={**shape.audio, "encoder_layers": 32},
        )
        with torch.device("meta"):
            model = Qwen2_5OmniThinkerForConditionalGeneration(config)
        found[f"Qwen2.5-Omni-{name}"] = model
    return found


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "presets.md": {"presets": preset_table, "tiny": tiny_table, "settings": settings_table},
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
