"""Reading the header of a DICOM image or slide: who, what, when, and in which quality."""

import math
import warnings
from collections.abc import Iterator
from typing import Any

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import UnreadableError, UnsupportedError
from knowledge.imaging_terms import imaging_terms
from tools.ecg.readers.device_said import clean
from tools.ecg.readers.dicom import known_uid, parse_errors
from tools.ecg.readers.dicom_header import identity, recording_time
from tools.ecg.readers.limits import content_id
from tools.imaging import quality
from tools.imaging.dicom_object import AGAIN, header
from tools.imaging.human import check_human
from tools.imaging.model import Fact, ImageFile

_SHOWN = 64
"""As long as a unique identifier or a long string of DICOM may be (PS3.5 6.2)."""
_MAX_FRAMES = 1_000_000
"""More than any slide or cine holds."""

_TIMES = (
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
    ("SeriesDate", "SeriesTime"),
    ("StudyDate", "StudyTime"),
)


def is_image_object(sop_class: str) -> bool:
    """Return whether a SOP class is to be read here: every one but waveforms, and not nothing."""
    return bool(sop_class) and not imaging_terms().is_waveform(sop_class)


def read_dicom_image(content: bytes, *, file: str, zone: str | None) -> ImageFile:
    """Return what the header of a DICOM image says.

    Args:
        content: The whole file.
        file: Its name.
        zone: IANA zone declared for times without an offset.

    Raises:
        UnreadableError: Damaged.
        UnsupportedError: DICOM, but no image: a report, a document, a segmentation.
        ContractError: Not of a human.
    """
    head = header(content, file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values are decoded only when they are asked for
        try:
            return _read(content, head, file, zone)
        except parse_errors() as error:
            raise UnreadableError(
                file, f"damaged DICOM ({type(error).__name__} while decoding)", AGAIN
            ) from error


def _read(content: bytes, head: Any, file: str, zone: str | None) -> ImageFile:
    ds, terms = head.ds, imaging_terms()
    sop_class = _code(ds, "SOPClassUID")
    check_human(ds, file)
    other = terms.not_image(sop_class)
    if other is not None:
        raise UnsupportedError(
            file, f"DICOM: {other.en}; kept, not read", "give what it says in case.yaml"
        )
    if not sop_class and not quality.count(ds.get("Rows")):
        raise UnreadableError(file, "DICOM without a SOP class and without an image", AGAIN)
    notes: list[str] = []
    modality = _code(ds, "Modality").upper()
    spacing = tuple(_spacing(ds))
    time = _time(ds, file, zone, notes)
    unlikely = None
    if time is not None and time.at.year < terms.earliest.year:
        unlikely, time = time.show(None), None
    return ImageFile(
        id=content_id([content]),
        file=file,
        role="slide" if sop_class == terms.slide.uid else "image",
        source_format="dicom",
        modality=modality,
        body_part=_code(ds, "BodyPartExamined").lower() or _meaning(ds, "AnatomicRegionSequence"),
        view=_code(ds, "ViewPosition") or _meaning(ds, "ViewCodeSequence"),
        study=_code(ds, "StudyInstanceUID"),
        series=_code(ds, "SeriesInstanceUID"),
        instance=_code(ds, "SOPInstanceUID"),
        frame=_code(ds, "FrameOfReferenceUID"),
        frames=min(max(quality.count(ds.get("NumberOfFrames")), 1), _MAX_FRAMES),
        time=time,
        identity=identity(ds, file=file, zone=zone, notes=notes),
        facts=(*_facts(head, spacing), *_stated_time(unlikely)),
        problems=(
            *quality.problems(head, modality=modality, spacing=spacing),
            *quality.unlikely_time(unlikely),
        ),
        notes=tuple(dict.fromkeys(notes)),
    )


def _stated_time(unlikely: str | None) -> Iterator[Fact]:
    if unlikely is not None:
        yield Fact(name="time as stated", value=unlikely)


def _facts(head: Any, spacing: tuple[float, ...]) -> Iterator[Fact]:
    ds = head.ds
    laterality = _code(ds, "ImageLaterality") or _code(ds, "Laterality")
    if laterality in ("L", "R"):
        yield Fact(name="side", value={"L": "left", "R": "right"}[laterality])
    rows, columns = (quality.count(ds.get(name)) for name in ("Rows", "Columns"))
    if rows and columns:
        yield Fact(name="size", value=f"{columns} x {rows} pixels")
    whole = [quality.count(ds.get(f"TotalPixelMatrix{name}")) for name in ("Columns", "Rows")]
    if all(whole):
        yield Fact(name="whole slide", value=f"{whole[0]} x {whole[1]} pixels")
    if spacing and all(value > 0 for value in spacing):
        shown = " x ".join(f"{value:.4g}" for value in dict.fromkeys(spacing))
        yield Fact(name="pixel spacing", value=f"{shown} mm")
    thickness = _number(ds.get("SliceThickness"))
    if thickness is not None and thickness > 0:
        yield Fact(name="slice thickness", value=f"{thickness:.4g} mm")
    photometric = _code(ds, "PhotometricInterpretation")
    if photometric:
        yield Fact(name="photometric interpretation", value=photometric)
    if head.syntax:
        yield Fact(name="transfer syntax", value=known_uid(head.syntax))
    if _code(ds, "LossyImageCompression") == "01":
        yield Fact(name="compression", value="lossy")


def _spacing(ds: Any) -> Iterator[float]:
    """Yield row and column spacing in mm: of the image, of its detector, or of all its frames."""
    for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        found = _pair(ds.get(name))
        if found:
            yield from found
            return
    for shared in ds.get("SharedFunctionalGroupsSequence") or []:
        for measures in shared.get("PixelMeasuresSequence") or []:
            yield from _pair(measures.get("PixelSpacing"))
            return


def _pair(value: Any) -> tuple[float, ...]:
    if value is None or isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
        return ()
    numbers = [_number(one) for one in value]
    return tuple(n for n in numbers if n is not None) if None not in numbers else ()


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _time(ds: Any, file: str, zone: str | None, notes: list[str]) -> ClinicalTime | None:
    """Return when the image was acquired: the most exact of the times a header may hold."""
    offset = _code(ds, "TimezoneOffsetFromUTC")
    stated: list[dict[str, str]] = [
        {"AcquisitionDateTime": _code(ds, "AcquisitionDateTime"), "TimezoneOffsetFromUTC": offset}
    ]
    stated += [
        {
            "ContentDate": _code(ds, date),
            "ContentTime": _code(ds, clock),
            "TimezoneOffsetFromUTC": offset,
        }
        for date, clock in _TIMES
    ]
    told: list[str] = []
    for one in stated:
        found = recording_time(one, clock=file, zone=zone, notes=told)
        if found is not None:
            return found
    notes += [note.replace("the start of the recording", "the time of the image") for note in told]
    return None


def _code(ds: Any, name: str) -> str:
    return clean(str(ds.get(name, "") or ""), _SHOWN)


def _meaning(ds: Any, name: str) -> str:
    items = ds.get(name) or []
    return clean(str(items[0].get("CodeMeaning", "") or ""), _SHOWN).lower() if items else ""
