"""What the header of a DICOM image shows to be wrong or doubtful, before anybody looks at it.

No statement about the picture itself: exposure, rotation or motion need eyes or a model.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from knowledge.imaging_terms import imaging_terms
from tools.ecg.readers.dicom import known_uid
from tools.imaging.dicom_object import Header
from tools.imaging.model import ImageProblem

_UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
_ELEMENT_HEAD = 8
_PHOTOMETRIC = frozenset(
    {
        "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422",
        "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "XYB",
    }
)  # fmt: skip
"""PS3.3 C.7.6.3.1.2."""

_CAPTURED = "1.2.840.10008.5.1.4.1.1.7"
_TEXT_IN_PICTURE = frozenset({"US", "OT", ""})


def problems(header: Header, *, modality: str, spacing: Sequence[float]) -> Iterator[ImageProblem]:
    """Yield what is wrong or doubtful.

    Args:
        header: The header.
        modality: Its modality.
        spacing: Row and column spacing in mm as stated; empty where not stated.
    """
    ds = header.ds
    if not modality:
        yield ImageProblem(code="modality-not-stated", detail="the modality is not stated")
    stated = str(ds.get("SOPClassUID", ""))
    if stated == _CAPTURED or stated.startswith(f"{_CAPTURED}."):
        yield ImageProblem(
            code="captured", detail="a captured picture, not the image as the device made it"
        )
    yield from _projection(ds, modality)
    yield from _spacing(ds, modality, spacing)
    yield from _photometric(ds)
    yield from _burned_in(ds, modality)
    yield from _pixels(header)


def unlikely_time(stated: str | None) -> Iterator[ImageProblem]:
    """Yield that a time cannot be that of an image; the time itself is a fact of the image."""
    if stated is not None:
        yield ImageProblem(
            code="time-impossible",
            detail="the time stated is before such images were made: it is not used",
        )


def _projection(ds: Any, modality: str) -> Iterator[ImageProblem]:
    if modality not in imaging_terms().projections.modalities:
        return
    if not str(ds.get("ViewPosition", "") or "").strip() and not ds.get("ViewCodeSequence"):
        yield ImageProblem(code="view-not-stated", detail="the view is not stated")
    if not str(ds.get("BodyPartExamined", "") or "").strip() and not ds.get(
        "AnatomicRegionSequence"
    ):
        yield ImageProblem(code="body-part-not-stated", detail="the body part is not stated")


def _spacing(ds: Any, modality: str, spacing: Sequence[float]) -> Iterator[ImageProblem]:
    if spacing and not all(value > 0 for value in spacing):
        yield ImageProblem(
            code="spacing-zero",
            detail="the pixel spacing is stated as 0 mm: "
            "no length, area or volume in mm; only ratios",
        )
    elif not spacing and not ds.get("SequenceOfUltrasoundRegions"):
        yield ImageProblem(
            code="spacing-missing",
            detail="no pixel spacing is stated: no length, area or volume in mm; only ratios",
        )
    elif spacing and modality in imaging_terms().projections.modalities:
        yield ImageProblem(
            code="spacing-of-a-projection",
            detail="a projection magnifies: distances are larger than in the body",
        )


def _photometric(ds: Any) -> Iterator[ImageProblem]:
    stated = str(ds.get("PhotometricInterpretation", "") or "").strip()
    if stated not in _PHOTOMETRIC:
        yield ImageProblem(
            code="photometric-unknown",
            detail="how pixel values become grey or colour is not stated",
        )
    elif stated == "MONOCHROME1":
        yield ImageProblem(
            code="inverted", detail="stored inverted (MONOCHROME1): low values are white"
        )


def _burned_in(ds: Any, modality: str) -> Iterator[ImageProblem]:
    stated = str(ds.get("BurnedInAnnotation", "") or "").strip().upper()
    if stated == "YES":
        yield ImageProblem(code="burned-in", detail="text about the patient is in the picture")
    elif not stated and modality in _TEXT_IN_PICTURE:
        yield ImageProblem(
            code="burned-in-not-stated", detail="whether text is in the picture is not stated"
        )


def _pixels(header: Header) -> Iterator[ImageProblem]:
    ds, syntax = header.ds, header.syntax
    size = [count(ds.get(name)) for name in ("Rows", "Columns")]
    if not all(size):
        yield ImageProblem(code="size-not-stated", detail="rows or columns are not stated")
        return
    if header.after <= _ELEMENT_HEAD:
        yield ImageProblem(code="pixels-missing", detail="the file ends before its pixels")
        return
    if syntax in imaging_terms().transfer_syntaxes.retired:
        yield ImageProblem(
            code="not-decodable",
            detail=f"the pixels cannot be decoded: retired transfer syntax {known_uid(syntax)}",
        )
    elif not syntax or syntax in _UNCOMPRESSED:
        expected = _bytes(ds, size)
        if header.after - _ELEMENT_HEAD < expected:
            yield ImageProblem(
                code="pixels-truncated",
                detail=f"the file ends early: {header.after} of {expected} bytes of pixels",
            )
    elif not _has_decoder(syntax):
        yield ImageProblem(
            code="not-decodable",
            detail=f"no decoder is installed for transfer syntax {known_uid(syntax)}",
        )


def _bytes(ds: Any, size: Sequence[int]) -> int:
    """Return how many bytes uncompressed pixels take (PS3.5 8.1.1)."""
    samples = count(ds.get("SamplesPerPixel")) or 1
    if str(ds.get("PhotometricInterpretation", "")).strip() == "YBR_FULL_422":
        samples = 2  # PS3.3 C.7.6.3.1.2: chrominance for every second column
    bits = size[0] * size[1] * samples * (count(ds.get("BitsAllocated")) or 8)
    return bits * max(count(ds.get("NumberOfFrames")), 1) // 8


def _has_decoder(syntax: str) -> bool:
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    from tools.imaging.lossless_jpeg import register

    register()
    try:
        return bool(get_decoder(UID(syntax)).is_available)
    except NotImplementedError:
        return False


def count(value: Any) -> int:
    """Return a whole number of at least 0; 0 for what is none."""
    try:
        return max(int(value), 0)
    except (TypeError, ValueError, OverflowError):
        return 0
