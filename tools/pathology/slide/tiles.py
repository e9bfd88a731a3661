"""Which tiles of a slide are looked at, and reading them near the rate of the library."""

import math
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from knowledge.errors import ContractError, InvalidValueError
from knowledge.model import Frozen
from knowledge.slide_measurements import slide_limit
from tools.pathology.slide.model import Mask, Rgb, Slide
from tools.pathology.slide.tissue import TissueMap

_RUN = 8
"""Neighbouring tiles read at once: borders that cut a tile of the file are then decoded once."""

_SAME = 0.02
"""A level this close to the wanted size is taken as it is."""


class TilePlan(Frozen):
    """The tiles of a slide, on a grid without overlap from the upper left corner.

    Args:
        tile_px: Side of a tile as it is given on.
        level: Level that is read.
        side: Side of a tile in pixels of that level; a fraction where it is shrunk.
        shrink: Pixels of the first level across one of the tile's.
        mpp_um: Side of a pixel of the tile, micrometres; None where not known.
        grid: Rows and columns of whole tiles.
        places: Row and column in the grid of each tile that is looked at, row by row.
        kept_from: Tiles with enough tissue before the cap.
        least_tissue: Percent of tissue a tile needs.
        left_out_pen: Tiles left out for pen.
    """

    tile_px: int
    level: int
    side: float
    shrink: float
    mpp_um: float | None
    grid: tuple[int, int]
    places: tuple[tuple[int, int], ...]
    kept_from: int
    least_tissue: float
    left_out_pen: int

    @property
    def side_first(self) -> float:
        """Side of a tile in pixels of the first level."""
        return self.tile_px * self.shrink

    def covers(self, slide: Slide) -> tuple[float, float]:
        """Return which share of the slide's rows and columns the grid covers."""
        facts = slide.facts
        rows, columns = (count * self.side_first for count in self.grid)
        return rows / facts.rows, columns / facts.columns


@dataclass(frozen=True, kw_only=True, eq=False)
class Tile:
    """One tile.

    Args:
        number: Its place in the plan.
        pixels: (tile_px, tile_px, 3) uint8.
    """

    number: int
    pixels: Rgb = field(repr=False)


def plan_tiles(
    slide: Slide,
    found: TissueMap,
    *,
    tile_px: int | None = None,
    mpp_um: float | None = None,
    least_tissue: float | None = None,
    most: int | None = None,
) -> TilePlan:
    """Return the tiles of a slide that hold tissue and hardly any pen.

    Args:
        slide: The slide.
        found: Where tissue and pen are.
        tile_px: Side of a tile, pixels.
        mpp_um: Side of a pixel that is wanted, micrometres; None for that of the first level.
        least_tissue: Percent of a tile.
        most: Cap; of more, evenly spread ones are taken.

    Raises:
        InvalidValueError: The wanted size of a pixel is no number above 0.
        ContractError: No scale although one is wanted, scanned coarser than wanted, smaller than a
            tile, or no tile holds enough tissue.
    """
    side = tile_px or int(slide_limit("tile_size"))
    facts = slide.facts
    shrink = _shrink(slide, mpp_um)
    level = max(
        n for n, one in enumerate(facts.levels) if one.shrink <= max(1, shrink) * (1 + _SAME)
    )
    in_level = side * shrink / facts.levels[level].shrink
    if abs(in_level / side - 1) <= _SAME:
        shrink, in_level = facts.levels[level].shrink, float(side)
    size = facts.levels[level]
    grid = (int(size.rows // in_level), int(size.columns // in_level))
    if 0 in grid:
        raise ContractError(facts.file, f"smaller than one tile of {side} pixels", "smaller tiles")
    least = slide_limit("tile_keep") if least_tissue is None else least_tissue
    cell = side * shrink / found.overview.shrink
    tissue, pen = (100 * _shares(mask, grid, cell) for mask in (found.tissue, found.pen))
    enough = tissue >= least
    kept = enough & (pen <= slide_limit("tile_pen_keep"))
    places = [(int(r), int(c)) for r, c in np.argwhere(kept)]
    if not places:
        raise ContractError(
            facts.file, f"no tile of {side} pixels holds {least:g} % of tissue", "smaller tiles"
        )
    cap = int(slide_limit("tiles_max")) if most is None else most
    taken = places
    if len(places) > cap:
        taken = [places[i] for i in np.linspace(0, len(places) - 1, cap).round().astype(int)]
    mpp = None if facts.mpp_um is None else slide.mpp_um * shrink
    return TilePlan(
        tile_px=side, level=level, side=in_level, shrink=shrink, mpp_um=mpp, grid=grid,
        places=tuple(taken), kept_from=len(places), least_tissue=least,
        left_out_pen=int((enough & ~kept).sum()),
    )  # fmt: skip


def read_tiles(
    slide: Slide, plan: TilePlan, numbers: Sequence[int], *, threads: int | None = None
) -> Iterator[Tile]:
    """Yield tiles in the order of `numbers`; several threads read ahead.

    Args:
        slide: The slide.
        plan: Its tiles.
        numbers: Places in the plan.
        threads: None for the cores this process may use, at most 4.

    Raises:
        UnreadableError: A tile cannot be decoded: nothing is left out silently.
    """
    count = threads or min(len(os.sched_getaffinity(0)), 4)
    runs = list(_runs(plan, numbers))
    if count == 1:
        for run in runs:
            yield from _read(slide, plan, run)
        return
    with ThreadPoolExecutor(count) as pool:
        waiting: deque[Future[list[Tile]]] = deque()
        try:
            for run in runs:
                waiting.append(pool.submit(_read, slide, plan, run))
                if len(waiting) > 2 * count:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _shrink(slide: Slide, mpp_um: float | None) -> float:
    """Return how many pixels of the first level one wanted pixel is wide."""
    if mpp_um is None:
        return 1.0
    if not (math.isfinite(mpp_um) and mpp_um > 0):
        raise InvalidValueError(
            "wanted um a pixel",
            f"{mpp_um:g} is no size of a pixel",
            "a number above 0, such as 0.5",
        )
    shrink = mpp_um / slide.mpp_um
    if shrink < 1 - slide_limit("enlarge_max") / 100:
        raise ContractError(
            slide.facts.file,
            f"scanned at {slide.mpp_um:.3g} um a pixel, coarser than the wanted {mpp_um:.3g}",
            "scan it with a stronger objective",
        )
    return shrink


def _shares(mask: Mask, grid: tuple[int, int], cell: float) -> NDArray[np.float64]:
    """Return the share of a mask in each cell of a grid of `cell` pixels."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1))
    sums[1:, 1:] = mask.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    edges = []
    for count, side in zip(grid, mask.shape, strict=True):
        at = np.minimum(np.arange(count + 1) * cell, side)
        first = np.minimum(np.floor(at[:-1]), side - 1).astype(int)
        edges.append((first, np.maximum(np.ceil(at[1:] - 1e-9).astype(int), first + 1)))
    (top, bottom), (left, right) = edges
    inside = (
        sums[np.ix_(bottom, right)] - sums[np.ix_(top, right)]
        - sums[np.ix_(bottom, left)] + sums[np.ix_(top, left)]
    )  # fmt: skip
    area = (bottom - top)[:, None] * (right - left)[None, :]
    shares: NDArray[np.float64] = inside / area
    return shares


def _runs(plan: TilePlan, numbers: Sequence[int]) -> Iterator[list[int]]:
    """Yield neighbouring tiles of one row together."""
    run: list[int] = []
    for number in numbers:
        row, column = plan.places[number]
        if run:
            last_row, last_column = plan.places[run[-1]]
            if row != last_row or column != last_column + 1 or len(run) == _RUN:
                yield run
                run = []
        run.append(number)
    if run:
        yield run


def _read(slide: Slide, plan: TilePlan, run: list[int]) -> list[Tile]:
    side = max(1, round(plan.side))
    row, column = plan.places[run[0]]
    left, top = round(column * plan.side), round(row * plan.side)
    offsets = [round(plan.places[n][1] * plan.side) - left for n in run]
    strip = slide.read(plan.level, left, top, offsets[-1] + side, side)
    return [
        Tile(number=n, pixels=_sized(strip[:, at : at + side], plan.tile_px))
        for n, at in zip(run, offsets, strict=True)
    ]


def _sized(part: Rgb, side: int) -> Rgb:
    if part.shape[:2] == (side, side):
        return np.ascontiguousarray(part)
    return np.asarray(Image.fromarray(part).resize((side, side), Image.Resampling.BILINEAR))
