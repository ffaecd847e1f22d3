"""The reliability curve as a picture."""

from __future__ import annotations

from io import BytesIO

from distill.export.calibration import LogitCounts, reliability


def reliability_png(counts: LogitCounts, temperature: float) -> bytes:
    """What was said against what was true, without and with the temperature."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 4.0), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    cooled = (temperature, "#2060b0", f"T = {temperature:.2f}")
    for value, colour, name in ((1.0, "#d08030", "as trained"), cooled):
        curve = reliability(counts, value)
        axes.plot(curve.said, curve.true, marker="o", markersize=4, color=colour, label=name)
    axes.set(xlabel="probability said", ylabel="share of pixels that are polyp", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
