"""The header of a DICOM object, read without its pixels and without inflating anything."""

import io
import warnings
from dataclasses import dataclass
from typing import Any

from knowledge.errors import InputError, UnreadableError, UnsupportedError
from knowledge.imaging_terms import imaging_terms
from tools.ecg.readers.dicom import known_uid, parse_errors, silence_pydicom
from tools.imaging.lossless_jpeg import register

AGAIN = "export the image again from the archive"

_PREAMBLE = 132
_META = b"\x02\x00"
_META_GROUP = 0x0002
_TAGS = (
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "StudyTime",
    "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime",
    "ContentDate", "ContentTime", "TimezoneOffsetFromUTC", "Modality", "Manufacturer",
    "ManufacturerModelName", "InstitutionName", "InstitutionalDepartmentName", "StudyDescription",
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "PatientSpeciesDescription", "PatientSpeciesCodeSequence", "PatientBreedDescription",
    "ResponsiblePersonRole", "BodyPartExamined", "ViewPosition", "ViewCodeSequence",
    "AnatomicRegionSequence", "Laterality", "ImageLaterality", "SliceThickness",
    "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelSpacing", "StudyInstanceUID",
    "FrameOfReferenceUID", "SeriesInstanceUID", "SamplesPerPixel", "PhotometricInterpretation",
    "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BurnedInAnnotation",
    "LossyImageCompression", "SharedFunctionalGroupsSequence", "TotalPixelMatrixColumns",
    "TotalPixelMatrixRows", "SequenceOfUltrasoundRegions",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Header:
    """What stands before the pixels.

    Args:
        ds: The elements that are used.
        syntax: UID of the transfer syntax; empty where the file states none.
        after: Bytes that follow the header: the pixel element as a whole.
    """

    ds: Any
    syntax: str
    after: int


def sop_class(content: bytes) -> str:
    """Return the SOP class of a DICOM file, or nothing where it cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = _meta(content)
            stated = str(found.get("MediaStorageSOPClassUID", "")) if found is not None else ""
            return stated or str(header(content, "").ds.get("SOPClassUID", ""))
        except InputError:
            return ""
        except parse_errors():
            return ""


def header(content: bytes, file: str) -> Header:
    """Return the header of a DICOM file.

    Args:
        content: The whole file, with or without its 128-byte preamble.
        file: Its name, for messages.

    Raises:
        UnreadableError: Damaged.
        UnsupportedError: A deflated data set, which only inflating it as a whole could read.
    """
    import pydicom

    silence_pydicom()
    register()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of every odd value; those used are checked
        try:
            meta = _meta(content)
            syntax = str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""
            if syntax == imaging_terms().transfer_syntaxes.deflated:
                raise UnsupportedError(
                    file,
                    f"transfer syntax: {known_uid(syntax)}",
                    "export it as Explicit VR Little Endian",
                )
            stream = io.BytesIO(_whole(content))
            ds = pydicom.dcmread(
                stream, force=meta is None, stop_before_pixels=True, specific_tags=list(_TAGS)
            )
            return Header(ds=ds, syntax=syntax, after=len(stream.getbuffer()) - stream.tell())
        except InputError:
            raise
        except parse_errors() as error:
            raise UnreadableError(
                file, f"damaged DICOM ({type(error).__name__} while decoding)", AGAIN
            ) from error


def _whole(content: bytes) -> bytes:
    """Return a file that lost its preamble with one (PS3.10 7.1)."""
    if content[128:132] != b"DICM" and content[:2] == _META:
        return b"\x00" * 128 + b"DICM" + content
    return content


def _meta(content: bytes) -> Any | None:
    """Return the file meta information, or None for a data set without any."""
    from pydicom.filereader import read_dataset

    whole = _whole(content)
    if whole[128:132] != b"DICM":
        return None
    silence_pydicom()
    stream = io.BytesIO(whole)
    stream.seek(_PREAMBLE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_dataset(
            stream,
            is_implicit_VR=False,
            is_little_endian=True,
            stop_when=lambda tag, vr, length: tag.group != _META_GROUP,
        )
