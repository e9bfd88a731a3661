"""CT phantoms of known truth: a chest with vessels and nodules; a series written as DICOM."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.ct_measurements import ct_measurements
from knowledge.patient import Identity
from tools.imaging.ct.model import SeriesFacts, Volume

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Nodule:
    """A sphere.

    Args:
        centre: (slice, row, column) in mm from the first voxel.
        diameter: mm.
        hu: Its value.
        core: Diameter of a solid core in it, mm; 0 for none.
        stretch: Factor of its half axis along columns: an ellipsoid.
    """

    centre: tuple[float, float, float]
    diameter: float
    hu: float = 40
    core: float = 0
    stretch: float = 1


def volume_of(
    hu: Floats,
    spacing: tuple[float, float, float],
    *,
    thickness: float | None = None,
    kernel: str = "Br40",
    kvp: float = 120,
    day: str = "2026-01-10",
    identity: Identity | None = None,
    body_part: str = "chest",
) -> Volume:
    """Return an array as a volume."""
    levels, rows, columns = hu.shape
    affine = np.diag([spacing[2], spacing[1], spacing[0], 1.0])
    time: ClinicalTime = parse_fhir(f"{day}T10:00:00Z", clock="phantom")
    return Volume(
        hu=np.clip(np.rint(hu), -1024, 3071).astype(np.int16),
        spacing_mm=spacing,
        affine_lps=affine,
        facts=SeriesFacts(
            series="1.2.3",
            files=tuple(f"{k}.dcm" for k in range(levels)),
            modality="CT",
            body_part=body_part,
            shape=(levels, rows, columns),
            spacing_mm=spacing,
            thickness_mm=spacing[0] if thickness is None else thickness,
            kernel=kernel,
            kernel_kind=ct_measurements().kernel_kind(kernel),
            kvp=kvp,
            contrast=False,
            age_years=60,
            time=time,
            identity=identity or Identity(source="phantom"),
        ),
    )


def chest(
    *,
    spacing: tuple[float, float, float] = (1.25, 0.7, 0.7),
    shape: tuple[int, int, int] = (96, 256, 256),
    nodules: Sequence[Nodule] = (),
    noise: float = 25,
    seed: int = 0,
    vessels: int = 60,
    lung_hu: float = -850,
) -> Floats:
    """Return a chest: an oval body with two lungs, vessels and nodules, blurred, with noise."""
    random = np.random.default_rng(seed)
    z, y, x = (
        (np.arange(n, dtype=np.float32) * s).astype(np.float32)
        for n, s in zip(shape, spacing, strict=True)
    )
    zz, yy, xx = np.meshgrid(z, y, x, indexing="ij", sparse=True)
    centre = [n * s / 2 for n, s in zip(shape, spacing, strict=True)]
    hu = np.full(shape, -1000, np.float32)
    body = ((xx - centre[2]) / (centre[2] * 0.95)) ** 2 + (
        (yy - centre[1]) / (centre[1] * 0.8)
    ) ** 2 < 1
    hu[np.broadcast_to(body, shape)] = 40
    lung = np.zeros(shape, bool)
    for side in (-1, 1):
        lung |= (
            ((xx - centre[2] - side * centre[2] * 0.45) / (centre[2] * 0.36)) ** 2
            + ((yy - centre[1]) / (centre[1] * 0.6)) ** 2
            + ((zz - centre[0]) / (centre[0] * 0.95)) ** 2
        ) < 1
    hu[lung] = lung_hu
    for _ in range(vessels):
        point = np.array([random.uniform(0.2, 0.8) * 2 * c for c in centre])
        way = random.normal(size=3)
        way /= np.linalg.norm(way)
        radius = random.uniform(0.6, 2.2)
        along = (zz - point[0]) * way[0] + (yy - point[1]) * way[1] + (xx - point[2]) * way[2]
        off = (
            (zz - point[0] - along * way[0]) ** 2
            + (yy - point[1] - along * way[1]) ** 2
            + (xx - point[2] - along * way[2]) ** 2
        )
        hu[(off < radius**2) & (np.abs(along) < 25) & lung] = 40
    for one in nodules:
        _put(hu, one, spacing)
    hu = ndimage.gaussian_filter(hu, [0.5 / s for s in spacing]).astype(np.float32)
    if noise:
        hu += random.normal(0, noise, shape).astype(np.float32)
    return hu


def block(
    nodules: Sequence[Nodule],
    *,
    spacing: tuple[float, float, float] = (1.25, 0.7, 0.7),
    size: float = 60,
    noise: float = 25,
    seed: int = 0,
    wall: float = 0,
    vessel: float = 0,
) -> Floats:
    """Return a cube of lung with nodules.

    Args:
        nodules: With centres in mm from the first voxel.
        spacing: Distance of slices, rows, columns.
        size: Edge, mm.
        noise: Standard deviation, HU.
        seed: Of the noise.
        wall: Thickness of a chest wall at the last columns, mm.
        vessel: Radius of a vessel along the rows through the middle, mm.
    """
    shape = tuple(round(size / s) for s in spacing)
    hu = np.full(shape, -850, np.float32)
    z, _, x = (np.arange(n) * s for n, s in zip(shape, spacing, strict=True))
    if wall:
        hu[:, :, x > size - wall] = 40
    if vessel:
        off = (z[:, None] - size / 2) ** 2 + (x[None, :] - size / 2) ** 2
        hu[(off < vessel**2)[:, None, :].repeat(shape[1], axis=1)] = 40
    for one in nodules:
        _put(hu, one, spacing)
    hu = ndimage.gaussian_filter(hu, [0.5 / s for s in spacing]).astype(np.float32)
    hu += np.random.default_rng(seed).normal(0, noise, shape).astype(np.float32)
    return hu


def _put(hu: Floats, one: Nodule, spacing: tuple[float, float, float], fine: int = 5) -> None:
    """Set a nodule with partial volumes: each voxel by the share of it that lies inside."""
    reach = one.diameter * max(1, one.stretch) / 2 + 2 * max(spacing)
    where = [
        slice(max(0, int((c - reach) // s)), int((c + reach) // s) + 2)
        for c, s in zip(one.centre, spacing, strict=True)
    ]
    part = hu[where[0], where[1], where[2]]
    sub = (np.arange(fine) + 0.5) / fine - 0.5
    axes = []
    for axis, (cut, s, c) in enumerate(zip(where, spacing, one.centre, strict=True)):
        index = np.arange(cut.start, cut.start + part.shape[axis])
        axes.append((((index[:, None] + sub) * s) - c).ravel())
    zz, yy, xx = np.meshgrid(*axes, indexing="ij", sparse=True)
    square = zz**2 + yy**2 + (xx / one.stretch) ** 2
    for diameter, value in ((one.diameter, one.hu), (one.core, 30.0)):
        if diameter:
            inside = (square < (diameter / 2) ** 2).astype(np.float32)
            share = inside.reshape(
                part.shape[0], fine, part.shape[1], fine, part.shape[2], fine
            ).mean(axis=(1, 3, 5))
            part[:] = part * (1 - share) + value * share


def dicom_slice(plane: NDArray[np.int16], **changes: Any) -> bytes:
    """Return one CT slice as a DICOM file.

    Args:
        plane: (rows, columns) Hounsfield units.
        changes: DICOM attributes by keyword; None removes one.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(changes.get("SOPInstanceUID") or "1.2.3.4")
    ds = FileDataset("slice", {}, file_meta=meta, preamble=b"\0" * 128)
    stated: dict[str, Any] = {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.1",
        "SeriesInstanceUID": "1.2.2", "FrameOfReferenceUID": "1.2.5", "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "PatientID": "7081233",
        "PatientName": "Lindqvist^Karin",
        "PatientBirthDate": "19600101", "PatientSex": "F", "PatientAge": "066Y",
        "BodyPartExamined": "CHEST", "StudyDate": "20260110", "AcquisitionDate": "20260110",
        "AcquisitionTime": "101500", "SliceThickness": 1.25, "KVP": 120,
        "ConvolutionKernel": "Br40", "GantryDetectorTilt": 0, "PixelSpacing": [0.7, 0.7],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, 0],
        "RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "HU",
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16,
        "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0, "Rows": plane.shape[0],
        "Columns": plane.shape[1],
    }  # fmt: skip
    for key, value in {**stated, **changes}.items():
        if value is not None:
            setattr(ds, key, value)
    ds.PixelData = (plane.astype(np.int32) + 1024).clip(0, 65535).astype("<u2").tobytes()
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def series(hu: Floats, spacing: tuple[float, float, float], **changes: Any) -> dict[str, bytes]:
    """Return a volume as the files of a series, one for each slice."""
    found = {}
    for level, plane in enumerate(hu):
        stated = {
            "SOPInstanceUID": f"1.2.2.{level + 1}",
            "ImagePositionPatient": [0, 0, round(level * spacing[0], 4)],
            "PixelSpacing": [spacing[1], spacing[2]],
            "SliceThickness": spacing[0],
        }
        found[f"{level:03}.dcm"] = dicom_slice(
            np.clip(np.rint(plane), -1024, 3071).astype(np.int16), **{**stated, **changes}
        )
    return found


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
