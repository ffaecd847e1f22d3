"""The synthetic scene: the same seed gives the same frames, and the masks are where the polyps are."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

import av
import numpy as np
import pytest

from assets.scene import Scene
from assets.scene.camera import Lens
from engine.drawing import rle

SIZE_PX = (64, 48)


@lru_cache(maxsize=4)
def scene(seed: int = 3, polyps: int | None = None) -> Scene:
    return Scene(seed, duration_s=6.0, polyps=polyps, texture_px=64)


def test_the_same_seed_renders_the_same_frame_and_mask():
    again = Scene(3, duration_s=6.0, texture_px=64)

    for first, second in zip(scene().render(2.0, *SIZE_PX), again.render(2.0, *SIZE_PX), strict=True):
        np.testing.assert_array_equal(first, second)


def test_another_seed_is_another_colon():
    assert not np.array_equal(scene(3).render(1.0, *SIZE_PX)[0], scene(4).render(1.0, *SIZE_PX)[0])


def test_frame_and_mask_have_the_asked_size_and_type():
    image, mask = scene().render(0.5, 80, 60)

    assert (image.shape, image.dtype) == ((60, 80, 3), np.uint8)
    assert (mask.shape, mask.dtype) == ((60, 80), np.bool_)


def test_the_camera_moves():
    assert not np.array_equal(scene().render(1.0, *SIZE_PX)[0], scene().render(1.5, *SIZE_PX)[0])


def test_without_polyps_every_mask_is_empty():
    assert not any(scene(polyps=0).render(t_s, *SIZE_PX)[1].any() for t_s in (0.5, 2.5, 4.5))


def test_the_mask_is_where_the_polyp_projects_to():
    lens = Lens.of(*SIZE_PX)
    seen = 0
    for t_s in np.arange(0.0, 6.0, 0.75):
        _, mask = scene().render(t_s, *SIZE_PX)
        if not mask.any():
            continue
        seen += 1
        rows, columns = np.nonzero(mask)
        middles = np.stack([polyp.middle for polyp in scene().polyps])
        x, y = lens.project(scene().path.pose(t_s), middles)
        nearest_px = np.hypot(x - np.median(columns), y - np.median(rows)).min()
        assert nearest_px < 12, f"at {t_s} s the mask is {nearest_px:.0f} px from any polyp"
    assert seen > 0


def test_the_polyp_is_what_differs_from_the_same_colon_without_it():
    with_polyps, without = scene(), scene(polyps=0)
    t_s = max(np.arange(0.0, 3.0, 0.5), key=lambda t: with_polyps.render(t, *SIZE_PX)[1].sum())
    point = with_polyps.polyps[0].middle[None]

    d_with = with_polyps.polyps[0].distance(*point.T.copy())
    d_wall = without.colon.distance(*point.T.copy())

    assert with_polyps.render(t_s, *SIZE_PX)[1].any()
    assert d_with[0] < 0 < d_wall[0]  # the polyp's middle is tissue; without it that place is open


def test_the_corners_outside_the_octagon_are_dark_and_never_masked():
    image, mask = scene().render(1.0, *SIZE_PX)
    outside = Lens.of(*SIZE_PX).visible == 0

    assert image[outside].max() < 30
    assert not mask[outside].any()


@pytest.fixture(scope="module")
def demo():
    folder = files("assets") / "demo"
    clip = folder / "demo.mp4"
    with av.open(str(clip)) as container:
        stamps = sorted(packet.pts * packet.time_base for packet in container.demux(video=0) if packet.size)
    text = (folder / "demo.masks.jsonl").read_text(encoding="utf-8")
    return stamps, [json.loads(line) for line in text.splitlines()]


def test_the_bundled_demonstration_has_one_mask_line_for_each_frame(demo):
    stamps, lines = demo

    assert [line["index"] for line in lines] == list(range(len(stamps)))
    assert [line["pts_s"] for line in lines] == pytest.approx([float(stamp) for stamp in stamps], abs=1e-4)


def test_the_bundled_demonstration_has_frames_with_and_without_polyps(demo):
    _, lines = demo
    shares = [0.0 if line["mask"] is None else float(rle.decode(line["mask"]).mean()) for line in lines[::10]]

    assert max(shares) > 0.02
    assert min(shares) == 0.0
