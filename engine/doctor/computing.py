"""What can run a network here: the runtimes, the processor, an NVIDIA GPU."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from engine.doctor.bounded import Answer, ask, ask_python
from engine.doctor.check_result import CheckResult, Level

RUNTIME_S = 120.0  # importing torch from a cold network drive, or compiling the default model
PROBE_S = 30.0
GPU_S = 10.0  # nvidia-smi wakes a GPU that sleeps
DRIVER = "nvidia-smi"  # comes with every NVIDIA driver
_GPU_QUERY = ("name", "driver_version", "memory.total", "compute_cap")

Steps = tuple[list[dict[str, Any]], Answer]


def probe(*arguments: str, limit_s: float = PROBE_S) -> Steps:
    """What `engine.doctor.probes` printed, and how it ended."""
    answer = ask_python(["-m", "engine.doctor.probes", *arguments], limit_s, OMP_WAIT_POLICY="PASSIVE")
    return [json.loads(line) for line in answer.out.splitlines() if line.startswith("{")], answer


def gpu_runtime(
    name: str,
    extra: str | None,
    ask_probe: Callable[[str], Steps] | None = None,
    driver: str = DRIVER,
) -> CheckResult:
    """As `runtime`, of one that needs an NVIDIA GPU: where there is none, nothing is wrong without it."""
    found = runtime(name, extra, ask_probe)
    if found.level is Level.OK or shutil.which(driver) is not None:
        return found
    return CheckResult(found.name, Level.OK, f"not used here, there is no NVIDIA driver ({found.text})")


def runtime(name: str, extra: str | None, ask_probe: Callable[[str], Steps] | None = None) -> CheckResult:
    """Whether the runtime can be imported and gives a mask; why not otherwise.

    `extra`: the pip extra that brings it; None means live use needs it.
    """
    title = f"runtime {name}"
    level = Level.FAIL if extra is None else Level.WARN
    steps, answer = (ask_probe or _ask_runtime)(name)
    install = f"pip install 'polyplive[{extra}]' where you want it" if extra else "install the program again"
    if not steps:
        return CheckResult(title, level, f"cannot be imported: {answer.reason}", install)
    last = steps[-1]
    if "error" in last:
        what = "cannot be imported" if last["step"] == "import" else "is installed but does not run"
        return CheckResult(title, level, f"{what}: {last['error']}", last.get("remedy") or install)
    if last["step"] == "import":  # the process ended, or was ended, while it opened the model
        return CheckResult(
            title,
            level,
            f"can be imported but gave no mask: {answer.reason}",
            "try again, as the first time it may be compiling, or choose another runtime",
        )
    text = f"{last['model']} in {last['precision']} on {last['device']} ({last['version']})"
    return CheckResult(title, Level.OK, text)


def processor(ask_probe: Callable[[], Steps] = lambda: probe("processor")) -> CheckResult:
    """Which precisions are quick on this CPU."""
    steps, answer = ask_probe()
    if not steps:
        return CheckResult(
            "processor",
            Level.WARN,
            f"OpenVINO does not say what it can: {answer.reason}",
            "install openvino again",
        )
    facts = steps[0]
    capabilities = set(facts["capabilities"])
    quick = [name for name in ("BF16", "FP16", "INT8") if name in capabilities]
    text = f"{facts['name']}, {facts['cores']} cores, quick at {', '.join(['FP32', *quick])}"
    if facts["others"]:
        text += f"; OpenVINO also sees {', '.join(facts['others'])}"
    if "BF16" not in capabilities and "INT8" not in capabilities:
        return CheckResult(
            "processor", Level.WARN, text, "expect f32 speed: use a smaller student for 60 fps"
        )
    return CheckResult("processor", Level.OK, text)


def gpu(command: Sequence[str] = (DRIVER,), limit_s: float = GPU_S) -> CheckResult:
    """NVIDIA GPUs and their driver; none is no failure."""
    if shutil.which(command[0]) is None:
        return CheckResult(
            "gpu", Level.OK, f"no NVIDIA driver ({command[0]} not found): networks run on the CPU"
        )
    answer = ask([*command, f"--query-gpu={','.join(_GPU_QUERY)}", "--format=csv,noheader"], limit_s)
    rows = [[cell.strip() for cell in line.split(",")] for line in answer.out.splitlines() if line.strip()]
    whole = [row for row in rows if len(row) == len(_GPU_QUERY)]
    if answer.code != 0 or not whole:
        said = answer.out.strip().splitlines()  # nvidia-smi explains itself on stdout
        return CheckResult(
            "gpu",
            Level.WARN,
            f"{command[0]} does not work: {said[0] if said else answer.reason}",
            "install the NVIDIA driver again and restart, or go on with the CPU",
        )
    return CheckResult(
        "gpu",
        Level.OK,
        "; ".join(
            f"{name}, {memory}, compute capability {capability}, driver {driver}"
            for name, driver, memory, capability in whole
        ),
    )


def _ask_runtime(name: str) -> Steps:
    return probe("runtime", name, limit_s=RUNTIME_S)
