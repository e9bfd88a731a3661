"""The 12 leads on paper: three rows of four and the rhythm strip, one clock through all columns."""

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from serving.web import ecg_paper as paper
from serving.web.words import Say
from tools.ecg.paper import MM_PER_MV, MM_PER_S

ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
_RHYTHM = "II"
_COLUMN_S = 2.5
_ROW_MM, _PULSE_MM = 30.0, 8.0
_ACROSS = 260.0
_DOWN = (len(ROWS) + 1) * _ROW_MM


def tracing_svg(
    signal_mv: NDArray[np.float64],
    leads: tuple[str, ...],
    *,
    rate_hz: float,
    name: str,
    say: Say,
) -> Markup:
    """Return the tracing.

    Args:
        signal_mv: (samples, leads), mV.
        leads: Names of the columns.
        rate_hz: Samples a second.
        name: Unique on the page.
        say: Of the page's language.
    """
    label = say("12-lead tracing, 25 mm/s, 10 mm/mV; what was measured is in the table below")
    width, height = _ACROSS + 2 * paper.MARGIN, _DOWN + 2 * paper.MARGIN
    parts = paper.open_svg(
        width, height, name=name, label=label, kind="tracing", grid=(_ACROSS, _DOWN)
    )
    per_column = int(_COLUMN_S * rate_hz)
    for row, names in enumerate(ROWS):
        y = paper.MARGIN + (row + 0.55) * _ROW_MM
        parts.append(paper.pulse(paper.MARGIN, y))
        for column, lead in enumerate(names):
            part = slice(column * per_column, (column + 1) * per_column)
            parts.append(_lead(signal_mv, leads, lead, part, rate_hz, y, column, say))
    y = paper.MARGIN + (len(ROWS) + 0.55) * _ROW_MM
    parts.append(paper.pulse(paper.MARGIN, y))
    whole = slice(0, 4 * per_column)
    parts.append(_lead(signal_mv, leads, _RHYTHM, whole, rate_hz, y, 0, say))
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704 - our own drawing, every text in it is escaped


def _lead(
    signal_mv: NDArray[np.float64],
    leads: tuple[str, ...],
    lead: str,
    part: slice,
    rate_hz: float,
    y: float,
    column: int,
    say: Say,
) -> str:
    x = paper.MARGIN + _PULSE_MM + column * _COLUMN_S * MM_PER_S
    seconds = (part.stop - part.start) / rate_hz
    width = seconds * MM_PER_S
    found = [
        paper.region(
            x, y - 0.55 * _ROW_MM, width, _ROW_MM, speed=MM_PER_S, gain=MM_PER_MV, lead=lead
        )
    ]
    if column:
        found.append(f'<path class="cut" d="M{x:g} {y - 3:g}v6"/>')
    if lead in leads:
        signal = signal_mv[part, leads.index(lead)]
        found.append(paper.curve(signal, rate_hz=rate_hz, x=x, y=y))
        found.append(paper.text(lead, x + 1.2, y - 10.5, "lead"))
    else:
        found.append(paper.text(f"{lead} {say('not recorded')}", x + 1.2, y - 10.5, "lead absent"))
    return f'<g data-lead="{lead}">{"".join(found)}</g>'
