"""A mask that a person or a model made, onto the voxels of a series: NIfTI, RTSTRUCT or SEG."""

import gzip
import io
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.ct_measurements import limit
from knowledge.errors import (
    ContractError,
    InvalidValueError,
    MissingExtraError,
    TooLargeError,
    UnreadableError,
)
from tools.imaging.contours.model import chosen
from tools.imaging.contours.read import is_dicom, read_structures
from tools.imaging.ct.model import Mask, Volume

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""NIfTI counts to the right, the front and the head; DICOM to the left, the back and the head."""

_HEADER = 352
_MOST_BYTES = 8


def read_mask(content: bytes, volume: Volume, *, file: str, label: int | str | None = None) -> Mask:
    """Return a mask on the voxels of a series.

    Args:
        content: A NIfTI file, plain or gzip; an RT Structure Set or a Segmentation.
        volume: The series.
        file: Name of the mask, for messages.
        label: Of a NIfTI file the value that counts, every value above 0 unless given; of the
            others the name of the structure, the only one unless given.

    Returns:
        (slices, rows, columns) bool.

    Raises:
        UnreadableError: Neither of them, or damaged.
        ContractError: Not three-dimensional, not on the series, or several structures.
        InvalidValueError: No structure of that name.
        IdentityConflictError: Of another patient than the series.
        TooLargeError: More voxels than a series may have.
        MissingExtraError: The package that reads NIfTI is not installed.
    """
    if is_dicom(content):
        structures = read_structures(content, volume, file=file)
        return chosen(structures, name=str(label or ""), file=file).mask
    return _from_nifti(content, volume, file, _value(label, file))


def _value(label: int | str | None, file: str) -> int | None:
    if label is None or label == "":
        return None
    try:
        return int(label)
    except ValueError as error:
        raise InvalidValueError(
            file, f"is NIfTI, and {str(label)[:40]!r} is no number of a label", "name its value"
        ) from error


def _from_nifti(content: bytes, volume: Volume, file: str, label: int | None) -> Mask:
    from scipy import ndimage

    values, affine = _read(content, file)
    marked = values == label if label is not None else values > 0
    if not marked.any():
        raise ContractError(file, "nothing is marked", "give a mask with something in it")
    to_mask = np.linalg.inv(_LPS @ affine) @ volume.affine_lps  # (column, row, slice) -> (i, j, k)
    order = [2, 1, 0]
    matrix = to_mask[:3, :3][:, order]
    found: Mask = (
        ndimage.affine_transform(
            marked.astype(np.uint8), matrix, to_mask[:3, 3], output_shape=volume.hu.shape, order=0
        )
        > 0
    )
    given = float(marked.sum()) * abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    kept = float(found.sum()) * volume.voxel_ml
    if 100 * kept < limit("mask_kept_min") * given:
        raise ContractError(
            file,
            f"lies outside the series: {kept:.1f} of {given:.1f} mL on it",
            "give the mask of this series",
        )
    return found


def _read(content: bytes, file: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
    try:
        import nibabel
    except ImportError as error:
        raise MissingExtraError(
            file, "reading NIfTI needs a package that is not installed", "pip install epicrisis[ct]"
        ) from error
    plain = _plain(content, file)
    try:
        image = nibabel.Nifti1Image.from_bytes(plain)
        shape = image.shape
        affine = np.asarray(image.affine, dtype=np.float64)
        if len(shape) != 3 or not np.isfinite(affine).all() or not np.linalg.det(affine[:3, :3]):
            raise ContractError(file, "is no three-dimensional mask with a place", "give a 3D mask")
        return np.asanyarray(image.dataobj), affine
    except (
        nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError, ValueError,
        nibabel.wrapstruct.WrapStructError, np.linalg.LinAlgError, OverflowError, OSError, EOFError,
    ) as error:  # fmt: skip
        raise UnreadableError(
            file, f"no readable NIfTI ({type(error).__name__})", "export the mask again"
        ) from error


def _plain(content: bytes, file: str) -> bytes:
    if content[:2] != b"\x1f\x8b":
        return content
    most = int(limit("voxels_max")) * _MOST_BYTES + _HEADER
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            plain = stream.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError(file, "the compressed file is damaged", "export it again") from error
    if len(plain) > most:
        raise TooLargeError(file, "expands to more voxels than a series may have", "crop it")
    return plain
