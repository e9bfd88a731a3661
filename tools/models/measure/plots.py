"""Pictures of an evaluation: ROC, calibration, subgroups, FROC."""

from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import InvalidValueError
from tools.models.measure.evaluate import Evaluation, LabelEvaluated
from tools.models.measure.froc import Froc

_INCHES = (5.0, 4.5)
_DPI = 120


def write_plots(found: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Write the pictures of an evaluation as PNG and return their files.

    Raises:
        InvalidValueError: The folder cannot be written.
    """
    made = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for at, label in enumerate(found.labels, 1):
            for name, draw in (("roc", _roc), ("calibration", _calibration), ("groups", _groups)):
                file = folder / f"{name}-{at}.png"
                if _drawn(file, draw, label, f"{label.label}: {found.model}"):
                    made.append(file)
        if found.detection is not None:
            file = folder / "froc.png"
            _drawn(file, _froc, found.detection, found.model)
            made.append(file)
    except OSError as error:
        raise InvalidValueError(
            "--out", f"cannot write there: {error.strerror}", "name another folder"
        ) from error
    return tuple(made)


def _drawn(file: Path, draw: Any, what: Any, title: str) -> bool:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if not draw(axes, what):
        return False
    axes.set_title(title.replace("$", r"\$"), fontsize=9)
    figure.savefig(file, metadata={"Software": None})
    return True


def _roc(axes: Any, label: LabelEvaluated) -> bool:
    if label.area is None:
        return False
    truth, values = np.array(label.truth), np.array(label.values)
    cuts = np.concatenate([[np.inf], np.unique(values)[::-1]])
    seen = [(values[truth] >= c).mean() for c in cuts]
    false = [(values[~truth] >= c).mean() for c in cuts]
    axes.plot(false, seen, drawstyle="default", color="tab:blue")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    if label.at_threshold is not None:
        point = label.at_threshold
        if point.sensitivity.value is not None and point.specificity.value is not None:
            axes.plot(1 - point.specificity.value, point.sensitivity.value, "o", color="tab:red")
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(0, 1), ylim=(0, 1.01))
    text = f"AUROC {label.area.value:.3f} ({label.area.interval})\n"
    axes.text(0.98, 0.02, text + f"{label.area.present} with, {label.area.absent} without",
              ha="right", va="bottom", transform=axes.transAxes, fontsize=8)  # fmt: skip
    return True


def _calibration(axes: Any, label: LabelEvaluated) -> bool:
    if label.reliability is None:
        return False
    bins = [b for b in label.reliability.bins if b.observed.ci is not None]
    mean = [b.mean for b in bins]
    seen = [b.observed.value or 0.0 for b in bins]
    low = [max(0.0, s - (b.observed.ci or (s, s))[0]) for s, b in zip(seen, bins, strict=True)]
    high = [max(0.0, (b.observed.ci or (s, s))[1] - s) for s, b in zip(seen, bins, strict=True)]
    axes.errorbar(mean, seen, yerr=[low, high], fmt="o-", color="tab:blue", capsize=2)
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    axes.set(xlabel="probability", ylabel="share that has it", xlim=(0, 1), ylim=(0, 1))
    axes.text(0.02, 0.98, f"Brier {label.reliability.brier:.3f}", va="top",
              transform=axes.transAxes, fontsize=8)  # fmt: skip
    return True


def _groups(axes: Any, label: LabelEvaluated) -> bool:
    rows = [g for g in label.subgroups if g.area is not None]
    if not rows:
        return False
    for at, group in enumerate(rows):
        if group.area is not None:
            if group.area.ci is not None:
                axes.plot(group.area.ci, [at, at], color="tab:blue")
            axes.plot(group.area.value, at, "o", color="tab:blue")
    names = [f"{g.group} {g.value} (n {g.cases})".replace("$", r"\$") for g in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    if label.area is not None:
        axes.axvline(label.area.value, color="0.7", linewidth=0.8)
    axes.set(xlabel="AUROC with its 95 % interval", xlim=(0, 1.01))
    return True


def _froc(axes: Any, found: Froc) -> bool:
    for name, points in (("all", found.points), *((g.name, g.points) for g in found.by_size)):
        seen = [p.sensitivity.value or 0.0 for p in points]
        of = points[0].sensitivity.of
        axes.plot([p.false_positives for p in points], seen, "o-", label=f"{name} (n {of})")
    axes.set_xscale("log", base=2)
    axes.set(xlabel="false positives per scan", ylabel="sensitivity per lesion", ylim=(0, 1.01))
    axes.legend(fontsize=7)
    return True
