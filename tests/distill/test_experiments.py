"""What was tried stands in docs/experiments: a page and a table an experiment, the source of its figures."""

from pathlib import Path

import pytest

from distill.__main__ import main
from distill.judging.experiment import CONTROL, experiment_text, kept, read_arms, write_arms
from distill.metrics.measure import Case
from distill.metrics.table import Row
from engine.faults import FaultError

PAGES = Path(__file__).parents[2] / "docs" / "experiments"
TABLES = sorted(PAGES.glob("*.csv.xz"))


def seed(dice, silent=True):
    """Four images with a polyp and one without, on which something is marked or not."""
    rows = [Row(Case(f"i{n}", "a", f"g{n}"), {"dice": dice}) for n in range(4)]
    return [*rows, Row(Case("i4", "a", "g4"), {"false_detections": float(not silent)})]


@pytest.fixture
def table(tmp_path):
    """Two seeds of a control, two that were taught, and one that was mined."""
    control = {"1": seed(0.5, silent=False), "2": seed(0.51, silent=False)}
    arms = {CONTROL: control, "taught": {"1": seed(0.75), "2": seed(0.76)}, "mined": {"2": seed(0.61)}}
    write_arms(tmp_path / "tried.csv.xz", arms)
    return tmp_path / "tried.csv.xz"


def test_every_arm_stands_beside_the_control_of_its_own_seeds(table, capsys):
    assert main(["compare", str(table)]) == 0

    text = capsys.readouterr().out
    assert "| set | images | control | taught | difference | p |" in text
    assert "| a | 4 | 0.505 | 0.755 | +0.250 [+0.250, +0.250] |" in text
    assert "| a | 5 | 0.404 | 0.804 | +0.400 [" in text  # with silence
    assert "| a | 4 | 0.510 | 0.610 | +0.100 [+0.100, +0.100] |" in text


def test_a_table_says_the_same_when_it_was_written_and_read_again(table, tmp_path):
    write_arms(tmp_path / "again.csv.xz", read_arms(table))

    assert (tmp_path / "again.csv.xz").read_bytes() == table.read_bytes()


def test_another_arm_is_kept_beside_the_control_that_is_there(table, tmp_path):
    words = []
    for name, arms in (("a", CONTROL), ("b", "mined")):
        rows = read_arms(table)[arms]["2"]
        write_csv(tmp_path / f"{name}.csv", rows)
        words += [f"--{name}", str(tmp_path / f"{name}.csv")]
    new = tmp_path / "new.csv.xz"

    assert main(["compare", *words, "--keep", str(new), "--arm", "mined"]) == 0
    assert main(["compare", *words, "--keep", str(new), "--arm", "again"]) == 0
    arms = read_arms(new)

    assert list(arms) == [CONTROL, "mined", "again"]
    assert arms["again"]["1"][0].figures["dice"] == 0.61


def write_csv(path, rows):
    from distill.metrics.table import COLUMNS

    lines = [",".join(COLUMNS)]
    for row in rows:
        place = {"name": row.case.name, "set": row.case.set, "group": row.case.group, "polyp": "1"}
        lines.append(",".join(str((place | row.figures).get(column, "")) for column in COLUMNS))
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("arm", [CONTROL, "other"])
def test_two_experiments_are_not_mixed_in_one_table(table, arm):
    with pytest.raises(FaultError, match="beside the control"):
        kept(read_arms(table), [seed(0.3)], [seed(0.4)], arm)


def test_a_file_that_is_no_such_table_is_named(tmp_path, capsys):
    path = tmp_path / "half.csv.xz"
    path.write_bytes(b"\xfd7zXZ\x00half")

    assert main(["compare", str(path)]) == 3
    assert "half.csv.xz" in capsys.readouterr().err


# The others of them by `make test-slow`: each takes a second.
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.name, marks=[pytest.mark.slow] if rank else [])
        for rank, path in enumerate(TABLES)
    ],
)
def test_the_figures_of_a_page_are_those_of_its_table(path):
    page = PAGES / path.name.replace(".csv.xz", ".md")

    assert experiment_text(read_arms(path)) in page.read_text(encoding="utf-8")
