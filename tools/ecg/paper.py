"""Standard ECG paper in figure coordinates: 25 mm/s, 10 mm/mV, true to scale.

A page is drawn in millimetres: one unit of the axes is 1 mm of the printed page.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM_PER_S = 25.0
MM_PER_MV = 10.0
_MM_PER_INCH = 25.4
_MINOR, _MAJOR, _INK = "#f7d4d0", "#eaa39b", "#111111"
_DRAWN_HZ = 125.0
"""Columns a second; two points of each, its lowest and highest sample, are drawn."""
_PULSE_MM = 5.0


def page(width_mm: float, height_mm: float) -> "tuple[Figure, Axes]":
    """Return a figure of this size and axes that span it, in mm, y upwards."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / _MM_PER_INCH, height_mm / _MM_PER_INCH), facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, width_mm)
    axes.set_ylim(0, height_mm)
    axes.set_axis_off()
    return figure, axes


def grid(axes: "Axes", *, left: float, bottom: float, width: float, height: float) -> None:
    """Draw the 1 mm and 5 mm grid of a field whose sides are multiples of 5 mm."""
    for step, colour, line in ((1, _MINOR, 0.25), (5, _MAJOR, 0.5)):
        x = left + np.arange(0, width + 0.5, step)
        y = bottom + np.arange(0, height + 0.5, step)
        # one path for all lines, broken by NaN, keeps the document small
        for across in (_broken(x, bottom, bottom + height), _broken(y, left, left + width)[::-1]):
            axes.plot(*across, color=colour, lw=line, zorder=1)


def _broken(
    at: NDArray[np.float64], start: float, end: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    along = np.tile([start, end, np.nan], len(at))
    return np.repeat(at, 3), along


def calibration(axes: "Axes", *, x: float, y: float) -> None:
    """Draw the 1 mV, 0.2 s pulse that shows the gain and the speed."""
    xs = [x, x + 1, x + 1, x + 1 + _PULSE_MM, x + 1 + _PULSE_MM, x + 2 + _PULSE_MM]
    ys = [y, y, y + MM_PER_MV, y + MM_PER_MV, y, y]
    axes.plot(xs, ys, color=_INK, lw=0.6, solid_joinstyle="miter", zorder=3)


def trace(
    axes: "Axes",
    signal_mv: NDArray[np.float64],
    *,
    rate_hz: float,
    x: float,
    y: float,
    field: tuple[float, float, float, float],
    speed: float = MM_PER_S,
    gain: float = MM_PER_MV,
) -> None:
    """Draw (samples,) mV from the point (x, y) mm; NaN leaves a gap.

    Args:
        axes: The page.
        signal_mv: What to draw.
        rate_hz: Samples a second.
        x: Start of the line, mm.
        y: Level of 0 mV, mm.
        field: (left, bottom, width, height) mm; what lies outside is cut off.
        speed: mm a second.
        gain: mm a mV.
    """
    from matplotlib.patches import Rectangle

    t, v = thinned(signal_mv, rate_hz)
    (line,) = axes.plot(x + t * speed, y + v * gain, color=_INK, lw=0.6, zorder=3)
    line.set_clip_path(Rectangle(field[:2], field[2], field[3], transform=axes.transData))


def label(axes: "Axes", text: str, *, x: float, y: float, size_pt: float = 8, **style: Any) -> None:
    """Write text with its lower left corner at (x, y) mm, or as the style says, on white."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    axes.text(x, y, text, fontsize=size_pt, zorder=5, bbox=box, **style)


def upright(axes: "Axes", x: float, *, bottom: float, top: float, colour: str) -> None:
    """Draw one vertical mark at x mm."""
    axes.vlines([x], bottom, top, color=colour, lw=0.6, zorder=2)


def dot(axes: "Axes", *, x: float, y: float, colour: str) -> None:
    """Draw a small mark at (x, y) mm."""
    axes.plot([x], [y], marker="o", markersize=2.6, color=colour, mew=0, zorder=4)


def thinned(
    signal_mv: NDArray[np.float64], rate_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (times in s, mV) with the lowest and highest sample of every drawn column.

    A spike of one sample keeps its height. At or below twice that rate nothing is left out.
    """
    block = int(rate_hz // _DRAWN_HZ)
    times = np.arange(len(signal_mv)) / rate_hz
    if block <= 2:
        return times, signal_mv
    whole = len(signal_mv) // block * block
    columns = signal_mv[:whole].reshape(-1, block)
    filled = np.where(np.isnan(columns), 0.0, columns)
    pick = np.sort(np.stack([filled.argmin(axis=1), filled.argmax(axis=1)], axis=1), axis=1)
    index = (np.arange(len(columns))[:, None] * block + pick).ravel()
    index = np.concatenate([index, np.arange(whole, len(signal_mv))])
    return times[index], signal_mv[index]
