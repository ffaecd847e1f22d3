"""What can be compared: a table of figures, a model folder, a run folder; each becomes a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from distill.data.dataset import Pictures
from distill.data.index import Record, load_index
from distill.data.splits import split_of
from distill.export import Trained, trained_run
from distill.judge import Question, judged, validation_questions
from distill.metrics.measure import Case, Sample
from distill.metrics.table import Row, read_table, row_of
from distill.networks import maps_of, torch_network
from distill.score import measure_all
from distill.train.run import RUN_JSON
from engine.model_folder import InputCard, OutputCard, find_model, load_model_folder
from engine.models import make_student
from engine.runtime import AUTO

TABLE = "per_image.csv"
AT_ONCE = 64  # pictures in memory: one may have two megapixels


@dataclass(frozen=True, slots=True)
class Ground:
    """What models are judged on. `questions` None: the validation split of each, from `data_root()`."""

    questions: Sequence[Question] | None
    data_root: Callable[[], Path]
    runtime: str = AUTO
    precision: str = AUTO


def table_of(arm: str, ground: Ground, tick: Callable[[], object] = lambda: None) -> tuple[Row, ...]:
    """The figures of every image. Raises FaultError.

    A run folder's own table counts; without one its averaged weights are judged on its validation split, in
    torch.
    """
    path = Path(arm)
    if path.suffix == ".csv":
        return read_table(path)
    if (path / TABLE).is_file():
        return read_table(path / TABLE)
    if (path / RUN_JSON).is_file():
        samples = validation_samples(trained_run(path), ground.data_root())
    else:
        model = load_model_folder(find_model(arm))
        questions = ground.questions or validation_questions(model, ground.data_root())
        samples = judged(model, questions, ground.runtime, ground.precision)
    return tuple(row_of(image) for image in measure_all(samples, tick=tick))


def validation_samples(trained: Trained, data_root: Path) -> Iterator[Sample]:
    """Maps of the averaged weights on the split that the run's recipe keeps for validation."""
    index = load_index(data_root)
    split = split_of(index.records, trained.recipe.data)
    yield from trained_samples(trained, data_root, [index.records[i] for i in split.validation])


def trained_samples(trained: Trained, data_root: Path, records: Sequence[Record]) -> Iterator[Sample]:
    """Maps of the averaged weights in torch, at the size that the recipe exports."""
    recipe = trained.recipe
    student = make_student(recipe.student.name, recipe.student.args).eval()
    own = student.state_dict()
    student.load_state_dict({key: trained.weights[key].to(own[key].dtype) for key in own})
    network = torch_network(student)
    card = InputCard(
        width_px=recipe.export_size_px,
        height_px=recipe.export_size_px,
        colour="RGB",
        mean=recipe.student.mean,
        std=recipe.student.std,
        resize="squash-area",
    )
    for start in range(0, len(records), AT_ONCE):
        some = records[start : start + AT_ONCE]
        pictures = Pictures(data_root, some)
        maps = maps_of(network, pictures, card, OutputCard(kind="logits"))
        for record, probability, mask in zip(some, maps, pictures.masks, strict=True):
            yield Sample(Case(record.image, record.set, record.group), probability, mask)
