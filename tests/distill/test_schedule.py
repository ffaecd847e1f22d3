"""Everything about a step follows from its number."""

import pytest

from distill.recipe import DistilPart, OptimiserPart, TeacherPart, load_recipe, parse_recipe, scaled_px
from distill.train.phases import ends_teaching, enter, phase_at
from distill.train.schedule import ema_decay, place_of, rate_factor, steps_per_epoch
from engine.faults import FaultCode, FaultError
from engine.models import make_student

TEACHER = TeacherPart(name="timm:anything")


@pytest.fixture
def recipe():
    values = load_recipe("light").model_dump()
    values["stages"] = [{"epochs": 2, "size_px": 64}, {"epochs": 1, "size_px": 96}]
    return parse_recipe(values | {"batch": 4})


def test_stages_follow_each_other(recipe):
    sizes = [place_of(step, items=9, recipe=recipe).size_px for step in range(6)]

    assert sizes == [64, 64, 64, 64, 96, 96]


def test_pranets_multi_scale_trains_every_batch_at_each_size(recipe):
    three = recipe.model_copy(update={"scales": (0.75, 1.0, 1.25), "scaling": "each"})
    places = [place_of(step, items=9, recipe=three) for step in range(6)]

    assert steps_per_epoch(9, three) == 6
    assert [place.batch for place in places] == [0, 0, 0, 1, 1, 1]
    assert [place.size_px for place in places] == [scaled_px(64, s) for s in (0.75, 1, 1.25)] * 2
    assert [place.last for place in places] == [False] * 5 + [True]


def test_one_random_size_a_step_depends_on_the_step_alone(recipe):
    some = recipe.model_copy(update={"scales": (0.5, 1.0, 2.0), "scaling": "random"})
    sizes = [place_of(step, items=400, recipe=some).size_px for step in range(100)]

    assert steps_per_epoch(400, some) == 100
    assert set(sizes) == {32, 64, 128}
    assert sizes == [place_of(step, items=400, recipe=some).size_px for step in range(100)]


def test_best_trains_at_256_352_and_448():
    assert load_recipe("best").sizes_px == (256, 352, 448)


def test_phases_follow_the_fractions_of_the_notebook():
    part = load_recipe("notebook").distil
    phases = [phase_at(epoch, 75, part) for epoch in range(75)]

    assert [phase.distil for phase in phases] == [0.0] * 25 + [1.0] * 50
    assert [phase.segmentation for phase in phases] == [1.0] * 25 + [0.6] * 50
    assert [phase.frozen for phase in phases] == [False] * 51 + [True] * 24


def test_distillation_ramps_up_and_stops():
    part = DistilPart(teachers=(TEACHER,), ramp=0.1, stop=0.9)
    weights = [phase_at(step, 100, part).distil for step in range(100)]

    assert weights[:10] == pytest.approx([0.1 * rank for rank in range(1, 11)])
    assert set(weights[10:90]) == {1.0}
    assert set(weights[90:]) == {0.0}


def test_without_teachers_there_is_nothing_to_distil_and_the_schedule_is_the_same():
    control = load_recipe("notebook").distil.model_copy(update={"teachers": ()})
    phases = [phase_at(epoch, 75, control) for epoch in range(75)]

    assert {phase.distil for phase in phases} == {0.0}
    assert [phase.frozen for phase in phases] == [False] * 51 + [True] * 24


@pytest.mark.parametrize(
    ("part", "last"),
    [({}, [89]), ({"stop": 1.0}, [99]), ({"freeze_encoder": 0.5}, [49]), ({"stop": 0.0}, [])],
)
def test_one_step_is_the_last_that_teaches_an_encoder_that_learns(part, last):
    distil = DistilPart(teachers=(TeacherPart(name="t"),), **part)

    ends = [step for step in range(100) if ends_teaching(step, 100, lambda at: phase_at(at, 100, distil))]

    assert ends == last


@pytest.mark.parametrize("still", [True, False])
def test_a_frozen_encoder_does_not_learn_and_its_statistics_stand_still_if_they_shall(still):
    torch = pytest.importorskip("torch")
    student = make_student("light", {"encoder": "test_efficientnet", "channels": 8})
    enter(student, frozen=True, frozen_batchnorm=still)
    before = {name: value.clone() for name, value in student.state_dict().items()}
    student(torch.rand(2, 3, 64, 64)).sum().backward()
    moved = {
        name.partition(".")[0]
        for name, value in student.state_dict().items()
        if name.endswith("running_mean") and not torch.equal(value, before[name])
    }

    assert all(parameter.grad is None for parameter in student.encoder_parameters())
    assert ("encoder" in moved) is not still
    assert "laterals" in moved
    enter(student, frozen=False, frozen_batchnorm=still)
    assert all(parameter.requires_grad for parameter in student.encoder_parameters())


def test_a_constant_rate_stays():
    part = OptimiserPart(warm_up_steps=2, schedule="constant")

    assert [rate_factor(step, 10, part) for step in range(10)] == [0.5] + [1.0] * 9


def test_the_rate_warms_up_and_comes_down_to_its_end():
    part = OptimiserPart(warm_up_steps=10, final_rate_factor=0.1)
    factors = [rate_factor(step, 100, part) for step in range(100)]

    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == pytest.approx(1.0)
    assert factors.index(max(factors)) in (9, 10)
    assert factors[-1] == pytest.approx(0.1, abs=0.01)


def test_a_young_average_forgets_fast():
    assert ema_decay(0, 0.998) == pytest.approx(0.1)
    assert ema_decay(100_000, 0.998) == 0.998


def test_a_wrong_key_of_a_recipe_is_named():
    values = load_recipe("light").model_dump() | {"bach": 4}

    with pytest.raises(FaultError, match="bach") as caught:
        parse_recipe(values)

    assert caught.value.code is FaultCode.ARGUMENT


def test_a_size_the_encoder_cannot_halve_is_refused():
    values = load_recipe("light").model_dump() | {"stages": [{"epochs": 1, "size_px": 100}]}

    with pytest.raises(FaultError, match="size_px"):
        parse_recipe(values)
