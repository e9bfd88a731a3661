"""The region around a seed on an even grid, and the nodule in it."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.ct_measurements import limit
from knowledge.errors import ContractError
from tools.imaging.ct.model import Mask, Point, Volume

Grid = NDArray[np.float32]
_LOOK = "look at the images; nothing was measured"
_LUNG_HU = -500
"""Below this a voxel around a nodule is lung."""
_STUB_MM = 1.0
_STUB_KEPT = 0.75
"""A cut this much wider may take stubs of vessels off, never more than a quarter of a nodule."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """The surroundings of a seed on an even grid.

    Args:
        hu: (slices, rows, columns) float32, resampled by cubic splines.
        grid_mm: Distance of its points in every direction.
        seed: Index of the seed in it.
        first: Index in the volume, as a fraction, of its first point.
        spacing_mm: Of the volume.
    """

    hu: Grid = field(repr=False)
    grid_mm: float
    seed: tuple[int, int, int]
    first: Point
    spacing_mm: tuple[float, float, float]

    def softened(self) -> "Region":
        """Return it smoothed further, for nodules of low contrast."""
        from scipy import ndimage

        sigma = limit("nodule_smoothing_subsolid") / self.grid_mm
        return replace(self, hu=ndimage.gaussian_filter(self.hu, sigma))

    def in_volume(self, index: Point) -> Point:
        """Return the (slice, row, column) of the volume of an index of the grid."""
        found = [
            f + i * self.grid_mm / s
            for f, i, s in zip(self.first, index, self.spacing_mm, strict=True)
        ]
        return found[0], found[1], found[2]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """One nodule.

    Args:
        mask: Its points of the region.
        threshold: Value at its edge, HU.
        background, core: Of the lung around it, and of itself, HU.
        vessel_mm: Radius of the vessels that were cut from it.
        contact_percent: Share of its surface that touches what was cut.
    """

    mask: Mask = field(repr=False)
    threshold: float
    background: float
    core: float
    vessel_mm: float
    contact_percent: float


def region(volume: Volume, seed: Point, *, half: float) -> Region:
    """Return the surroundings of a seed.

    Args:
        volume: The series.
        seed: (slice, row, column) as fractions.
        half: How far they reach from the seed, mm.
    """
    from scipy import ndimage

    grid = limit("nodule_grid")
    starts = [max(0.0, c - half / s) for c, s in zip(seed, volume.spacing_mm, strict=True)]
    ends = [
        min(n - 1.0, c + half / s)
        for c, s, n in zip(seed, volume.spacing_mm, volume.hu.shape, strict=True)
    ]
    counts = [
        int((e - a) * s / grid) + 1 for a, e, s in zip(starts, ends, volume.spacing_mm, strict=True)
    ]
    low = [max(0, int(a) - 2) for a in starts]
    part = volume.hu[tuple(slice(a, int(np.ceil(e)) + 3) for a, e in zip(low, ends, strict=True))]
    found = part.astype(np.float32)
    for axis, (start, first, n, s) in enumerate(
        zip(starts, low, counts, volume.spacing_mm, strict=True)
    ):
        found = _resampled(found, (start - first) + np.arange(n) * grid / s, axis)
    smooth = limit("nodule_smoothing") / grid
    return Region(
        hu=ndimage.gaussian_filter(found, smooth),
        grid_mm=grid,
        seed=tuple(
            min(n - 1, round((c - a) * s / grid))
            for c, a, s, n in zip(seed, starts, volume.spacing_mm, counts, strict=True)
        ),  # type: ignore[arg-type]
        first=(starts[0], starts[1], starts[2]),
        spacing_mm=volume.spacing_mm,
    )


def outlined(
    around: Region, *, threshold: float | None = None, start: tuple[int, ...] | None = None
) -> Outline:
    """Return the nodule at the seed: the connected region above half height, vessels cut off.

    Args:
        around: The surroundings of the seed.
        threshold: Value at the edge, HU; half height between lung and core unless given.
        start: A point inside; the deepest dense one near the seed unless given.

    Raises:
        ContractError: Nothing dense at the seed, or a lesion whose edge is not its own: it reaches
            the border of the region, the pleura, the chest wall or a vessel as wide as itself.
    """
    background = _background(around)
    if threshold is not None and start is not None:
        mask, vessel, contact = _cut(around, threshold, start)
        core = float(np.median(around.hu[mask]))
        return Outline(
            mask=mask, threshold=threshold, background=background, core=core, vessel_mm=vessel,
            contact_percent=contact,
        )  # fmt: skip
    start, core = _start(around, background)
    threshold = background + (min(core, limit("nodule_solid_core_max")) - background) / 2
    mask, vessel, contact = _cut(around, threshold, start)
    inner = around.hu[_deep(mask, around.grid_mm)]
    core = float(np.median(inner)) if inner.size else core
    threshold = background + (min(core, limit("nodule_solid_core_max")) - background) / 2
    mask, vessel, contact = _cut(around, threshold, start)
    return Outline(
        mask=mask, threshold=threshold, background=background, core=core, vessel_mm=vessel,
        contact_percent=contact,
    )  # fmt: skip


def component(dense: Mask, point: tuple[int, ...]) -> Mask | None:
    """Return the connected part that holds a point; None where the point is in none."""
    from scipy import ndimage

    labels, _ = ndimage.label(dense)
    label = labels[point]
    return None if label == 0 else labels == label


def _resampled(values: Grid, points: NDArray[Any], axis: int) -> Grid:
    """Return values at fractional places along one axis, by a cubic spline."""
    from scipy.interpolate import make_interp_spline

    count = values.shape[axis]
    if count < 4:  # a cubic spline needs four
        spline = make_interp_spline(np.arange(count), values, k=1, axis=axis)
    else:
        spline = make_interp_spline(np.arange(count), values, k=3, axis=axis)
    mixed: Grid = spline(np.clip(points, 0, count - 1)).astype(np.float32)
    return mixed


def _background(around: Region) -> float:
    values = around.hu[around.hu < _LUNG_HU]
    if values.size < 0.2 * around.hu.size:
        raise ContractError(
            "seed", "little lung around it: not in the lung, or at the pleura", _LOOK
        )
    return float(np.median(values))


def _start(around: Region, background: float) -> tuple[tuple[int, ...], float]:
    """Return the point within reach of the seed that is deepest in something dense."""
    from scipy import ndimage

    reach = round(limit("nodule_seed_reach") / around.grid_mm)
    cut = tuple(slice(max(0, i - reach), i + reach + 1) for i in around.seed)
    wide = tuple(slice(max(0, i - 4 * reach), i + 4 * reach + 1) for i in around.seed)
    dense = around.hu[wide] > background + limit("nodule_contrast_min")
    depth = ndimage.distance_transform_edt(dense)
    inner = tuple(
        slice(c.start - w.start, c.start - w.start + min(c.stop, n) - c.start)
        for c, w, n in zip(cut, wide, around.hu.shape, strict=True)
    )
    near = depth[inner]
    if not near.any():
        raise ContractError("seed", "nothing denser than the lung there", "place it in the nodule")
    at = np.unravel_index(int(np.argmax(near)), near.shape)
    point = tuple(int(i) + c.start for i, c in zip(at, cut, strict=True))
    around_point = tuple(slice(max(0, i - 1), i + 2) for i in point)
    return point, float(np.median(around.hu[around_point]))


def _cut(around: Region, threshold: float, start: tuple[int, ...]) -> tuple[Mask, float, float]:
    """Return the part above a threshold at the start, the vessel radius cut, and the contact."""
    from scipy import ndimage

    found = component(around.hu > threshold, start)
    if found is None:
        raise ContractError("seed", "nothing denser than the lung there", "place it in the nodule")
    grid = around.grid_mm
    depth = ndimage.distance_transform_edt(np.pad(found, 1))[1:-1, 1:-1, 1:-1] * grid
    steps = [0.0, *np.arange(2 * grid, limit("nodule_vessel_radius_max") + 1e-6, grid)]
    reason = "reaches the border of the region around the seed"
    for radius in steps:
        mask = found if radius == 0 else _opened(found, depth, float(radius), start, grid)
        if mask is None:
            break
        contact = _contact(mask, found)
        problem = _problem(mask, contact, around)
        if problem is None:
            if radius > 0:
                mask, contact = _shaved(mask, found, depth, float(radius), start, around)
            return mask, float(radius), contact
        reason = problem
    raise ContractError("nodule", f"{reason}: its edge cannot be told from what it touches", _LOOK)


def _shaved(
    mask: Mask,
    found: Mask,
    depth: NDArray[np.float64],
    radius: float,
    start: tuple[int, ...],
    around: Region,
) -> tuple[Mask, float]:
    """Return a part without the stubs of the vessels that were cut, where that leaves a nodule."""
    wider = _opened(found, depth, radius + _STUB_MM, start, around.grid_mm)
    if wider is None or wider.sum() < _STUB_KEPT * mask.sum():
        return mask, _contact(mask, found)
    contact = _contact(wider, found)
    if _problem(wider, contact, around) is not None:
        return mask, _contact(mask, found)
    return wider, contact


def _opened(
    found: Mask, depth: NDArray[np.float64], radius: float, start: tuple[int, ...], grid: float
) -> Mask | None:
    """Return the part that is left when everything narrower than a radius is cut; None for none."""
    from scipy import ndimage

    labels, _ = ndimage.label(depth > radius)
    label = labels[start]
    if label == 0:
        return None
    core = labels == label
    grown = ndimage.distance_transform_edt(~core) * grid <= radius
    opened: Mask = grown & found
    return opened


def _contact(mask: Mask, found: Mask) -> float:
    """Return the share of the surface of a part that touches the rest, %."""
    from scipy import ndimage

    shell = ndimage.binary_dilation(mask) & ~mask
    return 100 * float((shell & found).sum()) / max(1, int(shell.sum()))


def _problem(mask: Mask, contact: float, around: Region) -> str | None:
    """Return why a part is no nodule with an edge of its own; None where it is one."""
    for axis in range(3):
        ends = mask.take([0, -1], axis=axis)
        if ends.any():
            return "reaches the border of the region around the seed"
    if contact > limit("nodule_contact_max"):
        return "grows into a vessel, the pleura or the chest wall"
    volume = float(mask.sum()) * around.grid_mm**3
    if (6 * volume / np.pi) ** (1 / 3) > limit("nodule_diameter_max") * 1.2:
        return "larger than a nodule"
    if _lung_share(mask, around) < limit("nodule_lung_around_min"):
        return "lies at the pleura, the chest wall or the mediastinum"
    if compactness(mask) < limit("nodule_compactness_min"):
        return "not compact, a vessel or a scar may be in it"
    return None


def _lung_share(mask: Mask, around: Region) -> float:
    """Return how much of the 3 mm around a part is lung, %."""
    from scipy import ndimage

    wide = round(3 / around.grid_mm)
    where = ndimage.find_objects(mask.astype(np.uint8))[0]
    cut = tuple(slice(max(0, w.start - wide - 2), w.stop + wide + 2) for w in where)
    away = ndimage.distance_transform_edt(~mask[cut]) * around.grid_mm
    ring = (away > 1) & (away <= 3)  # mm: past the blurred edge
    return 100 * float((around.hu[cut][ring] < _LUNG_HU).mean()) if ring.any() else 0.0


def compactness(mask: Mask) -> float:
    """Return the share of its convex hull that a part fills."""
    from scipy.spatial import ConvexHull, QhullError

    points = np.argwhere(mask)
    if len(points) < 20:  # too few points to judge a shape
        return 1.0
    extremes = points[_outer(mask)]
    try:
        hull = float(ConvexHull(np.concatenate([extremes - 0.5, extremes + 0.5])).volume)
    except QhullError:
        return 0.0
    return float(mask.sum()) / hull


def _outer(mask: Mask) -> NDArray[np.bool_]:
    from scipy import ndimage

    inner = ndimage.binary_erosion(mask)
    outer: NDArray[np.bool_] = ~inner[mask]
    return outer


def _deep(mask: Mask, grid: float) -> Mask:
    """Return the points well inside a part: past its blurred edge where it is large enough."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(mask) * grid
    return mask & (depth >= min(1.5, 0.6 * float(depth.max())))
