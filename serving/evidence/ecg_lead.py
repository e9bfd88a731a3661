"""The ECG lead a statement rests on: the whole tracing with that lead lifted out, and its beat.

Drawn on standard paper, 25 mm/s and 10 mm/mV; the median beat at four times the speed and the gain
that shows it largest, both written beside it. The file's own texts
are not drawn: only lead names and what was measured.
"""

import io
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import InputError
from knowledge.plain_text import visible
from serving.evidence.protocol import LeadShown, NotShown, Row
from tools.ecg import paper
from tools.ecg.measure import measure
from tools.ecg.model import EcgMeasurements, EcgRecording, LeadMeasurement
from tools.ecg.report import EcgReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
_STRIP_S, _STRIP_MM, _ROW_MM, _EDGE = 2.5, 65.0, 30.0, 5.0
_BEAT_MM, _BEAT_HEIGHT = 130.0, 85.0
_MARKED, _PALE, _DARK = "#fff0b3", "#9a9a9a", "#111111"
_DRAWN = 32
"""Pictures kept: the leads of two cases; a quarter of a megabyte each, half a second to draw."""
_POINTS = (
    ("P on", "p_on", "#1b6ca8"),
    ("QRS on", "qrs_on", "#2a7f3f"),
    ("J", "j", "#b3261e"),
    ("T end", "t_off", "#6b3fa0"),
)


def show_lead(
    recording: EcgRecording,
    report: EcgReport,
    lead: str | None,
    *,
    picture: str,
    time_zone: str | None,
) -> LeadShown | NotShown:
    """Return an ECG with what was measured in one lead.

    Args:
        recording: The recording.
        report: What our tool says of it.
        lead: The lead; None for the recording as a whole.
        picture: Address of the drawing.
        time_zone: Of the case.
    """
    if lead is not None and lead not in recording.leads:
        return NotShown(reason=f"lead {visible(lead)} is not in the recording")
    try:
        measured = measure(recording)
    except InputError as error:
        return NotShown(reason=f"the recording could not be measured: {error.reason}")
    found = measured.of(lead) if lead else None
    return LeadShown(
        lead=visible(lead or ""),
        time=recording.start.show(time_zone) if recording.start else "",
        picture=picture,
        rows=_measured(found) if found else (),
        headline=visible(report.headline),
        notes=tuple(dict.fromkeys(visible(p.detail) for p in report.quality)),
    )


@lru_cache(maxsize=_DRAWN)
def draw_lead(recording: EcgRecording, lead: str | None) -> str:
    """Return the tracing as SVG, the lead highlighted and its median beat beside its points.

    Raises:
        InputError: Nothing can be measured on the recording.
    """
    from matplotlib import rc_context

    measured = measure(recording)
    tracing = len(_ROWS) * _ROW_MM
    beat = _BEAT_HEIGHT + _EDGE if lead in measured.leads else 0.0
    width = len(_ROWS[0]) * _STRIP_MM
    with rc_context({"svg.hashsalt": "epicrisis", "svg.fonttype": "path"}):
        figure, axes = paper.page(width + 2 * _EDGE, tracing + beat + 2 * _EDGE)
        _tracing(axes, measured, lead, bottom=beat + _EDGE, width=width)
        if lead is not None and lead in measured.leads:
            _beat(axes, measured, lead)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue().decode()


def _measured(lead: LeadMeasurement) -> tuple[Row, ...]:
    values = (
        ("ST at J", lead.st_j_mv, "mV"),
        ("ST at J+60 ms", lead.st_60_mv, "mV"),
        ("ST at J+80 ms", lead.st_80_mv, "mV"),
        ("T wave", lead.t_mv, "mV"),
        ("R wave", lead.r_mv, "mV"),
        ("S wave", lead.s_mv, "mV"),
        ("Q wave", lead.q_mv, "mV"),
    )
    return tuple(
        Row(name=name, value="not found" if value is None else f"{value + 0.0:.2f} {unit}")
        for name, value, unit in values
    )


def _tracing(
    axes: "Axes", m: EcgMeasurements, lead: str | None, *, bottom: float, width: float
) -> None:
    from matplotlib.patches import Rectangle

    height = len(_ROWS) * _ROW_MM
    field = (_EDGE, bottom, width, height)
    paper.grid(axes, left=_EDGE, bottom=bottom, width=width, height=height)
    per_strip = int(_STRIP_S * m.sampling_rate_hz)
    for row, names in enumerate(_ROWS):
        y = bottom + height - (row + 0.5) * _ROW_MM
        for column, name in enumerate(names):
            x = _EDGE + column * _STRIP_MM
            if name == lead:
                frame = Rectangle((x, y - _ROW_MM / 2), _STRIP_MM, _ROW_MM)
                frame.set(facecolor=_MARKED, edgecolor="#8a5a00", linewidth=1.4, alpha=0.55)
                axes.add_patch(frame)
            shown = name if name in m.leads else f"{name} not recorded"
            colour = _DARK if lead in (None, name) else _PALE
            size = 14 if name == lead else 11
            y_name = y + _ROW_MM / 2 - 5.5
            paper.label(
                axes, shown, x=x + 1.5, y=y_name, size_pt=size, fontweight="bold", color=colour
            )
            if name in m.leads:
                part = slice(column * per_strip, (column + 1) * per_strip)
                signal = m.baseline_mv[part, m.leads.index(name)]
                rate = m.sampling_rate_hz
                paper.trace(axes, signal, rate_hz=rate, x=x, y=y, field=field)
    paper.label(axes, "25 mm/s, 10 mm/mV", x=_EDGE + 1.5, y=bottom + 1.5, size_pt=10)


def _beat(axes: "Axes", m: EcgMeasurements, lead: str) -> None:
    """Draw the median beat of the lead, twice as large, with the measured points."""
    bottom = _EDGE
    paper.grid(axes, left=_EDGE, bottom=bottom, width=_BEAT_MM, height=_BEAT_HEIGHT)
    rate, wave = m.sampling_rate_hz, m.beat_mv[:, m.leads.index(lead)]
    speed, gain = 4 * paper.MM_PER_S, _gain(wave)
    middle = float(np.nanmax(wave) + np.nanmin(wave)) / 2 * gain
    x, zero = _EDGE + 15.0, bottom + (_BEAT_HEIGHT - 12) / 2 - middle
    field = (_EDGE, bottom, _BEAT_MM, _BEAT_HEIGHT)
    paper.trace(axes, wave, rate_hz=rate, x=x, y=zero, field=field, speed=speed, gain=gain)
    axes.hlines([zero], _EDGE, _EDGE + _BEAT_MM, color="#555555", lw=0.5, ls=(0, (4, 3)))
    for number, (name, point, colour) in enumerate(_POINTS):
        index = getattr(m.fiducials, point)
        if index is None:
            continue
        at = x + index / rate * speed
        paper.upright(axes, at, bottom=bottom, top=bottom + _BEAT_HEIGHT - 11, colour=colour)
        text_y = bottom + _BEAT_HEIGHT - 5 - 5 * (number % 2)
        paper.label(axes, name, x=at, y=text_y, size_pt=12, ha="center", color=colour)
    right = _EDGE + _BEAT_MM + 6
    found = m.of(lead)
    lines = [f"Lead {lead}", f"median of {m.beats_used} of {m.beats_found} beats"]
    lines += [f"{row.name}: {row.value}" for row in (_measured(found)[:3] if found else ())]
    lines += [f"{speed:g} mm/s, {gain:g} mm/mV", "Research use only;", "not a medical device"]
    for number, line in enumerate(lines):
        weight = "bold" if number == 0 else "normal"
        y = bottom + _BEAT_HEIGHT - 10 - 11 * number
        paper.label(axes, line, x=right, y=y, size_pt=15, fontweight=weight)


def _gain(wave: NDArray[np.float64]) -> float:
    """Return the largest gain, mm/mV, of 10, 20 and 40 at which the beat fits its field."""
    span = float(np.nanmax(wave) - np.nanmin(wave))
    room = _BEAT_HEIGHT - 14
    return next((g for g in (40.0, 20.0) if span * g <= room), paper.MM_PER_MV)
