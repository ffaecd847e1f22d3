"""The house keeps its shape: folders that can be looked over, files of one idea, a line for each room."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_FILES, MOST_LINES = 22, 350
FOLDERS = sorted(
    {path.parent for side in ("app", "engine", "distill", "assets") for path in (ROOT / side).rglob("*.py")}
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_can_be_looked_over(folder):
    assert len(list(folder.glob("*.py"))) <= MOST_FILES


def test_a_file_is_one_idea():
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in FOLDERS
        for path in folder.glob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }

    assert long == {}


def test_every_folder_has_a_line_in_the_develop_page():
    page = (ROOT / "docs" / "develop.md").read_text(encoding="utf-8")
    # Folders of C++ sources and the like lie in the room that uses them.
    names = {folder.relative_to(ROOT).as_posix() for folder in FOLDERS} - {"distill/train/cpu/kernels"}

    assert [name for name in sorted(names) if f"`{name}/`" not in page] == []
