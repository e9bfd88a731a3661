"""Reading one film: its header, and its pixels as they are shown."""

import io
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import (
    ContractError,
    InvalidValueError,
    TooLargeError,
    UnreadableError,
    UnsupportedError,
)
from knowledge.film_measurements import film_measurements, limit
from tools.ecg.readers.device_said import clean
from tools.ecg.readers.dicom import known_uid, parse_errors, silence_pydicom
from tools.imaging.decoding import Decoding
from tools.imaging.dicom_image import is_image_object, read_dicom_image
from tools.imaging.dicom_object import AGAIN, sop_class
from tools.imaging.film.model import Film, FilmFacts, StatedFilm, Told
from tools.imaging.model import ImageFile
from tools.imaging.picture import read_picture
from tools.imaging.quality import count
from tools.imaging.slide import read_tiff
from tools.intake.sniff import sniff

_BROKEN = ("pixels-truncated", "pixels-missing", "not-decodable", "size-not-stated")
_YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_WORDS = (
    "StudyDescription", "SeriesDescription", "ProtocolName", "ViewPosition",
    "AcquisitionDeviceProcessingDescription", "PerformedProcedureStepDescription",
)  # fmt: skip
_COLOUR_STEP = 12
"""Channels that differ by more are coloured: JPEG turns grey by a few steps."""


def read_film(content: bytes, *, file: str, stated: StatedFilm | None = None) -> Film:
    """Return one film.

    Args:
        content: The whole file: DICOM, PNG or JPEG.
        file: Its name.
        stated: What a person says of view and age where the file does not.

    Raises:
        UnreadableError: Damaged, truncated, or without pixels.
        UnsupportedError: No image, or an encoding without a decoder.
        TooLargeError: Too many pixels.
        ContractError: Not of a human, or several frames.
        InvalidValueError: The file says something else than the person.
    """
    kind = sniff(content)
    if kind == "DICOM" and is_image_object(sop_class(content)):
        film = _dicom(content, file)
    elif kind in ("PNG picture", "JPEG picture"):
        film = _picture(content, file)
    elif kind == "TIFF":
        read_tiff(content, file=file)
        raise UnsupportedError(file, "a TIFF file", "export the film as DICOM or PNG")
    else:
        raise UnsupportedError(file, f"no film: {kind}", "give a DICOM, PNG or JPEG file")
    return film if stated is None else _with(film, stated, file)


def _with(film: Film, stated: StatedFilm, file: str) -> Film:
    """Return the film with what a person says; the file is never overruled."""
    facts, changes = film.facts, {}
    told: dict[str, Told] = dict(facts.told)
    for name in ("view", "age_years"):
        said, own = getattr(stated, name), getattr(facts, name)
        if said is None:
            continue
        differs = own is not None and (
            said != own if isinstance(said, str) else abs(said - own) >= 1
        )
        if differs or (name == "view" and own is None and facts.view_said):
            raise InvalidValueError(
                file, f"{name}: the file says something else than was stated", "leave it out"
            )
        if own is None:
            changes[name], told[name] = said, "person"
    known = facts.model_copy(update={**changes, "told": told})
    return Film(grey=film.grey, lowest=film.lowest, highest=film.highest, facts=known)


def _picture(content: bytes, file: str) -> Film:
    from PIL import Image

    image = read_picture(content, file=file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
            grey = opened.mode in ("1", "L", "LA", "I", "I;16", "F")
            deep = opened.mode in ("I", "I;16", "F")
            pixels = np.asarray(opened if deep else opened.convert("L" if grey else "RGB"))
    coloured = 0.0
    if pixels.ndim == 3:
        coloured = float(np.mean(np.ptp(pixels.astype(np.int16), axis=2) > _COLOUR_STEP))
        pixels = pixels.mean(axis=2)
    facts = FilmFacts(
        image=image,
        picture=True,
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        coloured=coloured,
        lossy=image.source_format == "jpeg",
    )
    return _film(pixels, facts)


def _dicom(content: bytes, file: str) -> Film:
    import pydicom

    image = read_dicom_image(content, file=file, zone=None)
    broken = [p.detail for p in image.problems if p.code in _BROKEN]
    if broken:
        raise UnreadableError(file, broken[0], AGAIN)
    if image.frames > 1:
        raise ContractError(file, f"{image.frames} frames; a film has one", "give one film")
    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd values; those used are checked
        try:
            ds = pydicom.dcmread(io.BytesIO(content), force=True)
            if count(ds.get("Rows")) * count(ds.get("Columns")) > limit("pixels_max"):
                raise TooLargeError(file, "too many pixels", "give it in a smaller size")
            return _decoded(ds, image)
        except (NotImplementedError, RuntimeError) as error:
            syntax = known_uid(str(getattr(ds, "file_meta", {}).get("TransferSyntaxUID", "")))
            raise UnsupportedError(
                file, f"its pixels cannot be decoded ({syntax})", "export it uncompressed"
            ) from error
        except parse_errors() as error:
            raise UnreadableError(
                file, f"damaged DICOM ({type(error).__name__} while decoding)", AGAIN
            ) from error


def _decoded(ds: Any, image: ImageFile) -> Film:
    from pydicom.pixels.processing import apply_modality_lut
    from pydicom.pixels.utils import pixel_array

    with Decoding():
        stored = pixel_array(ds)
    coloured = 0.0
    if stored.ndim == 3:
        coloured = float(np.mean(np.ptp(stored.astype(np.int32), axis=2) > _COLOUR_STEP))
        pixels: NDArray[Any] = stored.mean(axis=2)
    else:
        pixels = np.asarray(apply_modality_lut(stored, ds))
    known = film_measurements()
    view_said = _text(ds, "ViewPosition") or image.view
    orientation = tuple(clean(str(v), 4).strip().upper() for v in _values(ds, "PatientOrientation"))
    lay = _lay(orientation)
    if _is_dark_high(ds):
        pixels = pixels.max() + pixels.min() - pixels.astype(np.float32)
    age = _age(ds)
    facts = FilmFacts(
        image=image,
        picture=False,
        modality=image.modality.casefold(),
        body_part=image.body_part,
        view=known.views.of(view_said),
        view_said=view_said,
        age_years=age,
        told={"view": "header", "age_years": "header"},
        photometric=_text(ds, "PhotometricInterpretation"),
        inverse_shape=_text(ds, "PresentationLUTShape").upper() == "INVERSE",
        windows=max(len(_values(ds, "WindowCenter")), len(ds.get("VOILUTSequence") or [])),
        orientation=orientation,
        turned=lay.words,
        bedside=_bedside(ds),
        captured=any(p.code == "captured" for p in image.problems),
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        coloured=coloured,
        lossy=_text(ds, "LossyImageCompression") == "01",
    )
    return _film(lay.apply(pixels), facts)


def _is_dark_high(ds: Any) -> bool:
    """Return whether high values are shown dark (PS3.3 C.7.6.3.1.2, C.11.6).

    A MONOCHROME1 image states INVERSE as its presentation LUT shape: the two say the same.
    """
    if _text(ds, "PhotometricInterpretation").upper() == "MONOCHROME1":
        return True
    return _text(ds, "PresentationLUTShape").upper() == "INVERSE"


def _film(pixels: NDArray[Any], facts: FilmFacts) -> Film:
    values = np.ascontiguousarray(pixels, dtype=np.float32)
    ends = float(values.min()), float(values.max())
    low, high = (
        float(v) for v in np.percentile(values[:: _step(values), :: _step(values)], [1, 99])
    )
    spread = high - low
    grey = np.clip((values - low) / spread, 0, 1) if spread > 0 else np.zeros_like(values)
    return Film(
        grey=grey.astype(np.float32),
        lowest=float(np.mean(values == ends[0])),
        highest=float(np.mean(values == ends[1])),
        facts=facts,
    )


def _step(values: NDArray[Any]) -> int:
    """Return how far apart pixels may be for a percentile of a large film."""
    return max(1, int(max(values.shape)) // 1024)


@dataclass(frozen=True, kw_only=True)
class _Lay:
    """How a film is turned to lie as usual: rows to the patient's left, columns to the feet."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    def apply(self, pixels: NDArray[Any]) -> NDArray[Any]:
        found = pixels.T if self.transpose else pixels
        found = found[::-1] if self.flip_rows else found
        return found[:, ::-1] if self.flip_columns else found

    @property
    def words(self) -> str:
        done = ("exchanged rows and columns", "turned upside down", "mirrored")
        flags = (self.transpose, self.flip_rows, self.flip_columns)
        return ", ".join(word for word, flag in zip(done, flags, strict=True) if flag)


def _lay(orientation: tuple[str, ...]) -> _Lay:
    """Return how to turn a film by its patient orientation (PS3.3 C.7.6.1.1.1).

    The first value is where a row leads to, the second where a column leads to.
    """
    first = tuple(value[:1] for value in orientation)
    if len(first) != 2 or not all(first):
        return _Lay()
    across, down = first
    if across in "HF" and down in "LR":
        return _Lay(transpose=True, flip_rows=across == "H", flip_columns=down == "R")
    if across in "LR" and down in "HF":
        return _Lay(flip_rows=down == "H", flip_columns=across == "R")
    return _Lay()


def _bedside(ds: Any) -> str:
    words = film_measurements().bedside.words
    text = " ".join(_text(ds, name) for name in _WORDS).casefold()
    return next((word for word in sorted(words) if _stands_in(word, text)), "")


def _stands_in(word: str, text: str) -> bool:
    """Return whether a word stands in a text; of letters, only as a whole."""
    return bool(re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text))


def _values(ds: Any, name: str) -> tuple[Any, ...]:
    value = ds.get(name)
    if value is None or value == "":
        return ()
    return (value,) if isinstance(value, str) or not hasattr(value, "__len__") else tuple(value)


def _text(ds: Any, name: str) -> str:
    return clean(str(ds.get(name, "") or ""), 64).strip()


def _age(ds: Any) -> float | None:
    """Return the age in years: as stated (PS3.5 6.2 AS), else from birth date to study date.

    ``000Y`` is what anonymisers write; it is no age.
    """
    text = _text(ds, "PatientAge")
    if len(text) == 4 and text[:3].isdigit() and text[3] in _YEARS and text != "000Y":
        return int(text[:3]) * _YEARS[text[3]]
    from datetime import datetime

    try:
        born, done = (
            datetime.strptime(_text(ds, name), "%Y%m%d")  # noqa: DTZ007 - dates
            for name in ("PatientBirthDate", "StudyDate")
        )
    except ValueError:
        return None
    years = (done - born).days / 365.25
    return years if 0 < years <= 130 else None
