"""What the header of one CT slice says: where it lies, how it was made, of whom."""

import io
import math
import warnings
from dataclasses import dataclass
from typing import Any

from knowledge.clinical_time import ClinicalTime
from knowledge.ct_measurements import ct_measurements
from knowledge.errors import InputError, UnreadableError
from knowledge.patient import Identity
from tools.ecg.readers.device_said import clean
from tools.ecg.readers.dicom import parse_errors, silence_pydicom
from tools.imaging.dicom_image import read_dicom_image
from tools.imaging.dicom_object import AGAIN

_TAGS = (
    "ImageType", "SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality",
    "SeriesDescription", "BodyPartExamined", "PatientAge", "SliceThickness", "KVP",
    "ConvolutionKernel", "GantryDetectorTilt", "AcquisitionNumber", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "SamplesPerPixel",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "ContrastBolusAgent", "SOPClassUID",
)  # fmt: skip
_ENHANCED = "1.2.840.10008.5.1.4.1.1.2.1"


@dataclass(frozen=True, kw_only=True)
class SliceHeader:
    """One slice.

    Args:
        file: Its name.
        instance, series, frame: Unique identifiers; empty where not stated.
        modality, body_part, description, kernel: As stated; empty where not.
        image_type: Values of (0008,0008), upper case.
        acquisition: Number of the acquisition; empty where not stated.
        enhanced: A multi-frame object, of which no slice is read.
        orientation: Directions of row and column, LPS; empty where not stated.
        position: Of the first pixel, LPS mm; empty where not stated.
        spacing_mm: Distance of rows, then of columns; empty where not stated.
        rows, columns, samples: Of the pixels.
        thickness_mm, kvp, slope, intercept: None where not stated.
        rescale_type: Unit after rescaling; empty where not stated.
        tilt_deg: As stated, 0 where not.
        contrast: Whether a contrast agent is named.
        age_years: As stated; None where not.
        time: Of the acquisition.
        identity: Who the file says the patient is.
        problems: Codes of `tools.imaging.quality` seen in it.
    """

    file: str
    instance: str
    series: str
    frame: str
    modality: str
    body_part: str
    description: str
    kernel: str
    image_type: tuple[str, ...]
    acquisition: str
    enhanced: bool
    orientation: tuple[float, ...]
    position: tuple[float, ...]
    spacing_mm: tuple[float, ...]
    rows: int
    columns: int
    samples: int
    thickness_mm: float | None
    kvp: float | None
    slope: float | None
    intercept: float | None
    rescale_type: str
    tilt_deg: float
    contrast: bool
    age_years: float | None
    time: ClinicalTime | None
    identity: Identity
    problems: tuple[str, ...]

    @property
    def not_source(self) -> str:
        """Why it is no axial source image by its words; empty where nothing says so."""
        rules = ct_measurements().not_source
        for word in self.image_type:
            if word in rules.image_types:
                return f"image type {word}"
        text = self.description.casefold()
        for word in rules.descriptions:
            if word in text:
                return f"series description with {word!r}"
        return ""


def read_header(content: bytes, *, file: str, zone: str | None = None) -> SliceHeader:
    """Return what the header of a slice says.

    Args:
        content: The whole file.
        file: Its name.
        zone: IANA zone declared for times without an offset.

    Raises:
        UnreadableError: Damaged.
        UnsupportedError: DICOM, but no image.
        ContractError: Not of a human.
    """
    import pydicom

    image = read_dicom_image(content, file=file, zone=zone)
    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(
                io.BytesIO(content), force=True, stop_before_pixels=True, specific_tags=list(_TAGS)
            )
            return SliceHeader(
                file=file,
                instance=image.instance,
                series=image.series,
                frame=image.frame,
                modality=image.modality,
                body_part=_text(ds, "BodyPartExamined").casefold(),
                description=_text(ds, "SeriesDescription"),
                kernel=_first(ds, "ConvolutionKernel"),
                image_type=tuple(clean(str(v), 64).upper() for v in _values(ds, "ImageType")),
                acquisition=_text(ds, "AcquisitionNumber"),
                enhanced=_text(ds, "SOPClassUID") == _ENHANCED or image.frames > 1,
                orientation=_numbers(ds, "ImageOrientationPatient", 6),
                position=_numbers(ds, "ImagePositionPatient", 3),
                spacing_mm=_numbers(ds, "PixelSpacing", 2),
                rows=_whole(ds, "Rows"),
                columns=_whole(ds, "Columns"),
                samples=_whole(ds, "SamplesPerPixel") or 1,
                thickness_mm=_number(ds.get("SliceThickness")),
                kvp=_number(ds.get("KVP")),
                slope=_number(ds.get("RescaleSlope")),
                intercept=_number(ds.get("RescaleIntercept")),
                rescale_type=_text(ds, "RescaleType").upper(),
                tilt_deg=_number(ds.get("GantryDetectorTilt")) or 0.0,
                contrast=bool(_text(ds, "ContrastBolusAgent")),
                age_years=_age(_text(ds, "PatientAge")),
                time=image.time,
                identity=image.identity,
                problems=tuple(p.code for p in image.problems),
            )
        except InputError:
            raise
        except parse_errors() as error:
            raise UnreadableError(
                file, f"damaged DICOM ({type(error).__name__} while decoding)", AGAIN
            ) from error


def _values(ds: Any, name: str) -> tuple[Any, ...]:
    value = ds.get(name)
    if value is None or value == "":
        return ()
    if isinstance(value, str) or not hasattr(value, "__len__"):
        return (value,)
    return tuple(value)


def _text(ds: Any, name: str) -> str:
    return clean(str(ds.get(name, "") or ""), 64).strip()


def _first(ds: Any, name: str) -> str:
    values = _values(ds, name)
    return clean(str(values[0]), 64).strip() if values else ""


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _numbers(ds: Any, name: str, count: int) -> tuple[float, ...]:
    numbers = [_number(value) for value in _values(ds, name)]
    if len(numbers) != count or None in numbers:
        return ()
    return tuple(n for n in numbers if n is not None)


def _whole(ds: Any, name: str) -> int:
    number = _number(ds.get(name))
    return int(number) if number is not None and number > 0 else 0


def _age(text: str) -> float | None:
    """Return an age string of DICOM (PS3.5 6.2 AS) in years."""
    years = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
    if len(text) == 4 and text[:3].isdigit() and text[3] in years:  # nnnX
        return int(text[:3]) * years[text[3]]
    return None
