"""The median beat of every lead with the measured points on it, each named and with its value."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from serving.web import ecg_paper as paper
from serving.web.ecg_tracing import ROWS
from serving.web.words import Say
from tools.ecg.model import EcgMeasurements, LeadMeasurement
from tools.ecg.paper import MM_PER_MV, MM_PER_S

SPEED = 2 * MM_PER_S
WIDTH, HEIGHT = 65.0, 45.0
_ROOM = 37.0
_AFTER_J_MS = 60
MINUS = "\N{MINUS SIGN}"
_PANEL = 27.0
"""Width of the values beside a beat, mm: the wave stands left of them."""


class Point(NamedTuple):
    """One measured point: how it is named, its time on the beat in ms from the QRS onset."""

    name: str
    kind: str
    ms: float
    words: str


def points(m: EcgMeasurements, lead: LeadMeasurement, say: Say) -> tuple[Point, ...]:
    """Return the measured points of one lead, in the order of time, with value and unit."""
    per_ms = 1000 / m.sampling_rate_hz
    onset = m.fiducials.qrs_on
    found: list[Point] = []
    if m.fiducials.p_on is not None:
        at = (m.fiducials.p_on - onset) * per_ms
        found.append(Point(say("P onset"), "p", at, _ms(at)))
    found.append(Point(say("QRS onset"), "q", 0.0, "0 ms"))
    j = (m.fiducials.j - onset) * per_ms
    found.append(Point("J", "j", j, f"{_ms(j)}, {_mv(lead.st_j_mv)}"))
    found.append(Point(f"J+{_AFTER_J_MS}", "st", j + _AFTER_J_MS, _mv(lead.st_60_mv)))
    if m.fiducials.t_off is not None:
        at = (m.fiducials.t_off - onset) * per_ms
        found.append(Point(say("T end"), "t", at, _ms(at)))
    return tuple(found)


def _ms(ms: float) -> str:
    return signed(f"{ms:.0f}", ms) + " ms"


def _mv(mv: float) -> str:
    return signed(f"{mv:.2f}", mv) + " mV"


def signed(text: str, value: float) -> str:
    """Return a number with its sign; what rounds to zero has none."""
    if not float(text):
        return text.lstrip("-")
    return f"{'+' if value > 0 else MINUS}{text.lstrip('-')}"


def beats_svg(
    m: EcgMeasurements, *, trusted: frozenset[str], met: frozenset[str], name: str, say: Say
) -> Markup:
    """Return the 12 median beats.

    Args:
        m: What was measured.
        trusted: Leads whose amplitudes may be stated.
        met: Leads in which a criterion for ST deviation is met.
        name: Unique on the page.
        say: Of the page's language.
    """
    across, down = 4 * WIDTH, len(ROWS) * HEIGHT
    parts = paper.open_svg(
        across + 2 * paper.MARGIN,
        down + 2 * paper.MARGIN,
        name=name,
        label=say("Median beats with the measured points, 50 mm/s, 10 mm/mV"),
        kind="beats",
        grid=(across, down),
    )
    for row, leads in enumerate(ROWS):
        for column, lead in enumerate(leads):
            left = paper.MARGIN + column * WIDTH
            top = paper.MARGIN + row * HEIGHT
            parts.append(
                beat(m, lead, left, top, trusted=lead in trusted, met=lead in met, say=say)
            )
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - our own drawing, texts escaped


def beat(
    m: EcgMeasurements,
    lead: str,
    left: float,
    top: float,
    *,
    trusted: bool,
    met: bool,
    say: Say,
) -> str:
    """Return one median beat in its field; its points show their values on hover and focus."""
    found = m.of(lead)
    frame = f'<path class="frame" d="M{left:g} {top:g}h{WIDTH:g}v{HEIGHT:g}h-{WIDTH:g}z"/>'
    if found is None:
        return f"<g>{frame}{paper.text(f'{lead} ' + say('not recorded'), left + 2, top + 5)}</g>"
    marks = points(m, found, say)
    words = "; ".join(f"{p.name} {p.words}" for p in marks) if trusted else _untrusted(say)
    kind = "beat met" if met else "beat"
    body = "".join(_drawn(m, found, marks, left, top, trusted=trusted, say=say))
    head = paper.text(lead, left + 2, top + 5.2, "lead")
    flag = paper.text(say("criterion met"), left + 12, top + 5, "flag") if met else ""
    return (
        f'<g class="{kind}" tabindex="0" role="img" aria-label="{escape(f"{lead}: {words}")}">'
        f"{frame}{body}{head}{flag}</g>"
    )


def _untrusted(say: Say) -> str:
    return say("ST not assessed: quality")


def _drawn(
    m: EcgMeasurements,
    lead: LeadMeasurement,
    marks: tuple[Point, ...],
    left: float,
    top: float,
    *,
    trusted: bool,
    say: Say,
) -> Iterator[str]:
    wave, rate = m.beat_mv[:, m.leads.index(lead.lead)], m.sampling_rate_hz
    gain = _gain(wave)
    zero = top + HEIGHT - 3 - _zero(wave, gain)
    x = left + max(min((WIDTH - len(wave) / rate * SPEED) / 2, 3.0), 0.0)
    onset = x + m.fiducials.qrs_on / rate * SPEED
    yield paper.region(left, top, WIDTH, HEIGHT, speed=SPEED, gain=gain, lead=lead.lead)
    yield f'<path class="zero" d="M{left:g} {zero:.2f}h{WIDTH:g}"/>'
    yield paper.curve(wave, rate_hz=rate, x=x, y=zero, speed=SPEED, gain=gain)
    if gain != MM_PER_MV:
        yield paper.text(f"{gain:g} mm/mV", left + WIDTH - 2, top + HEIGHT - 2, "small", "end")
    if not trusted:
        yield paper.text(_untrusted(say), left + 2, top + 10, "absent")
    for number, point in enumerate(marks):
        at = onset + point.ms / 1000 * SPEED
        level = {"j": lead.st_j_mv, "st": lead.st_60_mv}.get(point.kind)
        if level is not None and not trusted:
            continue
        yield _mark(point, at, top, zero, level, gain)
        yield _value(point, number, left, top, trusted=trusted)


def _mark(point: Point, x: float, top: float, zero: float, level: float | None, gain: float) -> str:
    line = f'<path class="mark {point.kind}" d="M{x:.2f} {top + 8:g}V{top + HEIGHT - 2:g}"/>'
    if level is None:
        return line
    y = zero - level * gain
    shown = line if point.kind == "j" else ""
    return f'{shown}<circle class="mark {point.kind}" cx="{x:.2f}" cy="{y:.2f}" r="0.95"/>'


def _value(point: Point, number: int, left: float, top: float, *, trusted: bool) -> str:
    """Return the point's name and value; shown while the beat is pointed at or has the focus."""
    y = top + 5.2 + number * 4.1
    words = f"{point.name} {point.words}"
    return (
        f'<g class="value"><rect x="{left + WIDTH - _PANEL:g}" y="{y - 3.2:g}" '
        f'width="{_PANEL - 0.5:g}" height="4.1"/>'
        f"{paper.text(words, left + WIDTH - 1.5, y, point.kind, 'end')}</g>"
    )


def _gain(wave: NDArray[np.float64]) -> float:
    span = float(np.nanmax(wave) - np.nanmin(wave)) * MM_PER_MV
    return MM_PER_MV if span <= _ROOM else MM_PER_MV / 2


def _zero(wave: NDArray[np.float64], gain: float) -> float:
    """Return the height of 0 mV above the foot of the field, mm, on a line of the grid."""
    low, high = (float(v) * gain for v in (np.nanmin(wave), np.nanmax(wave)))
    return float(np.clip(5 * round((_ROOM - low - high) / 2 / 5), 0, _ROOM)) + 2.0
