"""Stain normalisation of haematoxylin and eosin (Macenko 2009, doi:10.1109/ISBI.2009.5193250).

Optical densities of stained pixels lie in a plane spanned by the two stains; its extreme directions
are the stains, the amounts are brought to a reference. Stains are estimated once for a slide, of
tiles spread over it, so that no tile is brought to a colour of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from knowledge.model import Frozen
from knowledge.slide_measurements import slide_limit, slide_measurements
from tools.pathology.slide.model import Rgb

Vector = tuple[float, float, float]
METHOD = "macenko/1"
_ENOUGH = 2_000_000


class Stains(Frozen):
    """The stains of one slide.

    Args:
        haematoxylin, eosin: Optical density of red, green and blue, length 1.
        most: Amount of each at the upper percentile.
        white: Grey level of the glass.
        pixels: Stained pixels behind it.
        method: Name and version.
    """

    haematoxylin: Vector
    eosin: Vector
    most: tuple[float, float]
    white: float
    pixels: int
    method: str = METHOD


@dataclass(frozen=True, kw_only=True, eq=False)
class Normaliser:
    """Brings tiles of a slide to the reference."""

    stains: Stains
    _turn: NDArray[np.float32] = field(repr=False)
    _density: NDArray[np.float32] = field(repr=False)

    def __call__(self, tile: Rgb) -> Rgb:
        """Return a tile as if it were stained like the reference."""
        reference = slide_measurements().reference_stains
        density = self._density[tile.reshape(-1, 3)]
        amounts = density @ self._turn
        np.maximum(amounts, 0, out=amounts)
        back = amounts @ np.array([reference.haematoxylin, reference.eosin], np.float32)
        grey = reference.white * np.power(np.float32(10), -back)
        found: Rgb = np.clip(np.rint(grey), 0, 255).astype(np.uint8).reshape(tile.shape)
        return found


def estimate_stains(tiles: Iterable[Rgb], *, file: str = "slide") -> Stains:
    """Return the two stains of a slide.

    Args:
        tiles: Spread over its tissue.
        file: What messages call it.

    Raises:
        ContractError: Too little is stained, the two stains cannot be told apart, or the second is
            no eosin: then the slide is not stained with both, and normalising would make colours
            up.
    """
    white = slide_measurements().reference_stains.white
    least = slide_limit("stain_od_min")
    parts = []
    for tile in tiles:
        density = _density_table(white)[tile.reshape(-1, 3)]
        parts.append(density[(density > least).all(axis=1)])
    stained: NDArray[Any] = np.concatenate(parts) if parts else np.zeros((0, 3), np.float32)
    if len(stained) < slide_limit("stain_pixels_min"):
        raise ContractError(file, "too little stained tissue to estimate its stains", "")
    step = max(1, len(stained) // _ENOUGH)
    stained = stained[::step].astype(np.float64)
    first, second = _directions(stained)
    angle = np.degrees(np.arccos(np.clip(first @ second, -1, 1)))
    if angle < slide_limit("stain_angle_min") or min(first.min(), second.min()) < -0.05:
        raise ContractError(
            file, f"its two stains are {angle:.0f} degrees apart: no haematoxylin and eosin",
            "leave out the normalisation",
        )  # fmt: skip
    # Haematoxylin takes away more red than eosin does.
    haematoxylin, eosin = (first, second) if first[0] > second[0] else (second, first)
    _check_eosin(eosin, file)
    amounts = stained @ np.linalg.pinv(np.stack([haematoxylin, eosin]))
    most = np.percentile(amounts, slide_limit("stain_concentration_percentile"), axis=0)
    if float(most.min()) <= 0:
        raise ContractError(file, "one of the two stains is not there", "leave it out")
    return Stains(
        haematoxylin=_vector(haematoxylin),
        eosin=_vector(eosin),
        most=(float(most[0]), float(most[1])),
        white=white,
        pixels=len(stained),
    )


def normaliser(stains: Stains) -> Normaliser:
    """Return what brings tiles with these stains to the reference."""
    reference = slide_measurements().reference_stains
    matrix = np.array([stains.haematoxylin, stains.eosin])
    turn = np.linalg.pinv(matrix) * (np.array(reference.most) / np.array(stains.most))
    return Normaliser(
        stains=stains, _turn=turn.astype(np.float32), _density=_density_table(stains.white)
    )


def _check_eosin(eosin: NDArray[Any], file: str) -> None:
    """Refuse a second stain that takes away more blue than green, as DAB does: it is brown."""
    if eosin[2] <= slide_limit("stain_eosin_blue_max") * eosin[1]:
        return
    raise ContractError(
        file,
        "its second stain is brown or yellow and no eosin: normalising would make colours up",
        "leave out the normalisation",
    )


def _directions(stained: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the extreme directions of the densities in the plane of their largest variance."""
    _, vectors = np.linalg.eigh(np.cov(stained.T))
    plane = vectors[:, [2, 1]]
    plane = plane * np.where(plane.sum(axis=0) < 0, -1, 1)
    flat = stained @ plane
    angles = np.arctan2(flat[:, 1], flat[:, 0])
    share = slide_limit("stain_angle_percentile")
    low, high = np.percentile(angles, [share, 100 - share])
    found = []
    for angle in (low, high):
        vector = plane @ np.array([np.cos(angle), np.sin(angle)])
        found.append(vector / np.linalg.norm(vector))
    return found[0], found[1]


def _density_table(white: float) -> NDArray[np.float32]:
    levels = np.maximum(np.arange(256), 1) / white
    table: NDArray[np.float32] = np.maximum(-np.log10(levels), 0).astype(np.float32)
    return table


def _vector(values: NDArray[Any]) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
