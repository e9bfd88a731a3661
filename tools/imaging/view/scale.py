"""How long a distance on an image is: in mm only where its header says so, else in pixels."""

import math
from dataclasses import dataclass
from typing import Any

from knowledge.imaging_terms import imaging_terms
from tools.imaging.view.pixels import group


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The scale of an image.

    Args:
        row_mm: Distance of two rows; None where it is not known.
        column_mm: Distance of two columns; None where it is not known.
        why: Why it is not known; or what a distance in mm means here, empty where it is simply so.
    """

    row_mm: float | None = None
    column_mm: float | None = None
    why: str = ""

    @property
    def is_known(self) -> bool:
        """Whether a distance may be given in mm."""
        return self.row_mm is not None and self.column_mm is not None


NO_HEADER = Scale(why="a picture without a header: its scale is not known")


def scale(ds: Any, frame: int = 0) -> Scale:
    """Return the scale of a DICOM image.

    Pixel Spacing is of the patient, Imager Pixel Spacing of the detector (PS3.3 10.7.1.3): on a
    projection a distance at the detector is longer than in the body.
    """
    modality = str(ds.get("Modality", "")).strip().upper()
    projection = modality in imaging_terms().projections.modalities
    if ds.get("SequenceOfUltrasoundRegions"):
        return Scale(why="the scale is stated for parts of the picture, which differ")
    stated = ds if "PixelSpacing" in ds else group(ds, "PixelMeasuresSequence", frame)
    found = _pair(None if stated is None else stated.get("PixelSpacing"))
    if found is not None and not all(v > 0 for v in found):
        return Scale(why="the pixel spacing is stated as 0 mm")
    at_detector = _pair(ds.get("ImagerPixelSpacing"))
    if found is None and at_detector is None:
        return Scale(why="no pixel spacing is stated")
    if found is None or (projection and found == at_detector):
        if at_detector is None or not all(v > 0 for v in at_detector):
            return Scale(why="the pixel spacing is stated as 0 mm")
        return Scale(
            row_mm=at_detector[0],
            column_mm=at_detector[1],
            why="at the detector: longer than in the body",
        )
    why = ""
    if projection:
        calibrated = str(ds.get("PixelSpacingCalibrationType", "") or "").strip()
        why = (
            f"calibrated ({calibrated.lower()}) at one depth of the body"
            if calibrated in ("GEOMETRY", "FIDUCIAL")
            else "a projection: longer than in the body"
        )
    return Scale(row_mm=found[0], column_mm=found[1], why=why)


def _pair(value: Any) -> tuple[float, float] | None:
    if value is None or isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
        return None
    try:
        first, second = (float(v) for v in value)
    except (TypeError, ValueError, OverflowError):
        return None
    return (first, second) if math.isfinite(first) and math.isfinite(second) else None
