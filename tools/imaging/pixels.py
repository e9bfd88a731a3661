"""The pixels of a DICOM image as numbers, or why they cannot be had."""

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import InputError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.transfer_syntaxes import transfer_syntaxes
from tools.ecg.readers.dicom import known_uid, parse_errors, silence_pydicom
from tools.imaging.decoding import Decoding
from tools.imaging.dicom_object import AGAIN

_UNCOMPRESSED = frozenset(
    {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"}
)
_MOST_BYTES = 2 << 30
"""Decoded: a CT of a whole body in one object is below 1 GiB."""


def decoded_pixels(content: bytes, *, file: str) -> NDArray[Any]:
    """Return the stored values of an image.

    Nothing is scaled, windowed or inverted; colour stays as coded.

    Args:
        content: The whole file.
        file: Its name.

    Returns:
        (rows, columns), (frames, rows, columns), and (..., samples) in colour; native byte order.

    Raises:
        UnreadableError: Damaged, without pixels, or cut short: says how many bytes are missing.
        UnsupportedError: An encoding that is not decoded here: names it, and the way out.
        TooLargeError: More than fits.
    """
    import pydicom

    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        syntax = ""
        try:
            ds = pydicom.dcmread(io.BytesIO(content), force=True)
            syntax = str(getattr(ds, "file_meta", {}).get("TransferSyntaxUID", ""))
            _check(ds, syntax, file)
            with Decoding():
                found = ds.pixel_array
        except InputError:
            raise
        except (RuntimeError, NotImplementedError) as error:
            raise UnreadableError(
                file, f"pixels damaged: {known_uid(syntax)} cannot be decoded", AGAIN
            ) from error
        except parse_errors() as error:
            raise UnreadableError(
                file, f"pixels damaged ({type(error).__name__} while decoding)", AGAIN
            ) from error
    native: NDArray[Any] = found.astype(found.dtype.newbyteorder("="), copy=False)
    return native


def _check(ds: Any, syntax: str, file: str) -> None:
    if "PixelData" not in ds:
        raise UnreadableError(file, "has no pixels", AGAIN)
    if not syntax:
        raise UnreadableError(file, "states no transfer syntax: how its pixels are coded", AGAIN)
    why = transfer_syntaxes().why_not(syntax, int(ds.get("BitsStored") or 0))
    if why:
        raise UnsupportedError(
            file,
            f"transfer syntax {syntax} ({known_uid(syntax)}): {why}",
            transfer_syntaxes().way_out,
        )
    needed = _bytes(ds)
    if needed > _MOST_BYTES:
        raise TooLargeError(file, f"its pixels take {needed >> 20} MiB", "give a smaller part")
    there = len(ds.PixelData)
    if syntax in _UNCOMPRESSED and there < needed:
        raise UnreadableError(file, f"pixels truncated: {there} of {needed} bytes are there", AGAIN)


def _bytes(ds: Any) -> int:
    """Return the size of all pixels, decoded."""
    bits = (int(ds.get("Rows") or 0) * int(ds.get("Columns") or 0)
            * int(ds.get("NumberOfFrames") or 1) * int(ds.get("SamplesPerPixel") or 1)
            * int(ds.get("BitsAllocated") or 8))  # fmt: skip
    if str(ds.get("PhotometricInterpretation", "")) == "YBR_FULL_422":
        bits = bits * 2 // 3  # two of three samples are stored (PS3.3 C.7.6.3.1.2)
    return int(np.ceil(bits / 8))
