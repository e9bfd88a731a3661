"""The 12-lead picture: the tracing on standard paper, and the median beats with what was measured.

Deterministic: the same input gives the same bytes on one version of matplotlib. It carries no name,
no identifier and no file name; texts come from the report's own templates.
"""

import io
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from knowledge.finding import State
from tools.ecg import paper
from tools.ecg.model import EcgMeasurements, EcgRecording, LeadMeasurement
from tools.ecg.report import ECG, EcgReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
_RHYTHM_LEAD = "II"
_COLUMN_S = 2.5
_LEFT, _BOTTOM, _TOP, _GAP = 8.0, 8.0, 32.0, 15.0
_PULSE_MM, _WIDTH, _ROW_MM = 8.0, 260.0, 30.0
_BEAT_SPEED, _BEAT_WIDTH, _BEAT_HEIGHT = 2 * paper.MM_PER_S, 65.0, 40.0
_BEAT_ROOM = 35.0
"""Height of a beat's field below its label, mm."""
_BEATS_MM = len(_ROWS) * _BEAT_HEIGHT
_HEIGHT = _BOTTOM + _BEATS_MM + _GAP + (len(_ROWS) + 1) * _ROW_MM + _TOP
_RED, _GREY = "#b3261e", "#555555"
_POINTS = (
    ("P on", "p_on", "#1b6ca8"),
    ("QRS on", "qrs_on", "#2a7f3f"),
    ("J", "j", _RED),
    ("T end", "t_off", "#6b3fa0"),
)
_AFTER_J_MS = 60
_LINE = 135
"""Characters that fit on a line of the header in bold."""
_ST_STATEMENTS = (
    "stemi_criteria",
    "omi_equivalent",
    "multivessel_ischaemia_pattern",
    "st-depression",
    "st-elevation-inferior",
    "st-elevation-lateral",
    "st-elevation-anterior",
)
_RESEARCH = "Research use only; not a medical device"


def picture_svg(
    recording: EcgRecording,
    measurements: EcgMeasurements,
    report: EcgReport,
    *,
    time_zone: str | None = None,
) -> str:
    """Return the picture as an SVG document, true to scale when printed at 100 %.

    Args:
        recording: The recording.
        measurements: What was measured on it.
        report: What is said of it.
        time_zone: IANA zone in which its time is shown; UTC without one.
    """
    return _rendered(
        recording, measurements, report, "svg", time_zone, metadata={"Date": None}
    ).decode()


def picture_png(
    recording: EcgRecording,
    measurements: EcgMeasurements,
    report: EcgReport,
    *,
    dpi: int = 150,
    time_zone: str | None = None,
) -> bytes:
    """Return the picture as a PNG of `dpi` dots an inch."""
    return _rendered(
        recording, measurements, report, "png", time_zone, metadata={"Software": None}, dpi=dpi
    )


def _rendered(
    recording: EcgRecording,
    measurements: EcgMeasurements,
    report: EcgReport,
    form: str,
    time_zone: str | None,
    **options: Any,
) -> bytes:
    from matplotlib import rc_context

    # glyphs as paths: the same look on a machine without the font
    with rc_context(
        {"svg.hashsalt": "epicrisis", "svg.fonttype": "path", "font.family": ["DejaVu Sans"]}
    ):
        figure = _draw(recording, measurements, report, time_zone)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=form, **options)
    return buffer.getvalue()


def _draw(
    recording: EcgRecording, m: EcgMeasurements, report: EcgReport, time_zone: str | None
) -> "Figure":
    figure, axes = paper.page(_WIDTH + 2 * _LEFT, _HEIGHT)
    _header(axes, recording, m, report, time_zone)
    _tracing(axes, m)
    _beats(axes, m, report)
    return figure


def _header(
    axes: "Axes",
    recording: EcgRecording,
    m: EcgMeasurements,
    report: EcgReport,
    time_zone: str | None,
) -> None:
    top = _HEIGHT - 8.0
    time = "time not given" if report.time is None else report.time.show(time_zone)
    if time_zone is not None and report.time is not None and report.time.at.tzinfo is not None:
        time += f" ({time_zone})"
    paper.label(axes, f"12-lead ECG, {time}", x=_LEFT, y=top, size_pt=10, fontweight="bold")
    right = _WIDTH + _LEFT
    paper.label(axes, _RESEARCH, x=right, y=top, size_pt=8, ha="right", color="#b3261e")
    paper.label(axes, _numbers(report), x=_LEFT, y=top - 5.5, size_pt=8.5)
    lines = textwrap.wrap(report.headline, _LINE, max_lines=2, placeholder=" …")
    for number, line in enumerate(lines):
        y = top - 11 - 5 * number
        paper.label(axes, line, x=_LEFT, y=y, size_pt=8.5, fontweight="bold")
    notes = f"25 mm/s, 10 mm/mV; {recording.sampling_rate_hz:g} Hz; {_filter_note(m)}"
    problems = "; ".join(dict.fromkeys(p.code for p in report.quality)) or "no defect found"
    paper.label(
        axes, f"{notes}. Quality: {problems}.", x=_LEFT, y=top - 11 - 5 * len(lines), size_pt=7
    )


def _filter_note(m: EcgMeasurements) -> str:
    return f"resampled to {m.sampling_rate_hz:g} Hz, baseline removed between beats, no low-pass"


def _numbers(report: EcgReport) -> str:
    parts = []
    for code, name in (
        ("heart-rate", "Rate"), ("pr", "PR"), ("qrs", "QRS"), ("qt", "QT"), ("qtcf", "QTcF"),
        ("qtcb", "QTcB"), ("axis", "Axis"),
    ):  # fmt: skip
        found = next((f for f in report.measurements if f.concept.has(ECG, code)), None)
        if found is None or found.state is not State.PRESENT:
            parts.append(f"{name} not assessed")
        else:
            parts.append(f"{name} {found.value}".replace(" deg", "°"))
    return "    ".join(parts)


def _tracing(axes: "Axes", m: EcgMeasurements) -> None:
    """Draw the 3 x 4 layout and the rhythm strip; one clock runs through all columns."""
    bottom, height = _BOTTOM + _BEATS_MM + _GAP, (len(_ROWS) + 1) * _ROW_MM
    paper.grid(axes, left=_LEFT, bottom=bottom, width=_WIDTH, height=height)
    per_column = int(_COLUMN_S * m.sampling_rate_hz)
    for row, leads in enumerate(_ROWS):
        y = bottom + height - (row + 0.5) * _ROW_MM
        paper.calibration(axes, x=_LEFT, y=y)
        for column, lead in enumerate(leads):
            part = slice(column * per_column, (column + 1) * per_column)
            _strip(axes, m, lead, part, y=y, title=lead)
    y = bottom + 0.5 * _ROW_MM
    paper.calibration(axes, x=_LEFT, y=y)
    whole = slice(0, len(_ROWS[0]) * per_column)
    _strip(axes, m, _RHYTHM_LEAD, whole, y=y, title=f"{_RHYTHM_LEAD} (rhythm)")


def _strip(
    axes: "Axes", m: EcgMeasurements, lead: str, part: slice, *, y: float, title: str
) -> None:
    x = _LEFT + _PULSE_MM + part.start / m.sampling_rate_hz * paper.MM_PER_S
    field = (_LEFT, _BOTTOM + _BEATS_MM + _GAP, _WIDTH, (len(_ROWS) + 1) * _ROW_MM)
    if part.start:
        paper.upright(axes, x, bottom=y - 3, top=y + 3, colour=_GREY)
    shown = title if lead in m.leads else f"{title} not recorded"
    paper.label(axes, shown, x=x + 1.2, y=y + 10.5, fontweight="bold")
    if lead in m.leads:
        signal = m.baseline_mv[part, m.leads.index(lead)]
        paper.trace(axes, signal, rate_hz=m.sampling_rate_hz, x=x, y=y, field=field)


def _beats(axes: "Axes", m: EcgMeasurements, report: EcgReport) -> None:
    """Draw the median beat of every lead at twice the speed, with the measured points."""
    top = _BOTTOM + _BEATS_MM
    text = (
        f"Median of {m.beats_used} of {m.beats_found} beats, 50 mm/s, 10 mm/mV. "
        f"ST in mm (0.1 mV) at J and J+{_AFTER_J_MS} ms; red where a criterion is met."
    )
    paper.label(axes, text, x=_LEFT, y=top + 6.5)
    names = [(f"| {name}", colour) for name, _, colour in _POINTS]
    names.append((f"\N{BULLET} ST at J and J+{_AFTER_J_MS}", _RED))
    for number, (name, colour) in enumerate(names):
        paper.label(axes, name, x=_LEFT + number * 18, y=top + 1.8, color=colour)
    paper.grid(axes, left=_LEFT, bottom=_BOTTOM, width=_WIDTH, height=_BEATS_MM)
    for row, leads in enumerate(_ROWS):
        for column, lead in enumerate(leads):
            corner = (_LEFT + column * _BEAT_WIDTH, top - (row + 1) * _BEAT_HEIGHT)
            _beat(axes, m, report, lead, corner)


def _beat(
    axes: "Axes", m: EcgMeasurements, report: EcgReport, lead: str, corner: tuple[float, float]
) -> None:
    left, bottom = corner
    found = m.of(lead)
    met = _is_met(report, lead)
    paper.upright(axes, left, bottom=bottom, top=bottom + _BEAT_HEIGHT, colour=_GREY)
    colour = _RED if met else "#111111"
    at = bottom + _BEAT_HEIGHT - 4
    paper.label(axes, lead, x=left + 1.5, y=at, fontweight="bold", color=colour)
    if found is None:
        paper.label(axes, "not recorded", x=left + 10.5, y=at)
        return
    words = _levels(report, lead) if _trusted(report, lead) else "ST not assessed: quality"
    paper.label(axes, words, x=left + 10.5, y=at, size_pt=7.5)
    _beat_wave(axes, m, found, left=left, bottom=bottom)


def _beat_wave(
    axes: "Axes", m: EcgMeasurements, lead: LeadMeasurement, *, left: float, bottom: float
) -> None:
    wave, rate = m.beat_mv[:, m.leads.index(lead.lead)], m.sampling_rate_hz
    span = float(np.nanmax(wave) - np.nanmin(wave)) * paper.MM_PER_MV
    gain = paper.MM_PER_MV if span <= _BEAT_ROOM else paper.MM_PER_MV / 2
    zero = bottom + _zero_level(wave, gain)
    if gain != paper.MM_PER_MV:
        paper.label(axes, f"{gain:g} mm/mV", x=left + 49, y=bottom + 1.5, size_pt=7.5)
    x = left + max((_BEAT_WIDTH - len(wave) / rate * _BEAT_SPEED) / 2, 0.0)
    paper.trace(
        axes,
        wave,
        rate_hz=rate,
        x=x,
        y=zero,
        field=(left, bottom, _BEAT_WIDTH, _BEAT_ROOM),
        speed=_BEAT_SPEED,
        gain=gain,
    )
    axes.hlines([zero], left, left + _BEAT_WIDTH, color=_GREY, lw=0.4, ls=(0, (4, 3)), zorder=2)
    for _, point, colour in _POINTS:
        index = getattr(m.fiducials, point)
        if index is not None:
            mark = x + index / rate * _BEAT_SPEED
            paper.upright(axes, mark, bottom=bottom, top=bottom + _BEAT_ROOM - 1, colour=colour)
    for after_ms, level in ((0, lead.st_j_mv), (_AFTER_J_MS, lead.st_60_mv)):
        mark = x + (m.fiducials.j / rate + after_ms / 1000) * _BEAT_SPEED
        paper.dot(axes, x=mark, y=zero + level * gain, colour=_RED)


def _zero_level(wave: NDArray[np.float64], gain: float) -> float:
    """Return the height of 0 mV in a beat's field, mm, on the grid, so that the wave fits."""
    low, high = (float(v) * gain for v in (np.nanmin(wave), np.nanmax(wave)))
    middle = (_BEAT_ROOM - low - high) / 2
    return float(np.clip(5 * round(middle / 5), 0, _BEAT_ROOM))


def _levels(report: EcgReport, lead: str) -> str:
    at_j, after = _st(report, "st-j", lead), _st(report, f"st-{_AFTER_J_MS}", lead)
    return f"J {at_j}   J+{_AFTER_J_MS} {after}"


def _st(report: EcgReport, code: str, lead: str) -> str:
    for found in report.measurements:
        if found.body_site == lead and found.concept.has(ECG, code):
            interval = found.interval
            if interval is not None and interval.low is not None:
                return f"{round(interval.low * 10, 1) + 0.0:+.1f}"  # + 0.0: no minus before 0.0
    return "?"


def _trusted(report: EcgReport, lead: str) -> bool:
    return any(
        f.body_site == lead and f.concept.has(ECG, "st-j") and f.state is State.PRESENT
        for f in report.measurements
    )


def _is_met(report: EcgReport, lead: str) -> bool:
    return any(
        f.state is State.PRESENT and lead in (f.body_site or "").split(", ")
        for f in map(report.finding, _ST_STATEMENTS)
    )
