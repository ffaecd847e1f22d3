"""CHECKS: name -> a function without arguments that gives a CheckResult. To add one: function and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from engine.doctor import computing, desktop, packages, storage, video
from engine.doctor.bounded import guarded, one_line
from engine.doctor.check_result import CheckResult, Level

LIMIT_S = 150.0  # more than the longest limit inside a check, so that its own words come first

Check = Callable[[], CheckResult]


def checks() -> dict[str, Check]:
    """All of them, in the order in which they are told; a line for each runtime of the table."""
    return {
        "python": lambda: packages.python_version(packages.needs().python),
        "packages": lambda: packages.package_versions(packages.needs(), packages.installed()),
        "known traps": lambda: packages.known_traps(packages.installed()),
        "processor": computing.processor,
        "gpu": computing.gpu,
        **_runtimes(),
        "qt libraries": desktop.libraries,
        "qt window": desktop.window,
        "decoders": video.decoders,
        "hardware decoding": video.hardware_decoders,
        "capture devices": video.capture,
        "models": storage.models,
        "model in use": storage.model_in_use,
        "cache folder": lambda: storage.folder("cache folder", _user("user_cache"), Level.WARN),
        "settings folder": lambda: storage.folder("settings folder", _user("user_config"), Level.WARN),
        "data folder": lambda: storage.folder("data folder", _user("user_data"), Level.WARN),
        "working folder": lambda: storage.folder("working folder", Path.cwd(), Level.WARN),
    }


def check_results(
    table: Mapping[str, Check] | None = None, limit_s: float = LIMIT_S
) -> Iterator[CheckResult]:
    """Each check in turn, its result as soon as it is there. Never raises, never waits for ever."""
    for name, check in (checks() if table is None else table).items():
        yield guarded(name, check, limit_s)


def _runtimes() -> dict[str, Check]:
    try:
        from engine.runtime import GPU_RUNTIMES, RUNTIMES
    except ImportError as error:  # numpy or pydantic is missing: a result, like everything else
        broken = CheckResult("runtimes", Level.FAIL, one_line(error), "install the program again")
        return {"runtimes": lambda: broken}
    return {
        f"runtime {name}": partial(
            computing.gpu_runtime if name in GPU_RUNTIMES else computing.runtime, name, entry.extra
        )
        for name, entry in RUNTIMES.items()
    }


def _user(which: str) -> Path:
    from engine.files import whole as files

    path: Path = getattr(files, which)()
    return path
