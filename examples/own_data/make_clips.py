"""Make a folder as a stranger would bring one: five short videos and a table of questions.

python examples/own_data/make_clips.py my_data
"""

import argparse
import csv
import shutil
from pathlib import Path

from avatar_core.data.scenes import scene_samples

CLIPS = 5
COLUMNS = ("video", "question", "options", "answer", "type")


def make_clips(folder: Path) -> Path:
    """Write `videos/clip1.mp4` and so on, and `questions.csv` beside them.

    Args:
        folder: is made where it is missing.

    Returns:
        The table.
    """
    videos = folder / "videos"
    videos.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, sample in enumerate(scene_samples(split="train", stage=2, count=CLIPS), start=1):
        name = f"clip{number}.mp4"
        shutil.copyfile(sample.media[0].path, videos / name)
        # Any lettered answer may be given as the letter or as the text of the option.
        options = " | ".join(sample.options)
        rows.append((name, sample.question, options, sample.solution, sample.problem_type))
    table = folder / "questions.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make five sample clips and a table of questions.")
    parser.add_argument("folder", type=Path)
    make_clips(parser.parse_args().folder)
