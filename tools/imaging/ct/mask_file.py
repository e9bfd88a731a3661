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
from tools.imaging.contours.model import Structure, chosen
from tools.imaging.contours.read import is_dicom, read_structures
from tools.imaging.ct.model import Mask, Volume

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""NIfTI counts to the right, the front and the head; DICOM to the left, the back and the head."""

_HEADER = 352
_SHOWN = 8
_WITH_PLACE = "export it with its orientation (qform or sform)"
_MOST_BYTES = 8


def read_mask(content: bytes, volume: Volume, *, file: str, label: int | str | None = None) -> Mask:
    """Return the voxels of a mask, (slices, rows, columns) bool; see `read_structure`."""
    return read_structure(content, volume, file=file, label=label).mask


def read_structure(
    content: bytes, volume: Volume, *, file: str, label: int | str | None = None
) -> Structure:
    """Return a mask on the voxels of a series with what its file says of it.

    Args:
        content: A NIfTI file, plain or gzip; an RT Structure Set or a Segmentation.
        volume: The series.
        file: Name of the mask, for messages.
        label: Of a NIfTI file the value that counts, the only one beside 0 unless given; of the
            others the name of the structure, the only one unless given.

    Returns:
        Of a NIfTI file the name is that of its label where one was given, else empty.

    Raises:
        UnreadableError: Neither of them, or damaged.
        ContractError: Not three-dimensional, without a place, not on the series, no whole labels,
            or several structures.
        InvalidValueError: No structure of that name.
        IdentityConflictError: Of another patient than the series.
        TooLargeError: More voxels than a series may have.
        MissingExtraError: The package that reads NIfTI is not installed.
    """
    if is_dicom(content):
        structures = read_structures(content, volume, file=file)
        return chosen(structures, name=str(label or ""), file=file)
    value = _value(label, file)
    mask = _from_nifti(content, volume, file, value)
    return Structure(
        number=value or 1,
        name="" if value is None else f"label {value}",
        mask=mask,
        notes=("a NIfTI file names no patient and no series",),
    )


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
    marked = values == _one_label(values, label, file)
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


def _one_label(values: NDArray[Any], label: int | None, file: str) -> int:
    """Return the value that counts: the one that was named, or the only one beside 0."""
    found = np.unique(values)
    if not np.isfinite(found).all() or (found < 0).any() or (found != np.rint(found)).any():
        raise ContractError(
            file, "holds other values than the whole numbers of labels", "give 0 and 1, no shares"
        )
    labels = [int(v) for v in found if v]
    if not labels:
        raise ContractError(file, "nothing is marked", "give a mask with something in it")
    if label is None and len(labels) > 1:
        shown = ", ".join(str(v) for v in labels[:_SHOWN]) + (", ..." if labels[_SHOWN:] else "")
        raise ContractError(file, f"holds {len(labels)} labels: {shown}", "name the one meant")
    if label is not None and label not in labels:
        raise ContractError(file, f"label {label} is not in it", "name one of its labels")
    return labels[0] if label is None else label


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
        if not (int(image.header["qform_code"]) or int(image.header["sform_code"])):
            # NIfTI-1, qform_code and sform_code: both 0 means that no place is stated
            raise ContractError(
                file, "states no place: where it lies on the series is not known", _WITH_PLACE
            )
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
