"""Files to samples: pictures, DICOM images, CT series and tracings, with what is known of each."""

import hashlib
import io
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import (
    ContractError,
    InvalidValueError,
    TooLargeError,
    UnreadableError,
    UnsupportedError,
)
from knowledge.model import Frozen
from knowledge.settings import Settings, load_settings
from tools.models import geometry
from tools.models.sample import GreyWindow, InputRef, Sample
from tools.models.vocabulary import InputKind

if TYPE_CHECKING:
    from tools.imaging.ct.model import Volume

_MIB = 1 << 20
_AGE = re.compile(r"^(\d{3})([DWMY])$")
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_TILTED_DEGREES = 20.0
"""Above it the axes of a volume have no letters that describe them."""

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How TIFF 6.0 and BigTIFF begin: scanned slides, mostly."""

_BROKEN = ("pixels-truncated", "pixels-missing")


class Stated(Frozen):
    """What a person says of an input whose file does not say it itself.

    Args:
        modality, view, body_part: As DICOM writes them; empty for not stated.
        age_years: None for not stated.
        spacing_mm: Of neighbouring pixels, the same in both directions; None for not stated.
    """

    modality: str = ""
    view: str = ""
    body_part: str = ""
    age_years: float | None = None
    spacing_mm: float | None = None


def read_sample(path: Path, kind: InputKind, stated: Stated | None = None) -> Sample:
    """Return what a file, or the folder of a CT series, holds.

    Args:
        path: The file or folder.
        kind: What the model takes.
        stated: What a person says where the file does not.

    Raises:
        InputError: It cannot be read, or is of another kind; or it says something else than the
            person.
    """
    settings = load_settings()
    if kind == "volume3d":
        found = _volume(path, settings)
    else:
        content = _content(path, settings)
        if kind == "ecg12":
            found = _tracing(path, content)
        else:
            found = content_sample(content, file=path.name, kind=kind)
    return with_stated(found, stated or Stated())


def content_sample(content: bytes, *, file: str, kind: InputKind) -> Sample:
    """Return what the bytes of one image hold: DICOM, PNG or JPEG.

    Raises:
        InputError: They cannot be read, or are of another kind.
    """
    if content[128:132] == b"DICM":
        return _dicom(content, file, kind)
    if content[:4] in _TIFF:
        raise UnsupportedError(
            file,
            "a TIFF, as whole slides are; a model is asked about DICOM, PNG or JPEG",
            "of a slide: `epicrisis slide tiles FILE --out FOLDER`, and ask it about these tiles",
        )
    return picture_sample(content, file=file, kind=kind)


def with_stated(sample: Sample, stated: Stated) -> Sample:
    """Return a sample with what a person says; the file is never overruled.

    Raises:
        InvalidValueError: The file says something else.
    """
    changes: dict[str, Any] = {}
    pairs: Mapping[str, Any] = {
        "modality": stated.modality.upper(),
        "view": stated.view.upper(),
        "body_part": stated.body_part.lower(),
        "age_years": stated.age_years,
        "spacing_mm": None if stated.spacing_mm is None else (stated.spacing_mm,) * 2,
    }
    for name, said in pairs.items():
        if said in ("", None):
            continue
        own = getattr(sample, name)
        if own in ("", None):
            changes[name] = said
        elif not _same(own, said):
            raise InvalidValueError(
                sample.name, f"{name}: the file says something else than was stated", "leave it out"
            )
    from dataclasses import replace

    return replace(sample, **changes, stated=tuple(changes)) if changes else sample


def _same(own: Any, said: Any) -> bool:
    if isinstance(own, str):
        return own.casefold() == str(said).casefold()
    if isinstance(own, tuple):
        return len(own) == len(said) and bool(np.allclose(own, said, rtol=0.01))
    return abs(float(own) - float(said)) < 1.0


def picture_sample(content: bytes, *, file: str, kind: InputKind) -> Sample:
    """Return a PNG or JPEG. It says of itself neither modality nor spacing.

    Raises:
        UnreadableError: Damaged.
        TooLargeError: Too many pixels.
        UnsupportedError: No PNG and no baseline JPEG.
    """
    from PIL import Image

    from tools.imaging.picture import read_picture

    read_picture(content, file=file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
            grey = opened.mode in ("1", "L", "LA", "I", "I;16")
            deep = opened.mode in ("I", "I;16")
            pixels = np.asarray(opened if deep else opened.convert("L" if grey else "RGB"))
    return Sample(
        pixels=pixels,
        kind=kind,
        sources=(_reference(content, file),),
        photometric="MONOCHROME2" if grey else "RGB",
        value_range=(0.0, 65535.0 if deep else 255.0),
    )


def array_tile(pixels: NDArray[np.uint8], *, source: InputRef, spacing_mm: float | None) -> Sample:
    """Return a piece of a slide, (rows, columns, 3), as a sample."""
    return Sample(
        pixels=pixels,
        kind="tile",
        sources=(source,),
        modality="SM",
        photometric="RGB",
        value_range=(0.0, 255.0),
        spacing_mm=None if spacing_mm is None else (spacing_mm, spacing_mm),
    )


def _dicom(content: bytes, file: str, kind: InputKind) -> Sample:
    import pydicom
    from pydicom.pixels.processing import apply_rescale
    from pydicom.pixels.utils import pixel_array

    from tools.ecg.readers.dicom import parse_errors, silence_pydicom
    from tools.imaging.decoding import Decoding
    from tools.imaging.dicom_image import read_dicom_image

    known = read_dicom_image(content, file=file, zone=None)
    broken = [p.detail for p in known.problems if p.code in _BROKEN]
    if broken:
        raise UnreadableError(file, broken[0], "export the image again from the archive")
    if known.frames > 1:
        raise ContractError(file, f"{known.frames} frames; a model takes one", "give one frame")
    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(io.BytesIO(content), force=True)
            with Decoding():
                stored = pixel_array(ds)
            values = np.asarray(apply_rescale(stored, ds) if stored.ndim == 2 else stored)
            return _described(ds, values, known, content, kind)
        except (NotImplementedError, RuntimeError) as error:
            raise UnsupportedError(
                file, "no decoder for the encoding of its pixels", "export it uncompressed"
            ) from error
        except parse_errors() as error:
            raise UnreadableError(
                file, f"damaged DICOM ({type(error).__name__} while decoding)", "export it again"
            ) from error


def _described(
    ds: Any, values: NDArray[Any], known: Any, content: bytes, kind: InputKind
) -> Sample:
    photometric = str(ds.get("PhotometricInterpretation", "")).strip()
    colour = values.ndim == 3
    bits, signed = int(ds.get("BitsStored", 8)), int(ds.get("PixelRepresentation", 0))
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    slope = float(ds.get("RescaleSlope", 1) or 1)
    intercept = float(ds.get("RescaleIntercept", 0) or 0)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    source = _reference(content, known.file).model_copy(
        update={
            "sop_instance_uid": known.instance,
            "series_instance_uid": known.series,
        }
    )
    return Sample(
        pixels=values,
        kind=kind,
        sources=(source,),
        modality=known.modality,
        view=known.view,
        body_part=known.body_part,
        photometric="RGB" if colour else photometric,
        value_range=(ends[0], ends[1]),
        windows=_windows(ds),
        spacing_mm=_spacing(ds),
        age_years=_age(ds),
        identity=known.identity,
        notes=tuple(p.detail for p in known.problems),
    )


def _windows(ds: Any) -> tuple[GreyWindow, ...]:
    def numbers(name: str) -> list[float]:
        value = ds.get(name)
        if value in (None, ""):
            return []
        return [float(v) for v in (value if hasattr(value, "__iter__") else [value])]

    function = str(ds.get("VOILUTFunction", "") or "LINEAR").strip().upper()
    pairs = zip(numbers("WindowCenter"), numbers("WindowWidth"), strict=False)
    known = function in ("LINEAR", "LINEAR_EXACT", "SIGMOID")
    return tuple(
        GreyWindow(centre=c, width=w, function=function) for c, w in pairs if known and w > 0
    )


def _spacing(ds: Any) -> tuple[float, float] | None:
    for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        value = ds.get(name)
        if value is not None and not isinstance(value, str) and len(value) == 2:
            return float(value[0]), float(value[1])
    return None


def _age(ds: Any) -> float | None:
    """Return the age in years: as stated (PS3.5 AS), else of birth date and study date."""
    stated = _AGE.match(str(ds.get("PatientAge", "") or "").strip())
    if stated is not None:
        return int(stated[1]) * _YEARS[stated[2]]
    from datetime import datetime

    dates = []
    for name in ("PatientBirthDate", "StudyDate"):
        try:
            dates.append(datetime.strptime(str(ds.get(name, "")), "%Y%m%d"))  # noqa: DTZ007 - dates
        except ValueError:
            return None
    years = (dates[1] - dates[0]).days / 365.25
    return years if 0 <= years <= 130 else None


def _volume(path: Path, settings: Settings) -> Sample:
    from tools.imaging.ct.volume import read_folder

    volume = read_folder(path, settings=settings)
    return volume_sample(volume, {file: (path / file).read_bytes() for file in volume.facts.files})


def volume_sample(volume: "Volume", contents: Mapping[str, bytes]) -> Sample:
    """Return a CT series as a sample.

    Args:
        volume: The series.
        contents: File of a slice to its bytes.

    Raises:
        ContractError: It stands askew to the axes of the body.
    """
    orientation, tilt = geometry.orientation_of(volume.affine_lps)
    facts = volume.facts
    if tilt > _TILTED_DEGREES:
        raise ContractError(
            facts.files[0], f"turned by {tilt:.0f} degrees", "reformat it to the axes"
        )
    instances = facts.instances if len(facts.instances) == len(facts.files) else ()
    sources = tuple(
        InputRef(
            file=file,
            sha256=hashlib.sha256(contents[file]).hexdigest(),
            sop_instance_uid=instances[at] if instances else "",
            series_instance_uid=facts.series,
        )
        for at, file in enumerate(facts.files)
    )
    return Sample(
        pixels=volume.hu,
        kind="volume3d",
        sources=sources,
        modality=facts.modality,
        body_part=facts.body_part,
        photometric="MONOCHROME2",
        spacing_mm=volume.spacing_mm,
        orientation=orientation,
        age_years=facts.age_years,
        identity=facts.identity,
        notes=facts.notes,
    )


def _tracing(path: Path, content: bytes) -> Sample:
    from tools.ecg.readers import read_ecg

    near = {p.name: p.read_bytes() for p in path.parent.glob(f"{path.stem}.*") if p != path}
    recording = read_ecg(content, file=path.name, siblings=near, zone=None)
    if recording.gain_doubt is not None:
        raise ContractError(path.name, recording.gain_doubt, "a model needs mV")
    source = _reference(content, path.name)
    return Sample(
        pixels=recording.signal_mv.T,
        kind="ecg12",
        sources=(source.model_copy(update={"sop_instance_uid": recording.sop_instance_uid or ""}),),
        modality="ECG",
        fs_hz=recording.sampling_rate_hz,
        leads=recording.leads,
        notes=recording.notes,
    )


def _content(path: Path, settings: Settings) -> bytes:
    try:
        if path.stat().st_size > settings.max_file_mib * _MIB:
            raise TooLargeError(path.name, f"over {settings.max_file_mib} MiB", "give it smaller")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            str(path), f"cannot be opened: {error.strerror}", "name an image file"
        ) from error


def _reference(content: bytes, file: str) -> InputRef:
    return InputRef(file=file, sha256=hashlib.sha256(content).hexdigest())
