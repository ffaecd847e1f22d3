"""A network that looks at each picture but once: its maps are kept in a folder, by the picture's pixels."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from engine.files.whole import user_cache, write_bytes
from engine.model_folder import ModelFolder
from engine.runtime import open_runtime, usual_runtime
from engine.runtime.base import Runtime, RuntimeOptions
from engine.types import U8, RuntimeInfo

MAPS = "maps"


class RememberedNetwork:
    """A `Runtime`. What was looked at before, by this network in this precision, is read from `folder`.

    A map that is damaged is made again; a changed network or another crop of a picture asks for another map.
    """

    def __init__(self, network: Runtime, folder: Path) -> None:
        self._network = network
        self._folder = folder

    @property
    def info(self) -> RuntimeInfo:
        return self._network.info

    def infer(self, image: U8) -> U8:
        """As `Runtime.infer`. Raises OSError where a map cannot be kept."""
        name = hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()
        path = self._folder / name[:2] / f"{name}.png"
        if path.is_file():
            known = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
            if known is not None and known.shape == image.shape[:2]:
                return known.astype(np.uint8, copy=False)
        probability = self._network.infer(image)
        _, packed = cv2.imencode(".png", probability)
        write_bytes(path, packed.tobytes())
        return probability

    def close(self) -> None:
        self._network.close()


def maps_folder(model: ModelFolder) -> Path:
    """Where maps of the model are kept unless somebody names a folder; named by what decides about them."""
    said = repr((model.card.files["student.onnx"].sha256, model.card.output.temperature))
    return user_cache() / MAPS / hashlib.sha256(said.encode()).hexdigest()[:16]


def open_remembered(model: ModelFolder, precision: str, folder: Path) -> RememberedNetwork:
    """The model in the usual runtime. Raises FaultError as `open_runtime`."""
    network = open_runtime(usual_runtime(), model, RuntimeOptions(precision))
    return RememberedNetwork(network, folder / f"{network.info.name}-{precision}")
