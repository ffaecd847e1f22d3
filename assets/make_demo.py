"""Renders the demonstration: a clip of the synthetic scene and its exact masks.

python -m assets.make_demo                                # assets/demo/demo.mp4 and demo.masks.jsonl
python -m assets.make_demo --seed 7 --frames 40 --out DIR  # stills and masks of another patient
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from tqdm import tqdm

from assets.scene import Scene
from engine.drawing import rle
from engine.drawing.components import Patch
from engine.files.whole import write_json_lines
from engine.jobs.process import safe_path
from engine.types import U8, Rect

FOLDER = Path(__file__).parent / "demo"
SEED = 94  # chosen by its masks: all four kinds come near, and three seconds have none in view
DURATION_S = 24.0
RATE_HZ = 30
SIZE_PX = (640, 480)

_scene: Scene | None = None


def _open_scene(seed: int, duration_s: float) -> None:
    global _scene  # one scene a process: its textures are made once
    cv2.setNumThreads(1)
    _scene = Scene(seed, duration_s)


def _rendered(t_s: float) -> tuple[U8, rle.Rle | None]:
    assert _scene is not None
    frame, mask = _scene.render(t_s, *SIZE_PX)
    return frame, _encoded(mask.astype(np.uint8)) if mask.any() else None


def _encoded(mask: U8) -> rle.Rle | None:
    height_px, width_px = mask.shape
    whole = Patch(Rect(0, 0, width_px, height_px), np.asfortranarray(mask), components=())
    return rle.encode_patches([whole], width_px, height_px)


def rendered(
    seed: int, duration_s: float, times_s: list[float], workers: int
) -> Iterator[tuple[U8, rle.Rle | None]]:
    """(uint8 RGB [h, w, 3], mask as RLE or None) of each time, in order, rendered by `workers` processes."""
    context = multiprocessing.get_context("spawn")
    with safe_path(), context.Pool(workers, _open_scene, (seed, duration_s)) as pool:
        yield from tqdm(pool.imap(_rendered, times_s, chunksize=4), total=len(times_s), unit="frame")


def write_clip(folder: Path, seed: int, duration_s: float, workers: int) -> None:
    """`demo.mp4` (H.264, BT.709 limited, tagged) and `demo.masks.jsonl`, a line a frame; the clip is last."""
    folder.mkdir(parents=True, exist_ok=True)
    times_s = [k / RATE_HZ for k in range(round(duration_s * RATE_HZ))]
    aside = folder / "demo.mp4.partial"
    lines = []
    try:
        with av.open(str(aside), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=RATE_HZ, options={"crf": "23", "preset": "slow"})
            stream.width, stream.height = SIZE_PX
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            context.time_base = Fraction(1, RATE_HZ)
            context.color_range = 1  # limited
            context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
            for index, (image, mask) in enumerate(rendered(seed, duration_s, times_s, workers)):
                picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                )
                picture.pts, picture.time_base = index, Fraction(1, RATE_HZ)
                container.mux(stream.encode(picture))
                lines.append({"index": index, "pts_s": round(index / RATE_HZ, 6), "mask": mask})
            container.mux(stream.encode(None))
        write_json_lines(folder / "demo.masks.jsonl", lines)
        aside.replace(folder / "demo.mp4")
    finally:
        aside.unlink(missing_ok=True)


def write_stills(folder: Path, seed: int, duration_s: float, count: int, workers: int) -> None:
    """`images/NAME.png` and `masks/NAME.png` (0/255) of `count` moments spread over the scene."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "masks").mkdir(exist_ok=True)
    times_s = ((np.arange(count) + 0.5) * duration_s / count).tolist()
    for t_s, (image, mask) in zip(times_s, rendered(seed, duration_s, times_s, workers), strict=True):
        name = f"scene{seed:04d}_{round(t_s * 1000):06d}.png"
        shown = rle.decode(mask) if mask else np.zeros(image.shape[:2], np.uint8)
        cv2.imwrite(str(folder / "images" / name), image[..., ::-1])
        cv2.imwrite(str(folder / "masks" / name), shown * 255)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m assets.make_demo", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--duration-s", type=float, default=DURATION_S)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--frames", type=int, help="write so many stills with masks instead of the clip")
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    if given.frames:
        if given.out == FOLDER:
            parser.error("--frames needs --out DIR: stills do not belong into assets/demo")
        write_stills(given.out, given.seed, given.duration_s, given.frames, given.workers)
    else:
        write_clip(given.out, given.seed, given.duration_s, given.workers)


if __name__ == "__main__":
    main()
