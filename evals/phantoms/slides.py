"""Slides made for tests and benchmarks: one picture as a pyramidal TIFF and as a DICOM slide."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit

Rgb = NDArray[np.uint8]
TILE = 256
GLASS = (243, 242, 244)
STROMA, NUCLEI = (222, 140, 182), (105, 62, 140)
"""Eosin and haematoxylin as scanners show them."""
_COMPRESSION, _PHOTOMETRIC, _SUBSAMPLING = 259, 262, 530
_JPEG, _YCBCR = 7, 6
_ROOT = "1.2.826.0.1.3680043.10.1573"
_WSI = UID("1.2.840.10008.5.1.4.1.1.77.1.6")


@dataclass(frozen=True)
class Blob:
    """An ellipse of tissue: centre and half axes in pixels of the first level."""

    row: float
    column: float
    half_rows: float
    half_columns: float

    @property
    def pixels(self) -> float:
        """Its exact area."""
        return float(np.pi * self.half_rows * self.half_columns)


def inside(shape: tuple[int, int], blob: Blob) -> NDArray[np.bool_]:
    """Return the pixels of an ellipse."""
    rows = ((np.arange(shape[0]) + 0.5 - blob.row) / blob.half_rows)[:, None]
    columns = ((np.arange(shape[1]) + 0.5 - blob.column) / blob.half_columns)[None, :]
    found: NDArray[np.bool_] = rows**2 + columns**2 <= 1
    return found


def drawn(
    shape: tuple[int, int],
    blobs: Sequence[Blob],
    *,
    seed: int = 1,
    pale: float = 1.0,
    stroma: tuple[int, int, int] = STROMA,
    nuclei: tuple[int, int, int] = NUCLEI,
) -> Rgb:
    """Return a slide of ellipses with nuclei on glass with noise.

    Args:
        shape: Rows, columns.
        blobs: The tissue.
        seed: Of the noise.
        pale: 1 as stained, 0 as the glass.
        stroma: Its colour.
        nuclei: Their colour.
    """
    draw = np.random.default_rng(seed)
    picture = np.empty((*shape, 3), np.float32)
    picture[:] = GLASS
    within = np.zeros(shape, bool)
    for blob in blobs:
        within |= inside(shape, blob)
    coarse = draw.random((shape[0] // 6 + 1, shape[1] // 6 + 1)) < 0.25
    dots = np.kron(coarse, np.ones((6, 6), bool))[: shape[0], : shape[1]]
    for where, colour in ((within & ~dots, stroma), (within & dots, nuclei)):
        picture[where] = pale * np.array(colour, np.float32) + (1 - pale) * np.array(
            GLASS, np.float32
        )
    picture += draw.normal(0, 3, shape).astype(np.float32)[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)


def pyramid(picture: Rgb, levels: int = 3, factor: int = 4) -> list[Rgb]:
    """Return a picture and its smaller ones."""
    found = [picture]
    for _ in range(levels - 1):
        last = found[-1]
        rows, columns = (side // factor for side in last.shape[:2])
        part = last[: rows * factor, : columns * factor].astype(np.float32)
        small = part.reshape(rows, factor, columns, factor, 3).mean(axis=(1, 3))
        found.append(small.astype(np.uint8))
    return found


def jpeg(tile: Rgb, quality: int = 85) -> bytes:
    """Return a tile as JPEG, chroma halved in both directions, as scanners write it."""
    to = io.BytesIO()
    Image.fromarray(tile).save(to, "JPEG", quality=quality, subsampling="4:2:0")
    return to.getvalue()


def tiles_of(level: Rgb, tile: int = TILE) -> Iterator[Rgb]:
    """Yield the tiles row by row, the last ones filled up with glass."""
    for top in range(0, level.shape[0], tile):
        for left in range(0, level.shape[1], tile):
            part = level[top : top + tile, left : left + tile]
            whole = np.empty((tile, tile, 3), np.uint8)
            whole[:] = GLASS
            whole[: part.shape[0], : part.shape[1]] = part
            yield whole


def write_svs(
    path: Path,
    levels: Sequence[Rgb],
    *,
    mpp: float | None = 0.5,
    objective: float | None = 20,
    label: bool = True,
    vendor: str = "Aperio Image Library v12.0.0",
) -> Path:
    """Write a pyramid as Aperio writes it: tiles of JPEG, a label and an overview behind them."""
    made = [[jpeg(t) for t in tiles_of(level)] for level in levels]
    return write_encoded(
        path, [level.shape for level in levels], made, mpp, objective, label=label, vendor=vendor
    )


def write_encoded(
    path: Path,
    shapes: Sequence[tuple[int, ...]],
    levels: Sequence[Sequence[bytes]],
    mpp: float | None,
    objective: float | None,
    *,
    label: bool,
    vendor: str = "Aperio Image Library v12.0.0",
    tile: int = TILE,
) -> Path:
    """Write tiles that are JPEG already."""
    facts = "".join(
        f"|{name} = {value:g}"
        for name, value in (("AppMag", objective), ("MPP", mpp))
        if value is not None
    )
    with tifffile.TiffWriter(path, bigtiff=True) as out:
        for number, (shape, tiles) in enumerate(zip(shapes, levels, strict=True)):
            said = f"{vendor} \r\n{shape[1]}x{shape[0]} ({tile}x{tile}) JPEG/RGB Q=85{facts}"
            out.write(
                iter(tiles), shape=(shape[0], shape[1], 3), dtype=np.uint8, tile=(tile, tile),
                photometric="rgb", compression="deflate", metadata=None,
                description=said if vendor else None, subfiletype=0 if number == 0 else 1,
                software=False, extratags=[(_SUBSAMPLING, "H", 2, (2, 2), True)],
            )  # fmt: skip
        if label:
            for name, kind in (("label", 1), ("macro", 9)):
                picture = np.zeros((64, 64, 3), np.uint8)
                picture[:, ::2] = 200
                out.write(
                    picture, photometric="rgb", metadata=None, rowsperstrip=64, subfiletype=kind,
                    description=f"{vendor} \r\n{name} 64x64", software=False,
                )  # fmt: skip
    # tifffile writes tiles that are JPEG already only with a codec at hand: the tags are set after.
    with tifffile.TiffFile(path, mode="r+") as written:
        for page in list(written.pages)[: len(shapes)]:
            page.tags[_COMPRESSION].overwrite(_JPEG)  # type: ignore[union-attr]
            page.tags[_PHOTOMETRIC].overwrite(_YCBCR)  # type: ignore[union-attr]
    return path


def write_dicom_slide(
    folder: Path, levels: Sequence[Rgb], *, mpp: float = 0.5, objective: float = 20
) -> Path:
    """Write a pyramid as a DICOM slide, one file a level; return the folder."""
    made = [[jpeg(t) for t in tiles_of(level)] for level in levels]
    return write_dicom_encoded(
        folder, [level.shape for level in levels], made, mpp=mpp, objective=objective
    )


def write_dicom_encoded(
    folder: Path,
    shapes: Sequence[tuple[int, ...]],
    levels: Sequence[Sequence[bytes]],
    *,
    mpp: float,
    objective: float,
) -> Path:
    """Write tiles that are JPEG already (PS3.3 A.32.8)."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (shape, tiles) in enumerate(zip(shapes, levels, strict=True)):
        spacing = mpp / 1000 * shapes[0][1] / shape[1]
        _one(folder / f"level-{number}.dcm", number, shape, tiles, spacing, objective)
    return folder


def _item(**values: Any) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def _code(value: str, scheme: str, meaning: str) -> Items:
    return Items([_item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)])


_OF_EVERY_FILE = {
    "SOPClassUID": _WSI,
    "StudyInstanceUID": f"{_ROOT}.2", "SeriesInstanceUID": f"{_ROOT}.3",
    "FrameOfReferenceUID": f"{_ROOT}.4", "PositionReferenceIndicator": "SLIDE_CORNER",
    "PatientName": "Slide^Made", "PatientID": "M1", "PatientBirthDate": "", "PatientSex": "",
    "StudyDate": "20260101", "StudyTime": "120000", "AccessionNumber": "", "StudyID": "1",
    "ReferringPhysicianName": "", "Modality": "SM", "SeriesNumber": "1", "InstanceNumber": "1",
    "ContentDate": "20260101", "ContentTime": "120000",
    "AcquisitionDateTime": "20260101120000", "Manufacturer": "made",
    "ManufacturerModelName": "made", "DeviceSerialNumber": "1", "SoftwareVersions": "1",
    "BurnedInAnnotation": "NO", "LossyImageCompression": "01",
    "LossyImageCompressionRatio": "10", "LossyImageCompressionMethod": "ISO_10918_1",
    "VolumetricProperties": "VOLUME", "SpecimenLabelInImage": "NO",
    "FocusMethod": "AUTO", "ExtendedDepthOfField": "NO", "AcquisitionDuration": 1.0,
    "ImagedVolumeDepth": 0.001, "ImageOrientationSlide": ["0", "-1", "0", "-1", "0", "0"],
    "TotalPixelMatrixFocalPlanes": 1, "NumberOfOpticalPaths": 1,
    "DimensionOrganizationType": "TILED_FULL", "ContainerIdentifier": "C1",
    "Rows": TILE, "Columns": TILE, "SamplesPerPixel": 3,
    "PhotometricInterpretation": "YBR_FULL_422", "PlanarConfiguration": 0, "BitsAllocated": 8,
    "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0,
}  # fmt: skip
"""What every file of a slide says, whatever its level."""


def _one(
    path: Path, number: int, shape: tuple[int, ...], tiles: Sequence[bytes], spacing: float,
    objective: float,
) -> None:  # fmt: skip
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = _WSI
    meta.MediaStorageSOPInstanceUID = UID(f"{_ROOT}.1.{number + 1}")
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds = Dataset()
    ds.file_meta = meta
    derived = "ORIGINAL" if number == 0 else "DERIVED"
    optics = _item(
        OpticalPathIdentifier="1",
        ObjectiveLensPower=str(objective),
        ICCProfile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        IlluminationTypeCodeSequence=_code("111744", "DCM", "Brightfield illumination"),
        IlluminationColorCodeSequence=_code("414298005", "SCT", "Full Spectrum"),
    )
    measures = _item(PixelSpacing=[spacing, spacing], SliceThickness="0.001")
    shared = _item(
        PixelMeasuresSequence=Items([measures]),
        WholeSlideMicroscopyImageFrameTypeSequence=Items(
            [_item(FrameType=[derived, "PRIMARY", "VOLUME", "NONE"])]
        ),
        OpticalPathIdentificationSequence=Items([_item(OpticalPathIdentifier="1")]),
    )
    specimen = _item(
        SpecimenIdentifier="S1",
        SpecimenUID=f"{_ROOT}.9",
        IssuerOfTheSpecimenIdentifierSequence=Items([]),
        SpecimenPreparationSequence=Items([]),
    )
    written = {
        **_OF_EVERY_FILE,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "ImageType": [derived, "PRIMARY", "VOLUME", "NONE" if number == 0 else "RESAMPLED"],
        "ImagedVolumeWidth": shape[1] * spacing,
        "ImagedVolumeHeight": shape[0] * spacing,
        "TotalPixelMatrixColumns": shape[1],
        "TotalPixelMatrixRows": shape[0],
        "TotalPixelMatrixOriginSequence": Items(
            [_item(XOffsetInSlideCoordinateSystem="20", YOffsetInSlideCoordinateSystem="40")]
        ),
        "DimensionOrganizationSequence": Items([_item(DimensionOrganizationUID=f"{_ROOT}.5")]),
        "SharedFunctionalGroupsSequence": Items([shared]),
        "OpticalPathSequence": Items([optics]),
        "IssuerOfTheContainerIdentifierSequence": Items([]),
        "ContainerTypeCodeSequence": _code("433466003", "SCT", "Microscope slide"),
        "AcquisitionContextSequence": Items([]),
        "SpecimenDescriptionSequence": Items([specimen]),
        "NumberOfFrames": len(tiles),
    }
    for name, value in written.items():
        setattr(ds, name, value)
    ds.PixelData = encapsulate(list(tiles), has_bot=True)
    ds["PixelData"].is_undefined_length = True
    pydicom.dcmwrite(path, ds, enforce_file_format=True)


UNCOMPRESSED = ExplicitVRLittleEndian
