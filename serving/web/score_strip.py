"""A score on its scale: the bands side by side, and where this patient stands or may stand.

Where the category of a total depends on more than the total (ST elevation, one item of three
points), the scale is that of this patient as far as it is known; totals that can still fall into
two categories are drawn as both.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup, escape

from knowledge.quantity import format_number
from knowledge.risk import Risk
from knowledge.score_rows import ScoreBand
from knowledge.scores import Score, score, score_ids
from serving.web.score_decisions import by_decision

WIDTH, HEIGHT = 200.0, 20.0
_BAR_TOP, _BAR = 7.0, 6.0
TONES = {
    "low": "low",
    "unlikely": "low",
    "rule-out": "low",
    "moderate": "mid",
    "intermediate": "mid",
    "observe": "mid",
    "low-medium": "mid",
    "medium": "mid",
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
    """One stretch of the scale, in points, and every category a total on it can have.

    `words` says which totals, where the category does not follow from the band alone.
    """

    names: tuple[str, ...]
    low: float
    high: float
    words: str = ""

    @property
    def name(self) -> str:
        """The categories in words."""
        return " or ".join(self.names)


def tone(risk: Risk) -> str:
    """Return how a result is coloured; a category we do not know has no colour of its own."""
    if risk.not_assessed is not None:
        return "none"
    return TONES.get(risk.category, "plain")


def strip(risk: Risk) -> Markup:
    """Return the score on its scale as SVG; empty for a rule without points."""
    if risk.tool not in score_ids():
        return Markup()
    segments = _segments(risk.tool) or _decided(risk)
    if not segments or (risk.value is None and risk.range is None):
        return Markup()
    low, high = segments[0].low, segments[-1].high
    per_point = WIDTH / (high - low)
    possible = {band.name for band in risk.bands}
    parts = [_band(s, low, per_point, possible) for s in segments]
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
    words = "; ".join(f"{s.name} {s.words}".strip() for s in segments)
    return Markup(  # noqa: S704 - our own drawing, its one text is escaped
        f'<svg class="strip" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img"'
        f"><title>{escape(f'{risk.name}: {words}')}</title>"
        f"{''.join(parts)}</svg>"
    )


def _within(x: float) -> float:
    return min(max(x, 5.0), WIDTH - 5.0)


def _band(segment: Segment, low: float, per_point: float, possible: set[str]) -> str:
    """Return a stretch of the scale, its categories one above the other."""
    x = (segment.low - low) * per_point
    width = (segment.high - segment.low) * per_point
    height = _BAR / len(segment.names)
    return "".join(
        f'<rect class="band {TONES.get(name, "plain")}{" on" if name in possible else ""}" '
        f'x="{x + 0.75:.1f}" y="{_BAR_TOP + row * height:g}" '
        f'width="{max(width - 1.5, 1):.1f}" height="{height:g}"/>'
        for row, name in enumerate(segment.names)
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
    return tuple(Segment((band.name,), edges[i], edges[i + 1]) for i, band in enumerate(bands))


def _decided(risk: Risk) -> tuple[Segment, ...]:
    """Return the scale of a score whose rows decide its category, for what is known here."""
    found = score(risk.tool)
    stretches = by_decision(found, risk)
    if not stretches:
        return ()
    low, high = _reach(found)
    between = [(a.last + b.first) / 2 for a, b in pairwise(stretches)]
    edges = [low, *between, high]
    return tuple(
        Segment(s.names, edges[i], edges[i + 1], _totals(s.first, s.last))
        for i, s in enumerate(stretches)
    )


def _totals(first: float, last: float) -> str:
    ends = format_number(first), format_number(last)
    return ends[0] if first == last else f"{ends[0]} to {ends[1]}"


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
