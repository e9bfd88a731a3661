"""The pixels of one frame: decoded within limits, or refused with the reason; never a guess."""

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.errors import InputError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.imaging_terms import imaging_terms
from tools.ecg.readers.dicom import known_uid, parse_errors, silence_pydicom
from tools.imaging.decoding import Decoding
from tools.imaging.dicom_object import AGAIN
from tools.imaging.quality import count
from tools.imaging.view.coded import check_frame

MAX_PIXELS = 40_000_000
"""Of one frame, as of a picture: a mammogram has some 20 million."""

_EXTENDED = "1.2.840.10008.1.2.4.51"
"""JPEG Extended, 8 or 12 bits; decoders without GPL parts take the 8."""

_IMAGE = "export it as JPEG 2000 or uncompressed (Explicit VR Little Endian)"

# What pydicom 3.0 and its decoders raise on pixels they cannot decode, beside its parse errors.
_DECODE_ERRORS: tuple[type[Exception], ...] = (RuntimeError, AttributeError, MemoryError, OSError)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """One frame.

    Args:
        values: ``(rows, columns)`` float32 after the modality transform (PS3.3 C.11.1), or
            ``(rows, columns, 3)`` uint8 RGB.
        ds: The header they are shown by.
    """

    values: npt.NDArray[Any]
    ds: Any

    @property
    def is_colour(self) -> bool:
        """Whether it is a colour picture, for which there is no window."""
        return self.values.ndim == 3

    @property
    def nbytes(self) -> int:
        """Bytes that the values take."""
        return int(self.values.nbytes)


def decode(content: bytes, *, file: str, frame: int = 0) -> Pixels:
    """Return one frame of a DICOM image.

    Args:
        content: The whole file.
        file: Its name, for messages.
        frame: Counts from 0.

    Raises:
        UnreadableError: Damaged or truncated, or every pixel has the same value.
        UnsupportedError: No decoder for its transfer syntax, or there is no such frame.
        TooLargeError: Over `MAX_PIXELS`, or its compressed data are larger than its header says.
    """
    import pydicom

    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd values; those used are checked
        syntax = ""
        try:
            ds = pydicom.dcmread(io.BytesIO(content), force=True)
            syntax = _syntax(ds)
            _check_size(ds, file, frame)
            _check_coded(ds, file, frame)
            values = _values(ds, file, frame)
        except InputError:
            raise
        except NotImplementedError as error:
            raise UnsupportedError(file, "its pixels cannot be decoded here", _IMAGE) from error
        except (*parse_errors(), *_DECODE_ERRORS) as error:
            raise _undecodable(syntax, file, error) from error
    if values.size == 0 or values.min() == values.max():
        raise UnreadableError(file, "every pixel has the same value: nothing is on it", AGAIN)
    return Pixels(values=values, ds=_header(ds))


def _check_size(ds: Any, file: str, frame: int) -> None:
    rows, columns = count(ds.get("Rows")), count(ds.get("Columns"))
    frames = max(count(ds.get("NumberOfFrames")), 1)
    if not any(name in ds for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise UnreadableError(file, "the file ends before its pixels", AGAIN)
    if not rows or not columns:
        raise UnreadableError(file, "rows or columns are not stated", AGAIN)
    if rows * columns > MAX_PIXELS:
        raise TooLargeError(file, f"{columns} x {rows} pixels", "export it in a smaller size")
    if not 0 <= frame < frames:
        raise UnsupportedError(file, f"has {frames} frames, not frame {frame + 1}")


def _check_coded(ds: Any, file: str, frame: int) -> None:
    from pydicom.encaps import get_frame

    syntax = _syntax(ds)
    if syntax in imaging_terms().transfer_syntaxes.retired:
        name = known_uid(syntax)
        raise UnsupportedError(file, f"its pixels cannot be decoded here: {name} (retired)", _IMAGE)
    if "PixelData" not in ds or syntax not in _compressed():
        return
    extended = None
    if "ExtendedOffsetTable" in ds and "ExtendedOffsetTableLengths" in ds:
        extended = (ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths)
    frames = max(count(ds.get("NumberOfFrames")), 1)
    data = get_frame(ds.PixelData, frame, number_of_frames=frames, extended_offsets=extended)
    check_frame(data, file=file, rows=count(ds.Rows), columns=count(ds.Columns))


def _compressed() -> frozenset[str]:
    from pydicom.uid import AllTransferSyntaxes

    return frozenset(str(uid) for uid in AllTransferSyntaxes if uid.is_compressed)


def _values(ds: Any, file: str, frame: int) -> npt.NDArray[Any]:
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
    from pydicom.pixels.utils import pixel_array

    samples = count(ds.get("SamplesPerPixel")) or 1
    with Decoding():
        array = np.asarray(pixel_array(ds, index=frame))
    if str(ds.get("PhotometricInterpretation", "")).strip() == "PALETTE COLOR":
        array, samples = np.asarray(apply_color_lut(array, ds)), 3
    if samples == 1:
        return np.asarray(apply_modality_lut(array, _scaled(ds, frame)), dtype=np.float32)
    if array.ndim != 3 or array.shape[2] < 3:
        raise UnsupportedError(file, f"{samples} samples for each pixel", _IMAGE)
    if array.dtype != np.uint8:
        bits = count(ds.get("BitsStored")) or 8 * array.itemsize
        if samples == 3 and "PALETTE" in str(ds.get("PhotometricInterpretation", "")):
            bits = 8 * array.itemsize
        array = (array >> max(bits - 8, 0)).astype(np.uint8)
    return array[:, :, :3]


def _scaled(ds: Any, frame: int) -> Any:
    """Return where the modality transform of a frame stands: in it, or in the functional groups."""
    if "RescaleSlope" in ds or "ModalityLUTSequence" in ds:
        return ds
    return group(ds, "PixelValueTransformationSequence", frame) or ds


def group(ds: Any, name: str, frame: int) -> Any | None:
    """Return the first item of a functional group of a frame: its own, else the shared one."""
    own = ds.get("PerFrameFunctionalGroupsSequence") or []
    shared = ds.get("SharedFunctionalGroupsSequence") or []
    for groups in (*own[frame : frame + 1], *shared[:1]):
        items = groups.get(name)
        if items:
            return items[0]
    return None


def _header(ds: Any) -> Any:
    """Return the data set without its pixels."""
    for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"):
        if name in ds:
            del ds[name]
    return ds


def _syntax(ds: Any) -> str:
    return str(ds.file_meta.get("TransferSyntaxUID", "")) if hasattr(ds, "file_meta") else ""


def _undecodable(syntax: str, file: str, error: Exception) -> InputError:
    text = str(error)
    if syntax == _EXTENDED:
        return UnsupportedError(file, "its pixels cannot be decoded here: JPEG of 12 bits", _IMAGE)
    if "Unable to decompress" in text or "missing required dependencies" in text:
        return UnsupportedError(
            file, f"its pixels cannot be decoded here: {known_uid(syntax)}", _IMAGE
        )
    if "less than expected" in text or "premature end" in text.lower():
        return UnreadableError(file, "the file ends early: part of its pixels is missing", AGAIN)
    return UnreadableError(
        file, f"its pixels are damaged ({type(error).__name__} while decoding)", AGAIN
    )
