"""The tumour region of a field that a person or a model gave: GeoJSON polygons, or a mask."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import orjson
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from knowledge.errors import ContractError, TooLargeError, UnreadableError
from knowledge.ihc_measurements import ihc_measurements, limit
from tools.pathology.ihc.region_mask import mask_of_png
from tools.pathology.ihc.stain import Floats, Mask

MAX_BYTES = 20_000_000
WAY_OUT = "outline the invasive tumour as GeoJSON polygons in pixels of the field, or give a mask"
_POINTS_OF_A_RING = 4
_NUMBERED = re.compile(r"[\s#_.:()-]*\d*[\s)]*$")


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """Where the tumour is.

    Args:
        mask: (rows, columns) bool on the pixels of the field.
        file: Name of the file it is from.
        parts: How many polygons, or 1 for a mask.
    """

    mask: Mask = field(repr=False)
    file: str
    parts: int = 1

    def at(self, shape: tuple[int, int]) -> Mask:
        """Return the region on pixels of another size: that of the nearest pixel of the field."""
        if shape == self.mask.shape:
            return self.mask
        rows, columns = (
            np.minimum(((np.arange(n) + 0.5) * m / n).astype(int), m - 1)
            for n, m in zip(shape, self.mask.shape, strict=True)
        )
        found: Mask = self.mask[np.ix_(rows, columns)]
        return found

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "title": "TumourRegion",
            "description": "GeoJSON file with the tumour as polygons in pixels of the field",
        }


def read_region(path: Path | None, *, size_px: tuple[int, int]) -> Region:
    """Return the tumour region of a field.

    Args:
        path: GeoJSON (polygons in pixels, x to the right, y down), or a mask as PNG of the size of
            the field, 0 and one other value, which is tumour.
        size_px: Columns and rows of the field.

    Raises:
        ContractError: None given; nothing in it; outside of the field; of another size; the names
            of its annotations do not say which is tumour.
        UnreadableError: Neither GeoJSON nor a picture.
        TooLargeError: Over `MAX_BYTES`, or too many points.
    """
    if path is None:
        raise ContractError("region", "no tumour region is given", WAY_OUT)
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableError(path.name, f"cannot be opened: {error.strerror}", WAY_OUT) from error
    if len(content) > MAX_BYTES:
        raise TooLargeError(path.name, f"over {MAX_BYTES // 10**6} MB", "give fewer points")
    if content.lstrip()[:1] in (b"{", b"["):
        return region_of(_json(content, path.name), size_px=size_px, file=path.name)
    return Region(mask=mask_of_png(content, size_px=size_px, file=path.name), file=path.name)


def region_of(data: Any, *, size_px: tuple[int, int], file: str) -> Region:
    """Return the region of GeoJSON that was parsed.

    Polygons named as something else than tumour are cut out of the others, as their holes are.

    Raises:
        ContractError, UnreadableError, TooLargeError: As `read_region`.
    """
    parts = list(_parts(data, file))
    words = ihc_measurements().region_words
    named = {name for name, _ in parts if name}
    unknown = sorted(named - words.tumour - words.excluded)
    if any(not _is_unnamed(name) for name in unknown) or (unknown and named - set(unknown)):
        raise ContractError(
            file,
            "which annotation is tumour is not known: "
            + ", ".join(repr(n[:40]) for n in sorted(named)),
            "name the tumour 'Tumor'",
        )
    if sum(len(ring) for _, rings in parts for ring in rings) > limit("region_points_max"):
        raise TooLargeError(file, "too many points", "give fewer points")
    mask = np.zeros((size_px[1], size_px[0]), bool)
    wanted = [rings for name, rings in parts if name not in words.excluded]
    area = sum(_fill(mask, rings) for rings in wanted)
    whole = mask.copy()
    for name, rings in parts:
        if name in words.excluded:
            cut = np.zeros_like(mask)
            _fill(cut, rings)
            mask &= ~cut
    _check_area(mask, whole, area, file)
    return Region(mask=mask, file=file, parts=len(wanted))


def outlines(content: bytes, *, file: str) -> tuple[tuple[str, tuple[Floats, ...]], ...]:
    """Return the polygons of a GeoJSON file: the name of each, and its rings, (points, 2).

    Raises:
        ContractError: None in it, or one is not closed.
        UnreadableError: Not JSON.
        TooLargeError: Over `MAX_BYTES`, or too many points.
    """
    if len(content) > MAX_BYTES:
        raise TooLargeError(file, f"over {MAX_BYTES // 10**6} MB", "give fewer points")
    found = tuple((name, tuple(rings)) for name, rings in _parts(_json(content, file), file))
    if sum(len(ring) for _, rings in found for ring in rings) > limit("region_points_max"):
        raise TooLargeError(file, "too many points", "give fewer points")
    return found


def _check_area(mask: Mask, whole: Mask, area: float, file: str) -> None:
    if not mask.any():
        raise ContractError(file, "the region holds no pixel of the field", WAY_OUT)
    outside = 100 * (1 - whole.sum() / max(area, 1.0))
    edge = 100 * 2 * math.sqrt(max(area, 1.0)) / max(area, 1.0)
    if outside > limit("region_outside_max") + edge:
        raise ContractError(
            file,
            f"{outside:.0f} % of the region lies outside of the field or twice in it",
            "give the polygons in pixels of this field, without overlap",
        )


def _fill(mask: Mask, rings: list[Floats]) -> float:
    """Set the pixels of a polygon and return its area, px²; its holes are taken out."""
    from skimage.draw import polygon

    inside = np.zeros_like(mask)
    area = 0.0
    for place, ring in enumerate(rings):
        rows, columns = polygon(ring[:, 1] - 0.5, ring[:, 0] - 0.5, mask.shape)  # type: ignore[no-untyped-call]
        inside[rows, columns] = place == 0
        x, y = ring[:, 0], ring[:, 1]
        size = abs(float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1]))) / 2
        area += size if place == 0 else -size
    mask |= inside
    return area


def _json(content: bytes, file: str) -> Any:
    try:
        return orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise UnreadableError(file, "not JSON", WAY_OUT) from error


def _parts(data: Any, file: str) -> Iterator[tuple[str, list[Floats]]]:
    """Yield (name in small letters, rings) of each polygon."""
    for feature in _features(data, file):
        geometry = feature.get("geometry") if feature.get("type") == "Feature" else feature
        name = _name(feature)
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        found = geometry.get("coordinates") if isinstance(geometry, dict) else None
        if kind == "Polygon":
            yield name, _rings(found, file)
        elif kind == "MultiPolygon" and isinstance(found, list):
            for one in found:
                yield name, _rings(one, file)
        else:
            raise ContractError(file, f"{str(kind)[:40]!r} is no area", WAY_OUT)


def _features(data: Any, file: str) -> list[dict[str, Any]]:
    kind = data.get("type") if isinstance(data, dict) else None
    found = data.get("features") if kind == "FeatureCollection" else data
    found = found if isinstance(found, list) else [found]
    if not found or not all(isinstance(one, dict) for one in found):
        raise ContractError(file, "holds no polygon", WAY_OUT)
    return found


def _name(feature: dict[str, Any]) -> str:
    stated = feature.get("properties")
    if not isinstance(stated, dict):
        return ""
    kind = stated.get("classification")
    name = kind.get("name") if isinstance(kind, dict) else kind
    name = name if isinstance(name, str) else stated.get("name")
    return " ".join(name.casefold().split()) if isinstance(name, str) else ""


def _is_unnamed(name: str) -> bool:
    """Return whether a name is one that a program gives, as "Region 2" is."""
    bare = _NUMBERED.sub("", name)
    return not bare or bare in ihc_measurements().region_words.unnamed


def _rings(found: Any, file: str) -> list[Floats]:
    if not isinstance(found, list) or not found:
        raise ContractError(file, "a polygon without points", WAY_OUT)
    return [_ring(one, file) for one in found]


def _ring(found: Any, file: str) -> Floats:
    points = [p for p in found if _is_point(p)] if isinstance(found, list) else []
    if not isinstance(found, list) or len(points) != len(found):
        raise ContractError(file, "a point is not two finite numbers", WAY_OUT)
    if len(points) < _POINTS_OF_A_RING or points[0][:2] != points[-1][:2]:
        raise ContractError(file, "a polygon is not closed", "repeat its first point as the last")
    return np.array([p[:2] for p in points], dtype=np.float64)


def _is_point(found: Any) -> TypeGuard[list[float]]:
    return (
        isinstance(found, list)
        and len(found) in (2, 3)
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in found)
        and all(math.isfinite(v) and abs(v) < 1e7 for v in found)
    )
