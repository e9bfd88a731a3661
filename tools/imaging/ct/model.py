"""The volume of one CT series, and what its headers say of it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from knowledge.clinical_time import ClinicalTime
from knowledge.ct_measurements import KernelKind
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from knowledge.patient import Identity

Hu = NDArray[np.int16]
Mask = NDArray[np.bool_]
Point = tuple[float, float, float]


class LeftOut(Frozen):
    """A file or series that is not in the volume, and why."""

    item: str
    reason: str


class SeriesFacts(Frozen):
    """What the headers of a series say.

    Args:
        series: Series Instance UID; empty where not stated.
        description: Series description, as stated.
        files: Files of the slices, from the lowest to the highest.
        instances: Their SOP Instance UIDs, where stated.
        frame: Frame of Reference UID; empty where not stated.
        modality, body_part: As stated; `body_part` in lower case.
        shape: Slices, rows, columns.
        spacing_mm: Distance of slices, of rows, of columns.
        thickness_mm: Slice thickness as stated; None where not.
        kernel: Name of the reconstruction kernel; empty where not stated.
        kernel_kind: Smooth or sharp, as far as the name says.
        kvp: Tube voltage, kV.
        contrast: Whether a contrast agent is named; None where the header is not of DICOM.
        age_years: Age as stated at the examination.
        time: Of the earliest slice.
        identity: Who the files say the patient is.
        clipped: Voxels below the scale that were set to its lowest value.
        left_out: Files and series that are not in the volume.
        notes: What must be known of the geometry.
    """

    series: str
    description: str = ""
    files: tuple[str, ...]
    instances: tuple[str, ...] = ()
    frame: str = ""
    modality: str
    body_part: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    thickness_mm: float | None
    kernel: str
    kernel_kind: KernelKind
    kvp: float | None
    contrast: bool | None
    age_years: float | None
    time: ClinicalTime | None
    identity: Identity
    clipped: int = 0
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """One CT series as a volume.

    Args:
        hu: (slices, rows, columns) int16, Hounsfield units; slices from feet to head.
        spacing_mm: Distance of slices, of rows, of columns, mm.
        affine_lps: 4 x 4 float64: (column, row, slice, 1) to patient coordinates, mm, LPS
            (PS3.3 C.7.6.2.1.1).
        facts: What the headers say.
    """

    hu: Hu = field(repr=False)
    spacing_mm: tuple[float, float, float]
    affine_lps: NDArray[np.float64] = field(repr=False)
    facts: SeriesFacts

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel, mL."""
        return float(np.prod(self.spacing_mm)) / 1000

    def index(self, point_lps: Point) -> Point:
        """Return the (slice, row, column) of a point in patient coordinates, as fractions.

        Args:
            point_lps: x to the left, y to the back, z to the head, mm.

        Raises:
            InvalidValueError: The point is not in the volume.
        """
        column, row, level, _ = np.linalg.solve(self.affine_lps, [*point_lps, 1.0])
        found = (float(level), float(row), float(column))
        inside = all(-0.5 <= i <= n - 0.5 for i, n in zip(found, self.hu.shape, strict=True))
        if not np.all(np.isfinite(point_lps)) or not inside:
            shown = ", ".join(f"{v:.1f}" for v in point_lps)
            raise InvalidValueError(
                f"seed {shown}",
                "is not in the volume",
                f"it reaches {self._reach()} (mm, LPS)",
            )
        return found

    def point(self, index: Point) -> Point:
        """Return the patient coordinates, mm LPS, of a (slice, row, column)."""
        level, row, column = index
        x, y, z, _ = self.affine_lps @ np.array([column, row, level, 1.0])
        return float(x), float(y), float(z)

    def _reach(self) -> str:
        """Return the bounds of the volume in patient coordinates, in words."""
        levels, rows, columns = self.hu.shape
        corners = np.array([self.point((k, j, i)) for k in (0, levels - 1) for j in (0, rows - 1)
                            for i in (0, columns - 1)])  # fmt: skip
        low, high = corners.min(axis=0), corners.max(axis=0)
        return ", ".join(
            f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("xyz", low, high, strict=True)
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "title": "CtSeries",
            "description": "Folder with the files of one CT series",
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class GivenMask:
    """A mask that somebody else made, on the voxels of a series.

    Args:
        voxels: (slices, rows, columns) bool.
        made_by: Who or what made it, for the record.
    """

    voxels: Mask = field(repr=False)
    made_by: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "title": "GivenMask",
            "description": "File of a mask on the series: NIfTI, RTSTRUCT or SEG",
        }
