"""Everything about a step follows from its number."""

import pytest

from distill.recipe import OptimiserPart, load_recipe, parse_recipe
from distill.train.schedule import ema_decay, place_of, rate_factor
from engine.faults import FaultCode, FaultError


@pytest.fixture
def recipe():
    values = load_recipe("light").model_dump()
    values["stages"] = [{"epochs": 2, "size_px": 64}, {"epochs": 1, "size_px": 96}]
    return parse_recipe(values | {"batch": 4})


def test_stages_follow_each_other(recipe):
    sizes = [place_of(step, images=9, recipe=recipe).size_px for step in range(6)]

    assert sizes == [64, 64, 64, 64, 96, 96]


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
