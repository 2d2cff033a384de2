"""Turn a table of questions about a folder of videos into the rows that `avatar train` reads.

python examples/own_data/rows_from_csv.py my_data/questions.csv --hold-out 1

Line N of `questions.jsonl` is row N of the table, unless videos are held out. What is wrong with a
question is not looked at here: `avatar train --dry-run` does that, and names the line.
"""

import argparse
import csv
import io
import json
import re
import sys
from pathlib import Path

REQUIRED = ("video", "question", "answer")
KNOWN = (*REQUIRED, "options", "type", "id", "hint", "audio_cues", "stage")
KINDS = {
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp", ".bmp"), "images"),
    **dict.fromkeys((".wav", ".mp3", ".flac", ".ogg", ".m4a"), "audios"),
}
"""What a file is by its suffix; everything else is a video."""
NUMBER = re.compile(
    r"[-+−]?(?=\.?[0-9])(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\.?"
)
"""Numbers as the numerical reward reads them: "1,000" is a thousand, "3,5" is not one number."""


def read_table(path):
    """The rows of a table with commas or semicolons between its columns, as mappings."""
    text = path.read_text(encoding="utf-8-sig")
    header = text.partition("\n")[0]
    if not header.strip():
        what = "the first line" if text.strip() else "the file"
        raise SystemExit(f"{path}: {what} is empty; begin with the line {','.join(REQUIRED)}")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    if missing := [name for name in REQUIRED if name not in names]:
        raise SystemExit(f"{path}: no column {missing[0]!r}; its columns are {', '.join(names)}")
    if unknown := [name for name in names if name not in KNOWN]:
        raise SystemExit(f"{path}: unknown column {unknown[0]!r}; known: {', '.join(KNOWN)}")
    entries = []
    for row in rows:
        if None in row:
            raise SystemExit(f"{path}:{rows.line_num}: more cells than columns; quote its texts")
        entries.append({key.strip(): (value or "").strip() for key, value in row.items()})
    if not entries:
        raise SystemExit(f"{path}: the table has no rows; write one question a row below its names")
    return entries


def row_of(entry):
    """One row of the table as a row of training data; empty cells are left out."""
    options = [option.strip() for option in entry.get("options", "").split("|") if option.strip()]
    row = {"question": entry["question"]}
    for name in filter(None, (name.strip() for name in entry["video"].split("|"))):
        kind = KINDS.get(Path(name).suffix.lower(), "videos")
        row.setdefault(kind, []).append(f"videos/{name}")
    row |= {"options": options} if options else {}
    row["solution"] = entry["answer"]
    row["problem_type"] = entry.get("type") or type_of(options, entry["answer"])
    row |= {key: entry[key] for key in ("id", "hint", "audio_cues", "stage") if entry.get(key)}
    if row.get("stage", "").isdecimal():
        row["stage"] = int(row["stage"])
    return row


def type_of(options, answer):
    """The problem type where the table names none."""
    if options:
        return "multiple choice"
    return "numerical" if NUMBER.fullmatch(answer) else "free-form"


def write_rows(table, hold_out):
    """Write `questions.jsonl` beside a table, and `held_out.jsonl` when videos are held out.

    Args:
        table: path of the CSV file.
        hold_out: number of videos, the last by name, whose questions are kept for measuring. A
            video is never in both files.

    Returns:
        The files written.
    """
    entries = read_table(table)
    videos = sorted({entry["video"] for entry in entries})
    if hold_out >= len(videos):
        raise SystemExit(f"--hold-out {hold_out}: there are {len(videos)} videos; hold out fewer")
    held = set(videos[len(videos) - hold_out :]) if hold_out else set()
    files = {"questions.jsonl": [], "held_out.jsonl": []}
    for entry in entries:
        files["held_out.jsonl" if entry["video"] in held else "questions.jsonl"].append(entry)
    written = []
    for name, rows in files.items():
        if rows:
            path = table.with_name(name)
            lines = [json.dumps(row_of(entry), ensure_ascii=False) for entry in rows]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            written.append(path)
    return written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Turn questions.csv into questions.jsonl.")
    parser.add_argument("table", type=Path)
    parser.add_argument("--hold-out", type=int, default=0, metavar="N", help="videos to measure on")
    arguments = parser.parse_args()
    for file in write_rows(arguments.table, arguments.hold_out):
        sys.stdout.write(f"{file}\n")
