"""The images of one series in the order they lie in the body, as a person scrolls through them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_SAME_WAY = 0.999
"""Cosine between two slice normals that are called parallel: 2.5 degrees."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one image lies, as far as its header says.

    Args:
        position: Of its first pixel, LPS mm; empty where not stated.
        orientation: Directions of row and column, LPS; empty where not stated.
        number: Instance number; None where not stated.
        name: Of the file: the last resort.
    """

    position: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    number: int | None = None
    name: str = ""


def place(ds: Any, name: str) -> Place:
    """Return where a DICOM image lies."""
    try:
        number: int | None = int(str(ds.get("InstanceNumber", "") or ""))
    except ValueError:
        number = None
    return Place(
        position=_numbers(ds.get("ImagePositionPatient"), 3),
        orientation=_numbers(ds.get("ImageOrientationPatient"), 6),
        number=number,
        name=name,
    )


def ordered(places: Sequence[Place]) -> tuple[int, ...]:
    """Return the indices of images in the order to scroll through.

    By position along the common normal, from head to foot for axial slices; where orientations
    differ or positions are not stated, by instance number, then by name.

    Examples:
        >>> lying = dict(orientation=(1.0, 0, 0, 0, 1.0, 0))
        >>> ordered([Place(position=(0, 0, z), name=str(z), **lying) for z in (1.0, 3.0, 2.0)])
        (1, 2, 0)
    """
    order = range(len(places))
    normals = [_normal(p.orientation) for p in places]
    first = normals[0] if normals else None
    if first is not None and all(
        n is not None and p.position and float(np.dot(n, first)) > _SAME_WAY
        for n, p in zip(normals, places, strict=True)
    ):
        along = [float(np.dot(first, p.position)) for p in places]
        return tuple(sorted(order, key=lambda i: (-along[i], places[i].name)))
    return tuple(
        sorted(
            order,
            key=lambda i: (
                places[i].number is None,
                places[i].number or 0,
                places[i].name,
            ),
        )
    )


def _normal(orientation: tuple[float, ...]) -> np.ndarray[tuple[int, ...], Any] | None:
    if len(orientation) != 6:
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    return normal / length if length > 0 else None


def _numbers(value: Any, many: int) -> tuple[float, ...]:
    if value is None or isinstance(value, str) or not hasattr(value, "__len__"):
        return ()
    try:
        found = tuple(float(v) for v in value)
    except (TypeError, ValueError, OverflowError):
        return ()
    return found if len(found) == many and all(map(math.isfinite, found)) else ()
