"""ECG paper as SVG: millimetre units, the grid, a curve, the calibration pulse, a label."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from tools.ecg.paper import MM_PER_MV, MM_PER_S, thinned

MARGIN = 3.0


def open_svg(
    width: float, height: float, *, name: str, label: str, kind: str, grid: tuple[float, float]
) -> list[str]:
    """Return the beginning of a drawing, its grid drawn.

    Args:
        width: Of the page, mm; one unit of the drawing is one mm.
        height: Likewise.
        name: Unique on the page: two drawings must not share a pattern.
        label: What it is, for who does not see it.
        kind: Class, for the styles.
        grid: Width and height of the ruled field, mm; it begins at the margin.
    """
    across, down = grid
    return [
        f'<svg class="paper {kind}" viewBox="0 0 {width:g} {height:g}" role="group" '
        f'aria-label="{escape(label)}">'
        f'<defs><pattern id="{name}-mm" width="1" height="1" patternUnits="userSpaceOnUse" '
        f'x="{MARGIN:g}" y="{MARGIN:g}"><path class="mm" d="M1 0H0V1"/></pattern>'
        f'<pattern id="{name}-cm" width="5" height="5" patternUnits="userSpaceOnUse" '
        f'x="{MARGIN:g}" y="{MARGIN:g}"><path class="cm" d="M5 0H0V5"/></pattern></defs>',
        *(
            f'<rect x="{MARGIN:g}" y="{MARGIN:g}" width="{across:g}" height="{down:g}" '
            f'fill="url(#{name}-{step})"/>'
            for step in ("mm", "cm")
        ),
        f'<rect class="edge" x="{MARGIN:g}" y="{MARGIN:g}" width="{across:g}" height="{down:g}"/>',
    ]


def curve(
    signal_mv: NDArray[np.float64],
    *,
    rate_hz: float,
    x: float,
    y: float,
    speed: float = MM_PER_S,
    gain: float = MM_PER_MV,
) -> str:
    """Return a path of (samples,) mV from the point (x, y) mm; NaN leaves a gap.

    Args:
        signal_mv: What to draw.
        rate_hz: Samples a second.
        x: Of its first sample, mm.
        y: Of 0 mV, mm from the top.
        speed: mm a second.
        gain: mm a mV.
    """
    times, values = thinned(signal_mv, rate_hz)
    xs, ys = np.round(x + times * speed, 2), np.round(y - values * gain, 2)
    parts: list[str] = []
    pen_up = True
    for at_x, at_y in zip(xs.tolist(), ys.tolist(), strict=True):
        if at_y != at_y:  # NaN
            pen_up = True
            continue
        parts.append(f"{'M' if pen_up else 'L'}{at_x:g} {at_y:g}")
        pen_up = False
    return f'<path class="curve" d="{"".join(parts)}"/>'


def pulse(x: float, y: float) -> str:
    """Return the calibration pulse: 1 mV high, 0.2 s long."""
    high = y - MM_PER_MV
    return f'<path class="pulse" d="M{x:g} {y:g}h1V{high:g}h5V{y:g}h1"/>'


def text(words: str, x: float, y: float, kind: str = "", anchor: str = "start") -> str:
    """Return a label, escaped."""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'


def region(
    x: float, y: float, width: float, height: float, *, speed: float, gain: float, lead: str
) -> str:
    """Return an invisible field that tells the calipers the scale below the pointer."""
    return (
        f'<rect class="region" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
        f'data-speed="{speed:g}" data-gain="{gain:g}" data-lead="{escape(lead)}"/>'
    )
