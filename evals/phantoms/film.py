"""Drawn chest films of known widths, and small DICOM files of them."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scipy import ndimage

SIDE = 1024
CR = "1.2.840.10008.5.1.4.1.1.1"
_MIDDLE = 512.0


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A drawn film and its truth.

    Args:
        grey: (rows, columns) float 0 to 1, air dark.
        heart, thorax: Widths in pixels.
    """

    grey: NDArray[np.float64]
    heart: float
    thorax: float

    @property
    def ratio(self) -> float:
        """The true cardiothoracic ratio."""
        return self.heart / self.thorax


def chest(
    *,
    heart: float = 300.0,
    thorax: float = 640.0,
    ribs: float = 0.08,
    noise: float = 0.015,
    seed: int = 1,
    shift: float = 0.0,
    one_lung: bool = False,
    lungs: bool = True,
) -> Drawn:
    """Return a drawn film: body, two lungs over domes of the diaphragm, spine, heart and ribs.

    The cage is half an ellipse that is widest on row 600 and straight below; the heart is an
    ellipse that is widest on row 745, a third of it right of the spine.

    Args:
        heart: Its width, pixels of 1024.
        thorax: Its width, pixels of 1024.
        ribs: Brightness of the ribs against lung.
        noise: Standard deviation of the noise.
        seed: Of the noise.
        shift: Pixels to the right that everything is moved.
        one_lung: The right lung is as bright as the body.
        lungs: Whether lungs are drawn at all.
    """
    y, x = np.meshgrid(np.arange(SIDE, dtype=float), np.arange(SIDE, dtype=float), indexing="ij")
    x = x - shift
    grey = np.full((SIDE, SIDE), 0.02)
    neck = (np.abs(x - _MIDDLE) < 110) & (y < 200)
    body = (np.abs(x - _MIDDLE) < thorax / 2 + 90) & (y > 90 + 0.28 * np.abs(x - _MIDDLE))
    grey[body | neck] = 0.70
    spine = np.abs(x - _MIDDLE) < 38
    grey[spine & (body | neck)] = 0.86
    out = np.abs(x - _MIDDLE) / (thorax / 2)
    up = np.clip((600 - y) / 370, 0, None)
    cage = (out**2.5 + up**2.5 < 1) & (y > 230)
    right_dome = 790 + 0.0022 * (x - (_MIDDLE - thorax / 4)) ** 2
    left_dome = 805 + 0.0022 * (x - (_MIDDLE + thorax / 4)) ** 2
    air = cage & (y < np.where(x < _MIDDLE, right_dome, left_dome))
    air &= np.abs(x - _MIDDLE) > 62 + 20 * np.clip((480 - y) / 300, 0, 1)
    centre = _MIDDLE + heart / 6
    muscle = ((x - centre) / (heart / 2)) ** 2 + ((y - 745) / 215) ** 2 < 1
    if lungs:
        field = air & ~muscle
        if one_lung:
            field &= x > _MIDDLE
        grey[field] = 0.30
        bands = (np.sin((y + 0.25 * np.abs(x - _MIDDLE)) / 78 * 2 * np.pi) > 0.45) & field
        grey[bands] += ribs
    grey = ndimage.gaussian_filter(grey, 2.5)
    grey += np.random.default_rng(seed).normal(0, noise, grey.shape)
    return Drawn(grey=np.clip(grey, 0, 1), heart=heart, thorax=thorax)


def png(grey: NDArray[np.float64]) -> bytes:
    """Return a film as an 8-bit PNG."""
    stream = io.BytesIO()
    Image.fromarray(np.uint8(np.round(grey * 255))).save(stream, format="PNG")
    return stream.getvalue()


def dicom(grey: NDArray[np.float64], **changes: object) -> bytes:
    """Return a film as a CR image of 12 bits: PA, 51 years, MONOCHROME2, upright."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CR, generate_uid(entropy_srcs=["film"])
    ds.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["series"])
    ds.Modality, ds.BodyPartExamined, ds.ViewPosition = "CR", "CHEST", "PA"
    ds.PatientID, ds.PatientName, ds.PatientAge = "77120", "Drawn^Film", "051Y"
    ds.StudyDate, ds.AcquisitionDate = "20260301", "20260301"
    ds.PatientOrientation = ["L", "F"]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelSpacing = [0.3, 0.3]
    pixels: NDArray[np.uint16] = np.round(grey * 4000).astype(np.uint16)
    ds.Rows, ds.Columns = pixels.shape
    ds.PixelData = pixels.tobytes()
    for name, value in changes.items():
        if value is None:
            delattr(ds, name)
        else:
            setattr(ds, name, value)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        ds.SOPClassUID,
        ds.SOPInstanceUID,
    )
    ds.file_meta = meta
    stream = io.BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
