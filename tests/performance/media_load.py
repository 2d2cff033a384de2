"""Loading a clip beside `process_mm_info` of qwen-omni-utils, as one JSON document on stdout.

    python -m tests.performance.media_load [--seconds 30] [--repeats 7] [--cores 1]
                                           [--keyframes 250]

Both read the same H.264 and AAC file of 1280 x 720: as many frames, brought to the same size, and
the whole sound. It is checked that the frames are equal bit by bit and the sound within 1e-3. The
family's function decodes sound by an `ffmpeg` program, which has to be on the PATH.

Ours is timed cold with a running worker (`cold`: the file is decoded, nothing is kept), cold with a
new loader, whose worker starts first (`cold_start`), warm from disk by a new loader (`disk`), and
warm from memory (`memory`). The system has the file in memory throughout. All processes of both
sides share `--cores` cores, so that by default the worker adds none; processor time is that of all
processes. `floor` is what remains with sound, colours and sizes for nothing: the frames that must
be decoded for the ones asked, at the rate at which one thread decodes all frames of the file.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image
from qwen_omni_utils import process_mm_info

from avatar_core.config.media import MediaConfig
from avatar_core.media import MediaLoader
from avatar_core.media.disk_cache import VARIABLE
from avatar_core.types import Clip, MediaRef
from tests.performance.measuring import arguments, in_turns, ratio, report, spread

HEIGHT, WIDTH, FPS = 720, 1280, 25
SOUND_RATE = 44100
SQUARE = 120
SOUND_TOLERANCE = 1e-3


def moving_frame(canvas: np.ndarray, grain: np.ndarray, number: int) -> np.ndarray:
    """uint8 RGB [720, 1280, 3]: a camera that pans over a texture, grain, squares that cross it."""
    x, y = int(400 + 300 * np.sin(number / 60)), int(200 + 150 * np.cos(number / 45))
    frame = canvas[y : y + HEIGHT, x : x + WIDTH] + grain[number % len(grain)]
    for square in range(4):
        left = (number * (5 + 2 * square) + 300 * square) % (WIDTH - SQUARE)
        top = (number * (3 + square) + 150 * square) % (HEIGHT - SQUARE)
        colour = (60 * square, 255 - 50 * square, number * 3 % 256)
        frame[top : top + SQUARE, left : left + SQUARE] = colour
    moved: np.ndarray = frame
    return moved


def two_tones(seconds: int) -> np.ndarray:
    """float32 [2, samples]: a rising tone and a steady one, faded in and out."""
    moment = np.arange(seconds * SOUND_RATE) / SOUND_RATE
    rising, steady = 2 * np.pi * (300 + 20 * moment) * moment, 2 * np.pi * 1200 * moment
    fade = np.clip(np.minimum(moment, seconds - moment) / 0.2, 0, 1)
    return (np.stack([0.3 * np.sin(rising), 0.2 * np.sin(steady)]) * fade).astype(np.float32)


def write_film(path: Path, seconds: int, keyframes: int, seed: int) -> None:
    """Write the clip as x264 does by default but for the distance of keyframes."""
    draw = np.random.default_rng(seed)
    coarse = Image.fromarray(draw.integers(8, 248, (150, 280, 3)).astype(np.uint8))
    canvas = np.asarray(coarse.resize((280 * 8, 150 * 8), Image.Resampling.BICUBIC))
    canvas = np.clip(canvas, 8, 247)
    grain = draw.integers(0, 7, (8, HEIGHT, WIDTH, 1)).astype(np.uint8)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=FPS, options={"g": str(keyframes)})
        picture.height, picture.width, picture.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        track = container.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        for number in range(seconds * FPS):
            frame = av.VideoFrame.from_ndarray(moving_frame(canvas, grain, number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        sound = av.AudioFrame.from_ndarray(two_tones(seconds), format="fltp", layout="stereo")
        sound.sample_rate, sound.pts, sound.time_base = SOUND_RATE, 0, Fraction(1, SOUND_RATE)
        blocks = av.AudioFifo()
        blocks.write(sound)
        while (block := blocks.read(1024, partial=True)) is not None:
            container.mux(track.encode(block))
        container.mux(track.encode(None))


def of_the_family(path: Path, config: MediaConfig) -> tuple[np.ndarray, np.ndarray]:
    """Frames [frames, height, width, 3] and sound [samples] as the family's function reads them."""
    names = ("fps", "min_frames", "max_frames", "min_pixels", "max_pixels")
    video = {name: getattr(config, name) for name in names} | {"type": "video", "video": str(path)}
    talk = [{"role": "user", "content": [video]}]
    sounds, _, videos = process_mm_info(talk, use_audio_in_video=True)
    return videos[0].permute(0, 2, 3, 1).numpy(), sounds[0]


def check_equal(clip: Clip, frames: np.ndarray, sound: np.ndarray) -> float:
    """Largest difference of two samples of sound; ends the run where frames or sound differ."""
    if clip.frames is None or clip.sound is None or clip.sound.shape != sound.shape:
        sys.exit("not the same parts")
    if not np.array_equal(clip.frames, frames):
        sys.exit("frames differ")
    difference = float(np.abs(clip.sound - sound).max())
    if difference > SOUND_TOLERANCE:
        sys.exit(f"sound differs by {difference}")
    return difference


def processor_seconds(loader: MediaLoader) -> float:
    """Processor time of this process, of those it has waited for and of a loader's workers."""
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        spent += usage.ru_utime + usage.ru_stime
    for worker in loader._pool._workers:
        if worker.pid is not None:
            fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
            spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def decoding_floor(path: Path, asked: int) -> dict[str, float]:
    """Frames that others refer to, and processor seconds to decode them and the ones asked for.

    By the mean of all frames; measured, those that others refer to take longer than that.
    """
    counts, seconds = {}, {}
    for skipped in ("NONREF", "DEFAULT"):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_count, stream.codec_context.skip_frame = 1, skipped
            begun = time.process_time()
            counts[skipped] = sum(1 for _ in container.decode(stream))
            seconds[skipped] = time.process_time() - begun
    each = seconds["DEFAULT"] / counts["DEFAULT"]
    return {
        "frames": counts["DEFAULT"],
        "referred_to": counts["NONREF"],
        "seconds_a_frame": round(each, 6),
        "seconds": round(each * min(counts["DEFAULT"], counts["NONREF"] + asked), 4),
        "seconds_of_referred_to": round(seconds["NONREF"], 4),
    }


def compare(path: Path, config: MediaConfig, repeats: int) -> dict[str, Any]:
    """Time all sides in turns."""
    ref = MediaRef("video", str(path))
    kept_nowhere = config.model_copy(update={"cache_bytes": 0})
    os.environ[VARIABLE] = "0"
    with MediaLoader(kept_nowhere) as decoding, MediaLoader(config) as warm:

        def anew(settings: MediaConfig, disk: int) -> Clip:
            os.environ[VARIABLE] = str(disk)
            with MediaLoader(settings) as loader:
                return loader.load(ref)

        difference = check_equal(warm.load(ref), *of_the_family(path, config))
        anew(config, 1 << 30)
        sides: dict[str, Callable[[], Any]] = {
            "family": lambda: of_the_family(path, config),
            "cold": lambda: decoding.load(ref),
            "cold_start": lambda: anew(kept_nowhere, 0),
            "disk": lambda: anew(config, 1 << 30),
            "memory": lambda: warm.load(ref),
        }
        spent: dict[str, list[float]] = {name: [] for name in sides}

        def counted(name: str) -> Callable[[], None]:
            def load() -> None:
                before = processor_seconds(decoding)
                sides[name]()
                spent[name].append(processor_seconds(decoding) - before)

            return load

        seconds = in_turns({name: counted(name) for name in sides}, repeats)
        processor = {name: values[-repeats:] for name, values in spent.items()}
    fast = [name for name in sides if name != "family"]
    return {
        "sound_difference": difference,
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "processor_seconds": {name: spread(values) for name, values in processor.items()},
        "ratio": {name: ratio(seconds, "family", name) for name in fast},
        "processor_ratio": {name: ratio(processor, "family", name) for name in fast[:2]},
    }


def main() -> None:
    """Write the clip, check both sides, time them."""
    options = arguments(__doc__, seconds=30, repeats=7, cores=1, keyframes=250)
    if shutil.which("ffmpeg") is None:
        sys.exit("no ffmpeg program on the PATH; process_mm_info needs one for the sound")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    seconds, repeats = (2, 1) if options.quick else (options.seconds, options.repeats)
    # Even a busy machine is to finish a clip.
    config = MediaConfig(deadline_seconds=600.0)
    with tempfile.TemporaryDirectory() as name:
        os.environ["AVATAR_CACHE"] = name
        path = Path(name, "film.mp4")
        write_film(path, seconds, options.keyframes, options.seed)
        document = {
            "seconds": seconds,
            "keyframes": options.keyframes,
            "megabits_a_second": round(path.stat().st_size * 8e-6 / seconds, 2),
            "cores": options.cores,
            **compare(path, config, repeats),
            "floor": decoding_floor(path, config.max_frames),
        }
    report(document, options.out)


if __name__ == "__main__":
    main()
