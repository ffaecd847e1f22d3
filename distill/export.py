"""A run or a model folder becomes a model folder: rounded weights, ONNX, int8 when as good, and its card."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor
from tqdm import tqdm

from distill.calibration import best_temperature, cooled, count_logits
from distill.data.dataset import Pictures, squash
from distill.data.index import Index, load_index
from distill.data.splits import Split, split_of
from distill.evaluate import POOLED, evaluate
from distill.networks import (
    Network,
    maps_of,
    normalised,
    onnx_network,
    openvino_network,
    torch_network,
)
from distill.onnx_file import write_onnx
from distill.parity import MAX_DICE_DROP, MAX_F32_DP, compare
from distill.presets import choose_presets
from distill.quantise import quantise
from distill.recipe import DataPart, Recipe, load_recipe, parse_recipe
from distill.teachers import card_of
from distill.train.checkpoint import STATE, contiguous
from distill.train.loop import CHECKPOINTS
from distill.train.run import RUN_JSON
from engine.faults import FaultCode, FaultError
from engine.files import sha256_of, write_bytes, write_json
from engine.model_folder import (
    CARD,
    INT8_BIN,
    INT8_XML,
    ONNX,
    SCHEMA,
    WEIGHTS,
    EncoderCard,
    FileCard,
    InputCard,
    ModelCard,
    OutputCard,
    Parity,
    SplitCard,
    StudentCard,
    TrainingCard,
    load_model_folder,
)
from engine.models import make_student
from engine.models.encoder import load_pretrained
from engine.types import F32

log = logging.getLogger(__name__)
INDEX_DIGITS = 16  # of its sha256, in the card
LICENCE = (
    "Weights trained on data sets published for research and education (see training.data), some of them "
    "not for commercial use; check each set's own terms."
)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training left. `weights` are the averaged ones, rounded to what fp16 holds."""

    recipe: Recipe
    weights: dict[str, Tensor]
    licence: str
    card: Callable[[Index, Split], TrainingCard]


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
        maps = maps_of(network, self.validation, self.input, self.output)
        return iter(tqdm(maps, total=len(self.validation), unit="image", leave=False))


def export(
    sources: Sequence[Path],
    out: Path,
    data_root: Path,
    default: bool,
    int8_images: int,
    size_px: int | None = None,
) -> ModelCard:
    """Write the model folder `out`, named by the model's id, from the averaged weights of a run folder, or
    from those of another model folder: for another input size, or to quantise again. Several sources are
    runs of one recipe that went on from one model: the mean of their weights is exported.

    `int8_images` training images calibrate the int8 network; it stays out when there are none or it is worse
    by 0.3 points of Dice. `size_px` None: as the recipe says. Raises FaultError ARGUMENT (nothing trained
    there, the folder exists), OUTPUT (an export that does not say the same), DATA_SET.
    """
    if out.exists():
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a new model folder",
            got=f"{out}, which exists",
            remedy="new weights, new id: name another folder",
        )
    cv2.setNumThreads(1)
    if len(sources) > 1:
        trained = mean_of([trained_run(source) for source in sources])
    else:
        trained = trained_model(sources[0]) if (sources[0] / CARD).is_file() else trained_run(sources[0])
    material = _material(trained, data_root, size_px)
    student = trained.recipe.student
    aside = out.parent / f".{out.name}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        maps = _write_float(material, aside)
        material, maps = _calibrated(material, maps)
        parity = [*_check_float(material, aside / ONNX, maps)]
        if int8_images:
            parity.append(_write_int8(material, aside, maps, int8_images))
        card = ModelCard(
            schema=SCHEMA,  # type: ignore[call-arg]
            id=out.name,
            default=default,
            student=StudentCard(name=student.name, args=student.args),
            input=material.input,
            output=material.output,
            files={path.name: _file_card(path) for path in sorted(aside.iterdir())},
            presets=choose_presets(material.validation, maps),
            training=trained.card(material.index, material.split),
            metrics=evaluate(material.validation, maps).metrics,
            parity=tuple(parity),
            licence=trained.licence,
            use="research use only",
        )
        write_json(aside / CARD, card.model_dump(mode="json", by_alias=True))
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return card


def trained_run(run: Path) -> Trained:
    """What a run folder holds. Raises FaultError ARGUMENT where nothing was trained."""
    try:
        recipe = parse_recipe(json.loads((run / RUN_JSON).read_text(encoding="utf-8"))["recipe"])
        folder = run / CHECKPOINTS
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        weights = load_file(folder / state["weights"])
    except (OSError, ValueError, KeyError) as error:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a run folder with {RUN_JSON} and a checkpoint, or a model folder",
            got=f"{type(error).__name__}: {error}",
            remedy="train first: python -m distill train",
        ) from error

    def card(index: Index, split: Split) -> TrainingCard:
        return _training_card(recipe, index, split, state["progress"]["step"], run.name)

    rounded = {key: value.half() if value.is_floating_point() else value for key, value in weights.items()}
    return Trained(recipe, rounded, _licence(recipe), card)


def mean_of(runs: Sequence[Trained]) -> Trained:
    """The mean of the weights of runs that differ in their seed alone and began at one model.

    Wortsman et al., Model soups, ICML 2022: such runs stay in one basin, and their mean is about as good as
    their ensemble. Raises FaultError ARGUMENT for any others.
    """
    first = runs[0]
    recipes = [run.recipe.model_copy(update={"seed": first.recipe.seed}) for run in runs]
    if not first.recipe.student.start or any(recipe != recipes[0] for recipe in recipes):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="runs of one recipe with student.start that differ in nothing but the seed",
            got=", ".join(f"{recipe.name} from {recipe.student.start or 'scratch'}" for recipe in recipes),
            remedy="export them one by one",
        )
    weights = {}
    for key, value in first.weights.items():
        if value.is_floating_point():
            value = torch.stack([run.weights[key].float() for run in runs]).mean(0).half()
        weights[key] = value

    def card(index: Index, split: Split) -> TrainingCard:
        cards = [run.card(index, split) for run in runs]
        return cards[0].model_copy(
            update={
                "split": f"{cards[0].split} The mean of the weights of {len(cards)} seeds.",
                "run_id": " + ".join(card.run_id for card in cards),
            }
        )

    return Trained(first.recipe, weights, first.licence, card)


def trained_model(source: Path) -> Trained:
    """What a model folder was made of. Raises FaultError as `load_model_folder`."""
    folder = load_model_folder(source)
    training = folder.card.training

    def card(index: Index, split: Split) -> TrainingCard:
        if index.sha256[:INDEX_DIGITS] not in training.data:
            raise FaultError(
                FaultCode.DATA_SET,
                expected=f"the images that {folder.id} was trained beside: {training.data}",
                got=f"an index with sha256 {index.sha256[:INDEX_DIGITS]}",
                remedy="name them with --data",
            )
        return training

    return Trained(load_recipe(training.recipe), load_file(folder.weights), folder.card.licence, card)


def _material(trained: Trained, data_root: Path, size_px: int | None) -> Material:
    recipe = trained.recipe
    index = load_index(data_root)
    size_px = size_px or recipe.export_size_px
    split = split_of(index.records, recipe.data)
    trained.card(index, split)  # another data set is refused before the work
    return Material(
        trained=trained,
        index=index,
        split=split,
        validation=Pictures(data_root, [index.records[i] for i in split.validation]),
        input=InputCard(
            width_px=size_px,
            height_px=size_px,
            colour="RGB",
            mean=recipe.student.mean,
            std=recipe.student.std,
            resize="squash-area",
        ),
        output=OutputCard(kind="logits"),
    )


def _write_float(material: Material, folder: Path) -> list[F32]:
    """Write weights and ONNX; returns the maps of the validation images as torch makes them."""
    part = material.trained.recipe.student
    student = make_student(part.name, part.args).eval()
    own = student.state_dict()
    student.load_state_dict({key: material.trained.weights[key].to(own[key].dtype) for key in own})
    write_bytes(folder / WEIGHTS, save(contiguous(material.trained.weights)))
    write_onnx(student, material.input.width_px, folder / ONNX)
    trained = list(material.maps(torch_network(student)))
    log.info("validation Dice %.4f", evaluate(material.validation, trained).value(POOLED, "dice"))
    return trained


def _calibrated(material: Material, maps: list[F32]) -> tuple[Material, list[F32]]:
    """The same with the temperature that the validation images ask for."""
    temperature = best_temperature(count_logits(maps, material.validation.masks))
    log.info("temperature %.2f", temperature)
    output = material.output.model_copy(update={"temperature": temperature})
    return replace(material, output=output), [cooled(probability, temperature) for probability in maps]


def _check_float(material: Material, onnx: Path, trained: list[F32]) -> Iterator[Parity]:
    """bf16 is a runtime's choice on some processors: it is told, but only float32 has to be the same."""
    for runtime, network in (
        ("onnxruntime f32", onnx_network(onnx)),
        ("openvino f32", openvino_network(onnx, "f32")),
        ("openvino bf16", openvino_network(onnx, "bf16")),
    ):
        row = compare(onnx.name, runtime, material.validation, trained, material.maps(network))
        log.info("%s", row)
        if row.max_dp > MAX_F32_DP and runtime.endswith("f32"):
            raise FaultError(
                FaultCode.OUTPUT,
                expected=f"{runtime} to say what torch says, within {MAX_F32_DP}",
                got=f"a difference of {row.max_dp}",
                remedy="report this with the versions of torch, onnx and the runtime",
            )
        yield row


def _write_int8(material: Material, folder: Path, trained: list[F32], images: int) -> Parity:
    """Quantise on training images; the files stay only when the network is as good."""
    chosen = np.random.default_rng(material.trained.recipe.seed).permutation(material.split.train)[:images]
    pictures = Pictures(material.index.root, [material.index.records[i] for i in chosen])
    mean, std = np.array(material.input.mean, np.float32), np.array(material.input.std, np.float32)
    samples = (normalised(squash(image, material.input.width_px), mean, std) for image in pictures.images)
    xml = folder / INT8_XML
    quantise(folder / ONNX, xml, samples)
    row = compare(
        INT8_XML, "openvino int8", material.validation, trained, material.maps(openvino_network(xml))
    )
    log.info("%s", row)
    if row.dice_drop >= MAX_DICE_DROP:
        log.info("int8 is worse by %.2f points and stays out", 100 * row.dice_drop)
        xml.unlink()
        (folder / INT8_BIN).unlink()
    return row


def _file_card(path: Path) -> FileCard:
    return FileCard(sha256=sha256_of(path), bytes=path.stat().st_size)


def _training_card(recipe: Recipe, index: Index, split: Split, step: int, run_id: str) -> TrainingCard:
    part = recipe.data
    sets = sorted({record.set for record in index.records})
    return TrainingCard(
        recipe=recipe.name,
        seed=recipe.seed,
        data=f"{len(index.records)} images of {', '.join(sets)} (index sha256 {index.sha256[:INDEX_DIGITS]})",
        split=(
            f"{_split_words(part)}: {len(split.train)} training and {len(split.validation)} validation "
            f"images; groups always kept for validation: {', '.join(part.validation_groups) or 'none'}. "
            f"Metrics: validation images, mean over images at native mask size, both empty = 1; "
            f"weights of step {step}, moving average."
            + (f" The training went on from {recipe.student.start}." if recipe.student.start else "")
        ),
        held_out=SplitCard.model_validate(part.model_dump(include=set(SplitCard.model_fields))),
        teachers=tuple(teacher.name for teacher in recipe.distil.teachers),
        encoder=_encoder_card(recipe, index.root),
        run_id=run_id,
    )


def _split_words(part: DataPart) -> str:
    fold = (
        f"StratifiedGroupKFold by group, stratified by set, {part.folds} folds, fold {part.fold}, "
        f"seed {part.split_seed}"
    )
    return fold if part.split == "grouped" else f"the data's own lists (without a validation list: {fold})"


def _encoder_card(recipe: Recipe, data_root: Path) -> EncoderCard | None:
    """What the training started from: the same file read once more. Raises FaultError when it is gone."""
    part = recipe.student
    if not part.pretrained:
        return None
    student = make_student(part.name, part.args)
    return load_pretrained(student.get_submodule("encoder"), part.pretrained_in(data_root))


def _licence(recipe: Recipe) -> str:
    """The data's, the encoder's start and the teachers' terms, in one text."""
    said = [LICENCE]
    if recipe.student.pretrained:
        said.append(f"Encoder start: {Path(recipe.student.pretrained).name}, under its publisher's terms.")
    for teacher in recipe.distil.teachers:
        card = card_of(teacher)
        said.append(f"Teacher {card.hub_id or card.name}: {card.licence}.")
    return " ".join(said)
