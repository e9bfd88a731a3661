"""Both lung fields of a frontal film, outlined approximately, or the reason why not."""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from knowledge.errors import ContractError
from knowledge.film_measurements import limit
from tools.imaging.film.flat import beside_body, dilated, flattened, opened, shrunk
from tools.imaging.film.model import Film, Grey, LungField, Mask, Side
from tools.imaging.film.polar import Outline, Settings, outline

LEVELS = (0.5, 0.4, 0.6)
"""Where between the two darker thresholds lung ends: first the one shown, then those compared."""

_ITEM = "lung fields"
_SEED_MIN = 0.015
_RIM = 0.03
_SKIN = 0.04
_LOWER_UP = 0.25
"""By how much less, of the same distance, the level is towards the head: shoulders are dark too."""
_RAISE_DOWN = 0.25
"""By how much more it is towards the feet: the lower lung is paler, and the diaphragm is bright."""
_WAY_OUT = "let a reader outline them, or plug a segmentation model in"


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """What the outlines are drawn on.

    Args:
        flat: (rows, columns) float32, of `flattened`.
        beside: What is beside the body.
        midline: Column of the spine.
        darks: Thresholds between lung, tissue and bone.
        seeds: The darkest part of each lung.
    """

    flat: Grey = field(repr=False)
    beside: Mask = field(repr=False)
    midline: int
    darks: tuple[float, float]
    seeds: dict[Side, Mask] = field(repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Lungs:
    """Both lung fields on the grid of the outline.

    Args:
        ground: What they were drawn on.
        outlines: Of each side.
        masks: Of each side, (rows, columns).
    """

    ground: Ground = field(repr=False)
    outlines: dict[Side, Outline] = field(repr=False)
    masks: dict[Side, Mask] = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        rows, columns = self.ground.flat.shape
        return rows, columns

    def fields(self) -> tuple[LungField, ...]:
        """Return the outlines as fractions of the picture."""
        rows, columns = self.shape
        return tuple(
            LungField(
                side=side,
                outline=tuple(
                    (round((float(x) + 0.5) / columns, 4), round((float(y) + 0.5) / rows, 4))
                    for y, x in zip(line.rows, line.columns, strict=True)
                ),
                area=round(float(self.masks[side].mean()), 4),
                top=round(float(line.rows.min() + 0.5) / rows, 4),
                bottom=round(float(line.rows.max() + 0.5) / rows, 4),
            )
            for side, line in self.outlines.items()
        )


def ground_of(film: Film) -> Ground:
    """Return a film prepared for outlining.

    Raises:
        ContractError: Nothing is on it, or no lung is seen on a side.
    """
    from skimage.filters import threshold_multiotsu

    small = shrunk(film.grey)
    beside = beside_body(small)
    flat = flattened(small, beside)
    soft = ndimage.gaussian_filter(flat, 1.0)
    inner: Mask = ndimage.distance_transform_edt(~beside) > _RIM * max(flat.shape)
    if inner.mean() < 0.1 or np.ptp(soft[inner]) < 1e-3:
        raise ContractError(_ITEM, "there is nothing on the picture", "export the film again")
    try:
        darks = threshold_multiotsu(soft[inner], 3)  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise ContractError(_ITEM, "the picture has too few greys", "export it again") from error
    low, high = float(darks[0]), float(darks[1])
    midline = _midline(soft)
    dark = opened((soft < low) & inner, 2)
    return Ground(
        flat=flat,
        beside=beside,
        midline=midline,
        darks=(low, high),
        seeds={"right": _seed(dark, midline, "right"), "left": _seed(dark, midline, "left")},
    )


def lungs_of(ground: Ground, level: float = LEVELS[0]) -> Lungs:
    """Return both lung fields.

    Args:
        ground: The film.
        level: Of `LEVELS`.
    """
    low, high = ground.darks
    columns = np.arange(ground.flat.shape[1])[None, :]
    skin = dilated(ground.beside, _SKIN * max(ground.flat.shape))
    outlines: dict[Side, Outline] = {}
    for side, seed in ground.seeds.items():
        over = columns > ground.midline - 2 if side == "right" else columns < ground.midline + 2
        outlines[side] = outline(
            ground.flat,
            skin | over,
            seed,
            Settings(
                level=low + level * (high - low),
                lower_up=_LOWER_UP * (high - low),
                raise_down=_RAISE_DOWN * (high - low),
            ),
        )
    masks = {side: line.mask(ground.flat.shape) for side, line in outlines.items()}
    return Lungs(ground=ground, outlines=outlines, masks=masks)


def check_lungs(lungs: Lungs) -> None:
    """Refuse outlines that are not those of two lungs.

    Raises:
        ContractError: Too small, too unlike each other, of another shape, or cut off.
    """
    areas: dict[Side, float] = {}
    heights: dict[Side, float] = {}
    ends: dict[str, list[float]] = {"tops": [], "lower ends": []}
    for side, mask in lungs.masks.items():
        rows, columns = np.nonzero(mask)
        areas[side] = 100 * float(mask.mean())
        if areas[side] < limit("lung_area_min"):
            raise ContractError(
                _ITEM, f"{side}: {areas[side]:.1f} % of the picture, too small for a lung", _WAY_OUT
            )
        heights[side] = float(np.ptp(rows))
        ends["tops"].append(float(rows.min()))
        ends["lower ends"].append(float(rows.max()))
        if heights[side] < limit("lung_height_min") * float(np.ptp(columns)):
            raise ContractError(_ITEM, f"{side}: wider than tall", _WAY_OUT)
    _check_pair("areas", areas, limit("lung_pair_ratio"))
    _check_pair("heights", heights, limit("lung_height_ratio"))
    for name, at in ends.items():
        apart = 100 * float(np.ptp(at)) / max(heights.values())
        if apart > limit("lung_end_max"):
            raise ContractError(
                _ITEM, f"their {name} are {apart:.0f} % of the height apart", _WAY_OUT
            )
    gap = 100 * _gap(lungs)
    if gap > limit("lung_gap_max"):
        raise ContractError(
            _ITEM, f"they are {gap:.0f} % of the picture's width apart everywhere", _WAY_OUT
        )


def check_edge(lungs: Lungs) -> None:
    """Refuse lungs whose outline runs along the edge of the picture or of the body.

    Raises:
        ContractError: A lung is cut off, or its outer border is not seen.
    """
    for side in lungs.masks:
        share = 100 * _cut(lungs, side)
        if share > limit("edge_touch_max"):
            raise ContractError(
                _ITEM,
                f"{side}: {share:.0f} % of the outline is at the edge of the picture or the body",
                _WAY_OUT,
            )


def reaches_rim(lungs: Lungs) -> bool:
    """Return whether an outline reaches the edge of the picture itself."""
    return any(_rim(lungs, side).mean() > limit("edge_touch_max") / 100 for side in lungs.masks)


def _check_pair(name: str, sizes: dict[Side, float], least: float) -> None:
    ratio = min(sizes.values()) / max(sizes.values())
    if ratio < least:
        raise ContractError(
            _ITEM, f"their {name} differ too much ({ratio:.2f}, less than {least:g})", _WAY_OUT
        )


def _cut(lungs: Lungs, side: Side) -> float:
    """Return which share of an outline lies at the edge of the picture or of the body."""
    line = lungs.outlines[side]
    away = np.abs(line.columns - lungs.ground.midline) > 0.02 * lungs.shape[1]
    return float(np.mean((line.blocked | _rim(lungs, side)) & away))


def _rim(lungs: Lungs, side: Side) -> Mask:
    rows, columns = lungs.shape
    line = lungs.outlines[side]
    found: Mask = (line.rows < 3) | (line.rows > rows - 4)
    found |= (line.columns < 3) | (line.columns > columns - 4)
    return found


def _gap(lungs: Lungs) -> float:
    """Return the distance of the two lungs where they are nearest, of the picture's width."""
    right = np.nonzero(lungs.masks["right"])[1].max()
    left = np.nonzero(lungs.masks["left"])[1].min()
    return float(left - right) / lungs.shape[1]


def _midline(soft: Grey) -> int:
    """Return the column of the spine: the brightest of the middle third."""
    rows, columns = soft.shape
    profile = ndimage.gaussian_filter1d(
        soft[int(0.15 * rows) : int(0.85 * rows)].mean(axis=0), 0.01 * columns
    )
    first, last = int(0.33 * columns), int(0.67 * columns)
    return first + int(np.argmax(profile[first:last]))


def _seed(dark: Mask, midline: int, side: Side) -> Mask:
    """Return the largest dark region of a side that may be lung.

    Raises:
        ContractError: There is none.
    """
    rows = dark.shape[0]
    half = dark.copy()
    if side == "right":
        half[:, midline - 1 :] = False
    else:
        half[:, : midline + 2] = False
    labels, count = ndimage.label(half)
    best, found = 0.0, None
    for number in range(1, count + 1):
        mask: Mask = labels == number
        at_row = float(np.nonzero(mask)[0].mean())
        if mask.mean() < _SEED_MIN or not 0.1 * rows < at_row < 0.75 * rows:
            continue
        touches = mask[:, 0].any() or mask[:, -1].any() or mask[-1].any()
        weight = float(mask.mean()) * (0.3 if touches else 1.0)
        if weight > best:
            best, found = weight, mask
    if found is None:
        raise ContractError(_ITEM, f"{side}: no dark lung field is seen", _WAY_OUT)
    return found
