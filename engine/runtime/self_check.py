"""`python -m engine.runtime.self_check MODEL ...`: a frame of the demonstration must give its stored mask.

It meets what no hash can: a library, a driver or a device that computes something else. `--write` stores the
mask that the float32 network gives now, and the hash of the numbers, in `model.json`.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path

import av
import numpy as np

from engine.drawing import rle
from engine.drawing.components import Patch
from engine.faults import FaultCode, FaultError
from engine.files.whole import write_json
from engine.model_card import CARD, CheckCard, ModelCard, with_hash
from engine.model_folder import ModelFolder, find_model, load_model_folder, read_card
from engine.runtime import open_runtime
from engine.runtime.base import Runtime, RuntimeOptions
from engine.types import U8, Rect, Size

log = logging.getLogger(__name__)

OK, FAILED, INPUT_UNUSABLE = 0, 1, 2
LOOKED_AT = 90  # frames from the first on: decoding them takes a tenth of a second
EVERY = 10
LEAST_DICE = {"f32": 0.98, "f16": 0.96, "bf16": 0.93, "int8": 0.85}  # of one mask, not of many together


def check_picture(card: ModelCard) -> U8 | None:
    """What the stored mask is of: uint8 [h, w, 3] RGB at the input's size; None without a check."""
    if card.check is None:
        return None
    return _frames(Size(card.input.width_px, card.input.height_px), [card.check.frame])[0]


def stored_dice(card: ModelCard, runtime: Runtime, picture: U8) -> float | None:
    """Dice of what the runtime says of the picture to the stored mask; None without a check."""
    if card.check is None:
        return None
    stored = rle.decode(rle.Rle(size=[*card.check.size], counts=card.check.counts))
    return _dice(_mask(card, runtime.infer(picture)), stored)


def check_mask(card: ModelCard, runtime: Runtime, picture: U8) -> None:
    """Infer the picture. Raises FaultError MODEL_LOAD when the mask is not the stored one."""
    same = stored_dice(card, runtime, picture)
    if same is None:
        return
    info = runtime.info
    if same >= LEAST_DICE.get(info.precision.partition(",")[0], min(LEAST_DICE.values())):
        return
    raise FaultError(
        FaultCode.MODEL_LOAD,
        expected=f"{card.id} to give its stored mask of the demonstration",
        got=f"Dice {same:.2f} with {info.name} {info.precision} on {info.device}",
        remedy="choose another runtime, or install the model again",
        said=f"{card.id} does not give the mask that it was exported with ({info.name} {info.precision}), so "
        "it is not used. Choose another runtime, or install the model again.",
    )


def check_runtime(card: ModelCard, runtime: Runtime) -> None:
    """Both. Raises FaultError as `check_mask`; a card without a check is logged."""
    picture = check_picture(card)
    if picture is None:
        log.info("%s is not checked: its folder has no stored mask", card.id)
    else:
        check_mask(card, runtime, picture)


def checked(model: ModelFolder) -> ModelCard:
    """The card with the check that its float32 network gives now, and the hash of its numbers."""
    card = model.card
    size = Size(card.input.width_px, card.input.height_px)
    numbers = range(0, LOOKED_AT, EVERY)
    with closing(open_runtime("openvino", model, RuntimeOptions(precision="f32"))) as runtime:
        masks = [_mask(card, runtime.infer(picture)) for picture in _frames(size, list(numbers))]
    frame, mask = max(zip(numbers, masks, strict=True), key=lambda pair: int(pair[1].sum()))
    whole = Patch(Rect(0, 0, size.width_px, size.height_px), np.asfortranarray(mask), components=())
    text = rle.encode_patches([whole], size.width_px, size.height_px) if mask.any() else None
    check = text and CheckCard(frame=frame, size=(size.height_px, size.width_px), counts=text["counts"])
    return with_hash(
        card.model_copy(update={"check": check})
    )  # none that marks nothing: it would tell nothing


def main(arguments: Sequence[str] | None = None) -> int:
    """0: all give their masks (or have none stored), 1: one does not, 2: one cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m engine.runtime.self_check", description=__doc__)
    parser.add_argument("models", nargs="+", help="names or folders")
    parser.add_argument("--write", action="store_true", help="store what the network gives now")
    options = parser.parse_args(arguments)
    code = OK
    for name in options.models:
        try:
            path = find_model(name)
            if options.write:
                _write(path)
            model = load_model_folder(path)
            picture = check_picture(model.card)
            if picture is None:
                print(f"{model.id}: not checked, it has no stored mask")
                continue
            with closing(open_runtime("openvino", model, RuntimeOptions(precision="f32"))) as runtime:
                check_mask(model.card, runtime, picture)
        except FaultError as error:
            print(error, file=sys.stderr)
            code = max(code, FAILED if error.code is FaultCode.MODEL_LOAD else INPUT_UNUSABLE)
        else:
            print(f"{model.id}: gives its stored mask")
    return code


def _write(path: Path) -> None:
    card = read_card(path).model_copy(update={"numbers_sha256": None, "check": None})
    card = checked(ModelFolder(path, card))
    write_json(path / CARD, card.model_dump(mode="json", by_alias=True))


def _mask(card: ModelCard, probability: U8) -> U8:
    """uint8 [h, w], 0 and 1, at the standard preset's threshold."""
    return (probability >= card.presets["standard"].threshold * 255.0).astype(np.uint8)


def _dice(a: U8, b: U8) -> float:
    total = int(a.sum()) + int(b.sum())
    return 2.0 * int((a & b).sum()) / total if total else 1.0


def _frames(size: Size, numbers: Sequence[int]) -> list[U8]:
    """Frames of the demonstration at the network's size, uint8 [h, w, 3] RGB."""
    with (
        resources.as_file(resources.files("assets").joinpath("demo", "demo.mp4")) as path,
        av.open(str(path)) as container,
    ):
        decoded = enumerate(container.decode(container.streams.video[0]))
        pictures = []
        for number, frame in decoded:
            if number in numbers:
                small = frame.reformat(size.width_px, size.height_px, "rgb24", interpolation="AREA")
                pictures.append(np.asarray(small.to_ndarray(), np.uint8))
            if len(pictures) == len(numbers):
                return pictures
    raise FaultError(
        FaultCode.MODEL_SCHEMA,
        expected=f"a check of one of the demonstration's frames, {numbers[-1]} at most",
        got="a later one",
        remedy="install the model again",
        said=f"The check in {CARD} names frame {numbers[-1]} of the demonstration, which it does not have. "
        "Install the model again.",
    )


if __name__ == "__main__":
    sys.exit(main())
