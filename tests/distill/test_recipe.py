"""A recipe is typed: what is wrong is named, and the presets are those of docs/published-method.md."""

import json

import pytest

from distill.recipe import RECIPES, AugmentPart, load_recipe, parse_recipe
from distill.recipe.changes import changes_of
from distill.runs import recipe_of
from engine.faults import FaultCode, FaultError


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_every_recipe_of_the_folder_parses_and_survives_being_written_down(name):
    recipe = load_recipe(name)

    assert recipe.name == name
    assert parse_recipe(recipe.model_dump(mode="json")) == recipe


def test_notebook_is_the_published_notebook():
    recipe = load_recipe("notebook")
    distil, optimiser = recipe.distil, recipe.optimiser

    assert (recipe.batch, recipe.precision, recipe.loss) == (6, "float32", "bce_dice_notebook")
    assert recipe.selection == "train_loss"
    assert recipe.augment.views == "four_flips"
    assert recipe.student.pretrained == ""
    assert (optimiser.kind, optimiser.rate, optimiser.schedule) == ("adam", 1e-4, "constant")
    assert (optimiser.weight_decay, optimiser.clip_norm, optimiser.ema_decay) == (0, 0, 0)
    epochs = recipe.epochs
    begins, freezes = round(distil.start * epochs), round(distil.freeze_encoder * epochs)
    assert (begins, freezes - begins, epochs - freezes) == (25, 26, 24)
    assert distil.weights == (0.6, 0.1, 0.1)
    assert (distil.projector, distil.standardise) == ("teacher_trainable", "none")
    assert (distil.split, distil.grid_px, distil.loss) == ("fft_square_nb", 64, "mse")
    assert not distil.frozen_batchnorm
    assert len(distil.teachers) == 3


def test_paper_has_three_times_forty_epochs_and_four_teachers():
    recipe = load_recipe("paper")
    distil, epochs = recipe.distil, recipe.epochs

    assert [round(at * epochs) for at in (distil.start, distil.freeze_encoder, 1)] == [40, 80, 120]
    assert (recipe.batch, recipe.optimiser.kind, recipe.selection) == (16, "adam", "last")
    assert (recipe.scales, recipe.scaling) == ((0.75, 1.0, 1.25), "each")
    assert (distil.split, distil.grid_px, distil.projector) == ("fft_radial", 0, "teacher_frozen")
    assert distil.frozen_batchnorm
    assert len(distil.teachers) == 4


def test_best_is_the_last_column_of_the_published_methods_table():
    recipe = load_recipe("best")
    distil, optimiser = recipe.distil, recipe.optimiser

    assert (optimiser.kind, optimiser.rate, optimiser.encoder_rate_factor) == ("adamw", 3e-4, 0.3)
    assert (optimiser.weight_decay, optimiser.schedule, optimiser.clip_norm) == (0.02, "cosine", 1.0)
    assert (optimiser.ema_decay, recipe.selection, recipe.precision) == (0.999, "validation", "bf16")
    assert (distil.projector, distil.standardise, distil.split) == ("student", "phi_s", "none")
    assert (distil.ramp, distil.stop, distil.freeze_encoder, distil.gradient_share) == (0.05, 0.9, 1.0, 0.2)


def test_light_means_what_it_meant_when_the_bundled_model_was_trained():
    recipe = load_recipe("light")

    assert recipe.augment == AugmentPart()
    assert (recipe.scales, recipe.accumulate, recipe.selection) == ((1.0,), 1, "last")
    assert (recipe.optimiser.kind, recipe.optimiser.schedule) == ("adamw", "cosine")
    assert recipe.distil.teachers == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("optimiser.rte=1", ("optimiser.rte", "no key of this name (perhaps rate)", "not 1")),
        ("optimiser.rate=-1", ("optimiser.rate", "greater than 0", "not -1")),
        ("batch=many", ("batch", "a valid integer", 'not "many"')),
        ("batch=true", ("batch", "a valid integer", "not true")),
        ("stages.0.size_px=100", ("stages.0.size_px", "a multiple of 32", "not 100")),
        ("distil.split=wavelets", ("distil.split", "'none', 'fft_radial'", "wavelets")),
        ("accumulate=3", ("batch 16 is not a multiple of accumulate 3",)),
        ("augment.zoom=[2, 1]", ("zoom must go from small to large",)),
        ("optimiser.rate", ("KEY=VALUE", "optimiser.rate")),
        ("stages.7.epochs=1", ("stages.7.epochs",)),
    ],
)
def test_a_wrong_value_is_told_with_its_key_what_was_expected_and_what_came(change, told):
    with pytest.raises(FaultError) as caught:
        load_recipe("light", [change])

    assert caught.value.code is FaultCode.ARGUMENT
    for words in told:
        assert words in str(caught.value)


def test_flags_change_single_values():
    recipe = load_recipe(
        "best", ["optimiser.rate=0.01", "distil.loss=mse", "distil.teachers=[]", "stages.0.epochs=2"]
    )

    assert recipe.optimiser.rate == 0.01
    assert recipe.distil.loss == "mse"
    assert recipe.distil.teachers == ()
    assert recipe.stages[0].epochs == 2
    assert recipe.optimiser.weight_decay == load_recipe("best").optimiser.weight_decay


def test_what_was_changed_of_a_recipe_is_told_as_it_was_asked_for():
    changes = [
        "data.negatives_share=0.2",
        "data.hard_negatives_share=0.5",
        "stages.0.epochs=1",
        'student.start="polyp-light-6"',
        "distil.teachers=[]",
    ]
    recipe = load_recipe("best", [*changes, "seed=3", "threads=1", "precision=float32"])

    assert sorted(changes_of(recipe)) == sorted(changes)
    assert changes_of(load_recipe("best")) == ()
    assert load_recipe("best", changes) == load_recipe("best", changes_of(recipe))


def test_another_number_of_stages_is_told_and_nothing_of_a_recipe_of_ones_own():
    longer = load_recipe("best", ["stages=[{epochs=4, size_px=256}, {epochs=1, size_px=320}]"])

    assert changes_of(longer) == ('stages=[{"epochs": 4, "size_px": 256}, {"epochs": 1, "size_px": 320}]',)
    assert changes_of(longer.model_copy(update={"name": "mine"})) == ()


@pytest.fixture
def older_run(tmp_path):
    """A run folder of before the key for rendered images was given up."""

    def make(rendered):
        recipe = load_recipe("best").model_dump(mode="json")
        recipe["data"]["synthetic_images"] = rendered
        (tmp_path / "run.json").write_text(json.dumps({"recipe": recipe}))
        return tmp_path

    return make


def test_an_older_run_that_names_a_key_of_then_is_read_and_gone_on_with(older_run):
    assert recipe_of(older_run(0), resuming=True) == load_recipe("best")


def test_an_older_run_that_trained_on_rendered_images_is_judged_but_not_gone_on_with(older_run):
    assert recipe_of(older_run(40)) == load_recipe("best")
    with pytest.raises(FaultError, match="40 rendered images"):
        recipe_of(older_run(40), resuming=True)
