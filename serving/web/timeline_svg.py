"""The risk timeline as SVG: a lane of events over time, and troponin against its limit."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from html import escape
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from serving.web.risk_timeline import Moment, RiskTimeline
from serving.web.words import Say

WIDTH, LEFT, RIGHT = 860.0, 46.0, 846.0
_PLOT_TOP, _PLOT_BOTTOM, _AXIS = 84.0, 176.0, 196.0
_BREAK = timedelta(hours=12)
"""A gap longer than this is not drawn to scale: the hours that matter would be a smear."""
_BROKEN_PX = 70.0
_MARKS = {
    "onset": "M-5 0 0 -6 5 0 0 6Z",
    "ecg": "M-8 0h4l2 -5 3 9 2 -4h5",
    "sample": "",
    "now": "M0 -7v14",
    "due": "",
    "overdue": "",
}


class _Placed(NamedTuple):
    moment: Moment
    x: float


def timeline_svg(line: RiskTimeline, say: Say) -> Markup:
    """Return the drawing; empty where there is nothing but the moment itself."""
    events = _placed(line.moments)
    if len(events) < 2:
        return Markup()
    values = [e.moment.value for e in events if e.moment.value is not None]
    height = 232 if values else 110
    bottom = _AXIS if values else 74.0
    parts = [
        f'<svg class="timeline" viewBox="0 0 {WIDTH:g} {height}" role="img" '
        f'aria-label="{escape(say("Timeline; the same events are in the table below"))}">',
        *_breaks(events, bottom),
        *(_plot(line, events, values, say) if values else ()),
        f'<path class="axis" d="M{LEFT - 10:g} {bottom:g}H{RIGHT:g}"/>',
        *_ticks(events, bottom),
        *_events(events, bottom),
        "</svg>",
    ]
    return Markup("".join(parts))  # noqa: S704 - our own drawing, every text in it is escaped


def _placed(moments: Sequence[Moment]) -> tuple[_Placed, ...]:
    """Return the events with their place: to scale, a long gap cut to a fixed width."""
    times = [m.at for m in moments if m.at is not None]
    if not times:
        return ()
    gaps = [after - before for before, after in pairwise(times)]
    scaled = sum((g for g in gaps if g <= _BREAK), timedelta()) or timedelta(minutes=1)
    room = RIGHT - LEFT - 60 - _BROKEN_PX * sum(g > _BREAK for g in gaps)
    x, found = LEFT, [_Placed(moments[0], LEFT)]
    for moment, gap in zip(moments[1:], gaps, strict=True):
        x += _BROKEN_PX if gap > _BREAK else room * (gap / scaled)
        found.append(_Placed(moment, x))
    return tuple(found)


def _breaks(events: Sequence[_Placed], bottom: float) -> Iterator[str]:
    for before, after in pairwise(events):
        first, second = before.moment.at, after.moment.at
        if first is not None and second is not None and second - first > _BREAK:
            x = (before.x + after.x) / 2
            yield (
                f'<path class="gap" d="M{x - 4:.1f} {bottom + 6:.1f}l4 -12m4 12l4 -12"/>'
                f'<text class="note" x="{x + 4:.1f}" y="{bottom + 20:.1f}" text-anchor="middle">'
                f"{escape(after.moment.gap)}</text>"
            )


def _ticks(events: Sequence[_Placed], bottom: float) -> Iterator[str]:
    """Yield the time of every event below the axis; one that would touch another is left out."""
    ordered = sorted(events, key=lambda e: (e.moment.kind not in ("sample", "due", "overdue"), e.x))
    taken: list[float] = []
    for event in ordered:
        yield f'<path class="tick" d="M{event.x:.1f} {bottom - 3:g}v6"/>'
        if all(abs(event.x - other) > 42 for other in taken):
            taken.append(event.x)
            yield (
                f'<text class="clock {event.moment.kind}" x="{event.x:.1f}" '
                f'y="{bottom + 20:.1f}" text-anchor="middle">{escape(event.moment.time)}</text>'
            )


def _events(events: Sequence[_Placed], bottom: float) -> Iterator[str]:
    """Yield the marks and names, on two or three heights so that no name covers another."""
    ends: list[float] = [-1e9, -1e9, -1e9]
    for event in events:
        moment = event.moment
        words = escape(moment.label)
        width = 7.0 * len(moment.label) + 10
        left = min(event.x, RIGHT - width)
        row = next((i for i, end in enumerate(ends) if end < left), 2)
        ends[row] = left + width
        y = 12.0 + row * 16
        top = y + 5
        if moment.kind in ("due", "overdue"):
            yield (
                f'<rect class="window {moment.kind}" x="{event.x - 5:.1f}" y="{top:g}" '
                f'width="10" height="{bottom - top:g}"/>'
            )
        else:
            yield (f'<path class="stem {moment.kind}" d="M{event.x:.1f} {top:g}V{bottom:g}"/>')
        shape = _MARKS[moment.kind]
        if shape and moment.kind != "now":
            yield (
                f'<path class="glyph {moment.kind}" transform="translate({event.x:.1f} '
                f'{bottom:g})" d="{shape}"/>'
            )
        yield f'<text class="name {moment.kind}" x="{left + 4:.1f}" y="{y:g}">{words}</text>'


def _plot(
    line: RiskTimeline, events: Sequence[_Placed], values: Sequence[float], say: Say
) -> Iterator[str]:
    """Yield the samples over the limit, on a scale that begins at zero."""
    top = max((*values, line.limit or 0.0)) * 1.25 or 1.0

    def y(value: float) -> float:
        return _PLOT_BOTTOM - (value / top) * (_PLOT_BOTTOM - _PLOT_TOP)

    yield f'<path class="base" d="M{LEFT - 10:g} {_PLOT_BOTTOM:g}H{RIGHT:g}"/>'
    left = LEFT - 14
    yield f'<text class="note" x="{left:g}" y="{_PLOT_BOTTOM + 4:g}" text-anchor="end">0</text>'
    yield f'<text class="note" x="2" y="{_PLOT_TOP - 10:g}">ng/L</text>'
    if line.limit is not None:
        level = y(line.limit)
        yield f'<path class="limit" d="M{LEFT - 10:g} {level:.1f}H{RIGHT:g}"/>'
        yield (
            f'<text class="note" x="{LEFT - 14:g}" y="{level + 4:.1f}" text-anchor="end">'
            f"{line.limit:g}</text>"
        )
    points = [(e.x, y(e.moment.value)) for e in events if e.moment.value is not None]
    if len(points) > 1:
        path = "L".join(f"{x:.1f} {level:.1f}" for x, level in points)
        yield f'<path class="course" d="M{path}"/>'
    for event in events:
        value = event.moment.value
        if value is None:
            continue
        over = line.limit is not None and value > line.limit
        unknown = line.limit is None
        kind = "unknown" if unknown else "over" if over else "under"
        yield f'<circle class="sample {kind}" cx="{event.x:.1f}" cy="{y(value):.1f}" r="5"/>'
        yield (
            f'<text class="level {kind}" x="{event.x + 9:.1f}" y="{y(value) - 7:.1f}">'
            f"{escape(event.moment.shown_value)}</text>"
        )
