"""The files of a CT series to a volume in Hounsfield units, or a refusal that says why."""

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from knowledge.ct_measurements import ct_measurements, limit
from knowledge.errors import (
    ContractError,
    InputError,
    TooLargeError,
    UnreadableError,
    UnsupportedError,
)
from knowledge.settings import Settings, load_settings
from tools.ecg.readers.dicom import parse_errors, silence_pydicom
from tools.imaging.ct.geometry import Stack, stacked
from tools.imaging.ct.model import Hu, LeftOut, SeriesFacts, Volume
from tools.imaging.ct.series import choose
from tools.imaging.ct.slice_header import SliceHeader, read_header
from tools.imaging.decoding import Decoding
from tools.imaging.dicom_object import AGAIN
from tools.intake.sniff import sniff

Source = Path | bytes
_MIB = 1 << 20
_TRUNCATED = "pixels-truncated"
_MISSING = "pixels-missing"


def read_folder(
    folder: Path,
    *,
    series: str | None = None,
    zone: str | None = None,
    settings: Settings | None = None,
) -> Volume:
    """Return the CT series of a folder as a volume.

    Args:
        folder: A folder with its files; folders inside are read too.
        series: Series Instance UID, where the folder has several.
        zone: IANA zone of times without an offset.
        settings: Limits on files; those of the process unless given.

    Raises:
        UnreadableError: No such folder, or a file that is damaged.
        ContractError: No series that can be measured; see `read_files`.
        TooLargeError: More or larger files than the settings take.
    """
    limits = settings or load_settings()
    if not folder.is_dir():
        raise UnreadableError(str(folder), "is no folder", "name the folder of a CT series")
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    if len(paths) > limits.max_files:
        raise TooLargeError(
            str(folder), f"has more than {limits.max_files} files", "give the folder of one series"
        )
    files = {str(p.relative_to(folder)): p for p in paths}
    return read_files(files, series=series, zone=zone, settings=limits)


def read_files(
    files: Mapping[str, Source],
    *,
    series: str | None = None,
    zone: str | None = None,
    settings: Settings | None = None,
) -> Volume:
    """Return the CT series among some files as a volume.

    Pixels are decoded one file at a time into one array, so the memory is that of the volume.

    Args:
        files: Name to path or content.
        series: Series Instance UID, where there are several.
        zone: IANA zone of times without an offset.
        settings: Limits on files; those of the process unless given.

    Raises:
        ContractError: No axial source series, a gap, duplicate or uneven slices, gantry tilt, mixed
            reconstructions, no Hounsfield scale: names the file and the reason.
        UnreadableError: A damaged file, truncated pixels.
        UnsupportedError: Pixels in an encoding that cannot be decoded.
        TooLargeError: Too many voxels, or a file that is too large.
    """
    limits = settings or load_settings()
    headers, left = _headers(files, zone, limits)
    choice = choose(headers, series=series)
    stack = stacked(choice.slices)
    hu, clipped = _decoded(stack, files, limits)
    _check_scale(hu, stack.slices[0].file)
    facts = _facts(stack, clipped, (*left, *choice.left_out), (*choice.notes, *stack.notes))
    return Volume(hu=hu, spacing_mm=stack.spacing_mm, affine_lps=stack.affine_lps, facts=facts)


def _headers(
    files: Mapping[str, Source], zone: str | None, limits: Settings
) -> tuple[list[SliceHeader], list[LeftOut]]:
    headers: list[SliceHeader] = []
    left: list[LeftOut] = []
    for name, source in sorted(files.items()):
        content = _content(name, source, limits)
        if sniff(content) != "DICOM":
            left.append(LeftOut(item=name, reason="not DICOM"))
            continue
        try:
            header = read_header(content, file=name, zone=zone)
        except UnsupportedError as error:
            left.append(LeftOut(item=name, reason=error.reason))
            continue
        if not header.modality:
            raise UnreadableError(
                name,
                "DICOM without a modality: cut short, or no image; the series cannot be shown to "
                "be whole",
                "export it again, or take it out",
            )
        headers.append(header)
    if not headers:
        raise ContractError("CT series", "no DICOM image among the files", "give a CT series")
    return headers, left


def _content(name: str, source: Source, limits: Settings) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        if source.stat().st_size > limits.max_file_mib * _MIB:
            raise TooLargeError(name, f"is over {limits.max_file_mib} MiB", "leave it out")
        return source.read_bytes()
    except OSError as error:
        raise UnreadableError(name, f"cannot be opened: {error.strerror}", AGAIN) from error


def _decoded(stack: Stack, files: Mapping[str, Source], limits: Settings) -> tuple[Hu, int]:
    """Return the volume, and how many voxels lay below the scale."""
    first = stack.slices[0]
    shape = (len(stack.slices), first.rows, first.columns)
    if np.prod(shape, dtype=np.int64) > limit("voxels_max"):
        raise TooLargeError(
            "CT series", f"has {shape[0]} slices of {shape[1]} x {shape[2]}", "give a smaller part"
        )
    hu = np.empty(shape, dtype=np.int16)
    clipped = 0
    for level, one in enumerate(stack.slices):
        plane = _plane(one, _content(one.file, files[one.file], limits))
        clipped += int(np.count_nonzero(plane < limit("hu_low")))
        hu[level] = np.rint(np.maximum(plane, limit("hu_low")))
    return hu, clipped


def _plane(one: SliceHeader, content: bytes) -> "np.typing.NDArray[np.float32]":
    """Return the Hounsfield units of one slice, (rows, columns)."""
    if one.slope is None or one.intercept is None or one.slope == 0:
        raise ContractError(one.file, "no rescale slope and intercept: no Hounsfield units", AGAIN)
    if one.rescale_type not in ("", "HU"):
        raise ContractError(
            one.file, f"its values are {one.rescale_type}, not Hounsfield units", AGAIN
        )
    stored = _stored(one, content)
    if stored.shape != (one.rows, one.columns):
        raise UnreadableError(one.file, "the pixels have another size than stated", AGAIN)
    plane = stored.astype(np.float32) * np.float32(one.slope) + np.float32(one.intercept)
    if float(plane.max()) > limit("hu_high"):
        raise ContractError(one.file, "values beyond any Hounsfield unit", AGAIN)
    return plane


def _stored(one: SliceHeader, content: bytes) -> "np.typing.NDArray[np.generic]":
    import pydicom

    if {_TRUNCATED, _MISSING} & set(one.problems):
        raise UnreadableError(one.file, "truncated: the file ends before its pixels do", AGAIN)
    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(io.BytesIO(content), force=True)
            with Decoding():
                found: np.typing.NDArray[np.generic] = ds.pixel_array
            return found
        except (NotImplementedError, RuntimeError) as error:
            if "not-decodable" in one.problems:
                raise UnsupportedError(
                    one.file,
                    "no decoder for the encoding of its pixels",
                    "export it as Explicit VR Little Endian",
                ) from error
            raise UnreadableError(one.file, "the pixels cannot be decoded", AGAIN) from error
        except InputError:
            raise
        except _damaged() as error:
            raise UnreadableError(
                one.file, f"the pixels cannot be decoded ({type(error).__name__})", AGAIN
            ) from error


def _damaged() -> tuple[type[Exception], ...]:
    return (*parse_errors(), OSError)


def _check_scale(hu: Hu, file: str) -> None:
    """Refuse what cannot be a body in Hounsfield units."""
    some = hu[:: max(1, hu.shape[0] // 32), ::4, ::4]
    tissue = (some >= limit("hu_tissue_low")) & (some <= limit("hu_tissue_high"))
    if 100 * float(tissue.mean()) < limit("hu_tissue_share"):
        raise ContractError(
            file,
            "the values are no Hounsfield units of a body: almost nothing lies between "
            f"{limit('hu_tissue_low'):g} and {limit('hu_tissue_high'):g}",
            AGAIN,
        )
    values, counts = np.unique(some, return_counts=True)
    if 100 * counts.max() / some.size > limit("hu_constant_share"):
        raise ContractError(file, f"almost every voxel is {values[counts.argmax()]}: blank", AGAIN)


def _facts(
    stack: Stack, clipped: int, left: Sequence[LeftOut], notes: Sequence[str]
) -> SeriesFacts:
    first = stack.slices[0]
    times = [one.time for one in stack.slices if one.time is not None]
    return SeriesFacts(
        series=first.series,
        description=first.description,
        files=tuple(one.file for one in stack.slices),
        instances=tuple(one.instance for one in stack.slices if one.instance),
        frame=first.frame,
        modality=first.modality,
        body_part=first.body_part,
        shape=(len(stack.slices), first.rows, first.columns),
        spacing_mm=stack.spacing_mm,
        thickness_mm=first.thickness_mm,
        kernel=first.kernel,
        kernel_kind=ct_measurements().kernel_kind(first.kernel),
        kvp=first.kvp,
        contrast=first.contrast,
        age_years=first.age_years,
        time=min(times, key=lambda t: t.sort_key) if times else None,
        identity=first.identity,
        clipped=clipped,
        left_out=tuple(left),
        notes=tuple(notes),
    )
