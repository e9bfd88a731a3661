"""The pixel data of an image, its comments overwritten and what lies beyond the image cut off."""

from typing import Any

from knowledge.errors import ContractError, UnreadableError, UnsupportedError
from tools.dicom_out.deidentify.pixel_data import jpeg, jpeg2000, rle
from tools.imaging.dicom_object import AGAIN

_JPEG = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 57, 70, 80, 81))
_JPEG2000 = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))
_RLE = "1.2.840.10008.1.2.5"
_BITS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_BEGINS = {"jpeg": b"\xff\xd8\xff", "jpeg2000": b"\xff\x4f\xff\x51"}


def clean_pixels(ds: Any, file: str) -> bool:
    """Change the pixel data in place, and return whether anything was overwritten or cut off.

    Raises:
        ContractError: More frames or other pieces than stated: what they are is not known.
        UnreadableError: Not built as its encoding says.
        UnsupportedError: An encoding whose comments are not known here.
    """
    before = {one: ds[one].value for one in ("PixelData", *_BITS) if one in ds}
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        before = {"PixelData": ds.PixelData}
        try:
            _encapsulated(ds, str(syntax), file)
        except (ValueError, IndexError) as error:
            raise UnreadableError(
                file, f"pixel data are not built as their encoding says ({error})", AGAIN
            ) from error
    else:
        for keyword in before:
            _native(ds, keyword)
    return any(ds[one].value != value for one, value in before.items())


def _native(ds: Any, keyword: str) -> None:
    bits = _BITS.get(keyword) or int(ds.BitsAllocated)
    samples = int(ds.get("SamplesPerPixel", 1) or 1)
    count = int(ds.Rows) * int(ds.Columns) * samples * _frames(ds)
    if ds.get("PhotometricInterpretation") == "YBR_FULL_422":
        count = count // samples * 2
    size = (count * bits + 7) // 8
    value = bytes(ds[keyword].value)
    if len(value) > size:
        ds[keyword].value = value[:size] + b"\0" * (size % 2)


def _encapsulated(ds: Any, syntax: str, file: str) -> None:
    table, pieces = _pieces(bytes(ds.PixelData))
    frames = _frames(ds)
    groups = _groups(pieces, frames, syntax, file)
    out = bytearray()
    starts, sizes = [], []
    for group in groups:
        starts.append(len(out))
        stream = bytearray().join(group)
        sizes.append(len(stream))
        _blank(stream, syntax, ds)
        at = 0
        for piece in group:
            out += _ITEM + len(piece).to_bytes(4, "little") + stream[at : at + len(piece)]
            at += len(piece)
    offsets = b"".join(one.to_bytes(4, "little") for one in starts) if table else b""
    ds["PixelData"].value = bytes(_ITEM + len(offsets).to_bytes(4, "little") + offsets + out)
    if "ExtendedOffsetTable" in ds:
        ds.ExtendedOffsetTable = b"".join(one.to_bytes(8, "little") for one in starts)
        ds.ExtendedOffsetTableLengths = b"".join(one.to_bytes(8, "little") for one in sizes)


def _blank(stream: bytearray, syntax: str, ds: Any) -> None:
    if syntax in _JPEG:
        jpeg.blank(stream)
    elif syntax in _JPEG2000:
        jpeg2000.blank(stream)
    else:
        rle.blank(stream, int(ds.Rows) * int(ds.Columns))


def _pieces(value: bytes) -> tuple[bytes, list[bytes]]:
    found, at = [], 0
    while at + 8 <= len(value) and value[at : at + 4] != _END:
        if value[at : at + 4] != _ITEM:
            raise ValueError("no item where one must be")
        end = at + 8 + int.from_bytes(value[at + 4 : at + 8], "little")
        if end > len(value):
            raise ValueError("an item is longer than the pixel data")
        found.append(value[at + 8 : end])
        at = end
    if not found:
        raise ValueError("no items")
    return found[0], [one for one in found[1:] if one]


def _groups(pieces: list[bytes], frames: int, syntax: str, file: str) -> list[list[bytes]]:
    """Return the pieces of each frame: a stream begins in a piece of its own."""
    if syntax == _RLE:
        groups = [[one] for one in pieces]
    elif syntax in _JPEG or syntax in _JPEG2000:
        begins = _BEGINS["jpeg" if syntax in _JPEG else "jpeg2000"]
        groups = []
        for piece in pieces:
            if piece.startswith(begins):
                groups.append([piece])
            elif groups:
                groups[-1].append(piece)
            else:
                raise ValueError("no codestream")
    else:
        raise UnsupportedError(
            file, f"comments in pixel data of {syntax} are not known here", "export it uncompressed"
        )
    if len(groups) != frames:
        raise ContractError(
            file, f"pixel data hold {len(groups)} pictures, {frames} are stated", AGAIN
        )
    return groups


def _frames(ds: Any) -> int:
    return int(ds.get("NumberOfFrames", 1) or 1)
