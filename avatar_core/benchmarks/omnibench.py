"""OmniBench: questions about a picture and a sound that need both."""

from __future__ import annotations

from pathlib import Path

from avatar_core.benchmarks.annotations import Row, annotation_rows, data_root
from avatar_core.benchmarks.embedded import embedded_file, payload
from avatar_core.benchmarks.fields import optional_text, raw, text, texts
from avatar_core.benchmarks.ids import content_id, unique_ids
from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.lookup import Found, MediaFiles
from avatar_core.benchmarks.options import bare_options, text_letter
from avatar_core.benchmarks.prompts import QWEN_IDENTITY, lettered, worded_by_style
from avatar_core.benchmarks.registry import Benchmark, Selection, register
from avatar_core.errors import DataError
from avatar_core.types import MediaKind, MediaRef

LAYOUT = """\
data/train-*.parquet               (pictures and sounds inside)
or
dataset/batch-5_1142_20240817.jsonl
mm_data/image/<image_path>
mm_data/audio/<audio_path>"""
ANNOTATIONS = ("**/train*.parquet", "dataset/batch-*.jsonl", "batch-*.jsonl")


def load(root: Path | None, selection: Selection) -> list[Item]:
    """All items: of the Parquet files, whose media go to the cache, or of the authors' list."""
    base = data_root(root, "omnibench", LAYOUT)
    rows = annotation_rows(base, *ANNOTATIONS, layout=LAYOUT)
    files = MediaFiles(base)
    return unique_ids([_item(row, files) for row in rows])


def _item(row: Row, files: MediaFiles) -> Item:
    picture, sound = _medium(row, "image", files), _medium(row, "audio", files)
    question = text(row, "question").strip()
    options = bare_options(texts(row, "options"))
    number = optional_text(row, "index") or content_id(question, *options)
    task, heard = optional_text(row, "task type"), optional_text(row, "audio type")
    return Item(
        id=number.strip(),
        benchmark="omnibench",
        subset="",
        media=(MediaRef("image", picture.path), MediaRef("audio", sound.path)),
        question=question,
        options=options,
        gold=_gold(row, options),
        answer_kind="mc",
        groups={
            **({"audio_type": (heard.strip().casefold(),)} if heard else {}),
            **({"task_type": (task.strip(),)} if task else {}),
        },
        missing=(*picture.lacking, *sound.lacking),
        raw=raw(row),
    )


def _gold(row: Row, options: tuple[str, ...]) -> str:
    """The gold is a text, never a letter; in a pre-lettered row it carries its letter as well."""
    answer = text(row, "answer")
    given = [option.strip() for option in texts(row, "options")]
    return text_letter(answer, given if answer.strip() in given else options, row.place)


def _medium(row: Row, kind: MediaKind, files: MediaFiles) -> Found:
    """The file of a medium: embedded in the row, or named by it."""
    content, path = payload(row.fields.get(kind))
    named = optional_text(row, f"{kind}_path") or path
    if content:
        return Found(embedded_file(content, kind, name=f"{row.place}: {kind}", called=named), False)
    if not named:
        raise DataError(f"{row.place}: has no {kind} and no {kind}_path; fetch the file again")
    return files.file(f"mm_data/{kind}/{named}", f"{kind}/{named}", named, place=row.place)


def _official(item: Item) -> str:
    return (
        "Answer from what the picture shows and the sound tells, with one of the options.\n"
        f"Question: {item.question}\nOptions:\n{lettered(item.options)}\n"
        "Reply with the letter of the option."
    )


def _authors(item: Item) -> str:
    *rest, last = lettered(item.options, "{letter}", " ").split()
    return (
        "This is a multiple-choice question about the given image and audio. Choose the one "
        f"option that is right.\n\nQuestion: {item.question}\nChoices:\n"
        f"{lettered(item.options)}\n\nReply with one capital letter, {', '.join(rest)} or {last}, "
        "and no other text. Put the letter in answer tags, for example <answer>A</answer>."
    )


OMNIBENCH = register(
    Benchmark(
        name="omnibench",
        dataset=("m-a-p/OmniBench", "lmms-lab-audio/Omni_Bench_fix", "lmms-lab/Omni_Bench_fix"),
        items=1142,
        media="image + audio",
        metric="accuracy",
        load=load,
        ask=worded_by_style(_official, _authors),
        layout=LAYOUT,
        system={"authors": QWEN_IDENTITY},
        splits=("train",),
    )
)
