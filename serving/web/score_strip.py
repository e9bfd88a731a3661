"""A score on its scale: the bands side by side, and where this patient stands or may stand."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup, escape

from knowledge.risk import Risk
from knowledge.score_rows import ScoreBand
from knowledge.scores import Score, score, score_ids

WIDTH, HEIGHT = 200.0, 20.0
_BAR_TOP, _BAR = 7.0, 6.0
TONES = {
    "low": "low",
    "unlikely": "low",
    "rule-out": "low",
    "moderate": "mid",
    "intermediate": "mid",
    "observe": "mid",
    "not-low": "mid",
    "imaging": "mid",
    "high": "high",
    "likely": "high",
    "rule-in": "high",
    "need second sample": "open",
    "not determined": "open",
    "not assessed": "none",
}
"""How a category is coloured: low, mid, high; ``open`` is undecided, ``none`` not assessed."""


class Segment(NamedTuple):
    """One band on the scale, in points."""

    name: str
    low: float
    high: float


def tone(risk: Risk) -> str:
    """Return how a result is coloured; a category we do not know has no colour of its own."""
    if risk.not_assessed is not None:
        return "none"
    return TONES.get(risk.category, "plain")


def strip(risk: Risk) -> Markup:
    """Return the score on its scale as SVG; empty for a rule without points."""
    if risk.tool not in score_ids():
        return Markup()
    segments = _segments(risk.tool)
    if not segments or (risk.value is None and risk.range is None):
        return Markup()
    low, high = segments[0].low, segments[-1].high
    per_point = WIDTH / (high - low)
    possible = {band.name for band in risk.bands}
    parts = [_band(s, low, per_point, on=s.name in possible) for s in segments]
    if risk.value is not None:
        x = _within((risk.value - low) * per_point)
        parts.append(
            f'<path class="needle" d="M{x:.1f} 2v16"/><circle class="needle" cx="{x:.1f}" '
            f'cy="{_BAR_TOP + _BAR / 2}" r="4.2"/>'
        )
    elif risk.range is not None:
        left, right = (_within((end - low) * per_point) for end in risk.range)
        parts.append(
            f'<rect class="reach" x="{left:.1f}" y="4" width="{max(right - left, 4):.1f}" '
            'height="12" rx="2"/>'
        )
    words = "; ".join(f"{s.name}" for s in segments)
    return Markup(  # noqa: S704 - our own drawing, its one text is escaped
        f'<svg class="strip" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img"'
        f"><title>{escape(f'{risk.name}: {words}')}</title>"
        f"{''.join(parts)}</svg>"
    )


def _within(x: float) -> float:
    return min(max(x, 5.0), WIDTH - 5.0)


def _band(segment: Segment, low: float, per_point: float, *, on: bool) -> str:
    x = (segment.low - low) * per_point
    width = (segment.high - segment.low) * per_point
    kind = TONES.get(segment.name, "plain")
    return (
        f'<rect class="band {kind}{" on" if on else ""}" x="{x + 0.75:.1f}" y="{_BAR_TOP:g}" '
        f'width="{max(width - 1.5, 1):.1f}" height="{_BAR:g}"/>'
    )


@cache
def _segments(score_id: str) -> tuple[Segment, ...]:
    """Return the bands of a score in points, over every total it can reach."""
    found = score(score_id)
    if found.decision or not found.items or found.model is not None:
        return ()
    low, high = _reach(found)
    bands = sorted(found.bands, key=_starts)
    edges = [low, *_edges(bands), high]
    return tuple(Segment(band.name, edges[i], edges[i + 1]) for i, band in enumerate(bands))


def _starts(band: ScoreBand) -> float:
    """Return where a band begins, in points; in some scores the mildest has the most."""
    starts = [v for v in (band.gt, band.ge, band.eq) if v is not None]
    return starts[0] if starts else float("-inf")


def _edges(bands: Sequence[ScoreBand]) -> list[float]:
    """Return the limit between each band and the next: halfway where totals are whole."""
    edges: list[float] = []
    for band, after in pairwise(bands):
        ends = [v for v in (band.lt, band.le, band.eq) if v is not None]
        starts = [v for v in (after.gt, after.ge, after.eq) if v is not None]
        edges.append((ends[0] + starts[0]) / 2)
    return edges


def _reach(found: Score) -> tuple[float, float]:
    points = [item.steps() for item in found.items]
    low, high = sum(min(p) for p in points), sum(max(p) for p in points)
    room = (high - low) * 0.04
    return low - room, high + room
