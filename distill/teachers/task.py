"""Our own trained models as teachers: one, the mean of several, or of those that never saw the image."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from distill.data.belonging import INDEX_WORDS
from distill.data.index import UNLABELLED, Index, Record, load_index
from distill.data.more import is_held_out
from distill.data.splits import held_out_by, split_beside
from distill.recipe import TeacherPart
from distill.teachers.agreement import disagreement
from distill.teachers.base import Blueprint, NetworkTeacher, Supply, Teacher, TeacherCard, TeacherOutput
from distill.teachers.geometry import area_resize
from engine.faults import FaultCode, FaultError
from engine.model_card import WEIGHTS
from engine.model_folder import ModelFolder, find_model, load_model_folder
from engine.models import make_student
from engine.models.base import Student

STRIDE = 16
FLIPS = ((-1,), (-2,), (-2, -1))


def one(part: TeacherPart) -> Blueprint:
    """Of "task:MODEL FOLDER"; or of "task" with several members: out of fold."""
    _, _, folder = part.name.partition(":")
    if folder and part.members:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="one model folder after task:, or task with members",
            got="both",
            remedy="write task alone when it has members",
        )
    return _of_one(part, find_model(folder)) if folder else _of_many(part, OutOfFoldTeacher)


def ensemble(part: TeacherPart) -> Blueprint:
    """Of "ensemble" with members: every member judges every image."""
    return _of_many(part, CommitteeTeacher)


class TaskTeacher(NetworkTeacher):
    """One trained model: its student's map at stride 16, and its soft masks.

    It is as sure as can be of the images it was trained on; where that matters take several, out of fold.
    """

    network: Student

    def __init__(
        self, card: TeacherCard, student: Student, map_name: str, temperature: float, flips: bool = False
    ) -> None:
        """`flips`: the soft masks are the mean over the picture, its mirror images and the half turn."""
        super().__init__(card, student, read=lambda network, image: image)
        self._map_name = map_name
        self._temperature = temperature
        self._flips = FLIPS if flips else ()

    def prepare(self, image: Tensor) -> Tensor:
        """As the live path does it: area filter when shrinking, and eight bits a channel."""
        size_px = self.card.size_px
        if image.shape[-2:] == (size_px, size_px):
            return image
        if size_px <= min(image.shape[-2:]):
            image = area_resize(image, size_px, size_px)
        else:
            image = F.interpolate(image, (size_px, size_px), mode="bilinear", align_corners=False)
        return (image * 255).round() / 255

    def answer(self, picture: Tensor) -> TeacherOutput:
        image = self.normalise(picture)
        output = self.network.predict(image)
        masks = [torch.sigmoid(output.logits / self._temperature)]
        for axes in self._flips:
            flipped = self.network.predict(image.flip(axes)).logits
            masks.append(torch.sigmoid(flipped / self._temperature).flip(axes))
        return TeacherOutput(output.features[self._map_name], *self._together(masks))

    @torch.no_grad()
    def masks_of_view(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """float [B, 3, S, S] RGB 0..1 -> soft masks float32 [B, 1, S, S] and, where its card has it, their
        disagreement: of a view at its own size, as it is.

        In bf16, as students are trained: it runs in every step.
        """
        image, masks = image.to(self.get_buffer("mean").device), []
        for axes in ((), *self._flips):
            view = image.flip(axes) if axes else image
            with torch.autocast(image.device.type, torch.bfloat16):
                logits = self.network.predict(self.normalise(view)).logits
            masks.append(torch.sigmoid(logits.float() / self._temperature).flip(axes))
        return self._together(masks)

    def _together(self, masks: list[Tensor]) -> tuple[Tensor, Tensor | None]:
        together = torch.stack(masks)
        apart = disagreement(together) if self.card.has_disagreement else None
        return together.mean(0), apart


class CommitteeTeacher(Teacher):
    """The mean of several models of one shape: of their probabilities, and of their maps.

    Maps of networks that did not start from the same weights have little in common: it is the soft masks that
    an ensemble is for.
    """

    def __init__(
        self, card: TeacherCard, members: Sequence[TaskTeacher], folders: Sequence[ModelFolder]
    ) -> None:
        super().__init__(card)
        self.members = torch.nn.ModuleList(members)
        self.folders = tuple(folders)

    def prepare(self, image: Tensor) -> Tensor:
        first: Teacher = self.members[0]  # type: ignore[assignment]
        return first.prepare(image)

    def answer(self, picture: Tensor) -> TeacherOutput:
        answers: list[TeacherOutput] = [member(picture) for member in self.members]
        masks = [answer.masks for answer in answers if answer.masks is not None]
        together = torch.stack(masks)
        apart = disagreement(together) if self.card.has_disagreement else None
        if len(answers) == 1 and answers[0].disagreement is not None:
            apart = answers[0].disagreement  # one voice: between its flips
        return TeacherOutput(
            torch.stack([answer.features for answer in answers]).mean(0), together.mean(0), apart
        )


class OutOfFoldTeacher(CommitteeTeacher):
    """Of every image only the members speak that were not trained on it."""

    def chosen_for(self, root: Path) -> Callable[[Record], Teacher]:
        """Raises FaultError DATA_SET when it cannot be known who saw what, or nobody is left for an image."""
        index = load_index(root)
        seen = [_seen_by(folder, index) for folder in self.folders]
        committees: dict[tuple[int, ...], Teacher] = {}

        def choose(record: Record) -> Teacher:
            honest = tuple(i for i, saw in enumerate(seen) if not saw(record))
            if not honest:
                raise FaultError(
                    FaultCode.DATA_SET,
                    expected=f"a model that was not trained on {record.image}",
                    got=f"{len(seen)} models that were",
                    remedy="add the models of the other folds to the teacher's members",
                )
            if honest not in committees:
                members: list[TaskTeacher] = [self.members[i] for i in honest]  # type: ignore[misc]
                committees[honest] = CommitteeTeacher(self.card, members, [self.folders[i] for i in honest])
            return committees[honest]

        return choose


def _seen_by(folder: ModelFolder, index: Index) -> Callable[[Record], bool]:
    """Whether the model was trained on an image, also of further folders, whose paths are absolute.

    An unlabelled one taught it nothing but what another teacher says. Raises FaultError as `trained_images`.
    """
    training = folder.card.training
    images = trained_images(folder, index)
    if len(INDEX_WORDS.findall(training.data)) < 2:  # no further folder
        return lambda record: record.image in images
    part = held_out_by(training)
    groups = {record.group for record in index.records if record.image in images}
    known = {record.group for record in index.records}

    def saw(record: Record) -> bool:
        if record.label == UNLABELLED or not Path(record.image).is_absolute():
            return record.image in images
        return record.group in groups if record.group in known else not is_held_out(record.group, part)

    return saw


def trained_images(folder: ModelFolder, index: Index) -> frozenset[str]:
    """The images of the index that the model was trained on, by its card.

    The card's own words and not its recipe's name: a fold may have been chosen on the command line. Raises
    FaultError DATA_SET when the card speaks of other data or of a split that comes out differently.
    """
    training = folder.card.training
    data = INDEX_WORDS.search(training.data)
    if data and index.sha256.startswith(data["start"]) and not training.imported:
        split = split_beside(training, index)
        return frozenset(index.records[i].image for i in split.train)
    raise FaultError(
        FaultCode.DATA_SET,
        expected=f"the images that {folder.id} was trained beside: {training.data}",
        got=f"an index with sha256 {index.sha256[:16]} of {len(index.records)} images",
        remedy="name that data folder, or use the model without members as an ordinary teacher",
    )


def _of_one(part: TeacherPart, path: Path) -> Blueprint:
    folder = load_model_folder(path)
    card, _ = _card_of(folder)
    return Blueprint(
        dataclasses.replace(card, note=_note(part), has_disagreement=part.has_disagreement),
        lambda card, supply: _build(folder, supply, part),
        fixed_size=True,
        fingerprints=(folder.card.files[WEIGHTS].sha256,),
    )


def _of_many(part: TeacherPart, kind: type[CommitteeTeacher]) -> Blueprint:
    if len(part.members) < 2:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"two or more model folders as members of {part.name}",
            got=str(len(part.members)),
            remedy="name them, or write task:FOLDER for a single one",
        )
    folders = [load_model_folder(find_model(member)) for member in part.members]
    cards = [_card_of(folder)[0] for folder in folders]
    if len({(card.size_px, card.stride, card.channels) for card in cards}) > 1:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="members with input and map of one size",
            got=", ".join(f"{c.name} {c.size_px} px, {c.channels} channels" for c in cards),
            remedy="leave the odd ones out",
        )
    card = TeacherCard(
        name=f"{part.name}:{'+'.join(folder.id for folder in folders)}",
        hub_id="",
        licence=cards[0].licence,
        commercial=True,
        mean=cards[0].mean,
        std=cards[0].std,
        size_px=cards[0].size_px,
        stride=cards[0].stride,
        channels=cards[0].channels,
        has_mask=True,
        note=_note(part),
        has_disagreement=part.has_disagreement,
    )
    return Blueprint(
        card,
        lambda card, supply: kind(card, [_build(folder, supply, part) for folder in folders], folders),
        fixed_size=True,
        fingerprints=tuple(folder.card.files[WEIGHTS].sha256 for folder in folders),
        chooses=kind is OutOfFoldTeacher,
    )


def _card_of(folder: ModelFolder) -> tuple[TeacherCard, str]:
    """The card, and the name of the map that is distilled: stride 16, or the coarsest finer one."""
    card = folder.card
    student = make_student(card.student.name, card.student.args)
    fine = {stride: name for name, stride in student.strides.items() if stride <= STRIDE}
    stride = max(fine)
    if card.input.width_px != card.input.height_px:
        raise FaultError(
            FaultCode.ARGUMENT,
            expected=f"a square input of {folder.id}",
            got=f"{card.input.width_px}x{card.input.height_px}",
            remedy="export it with a square one",
        )
    return (
        TeacherCard(
            name=f"task:{folder.id}",
            hub_id="",
            licence=card.licence,
            commercial=True,
            mean=card.input.mean,
            std=card.input.std,
            size_px=card.input.width_px,
            stride=stride,
            channels=student.channels[fine[stride]],
            has_mask=True,
        ),
        fine[stride],
    )


def _note(part: TeacherPart) -> str:
    """In the card, so that the cache keeps the two apart."""
    return "soft masks are the mean over four flips" if part.flips else ""


def _build(folder: ModelFolder, supply: Supply, part: TeacherPart) -> TaskTeacher:
    from engine.runtime.student import load_student

    card, map_name = _card_of(folder)
    student = (
        make_student(folder.card.student.name, folder.card.student.args)
        if supply.tiny
        else load_student(folder)
    )
    card = dataclasses.replace(card, has_disagreement=part.flips and part.has_disagreement)
    return TaskTeacher(card, student, map_name, folder.card.output.temperature, part.flips)
