"""Structures as an RT Structure Set (PS3.3 A.19): closed contours on the slices of a series."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tools.dicom_out.maker import MANUFACTURER, NOTICE, SHORT_NOTICE, Maker
from tools.dicom_out.settle import object_uids, settle
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import digest_of
from tools.imaging.contours.model import Structure
from tools.imaging.contours.placed import images_of
from tools.imaging.contours.polygons import outlines
from tools.imaging.contours.read import RTSTRUCT
from tools.imaging.ct.model import Volume

_SERIES_NUMBER = 9905
_STUDY = "1.2.840.10008.3.1.2.3.1"
"""Detached Study Management, as PS3.3 C.8.8.5 asks a referenced study to be called."""

_SHORT, _LONG = 16, 64
"""Letters of a short string and of a long string (PS3.5 6.2 SH, LO)."""

_COPIED = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID",
    "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


def rtstruct(
    structures: Sequence[Structure], volume: Volume, sources: Sources, maker: Maker
) -> bytes:
    """Return structures as the bytes of an RT Structure Set.

    Contours run half way between the last voxel inside and the first outside, into holes and back.

    Args:
        structures: Each with a name of its own.
        volume: The series they lie on.
        sources: Images with those of the series among them.
        maker: What writes it.

    Raises:
        ContractError: See `images_of`.
        InvalidValueError: An image of the series is not among the sources.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    images = images_of(structures, volume, sources)
    said = "".join(f"{one.number}:{one.name}:" for one in structures).encode()
    packed = b"".join(np.packbits(one.mask).tobytes() for one in structures)
    series, instance = object_uids("rtstruct", images, maker, digest_of(said + packed))
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = UID(RTSTRUCT)
    meta.MediaStorageSOPInstanceUID = UID(instance)
    ds: Any = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    first = images.datasets[0]
    for keyword in _COPIED:
        setattr(ds, keyword, first.get(keyword, ""))
    ds.SOPClassUID, ds.SOPInstanceUID = RTSTRUCT, instance
    ds.SeriesInstanceUID, ds.SeriesNumber, ds.Modality = series, _SERIES_NUMBER, "RTSTRUCT"
    ds.OperatorsName = ""
    ds.Manufacturer = MANUFACTURER
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = volume.facts.frame, ""
    ds.InstanceNumber = 1
    ds.StructureSetLabel = "RESEARCH_USE"
    ds.StructureSetDescription = NOTICE
    ds.StructureSetDate = maker.at.strftime("%Y%m%d")
    ds.StructureSetTime = maker.at.strftime("%H%M%S")
    ds.ReferencedFrameOfReferenceSequence = [_space(images, volume.facts.frame)]
    ds.StructureSetROISequence = [
        _named(number, one, volume.facts.frame) for number, one in enumerate(structures, 1)
    ]
    ds.ROIContourSequence = [
        _drawn(number, one, volume, images) for number, one in enumerate(structures, 1)
    ]
    ds.RTROIObservationsSequence = [
        _item(ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType="",
              ROIInterpreter="")
        for number in range(1, len(structures) + 1)
    ]  # fmt: skip
    ds.ApprovalStatus = "UNAPPROVED"
    return settle(ds, sources=images, maker=maker, description=SHORT_NOTICE[:40])


def _item(**elements: Any) -> Any:
    from pydicom.dataset import Dataset

    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def _reference(image: Any) -> Any:
    return _item(
        ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID
    )


def _space(images: Sources, frame: str) -> Any:
    """Return the frame of reference with every image of the series (PS3.3 C.8.8.5)."""
    series = _item(
        SeriesInstanceUID=images.datasets[0].SeriesInstanceUID,
        ContourImageSequence=[_reference(one) for one in images.datasets],
    )
    study = _item(
        ReferencedSOPClassUID=_STUDY,
        ReferencedSOPInstanceUID=images.study,
        RTReferencedSeriesSequence=[series],
    )
    return _item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[study])


def _named(number: int, one: Structure, frame: str) -> Any:
    made = _item(
        ROINumber=number,
        ReferencedFrameOfReferenceUID=frame,
        ROIName=one.name[:_LONG],
        ROIGenerationAlgorithm=one.origin,
    )
    if one.maker:
        made.ROIGenerationDescription = one.maker[:_LONG]
    return made


def _drawn(number: int, one: Structure, volume: Volume, images: Sources) -> Any:
    contours = list(_contours(one, volume))
    items = [
        _item(
            ContourImageSequence=[_reference(images.datasets[level])],
            ContourGeometricType="CLOSED_PLANAR",
            NumberOfContourPoints=len(points) // 3,
            ContourNumber=place,
            ContourData=points,
        )
        for place, (level, points) in enumerate(contours, 1)
    ]
    return _item(ReferencedROINumber=number, ContourSequence=items)


def _contours(one: Structure, volume: Volume) -> Iterator[tuple[int, list[str]]]:
    """Yield the slice of each contour and its points, x y z in mm as decimal strings."""
    for level in np.nonzero(one.mask.any(axis=(1, 2)))[0]:
        for polygon in outlines(one.mask[level]):
            count = len(polygon)
            index = np.stack(
                [polygon[:, 1], polygon[:, 0], np.full(count, float(level)), np.ones(count)]
            )
            points = (volume.affine_lps @ index)[:3].T
            yield int(level), [f"{v:.4f}" for v in points.ravel()]
