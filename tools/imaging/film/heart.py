"""Heart and thoracic width between the outlines of the lung fields, and their ratio.

The heart's borders are the inner edges of the lung fields below the hila and above the right corner
of heart and diaphragm, each at its farthest from the spine; the thorax is the widest distance of
the outer edges on one row. Everything is a share of the picture: no millimetre is ever stated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from knowledge.film_measurements import limit
from tools.imaging.film.fields import LEVELS, Lungs, check_edge, check_lungs, lungs_of
from tools.imaging.film.model import Edges, HeartRatio, Side

_ITEM = "cardiothoracic ratio"
_WAY_OUT = "measure it on the film by hand"
_HILUM = 0.5
"""Share of a lung's height below which its inner edge is the heart's."""
_TIP = 0.06
"""Share of a lung's height at its lower end that is the diaphragm's."""
_ALONG = 0.25
"""Share of a lung's height along which a border is looked at."""
_SIDES: tuple[Side, Side] = ("right", "left")


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Rows and columns, on the grid of the outline, between which the widths lie.

    Args:
        heart: (row, column) of the right and of the left border.
        thorax: Likewise, on one row.
    """

    heart: dict[Side, tuple[float, float]]
    thorax: dict[Side, tuple[float, float]]

    @property
    def heart_width(self) -> float:
        """In columns."""
        return self.heart["left"][1] - self.heart["right"][1]

    @property
    def thorax_width(self) -> float:
        """In columns."""
        return self.thorax["left"][1] - self.thorax["right"][1]

    @property
    def ratio(self) -> float:
        """Heart by thorax."""
        return self.heart_width / self.thorax_width


def heart_ratio(lungs: Lungs) -> HeartRatio:
    """Return the cardiothoracic ratio between outlines that `check_walls` let through.

    Raises:
        ContractError: A border of the heart is not seen, or the ratio depends on how the outline
            is drawn.
    """
    found = widths(lungs)
    _check_heart(lungs, found)
    others = [_other(lungs, level) for level in LEVELS[1:]]
    ratios = [found.ratio, *(one.ratio for one in others)]
    spread = max(ratios) - min(ratios)
    if spread > limit("spread_max"):
        raise ContractError(
            _ITEM,
            f"it depends on how the outline is drawn ({min(ratios):.2f} to {max(ratios):.2f})",
            _WAY_OUT,
        )
    rows, columns = lungs.shape
    places = {
        name: Edges(**{s: _share(points[s], rows, columns) for s in _SIDES})
        for name, points in (("heart", found.heart), ("thorax", found.thorax))
    }
    return HeartRatio(
        ratio=round(found.ratio, 2),
        spread=round(spread, 2),
        heart=places["heart"],
        thorax=places["thorax"],
        midline=round((lungs.ground.midline + 0.5) / columns, 4),
        heart_width=round(found.heart_width / columns, 4),
        thorax_width=round(found.thorax_width / columns, 4),
    )


def widths(lungs: Lungs) -> Widths:
    """Return where the heart and the thorax are widest.

    Raises:
        ContractError: No row crosses both lungs, or no corner of heart and diaphragm is seen.
    """
    edges = {side: _edges(lungs, side) for side in _SIDES}
    corner = _corner(lungs)
    heart: dict[Side, tuple[float, float]] = {}
    for side in _SIDES:
        rows, inner, _ = edges[side]
        first = rows[0] + _HILUM * (rows[-1] - rows[0])
        zone = (rows >= first) & (rows <= min(corner, rows[-1] - _TIP * (rows[-1] - rows[0])))
        if zone.sum() < 3:
            raise ContractError(_ITEM, f"{side}: the heart's border is not seen", _WAY_OUT)
        at = np.argmin(inner[zone]) if side == "right" else np.argmax(inner[zone])
        heart[side] = float(rows[zone][at]), float(inner[zone][at])
    return Widths(heart=heart, thorax=_widest(edges))


def _widest(edges: dict[Side, tuple[NDArray[np.float64], ...]]) -> dict[Side, tuple[float, float]]:
    right, left = edges["right"], edges["left"]
    common = np.intersect1d(right[0], left[0])
    if common.size < 3:
        raise ContractError(_ITEM, "no row crosses both lung fields", _WAY_OUT)
    outer = {s: e[2][np.isin(e[0], common)] for s, e in (("right", right), ("left", left))}
    at = int(np.argmax(outer["left"] - outer["right"]))
    return {side: (float(common[at]), float(outer[side][at])) for side in _SIDES}


def _edges(lungs: Lungs, side: Side) -> tuple[NDArray[np.float64], ...]:
    """Return rows of a lung with its inner and outer edge in each, columns as fractions."""
    mask = lungs.masks[side]
    rows = np.nonzero(mask.any(axis=1))[0]
    first = mask[rows].argmax(axis=1).astype(float)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1).astype(float)
    inner, outer = (last + 0.5, first - 0.5) if side == "right" else (first - 0.5, last + 0.5)
    return rows.astype(float), inner, outer


def _corner(lungs: Lungs) -> float:
    """Return the row of the corner between heart and diaphragm on the right.

    It is the point of the outline farthest from the chord between the inner edge at the hilum and
    the lowest point of the lung, towards the middle and down. The left diaphragm stands lower as a
    rule, so that on this row the left inner edge is still the heart's.
    """
    rows, inner, outer = _edges(lungs, "right")
    first = rows[0] + _HILUM * (rows[-1] - rows[0])
    start = int(np.argmin(np.abs(rows - first)))
    low_row = rows[-1]
    low_column = float((inner[-1] + outer[-1]) / 2)
    dy, dx = low_row - rows[start], low_column - inner[start]
    length = float(np.hypot(dy, dx)) or 1.0
    away = ((inner - inner[start]) * dy - (rows - rows[start]) * dx) / length
    below = rows >= rows[start]
    at = int(np.argmax(np.where(below, away, -np.inf)))
    return float(rows[at])


def check_walls(lungs: Lungs) -> None:
    """Refuse outlines of which a border is likely lost, whatever is then measured between them.

    That the heart's own border is not clear is no fault of the outline of a lung.

    Raises:
        ContractError: The chest is turned, a border is likely lost, or a chest wall is ragged or
            without a clear border.
    """
    edges = {side: _edges(lungs, side) for side in _SIDES}
    thorax = _widest(edges)
    middle = float(lungs.ground.midline)
    right, left = (abs(thorax[s][1] - middle) for s in _SIDES)
    if min(right, left) < limit("wall_ratio_min") * max(right, left):
        raise ContractError(
            _ITEM, "the spine is far from the middle: turned patient or lost border", _WAY_OUT
        )
    tall = max(float(np.ptp(np.nonzero(m)[0])) for m in lungs.masks.values())
    top = min(float(np.nonzero(m)[0].min()) for m in lungs.masks.values())
    if thorax["right"][0] - top < limit("widest_from") / 100 * tall:
        raise ContractError(
            _ITEM,
            "the chest is widest in its upper part: the lower chest wall is likely lost",
            _WAY_OUT,
        )
    for side in _SIDES:
        back = 100 * _backward(lungs, side)
        if back > limit("wall_back_max"):
            raise ContractError(_ITEM, f"{side}: the chest wall is drawn ragged", _WAY_OUT)
        if _step_above(lungs, side, *thorax[side]) < limit("edge_min"):
            raise ContractError(_ITEM, f"{side}: the chest wall has no clear border", _WAY_OUT)
    _check_lost(lungs)


def _check_lost(lungs: Lungs) -> None:
    """Refuse outlines between which no heart can lie, where its borders are seen at all."""
    try:
        found = widths(lungs)
    except ContractError:
        return  # says why there is no ratio; of the lungs it says nothing
    rows = np.nonzero(lungs.masks["left"].any(axis=1))[0]
    height = 100 * (found.heart["left"][0] - rows[0]) / (rows[-1] - rows[0])
    if height < limit("apex_low_min"):
        raise ContractError(
            _ITEM,
            "the heart is widest to the left far above the diaphragm: the outline of the left lung "
            "likely runs through the heart",
            _WAY_OUT,
        )
    middle = float(lungs.ground.midline)
    parts = {s: abs(found.heart[s][1] - middle) for s in _SIDES}
    if parts["left"] < parts["right"]:
        raise ContractError(
            _ITEM,
            "the heart reaches farther to the right: turned, mirrored or lost border",
            _WAY_OUT,
        )
    if not limit("ratio_low") <= found.ratio <= limit("ratio_high"):
        raise ContractError(
            _ITEM, f"a ratio of {found.ratio:.2f}: a border is likely lost", _WAY_OUT
        )


def _check_heart(lungs: Lungs, found: Widths) -> None:
    for side in _SIDES:
        if _step_above(lungs, side, *found.heart[side]) < limit("edge_min"):
            raise ContractError(_ITEM, f"{side}: the heart has no clear border", _WAY_OUT)


def _backward(lungs: Lungs, side: Side) -> float:
    """Return how far the outer edge runs inwards on its way down, of the picture's width.

    A chest widens downwards; an outline that hangs on ribs goes in and out.
    """
    _, _, outer = _edges(lungs, side)
    part = outer[int(0.15 * outer.size) : int(0.9 * outer.size)]
    steps = np.diff(part) * (1.0 if side == "left" else -1.0)
    return float(-np.minimum(steps, 0).sum()) / lungs.shape[1]


def _step_above(lungs: Lungs, side: Side, row: float, column: float) -> float:
    """Return the median step of an outline along its edge at a place and above it."""
    line = lungs.outlines[side]
    reach = _ALONG * float(np.ptp(line.rows))
    near = (line.rows >= row - reach) & (line.rows <= row + 1)
    near &= np.abs(line.columns - column) <= reach
    return float(np.median(line.steps[near])) if near.any() else 0.0


def _other(lungs: Lungs, level: float) -> Widths:
    """Return the widths with another setting of the outline.

    Raises:
        ContractError: They are not there with it.
    """
    other = lungs_of(lungs.ground, level)
    try:
        check_lungs(other)
        check_edge(other)
        return widths(other)
    except ContractError as error:
        raise ContractError(
            _ITEM, f"with another setting of the outline: {error.reason}", _WAY_OUT
        ) from error


def _share(point: tuple[float, float], rows: int, columns: int) -> tuple[float, float]:
    return round((point[1] + 0.5) / columns, 4), round((point[0] + 0.5) / rows, 4)
