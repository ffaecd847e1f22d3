"""What can be compared: a table of figures, a model folder, a run folder; each becomes a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distill.data.belonging import belonging_of_model
from distill.data.index import load_index
from distill.judging.live_path import EvalImage, judged, validation_images
from distill.judging.maps import measure_all
from distill.metrics.table import Row, read_table, row_of
from distill.runs import is_run
from engine.model_card import CARD
from engine.model_folder import ModelFolder, find_model, load_model_folder
from engine.runtime import AUTO

TABLE = "per_image.csv"


@dataclass(frozen=True, slots=True)
class Ground:
    """What models are judged on. `images` None: the validation split of each, made of `data`, or of the
    data that it was trained beside, wherever that lies; `lent` is for models that were trained on other data.
    """

    images: Sequence[EvalImage] | None
    data: Path | None
    lent: Sequence[EvalImage] | None = None
    runtime: str = AUTO
    precision: str = AUTO


def lent_questions(arms: Sequence[str], data: Path | None) -> Sequence[EvalImage] | None:
    """The validation images of the first model that was trained on the named data, for those that were not:
    a bundled model beside one of your own. None where no model was. Raises FaultError."""
    for arm in arms:
        if data is not None and (Path(arm) / CARD).is_file():
            model = load_model_folder(find_model(arm))
            if _is_beside(model, data):
                return validation_images(model, data)
    return None


def _is_beside(model: ModelFolder, data: Path | None) -> bool:
    digits = belonging_of_model(model.id, model.card.training).sha256
    return data is not None and bool(digits) and load_index(data).sha256.startswith(digits)


def table_of(arm: str, ground: Ground) -> tuple[Row, ...]:
    """The figures of every image. Raises FaultError.

    A run folder's own table counts; without one its averaged weights are judged on its validation split, in
    torch.
    """
    path = Path(arm)
    if path.suffix == ".csv":
        return read_table(path)
    if (path / TABLE).is_file():
        return read_table(path / TABLE)
    if is_run(path):
        # Only here: torch takes seconds to import, and tables need none.
        from distill.judging.run import validation_samples
        from distill.judging.trained import trained_run

        trained = trained_run(path)
        samples = validation_samples(trained, trained.belonging.find(ground.data))
    else:
        model = load_model_folder(find_model(arm))
        images = ground.images
        if images is None:
            if ground.lent is not None and not _is_beside(model, ground.data):
                images = ground.lent
            else:
                belonging = belonging_of_model(model.id, model.card.training)
                images = validation_images(model, belonging.find(ground.data))
        samples = judged(model, images, ground.runtime, ground.precision)
    return tuple(row_of(image) for image in measure_all(samples))
