"""Tables instead of plug-ins: a name and "module:attr" as text, imported at first use (docs/adr/0005)."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.faults import FaultCode, FaultError

OWN_PACKAGES = frozenset({"app", "engine", "distill", "assets"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One choice of a table. `target` is "module:attr"; `extra` is the pip extra its imports come from."""

    target: str
    extra: str | None = None
    summary: str = ""


def choose(table: Mapping[str, Entry], name: str, kind: str) -> Entry:
    """The entry of that name; `kind` ("runtime", "source") is used in the error's words.

    Raises FaultError ARGUMENT with the nearest names when there is none.
    """
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, list(table), n=1) or sorted(table)
    raise FaultError(
        FaultCode.ARGUMENT,
        expected=f"a {kind}: {', '.join(table)}",
        got=f"{name!r}",
        remedy=f"choose {near[0]}" if near else f"this installation has no {kind} at all",
        said=f"There is no {kind} {name!r}. "
        + (
            f"Choose {near[0]}; there are {', '.join(table)}."
            if near
            else f"This installation has no {kind}."
        ),
    )


def load(entry: Entry) -> Any:
    """Import the entry's module and give its attribute.

    Raises FaultError EXTRA_MISSING, with the pip line, when a third-party package is not installed, and
    RUNTIME_MISSING when one of an extra is and does not import (TensorRT without its libraries). A missing
    module or attribute of our own is a bug and keeps its traceback.
    """
    module_name, _, attribute = entry.target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if not missing or missing in OWN_PACKAGES:
            raise
        what = f"polyplive[{entry.extra}]" if entry.extra else missing
        raise FaultError(
            FaultCode.EXTRA_MISSING,
            expected=f"the package {missing}, which {module_name} needs",
            got="it is not installed",
            remedy=f"pip install '{what}'" if entry.extra else f"pip install {what}",
            said=f"The package {missing} is not installed. Install it: pip install '{what}'.",
        ) from error
    except (ImportError, OSError) as error:
        if entry.extra is None or (getattr(error, "name", None) or "").partition(".")[0] in OWN_PACKAGES:
            raise
        raise FaultError(
            FaultCode.RUNTIME_MISSING,
            expected=f"what {module_name} needs to be whole",
            got=_first_line(error),
            remedy=f"pip install --force-reinstall 'polyplive[{entry.extra}]', or choose auto",
            said=f"A package of polyplive[{entry.extra}] cannot be loaded ({_first_line(error)}). "
            f"Install it again: pip install --force-reinstall 'polyplive[{entry.extra}]', or choose auto.",
            detail=str(error),
        ) from error
    return getattr(module, attribute)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def load_named(table: Mapping[str, Entry], name: str, kind: str) -> Any:
    """`choose` and `load` in one: the usual way in."""
    return load(choose(table, name, kind))
