"""`compare`: paired over images, whole groups at a time, and over seeds."""

import json

import numpy as np
import pytest

from distill.__main__ import main
from distill.judging.compare import DICE_OR_SILENCE, MEAN_OF_SETS, compare
from distill.metrics.measure import Case
from distill.metrics.table import COLUMNS, Row, read_table
from engine.faults import FaultError


def table(values, groups=None, sets=None):
    """A table with one figure an image; None: an image without it."""
    return [
        Row(
            Case(
                f"i{n}",
                (sets or ["s"] * len(values))[n],
                (groups or [f"g{i}" for i in range(len(values))])[n],
            ),
            {} if value is None else {"dice": value},
        )
        for n, value in enumerate(values)
    ]


def test_a_constant_gain_has_no_doubt():
    rng = np.random.default_rng(0)
    values = rng.uniform(0.3, 0.9, 40)

    (pooled,) = compare([table(values)], [table(values + 0.05)])[-1:]

    assert pooled.set == "pooled"
    assert (pooled.difference, pooled.low, pooled.high) == pytest.approx((0.05, 0.05, 0.05))
    assert pooled.p == pytest.approx(2 / 2001)


def test_pairing_sees_a_gain_that_is_smaller_than_the_spread_of_the_images():
    rng = np.random.default_rng(1)
    values = rng.uniform(0.1, 0.9, 60)
    better = values + rng.normal(0.02, 0.03, 60)

    (pooled,) = compare([table(values)], [table(better)])[-1:]

    assert 0 < pooled.low < pooled.difference < pooled.high < 0.04
    assert pooled.p < 0.05


def test_an_image_without_a_polyp_can_count_by_its_silence():
    polyp = Row(Case("polyp", "s", "g0"), {"dice": 0.5, "false_detections": 3.0})
    loud = Row(Case("free", "s", "g1"), {"false_detections": 2.0})
    silent = Row(Case("free", "s", "g1"), {"false_detections": 0.0})

    (pooled,) = compare([[polyp, loud]], [[polyp, silent]], DICE_OR_SILENCE)[-1:]

    assert (pooled.a, pooled.b, pooled.images) == (0.25, 0.75, 2)


def test_two_of_a_kind_do_not_differ():
    values = np.random.default_rng(2).uniform(0.3, 0.9, 20)

    (pooled,) = compare([table(values)], [table(values)])[-1:]

    assert (pooled.difference, pooled.low, pooled.high, pooled.p) == (0.0, 0.0, 0.0, 1.0)


def test_images_of_one_group_are_drawn_together():
    values, better = np.full(20, 0.5), np.concatenate([np.full(10, 0.6), np.full(10, 0.45)])

    (alone,) = compare([table(values)], [table(better)])[-1:]
    (grouped,) = compare([table(values, ["a"] * 10 + ["b"] * 10)], [table(better, ["a"] * 10 + ["b"] * 10)])[
        -1:
    ]

    assert grouped.groups == 2
    assert (grouped.low, grouped.high) == pytest.approx((-0.05, 0.1))
    assert alone.low > grouped.low
    assert alone.p < grouped.p


def test_a_gain_of_one_lucky_seed_is_doubted():
    values = np.random.default_rng(3).uniform(0.3, 0.9, 30)
    plain = [table(values) for _ in range(3)]
    lucky = [table(values + gain) for gain in (0.06, -0.01, -0.01)]
    steady = [table(values + gain) for gain in (0.013, 0.0135, 0.0135)]

    (doubted,), (trusted,) = compare(plain, lucky)[-1:], compare(plain, steady)[-1:]

    assert doubted.difference == pytest.approx(trusted.difference)
    assert doubted.p > 0.05 > trusted.p


def test_as_many_seeds_are_twins_drawn_together():
    values = np.random.default_rng(4).uniform(0.3, 0.6, 30)
    a = [table(values + seed) for seed in (0.0, 0.1, 0.2)]
    b = [table(values + seed + 0.01) for seed in (0.0, 0.1, 0.2)]

    (twins,), (strangers,) = compare(a, b)[-1:], compare(a, [*b, b[1]])[-1:]

    assert twins.low == pytest.approx(0.01)
    assert strangers.low < 0 < strangers.high


def test_every_set_counts_the_same_in_their_mean():
    sets = ["large"] * 9 + ["small"]
    a, b = table([0.5] * 10, sets=sets), table([0.5] * 9 + [0.9], sets=sets)

    rows = {row.set: row for row in compare([a], [b])}

    assert list(rows) == ["large", "small", MEAN_OF_SETS, "pooled"]
    assert rows["small"].difference == pytest.approx(0.4)
    assert rows[MEAN_OF_SETS].difference == pytest.approx(0.2)
    assert rows["pooled"].difference == pytest.approx(0.04)


def test_images_without_the_figure_are_left_out():
    (pooled,) = compare([table([0.5, None, 0.5])], [table([0.6, None, 0.6])])[-1:]

    assert pooled.images == 2


@pytest.mark.parametrize(
    "other", [table([0.5, 0.5, 0.5]), table([0.5, None]), table([0.5, 0.5], ["x", "y"]), table([None, None])]
)
def test_tables_of_different_images_or_groups_are_refused(other):
    with pytest.raises(FaultError):
        compare([table([0.5, 0.5])], [other])


def write(path, values):
    lines = [",".join(COLUMNS)]
    for n, value in enumerate(values):
        cells = {"name": f"i{n}", "set": "s", "group": f"g{n}", "polyp": "1", "dice": f"{value:.4f}"}
        lines.append(",".join(cells.get(name, "") for name in COLUMNS))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_tables_and_run_folders_are_compared_on_the_command_line(tmp_path):
    values = np.linspace(0.4, 0.8, 10)
    a = write(tmp_path / "a.csv", values)
    write(tmp_path / "run" / "per_image.csv", values + 0.1)

    assert main(["compare", a, str(tmp_path / "run"), "--json", str(tmp_path / "out.json")]) == 0

    pooled = json.loads((tmp_path / "out.json").read_text())["differences"]["pooled"]
    assert pooled["difference"] == pytest.approx(0.1)
    assert pooled["low"] <= 0.1 <= pooled["high"]


def test_several_seeds_come_after_a_and_b(tmp_path):
    values = np.linspace(0.4, 0.8, 10)
    a = [write(tmp_path / f"a{seed}.csv", values) for seed in range(2)]
    b = [write(tmp_path / f"b{seed}.csv", values + 0.1) for seed in range(3)]

    assert main(["compare", "--a", *a, "--b", *b, "--json", str(tmp_path / "out.json")]) == 0

    assert json.loads((tmp_path / "out.json").read_text())["b"] == b


@pytest.mark.parametrize("arguments", [["one"], ["one", "two", "three"], ["--a", "one"]])
def test_two_sides_must_be_named(arguments, capsys):
    assert main(["compare", *arguments]) == 2
    assert "two runs" in capsys.readouterr().err


def test_a_figure_that_no_table_has_is_refused_with_the_known_ones(tmp_path, capsys):
    a = write(tmp_path / "a.csv", [0.5])

    assert main(["compare", a, a, "--figure", "dise"]) == 2
    assert "s_alpha" in capsys.readouterr().err


def test_a_file_that_is_no_table_is_named(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")

    with pytest.raises(FaultError, match=r"x\.csv"):
        read_table(tmp_path / "x.csv")
