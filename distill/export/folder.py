"""A run or a model folder becomes a model folder: rounded weights, ONNX, int8 when as good, and its card."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from safetensors.torch import save
from tqdm import tqdm

from distill.data.dataset import Pictures, fields_of, squash
from distill.data.index import Index, load_index
from distill.data.splits import Split, split_of
from distill.export.calibration import best_temperature, cooled, count_logits
from distill.export.parity import (
    MAX_F32_DP,
    check_on_video,
    compare,
    float_networks,
    on_video,
    refusal,
    unlike,
)
from distill.export.presets import usual_presets, with_presets
from distill.judging.networks import (
    Network,
    maps_of,
    normalised,
    openvino_has_bf16,
    openvino_network,
    torch_network,
)
from distill.judging.trained import Trained, committee_of, mean_of, trained_model, trained_run
from distill.metrics.evaluate import evaluate
from distill.metrics.rows import POOLED
from distill.train.checkpoint import contiguous
from engine.faults import FaultCode, FaultError
from engine.files.whole import sha256_of, write_bytes, write_json
from engine.model_card import (
    CARD,
    INT8_BIN,
    INT8_XML,
    ONNX,
    SCHEMA,
    WEIGHTS,
    FileCard,
    InputCard,
    Metric,
    ModelCard,
    OutputCard,
    Parity,
    StudentCard,
    TrainingCard,
)
from engine.model_folder import ModelFolder
from engine.models.onnx_file import write_onnx
from engine.runtime.quantise import quantise
from engine.runtime.self_check import checked
from engine.types import F32

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Material:
    """What an export is made of."""

    trained: Trained
    index: Index
    split: Split
    validation: Pictures
    input: InputCard
    output: OutputCard

    def maps(self, network: Network) -> Iterator[F32]:
        """Of the validation images, in order, with a progress bar."""
        maps = maps_of(network, self.validation, self.input, self.output, self.trained.region)
        return iter(tqdm(maps, total=len(self.validation), unit="image", leave=False))


def export(
    sources: Sequence[Path],
    out: Path,
    data_root: Path | None,
    default: bool,
    int8_images: int,
    size_px: int | None = None,
    more: Sequence[Path] = (),
) -> ModelCard:
    """Write the model folder `out`, named by the model's id, from the averaged weights of a run folder, or
    from those of another model folder: for another input size, or to quantise again. Several runs of one
    recipe that went on from one model give the mean of their weights, several model folders a committee.

    `int8_images` training images calibrate the int8 network; it stays out when there are none or it is worse
    by 0.3 points of Dice or shows other masks on video. `size_px` None: as the recipe or the model says.
    `data_root` None: the data that it was trained beside, known by its fingerprint; other data is refused.
    `more`: further data folders, by whose unseen polyp-free images presets are chosen, too.
    Raises FaultError ARGUMENT (nothing trained there, the folder exists), OUTPUT (an export that does not say
    the same), DATA_SET.
    """
    trained = _trained(sources)
    return write_model(trained, out, trained.belonging.find(data_root), default, int8_images, size_px, more)


@dataclass(frozen=True, slots=True)
class Found:
    """What a card says besides what the network is."""

    output: OutputCard
    training: TrainingCard
    metrics: tuple[Metric, ...] = ()
    parity: tuple[Parity, ...] = ()


def write_model(
    trained: Trained,
    out: Path,
    data_root: Path | None,
    default: bool = False,
    int8_images: int = 0,
    size_px: int | None = None,
    more: Sequence[Path] = (),
) -> ModelCard:
    """The model folder of whatever was trained; `data_root` None: presets as they are, and nothing measured.

    Raises FaultError as `export`.
    """
    if out.exists():
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a new model folder",
            got=f"{out}, which exists",
            remedy="new weights, new id: name another folder",
        )
    cv2.setNumThreads(1)
    student = trained.student
    taken = _input(trained, size_px)
    material = None if data_root is None else _material(trained, data_root, taken)
    sized = _said_of_size(taken.width_px, trained.trained_px)
    aside = out.parent / f".{out.name}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        network = _write_float(trained, taken, aside)
        if material is None:
            found = _unmeasured(trained, taken, network, aside / ONNX)
        else:
            found = _measured(material, network, aside, int8_images)
        card = ModelCard(
            schema=SCHEMA,  # type: ignore[call-arg]
            id=out.name,
            default=default,
            student=StudentCard(name=student.name, args=student.args),
            input=taken,
            region=trained.region,
            output=found.output,
            files={path.name: _file_card(path) for path in sorted(aside.iterdir())},
            presets=usual_presets(),
            training=_with(sized, found.training),
            metrics=found.metrics,
            parity=found.parity,
            licence=trained.licence(),
            use="research use only",
        )
        if material is None:
            card = checked(ModelFolder(aside, card))
        else:
            card = with_presets(ModelFolder(aside, card), material.index.root, more)
        write_json(aside / CARD, card.model_dump(mode="json", by_alias=True))
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return card


def _said_of_size(size_px: int, trained_px: int) -> str:
    """A network is best at the size it was trained at: another one is told, on the screen and in the card."""
    if size_px == trained_px:
        return ""
    words = f"Exported at {size_px}x{size_px} px, trained at {trained_px}x{trained_px} px."
    log.info("%s Its figures are those of the exported size.", words)
    return f" {words}"


def _with(words: str, card: TrainingCard) -> TrainingCard:
    return card.model_copy(update={"split": card.split + words})


def _trained(sources: Sequence[Path]) -> Trained:
    models = [(source / CARD).is_file() for source in sources]
    if all(models):
        return trained_model(sources[0]) if len(sources) == 1 else committee_of(sources)
    return trained_run(sources[0]) if len(sources) == 1 else mean_of(sources)


def _input(trained: Trained, size_px: int | None) -> InputCard:
    size_px = size_px or trained.size_px
    return InputCard(
        width_px=size_px,
        height_px=size_px,
        colour="RGB",
        mean=trained.student.mean,
        std=trained.student.std,
        resize="squash-area",
    )


def _material(trained: Trained, data_root: Path, taken: InputCard) -> Material:
    index = load_index(data_root)
    split = split_of(index.records, trained.data)
    trained.card(index, split)  # another data set is refused before the work
    return Material(
        trained=trained,
        index=index,
        split=split,
        validation=Pictures(data_root, [index.records[i] for i in split.validation]),
        input=taken,
        output=OutputCard(kind="logits"),
    )


def _write_float(trained: Trained, taken: InputCard, folder: Path) -> Network:
    """Write weights and ONNX; the network in torch."""
    student = trained.network()
    write_bytes(folder / WEIGHTS, save(contiguous(trained.weights)))
    write_onnx(student, taken.width_px, folder / ONNX)
    return torch_network(student)


def _measured(material: Material, network: Network, folder: Path, int8_images: int) -> Found:
    """By the validation images."""
    maps = list(material.maps(network))
    log.info("validation Dice %.4f", evaluate(material.validation, maps).value(POOLED, "dice"))
    material, maps = _calibrated(material, maps)
    parity = [*_check_float(material, folder / ONNX, maps)]
    if int8_images:
        parity.append(_write_int8(material, folder, maps, int8_images))
    return Found(
        material.output,
        material.trained.card(material.index, material.split),
        evaluate(material.validation, maps).metrics,
        tuple(parity),
    )


def _unmeasured(trained: Trained, taken: InputCard, network: Network, onnx: Path) -> Found:
    """By no images: the usual presets. That ONNX says what torch says is seen by the demonstration.

    Raises FaultError OUTPUT where it does not.
    """
    assert trained.unjudged is not None
    output = OutputCard(kind="logits")
    check_on_video(network, onnx, taken, output)
    return Found(output, trained.unjudged)


def _calibrated(material: Material, maps: list[F32]) -> tuple[Material, list[F32]]:
    """The same with the temperature that the validation images ask for."""
    temperature = best_temperature(count_logits(maps, material.validation.masks))
    log.info("temperature %.2f", temperature)
    output = material.output.model_copy(update={"temperature": temperature})
    return replace(material, output=output), [cooled(probability, temperature) for probability in maps]


def _check_float(material: Material, onnx: Path, trained: list[F32]) -> Iterator[Parity]:
    """bf16 is a runtime's choice on processors that have it: told, but only float32 must be the same."""
    networks = float_networks(onnx)
    if openvino_has_bf16():
        networks["openvino bf16"] = openvino_network(onnx, "bf16")
    for runtime, network in networks.items():
        row = compare(onnx.name, runtime, material.validation, trained, material.maps(network))
        log.info("%s", row)
        if row.max_dp > MAX_F32_DP and runtime.endswith("f32"):
            raise unlike(runtime, row.max_dp)
        yield row


def _write_int8(material: Material, folder: Path, trained: list[F32], images: int) -> Parity:
    """Quantise on training images; the files stay only when the network is as good."""
    chosen = np.random.default_rng(material.trained.seed).permutation(material.split.train)[:images]
    pictures = Pictures(material.index.root, [material.index.records[i] for i in chosen])
    mean, std = np.array(material.input.mean, np.float32), np.array(material.input.std, np.float32)
    shown = fields_of(pictures) if material.trained.region == "field" else pictures
    samples = (normalised(squash(image, material.input.width_px), mean, std) for image in shown.images)
    xml = folder / INT8_XML
    quantise(folder / ONNX, xml, samples)
    row = compare(
        INT8_XML, "openvino int8", material.validation, trained, material.maps(openvino_network(xml))
    )
    video = on_video(openvino_network(folder / ONNX), openvino_network(xml), material.input, material.output)
    log.info("%s; on video: %s", row, video)
    why = refusal(row, video)
    if why is not None:
        log.info("int8 stays out: %s", why)
        xml.unlink()
        (folder / INT8_BIN).unlink()
    return row


def _file_card(path: Path) -> FileCard:
    return FileCard(sha256=sha256_of(path), bytes=path.stat().st_size)
