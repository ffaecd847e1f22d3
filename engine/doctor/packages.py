"""Python and the packages, beside the bounds of pyproject.toml."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from engine.doctor.check_result import CheckResult, Level

PROJECT = "polyplive"
_TREE = Path(__file__).parents[2]
_NOT_HEADLESS = ("opencv-python", "opencv-contrib-python")


@dataclass(frozen=True, slots=True)
class Needs:
    """What the project asks for: `python` such as ">=3.11", `packages` as (requirement, extra or None)."""

    python: str
    packages: tuple[tuple[str, str | None], ...]


def needs(tree: Path = _TREE) -> Needs:
    """From the source tree's pyproject.toml (what is installed may lag behind it), else as installed."""
    file = tree / "pyproject.toml"
    if file.is_file():
        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == PROJECT:
            core = [(text, None) for text in project["dependencies"]]
            extras = [
                (text, extra) for extra, texts in project["optional-dependencies"].items() for text in texts
            ]
            return Needs(project["requires-python"], (*core, *extras))
    return _installed_needs()


def installed() -> dict[str, str]:
    """Version of every package here, by its normalised name."""
    from packaging.utils import canonicalize_name

    found: dict[str, str] = {}
    for package in metadata.distributions():
        # The first one on the path is the one that is imported.
        if package.metadata["Name"]:
            found.setdefault(canonicalize_name(package.metadata["Name"]), package.version)
    return found


def python_version(wanted: str, have: str = platform.python_version()) -> CheckResult:
    """`wanted`: a specifier such as ">=3.11"."""
    from packaging.specifiers import SpecifierSet

    text = f"{have} on {platform.platform()}"
    if SpecifierSet(wanted).contains(have, prereleases=True):
        return CheckResult("python", Level.OK, text)
    return CheckResult("python", Level.FAIL, f"{text}, but {wanted} is needed", f"install Python {wanted}")


def package_versions(needed: Needs, have: Mapping[str, str]) -> CheckResult:
    """Core packages have to be there and inside their bounds; those of extras inside them where they are."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    broken: list[str] = []
    doubtful: list[str] = []
    inside = 0
    for text, extra in needed.packages:
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        if name == PROJECT or (wanted.marker and not wanted.marker.evaluate({"extra": extra or ""})):
            continue
        version = have.get(name)
        if version is not None and wanted.specifier.contains(version, prereleases=True):
            inside += 1
        elif extra is None:
            broken.append(f"{wanted.name} {version or 'is missing'} (needs {wanted.specifier})")
        elif version is not None:
            doubtful.append(f"{wanted.name} {version} ([{extra}] needs {wanted.specifier})")
    if not broken and not doubtful:
        return CheckResult("packages", Level.OK, f"{inside} inside their bounds")
    return CheckResult(
        "packages",
        Level.FAIL if broken else Level.WARN,
        "; ".join(broken + doubtful),
        "run pip install -e '.[EXTRAS]' again in an environment of its own",
    )


def known_traps(have: Mapping[str, str], python: str = platform.python_version()) -> CheckResult:
    """Combinations that install without a complaint and break later (docs/adr/0007)."""
    from packaging.version import Version

    traps: list[tuple[str, str]] = []
    for name in ("pyside6-essentials", "pyside6", "shiboken6"):
        if name in have and Version(have[name]) >= Version("6.12") and Version(python) < Version("3.12"):
            traps.append(
                (
                    f"{name} {have[name]} loses references to None on Python {python} and aborts within a "
                    "minute of video",
                    "pip install 'PySide6-Essentials<6.12'",
                )
            )
            break
    with_qt = [name for name in _NOT_HEADLESS if name in have]
    if with_qt:
        traps.append(
            (
                f"{' and '.join(with_qt)} brings a Qt of its own and shares the folder cv2 with "
                "opencv-python-headless",
                f"pip uninstall {' '.join(with_qt)} opencv-python-headless, then pip install "
                "opencv-python-headless",
            )
        )
    if not traps:
        return CheckResult("known traps", Level.OK, "none")
    return CheckResult(
        "known traps",
        Level.FAIL,
        "; ".join(text for text, _ in traps),
        "; ".join(remedy for _, remedy in traps),
    )


def _installed_needs() -> Needs:
    facts = metadata.metadata(PROJECT)
    # Installed, an extra is a marker: `torch>=2.13; extra == "torch"`.
    texts: Sequence[str] = metadata.requires(PROJECT) or ()
    return Needs(facts["Requires-Python"], tuple((text, _extra_of(text)) for text in texts))


def _extra_of(text: str) -> str | None:
    _, _, name = text.rpartition("extra == ")
    return name.strip("\"'() ") if "extra == " in text else None
