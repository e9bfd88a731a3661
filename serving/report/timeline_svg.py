"""The risk timeline: onset, ECGs, samples, the moment of assessment, and what is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.quantity import Interval

Kind = Literal["onset", "ecg", "image", "sample", "now", "due", "overdue"]
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _AXIS = 940, 160, 30, 925, 122
_COLOUR = {
    "onset": "#7a1f1f",
    "ecg": "#1f4f7a",
    "image": "#2f6b3a",
    "sample": "#5a3c8c",
    "now": "#222222",
    "due": "#8a5a00",
    "overdue": "#b00020",
}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One mark on the axis."""

    kind: Kind
    label: str
    time: ClinicalTime


def timeline_svg(events: Sequence[Event], *, time_zone: str | None) -> str:
    """Return an SVG of the events in order, the time between them written on the axis.

    The spacing is even, not to scale, so that a sample an hour later and an onset days before
    stay readable together. Events of unknown time zone cannot be placed and are left out; the
    report names them in its text. Empty without a placed event.
    """
    placed = sorted((e for e in events if e.time.at.tzinfo), key=lambda e: e.time.sort_key)
    if not placed:
        return ""
    step = (_RIGHT - _LEFT) / max(len(placed), 2)
    xs = [_LEFT + step * (index + 0.35) for index in range(len(placed))]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'role="img" aria-label="Timeline of onset, recordings, samples and what is due">',
        f'<line x1="{_LEFT}" y1="{_AXIS}" x2="{_RIGHT}" y2="{_AXIS}" stroke="#555"/>',
    ]
    for index, (event, x) in enumerate(zip(placed, xs, strict=True)):
        parts.append(_mark(event, x, 20 + (index % 2) * 38, time_zone))
        if index + 1 < len(placed):
            gap = elapsed(event.time, placed[index + 1].time).minutes
            parts.append(_gap(gap, (x + xs[index + 1]) / 2))
    return "".join(parts) + "</svg>"


def _gap(minutes: Interval | None, x: float) -> str:
    if minutes is None or minutes.low is None or not minutes.is_exact:
        return ""
    whole = round(minutes.low)
    text = f"{whole} min" if whole < 120 else f"{whole // 60} h {whole % 60:02d} min"
    if whole >= 48 * 60:
        text = f"{whole // 1440} days"
    return (
        f'<text x="{x:.1f}" y="{_AXIS + 20}" font-size="11.5" fill="#555" '
        f'text-anchor="middle">{text}</text>'
    )


def _mark(event: Event, x: float, y: float, time_zone: str | None) -> str:
    colour = _COLOUR[event.kind]
    dash = ' stroke-dasharray="4 3"' if event.kind in ("due", "overdue") else ""
    clock = event.time.show(time_zone)
    return (
        f'<line x1="{x:.1f}" y1="{y + 6:.1f}" x2="{x:.1f}" y2="{_AXIS}" stroke="{colour}"{dash}/>'
        f'<circle cx="{x:.1f}" cy="{_AXIS}" r="5" fill="{colour}"/>'
        f'<text x="{x + 5:.1f}" y="{y + 6:.1f}" font-size="12.5" font-weight="600" '
        f'fill="{colour}">{escape(event.label)}</text>'
        f'<text x="{x + 5:.1f}" y="{y + 20:.1f}" font-size="11.5" fill="#333">'
        f"{escape(clock)}</text>"
    )
