"""One CT slice in fifteen transfer syntaxes, cut pixels, and a codec that is not carried."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest

from knowledge.errors import InputError, UnreadableError, UnsupportedError
from tests.data_folder import shared_data
from tests.tools.imaging.ct.phantoms import dicom_slice
from tools.imaging.pixels import decoded_pixels

EXACT = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5",
)  # fmt: skip
NEAR = {"1.2.840.10008.1.2.4.81": 1, "1.2.840.10008.1.2.4.91": 5}
"""Largest difference that the lossy coding of this file made, in stored values."""

REFUSED = ("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")


def _coded(uid: str) -> Path:
    (path,) = shared_data("dicom-misc").glob(f"CTImage.dcm_*_{uid}.dcm")
    return path


def _uncoded() -> np.ndarray:
    """The values as they stand in the uncompressed file, taken without any decoder."""
    ds = pydicom.dcmread(shared_data("dicom-misc") / "CTImage.dcm")
    return np.frombuffer(ds.PixelData, "<i2").reshape(ds.Rows, ds.Columns)


@pytest.mark.parametrize("uid", EXACT)
def test_lossless_syntaxes_decode_bit_by_bit(uid: str) -> None:
    assert np.array_equal(decoded_pixels(_coded(uid).read_bytes(), file="a"), _uncoded())


@pytest.mark.parametrize("uid", NEAR)
def test_lossy_syntaxes_decode_near(uid: str) -> None:
    found = decoded_pixels(_coded(uid).read_bytes(), file="a").astype(int)
    assert np.abs(found - _uncoded()).max() <= NEAR[uid]


def test_baseline_jpeg_holds_the_same_picture_in_8_bits() -> None:
    """Its encoder scaled the values to a byte: what is compared is the pattern."""
    found = decoded_pixels(_coded("1.2.840.10008.1.2.4.50").read_bytes(), file="a").astype(float)
    assert np.corrcoef(found.ravel(), _uncoded().astype(float).ravel())[0, 1] > 0.99


@pytest.mark.parametrize("uid", REFUSED)
def test_a_syntax_without_a_free_decoder_is_named_with_the_way_out(uid: str) -> None:
    with pytest.raises(UnsupportedError, match=uid.replace(".", r"\.")) as caught:
        decoded_pixels(_coded(uid).read_bytes(), file="a")
    assert "Explicit VR Little Endian" in caught.value.way_out


def test_cut_pixels_are_said_with_how_much_is_there() -> None:
    whole = dicom_slice(np.zeros((16, 16), np.int16))
    with pytest.raises(UnreadableError, match="truncated"):
        decoded_pixels(whole[:-100], file="a")


def test_cut_compressed_pixels_are_unreadable() -> None:
    content = _coded("1.2.840.10008.1.2.4.90").read_bytes()
    with pytest.raises(UnreadableError):
        decoded_pixels(content[: len(content) // 2], file="a")


def test_an_object_without_pixels_is_said() -> None:
    ds = pydicom.dcmread(io.BytesIO(dicom_slice(np.zeros((4, 4), np.int16))))
    del ds.PixelData
    out = io.BytesIO()
    ds.save_as(out)
    with pytest.raises(UnreadableError, match="no pixels"):
        decoded_pixels(out.getvalue(), file="a")


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"])
def test_a_damaged_lossless_jpeg_is_decoded_or_refused_and_never_ends_the_process(
    uid: str,
) -> None:
    """GDCM aborts on such data; the decoder used here must not."""
    content = bytearray(_coded(uid).read_bytes())
    start = content.rfind(b"\xff\xd8\xff")
    random = np.random.default_rng(1)
    refused = 0
    for _ in range(60):
        changed = bytearray(content)
        for place in random.integers(start, start + 400, 8):
            changed[place] = random.integers(256)
        try:
            decoded_pixels(bytes(changed), file="a")
        except (UnreadableError, UnsupportedError):
            refused += 1
    assert refused > 10


def test_a_lossless_jpeg_of_another_size_than_stated_is_not_decoded() -> None:
    content = bytearray(_coded("1.2.840.10008.1.2.4.70").read_bytes())
    at = content.rfind(b"\xff\xc3")
    content[at + 5 : at + 9] = b"\xff\xff\xff\xff"  # 65,535 by 65,535: 8 GiB
    with pytest.raises(UnreadableError):
        decoded_pixels(bytes(content), file="a")


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("CTImage.dcm_RLELosslessTransferSyntax_1.2.840.10008.1.2.5.dcm", None),
        ("sm_image_jpegls.dcm", 9999),
    ],
)
def test_what_ends_a_decoder_by_no_plain_exception_is_refused(
    name: str, frames: int | None
) -> None:
    """A run that is too long makes pylibjpeg-rle panic (a BaseException); fewer frames than stated
    end pydicom's loop with StopIteration."""
    content = bytearray((shared_data("dicom-misc") / name).read_bytes())
    if frames is not None:
        ds = pydicom.dcmread(io.BytesIO(bytes(content)))
        ds.NumberOfFrames = frames
        out = io.BytesIO()
        ds.save_as(out)
        content = bytearray(out.getvalue())
    refused = 0
    first = content.index(b"\xe0\x7f\x10\x00") + 8 + 4 + 16 + 64  # after the table of RLE segments
    for at in range(first, first + 60) if frames is None else (0,):
        changed = bytearray(content)
        if frames is None:
            changed[at] = 0x81  # the next byte, 128 times
        try:
            decoded_pixels(bytes(changed), file="f")
        except InputError:
            refused += 1
    assert refused
