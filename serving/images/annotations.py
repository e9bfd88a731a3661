"""What people or programs marked on images of a case: GeoJSON, DICOM annotations, SR coordinates.

Only what can be drawn in the pixels of an image is taken; what else a file holds is told.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.errors import ContractError, IdentityConflictError, TooLargeError, UnreadableError
from knowledge.patient import Identity
from knowledge.plain_text import visible
from tools.ecg.readers.dicom_header import identity
from tools.imaging.contours.header import opened
from tools.imaging.dicom_object import sop_class
from tools.intake.identity import compare
from tools.pathology.ihc.region import outlines

ANN = "1.2.840.10008.5.1.4.1.1.91.1"
_SR = "1.2.840.10008.5.1.4.1.1.88."
_WAY = "draw it again on this image"

MOST_POINTS = 400_000
"""Points of one file that are drawn: some 10,000 outlined nuclei."""

_LABEL = 48
_DEEPEST = 24
_ROUND = 48

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """One mark.

    Args:
        instance: SOP Instance UID of its image; empty where the file names none (GeoJSON).
        points: (points, 2), column and row from the corner of the first pixel.
        closed: Whether the last is joined to the first; one point is a place.
        label: What it is said to be of.
    """

    instance: str
    points: Points
    closed: bool
    label: str


def holds_marks(content: bytes) -> bool:
    """Return whether a file may hold marks on an image."""
    if content[128:132] == b"DICM":
        kind = sop_class(content)
        return kind == ANN or kind.startswith(_SR)
    return is_geojson(content)


def is_geojson(content: bytes) -> bool:
    """Return whether a file looks like GeoJSON with areas."""
    start = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start in (b"{", b"[") and b'Polygon"' in content


def drawn_in(content: bytes, *, patient: Identity, file: str) -> tuple[Drawn, ...]:
    """Return the marks of a file.

    Args:
        content: GeoJSON, a DICOM annotation object of a slide, or a structured report.
        patient: Of the image.
        file: How it is named in errors.

    Raises:
        InputError: It cannot be read, is of an animal, or holds nothing that can be drawn.
        IdentityConflictError: It is of another patient.
        TooLargeError: Too many points.
    """
    if content[128:132] != b"DICM":
        shapes = [
            Drawn(instance="", points=ring, closed=True, label=name or "region")
            for name, rings in outlines(content, file=file)
            for ring in rings
        ]
    else:
        ds = opened(content, file)
        _check_patient(ds, patient, file)
        found = _annotated(ds, file) if str(ds.get("SOPClassUID", "")) == ANN else _reported(ds)
        shapes = list(_bounded(found, file))
    if not shapes:
        raise ContractError(file, "holds no mark in the pixels of an image", _WAY)
    if sum(len(one.points) for one in shapes) > MOST_POINTS:
        raise TooLargeError(file, f"over {MOST_POINTS} points", "give fewer marks")
    return tuple(shapes)


def _bounded(found: Iterator[Drawn], file: str) -> Iterator[Drawn]:
    try:
        count = 0
        for one in found:
            count += len(one.points)
            if count > MOST_POINTS:
                raise TooLargeError(file, f"over {MOST_POINTS} points", "give fewer marks")
            yield one
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise UnreadableError(
            file, f"its marks are damaged ({type(error).__name__})", "export it again"
        ) from error


def _check_patient(ds: Any, patient: Identity, file: str) -> None:
    own = identity(ds, file=file, zone=None, notes=[])
    found = compare(patient, own)
    if found.result == "mismatch":
        raise IdentityConflictError(
            file,
            f"of another patient than the image: {', '.join(found.differ)} differ",
            "give files of one patient",
            files=(file, "image"),
        )


def _annotated(ds: Any, file: str) -> Iterator[Drawn]:
    """Yield the marks of a slide annotation object (PS3.3 C.37.1)."""
    if str(ds.get("AnnotationCoordinateType", "2D")) != "2D":
        raise ContractError(file, "its marks are in mm of the slide, not in pixels", _WAY)
    if str(ds.get("PixelOriginInterpretation", "VOLUME")) == "FRAME":
        raise ContractError(file, "its marks count from single tiles", _WAY)
    references = ds.get("ReferencedImageSequence") or []
    instance = str(references[0].get("ReferencedSOPInstanceUID", "")) if references else ""
    if not instance:
        raise ContractError(file, "does not name the image it is of", _WAY)
    for group in ds.get("AnnotationGroupSequence") or []:
        kind = str(group.get("GraphicType", ""))
        label = _label(group.get("AnnotationGroupLabel"))
        for points in _primitives(group, kind):
            shape, closed = _shape(kind, points)
            yield Drawn(instance=instance, points=shape, closed=closed, label=label)


def _primitives(group: Any, kind: str) -> Iterator[Points]:
    doubles = group.get("DoublePointCoordinatesData")
    raw = doubles if doubles is not None else group.get("PointCoordinatesData")
    values = np.frombuffer(raw or b"", "<f8" if doubles is not None else "<f4")
    points = values.astype(np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError("not finite")
    if kind == "POINT":
        yield from points[:, None, :]
    elif kind in ("ELLIPSE", "RECTANGLE"):
        yield from points.reshape(-1, 4, 2)
    else:
        starts = np.frombuffer(group.get("LongPrimitivePointIndexList") or b"", "<u4")
        yield from np.split(points, [(int(at) - 1) // 2 for at in starts[1:]])


def _reported(ds: Any) -> Iterator[Drawn]:
    """Yield the coordinates of a structured report that lie in the pixels of an image."""
    waiting = [(ds, 0)]
    while waiting:
        item, depth = waiting.pop()
        if str(item.get("ValueType", "")) == "SCOORD":
            yield from _coordinates(item)
        if depth < _DEEPEST:
            waiting += [(one, depth + 1) for one in item.get("ContentSequence") or []]


def _coordinates(item: Any) -> Iterator[Drawn]:
    data = item.get("GraphicData") or []
    points = np.array([float(one) for one in data], np.float64).reshape(-1, 2)
    if not len(points) or not np.isfinite(points).all():
        raise ValueError("not finite")
    kind = str(item.get("GraphicType", ""))
    names = item.get("ConceptNameCodeSequence") or [{}]
    label = _label(names[0].get("CodeMeaning"))
    for reference in item.get("ContentSequence") or []:
        for one in reference.get("ReferencedSOPSequence") or []:
            instance = str(one.get("ReferencedSOPInstanceUID", ""))
            if not instance or one.get("ReferencedFrameNumber") not in (None, 1, ""):
                continue
            whole = [points] if kind != "MULTIPOINT" else list(points[:, None, :])
            for part in whole:
                shape, closed = _shape(kind, part)
                yield Drawn(instance=instance, points=shape, closed=closed, label=label)


def _shape(kind: str, points: Points) -> tuple[Points, bool]:
    """Return the corners to draw, and whether they close."""
    if kind == "CIRCLE":
        radius = math.dist(points[0], points[1])
        return _ellipse(points[0], np.array([radius, 0.0]), np.array([0.0, radius])), True
    if kind == "ELLIPSE":
        centre = (points[0] + points[1]) / 2
        return _ellipse(centre, (points[1] - points[0]) / 2, (points[3] - points[2]) / 2), True
    joined = len(points) > 2 and bool((points[0] == points[-1]).all())
    return points, kind in ("POLYGON", "RECTANGLE") or joined


def _ellipse(centre: Points, major: Points, minor: Points) -> Points:
    turn = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)[:, None]
    found: Points = centre + np.cos(turn) * major + np.sin(turn) * minor
    return found


def _label(text: object) -> str:
    return visible(str(text or ""))[:_LABEL] or "region"
