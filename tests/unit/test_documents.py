"""Links of the documents lead somewhere, and nothing cites a document that is not in the repository."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("app", "assets", "distill", "docs", "engine", "scripts", "tests")
TEXTS = {".md", ".py", ".toml", ".cpp", ".h", ".sh"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
CITED = re.compile(r"(?<![\w/.*{}-])((?:[\w.-]+/)*[\w.-]+\.md)\b(?!\w)")
IN_DOCS = re.compile(r"\bdocs/[\w./-]*\w")
FILE = re.compile(r"`((?:app|assets|distill|engine|tests|scripts|docs)/[\w./-]*)`")
# What programs write into folders of their own, and tests with them; NAME stands for a name.
WRITTEN = {
    "table.md",
    "peers.md",
    "students.md",
    "model-card.md",
    "red.md",
    "SUITE.md",
    "NAME.md",
    "FILE.md",
} | {f"table{n}.md" for n in range(1, 5)}


def texts(endings=TEXTS):
    yield from (path for path in ROOT.glob("*") if path.suffix in endings)
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in endings and path.is_file())


def broken_links(path, text):
    for target in LINK.findall(text):
        place = target.partition("#")[0]
        if place and "://" not in target and not (path.parent / place).exists():
            yield target


def unknown_documents(path, text):
    for name in CITED.findall(text):
        places = (ROOT, path.parent, ROOT / "docs")
        if Path(name).name not in WRITTEN and not any((place / name).is_file() for place in places):
            yield name
    for name in IN_DOCS.findall(text):
        # A decision is cited by its number.
        if "NAME" not in name and not (ROOT / name).exists() and not any(ROOT.glob(f"{name}-*.md")):
            yield name


def test_every_link_of_a_document_leads_to_a_file():
    broken = {
        str(path.relative_to(ROOT)): found
        for path in texts({".md"})
        if (found := list(broken_links(path, path.read_text(encoding="utf-8"))))
    }

    assert broken == {}


def test_nothing_cites_a_document_that_is_not_here():
    missing = {
        str(path.relative_to(ROOT)): found
        for path in texts()
        if path != Path(__file__)
        if (found := list(unknown_documents(path, path.read_text(encoding="utf-8"))))
    }

    assert missing == {}


def test_every_file_that_a_document_names_is_where_it_says():
    gone = {
        str(path.relative_to(ROOT)): found
        for path in texts({".md"})
        if (found := [name for name in FILE.findall(path.read_text(encoding="utf-8")) if is_gone(name)])
    }

    assert gone == {}


def test_the_changelog_begins_with_what_is_not_released_and_ends_with_the_first_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[?([^]\s]+)", text, re.MULTILINE)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

    assert versions[:2] == ["Unreleased", version]
    assert "\n- " not in text.partition(f"## {versions[-1]}")[2]  # new lines go to the top


def test_a_word_has_one_row():
    rows = re.findall(r"^\| ([^|]+?) \|", (ROOT / "CONTEXT.md").read_text(encoding="utf-8"), re.MULTILINE)
    words = [word for word in rows if word != "word" and not word.startswith("-")]

    assert len(words) > 80
    assert sorted(words) == sorted(set(words))


def is_gone(name):
    """Whether it is nowhere; a file below distill/ or engine/ may be named without its ending."""
    return not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists()


@pytest.mark.parametrize(
    "text", ["see distillation.md, section 6", "(docs/gone.md)", "in `docs/evidence/x`", "../design/house.md"]
)
def test_a_document_of_elsewhere_would_be_found(text):
    assert list(unknown_documents(Path(__file__), text))


def test_a_link_that_leads_nowhere_would_be_found():
    assert list(broken_links(ROOT / "README.md", "[a](docs/gone.md) [b](https://x.org/y.md) [c](#d)")) == [
        "docs/gone.md"
    ]
