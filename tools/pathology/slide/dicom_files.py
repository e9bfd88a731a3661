"""Which files make up a DICOM slide: the levels of one series, never its label or overview."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from knowledge.errors import ContractError, InvalidValueError, UnreadableError, UnsupportedError
from knowledge.model import Frozen

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
"""VL Whole Slide Microscopy Image Storage (PS3.4 B.5)."""

MAX_FILES = 4096
_LEFT_OUT = ("LABEL", "OVERVIEW", "THUMBNAIL")
"""Third value of (0008,0008) of pictures that are no level (PS3.3 C.8.12.4.1.1)."""


class DicomSlide(Frozen):
    """The levels of one slide.

    Args:
        files: One or more for each level.
        series: Series Instance UID.
        objective: As stated; None where not.
        left_out: Kinds of the pictures of the series that are no level.
        notes: What is doubtful.
    """

    files: tuple[Path, ...]
    series: str
    objective: float | None
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def is_dicom(path: Path) -> bool:
    """Return whether a file begins as DICOM does (PS3.10 7.1)."""
    with path.open("rb") as opened:
        return opened.read(132)[128:] == b"DICM"


def dicom_slide(path: Path) -> DicomSlide:
    """Return the slide of a file and the files beside it, or of a folder.

    Raises:
        UnreadableError: Damaged.
        UnsupportedError: No slide.
        ContractError: The folder holds several slides, or one of an animal.
    """
    folder = path if path.is_dir() else path.parent
    wanted = "" if path.is_dir() else _required(path)
    found: dict[str, list[tuple[Path, Any]]] = defaultdict(list)
    for one in sorted(folder.iterdir())[:MAX_FILES]:
        if not one.is_file() or not is_dicom(one):
            continue
        header = _header(one)
        if header is None or str(header.get("SOPClassUID", "")) != WHOLE_SLIDE:
            continue
        series = str(header.get("SeriesInstanceUID", ""))
        if not wanted or series == wanted:
            found[series].append((one, header))
    if not found:
        raise UnsupportedError(path.name, "no DICOM slide in it", "name a slide or its folder")
    if len(found) > 1:
        raise ContractError(path.name, f"{len(found)} slides in it", "name one file of the slide")
    series, rows = found.popitem()
    return _put_together(path, series, rows)


def _put_together(path: Path, series: str, rows: list[tuple[Path, Any]]) -> DicomSlide:
    from tools.imaging.human import check_human

    levels = [(file, header) for file, header in rows if _kind(header) not in _LEFT_OUT]
    levels = _once(path, levels)
    if not levels:
        raise UnsupportedError(
            path.name, "only a label or an overview, which is never passed on", "name a level"
        )
    for _, header in levels:
        check_human(header, path.name)
    notes = []
    planes = max(int(header.get("TotalPixelMatrixFocalPlanes", 1) or 1) for _, header in levels)
    if planes > 1:
        notes.append(f"{planes} focal planes: the first is read")
    return DicomSlide(
        files=tuple(file for file, _ in levels),
        series=series,
        objective=next((o for o in (_objective(h) for _, h in levels) if o is not None), None),
        left_out=tuple(sorted({_kind(h).lower() for _, h in rows if _kind(h) in _LEFT_OUT})),
        notes=tuple(notes),
    )


def _once(path: Path, levels: list[tuple[Path, Any]]) -> list[tuple[Path, Any]]:
    """Return the levels with each instance once: of copies the file that was named."""
    found: dict[str, tuple[Path, Any]] = {}
    for file, header in levels:
        instance = str(header.get("SOPInstanceUID", "")) or file.name
        if instance in found and path.is_dir():
            raise ContractError(path.name, "two files of one instance", "take one of them out")
        if instance not in found or file == path:
            found[instance] = (file, header)
    return list(found.values())


def _required(path: Path) -> str:
    header = _header(path)
    if header is None:
        raise UnreadableError(path.name, "damaged DICOM", "export the slide again")
    if str(header.get("SOPClassUID", "")) != WHOLE_SLIDE:
        raise UnsupportedError(path.name, "a DICOM object that is no slide", "name a slide")
    series = str(header.get("SeriesInstanceUID", ""))
    if not series:
        raise InvalidValueError(path.name, "without a series UID", "export the slide again")
    return series


def _header(path: Path) -> Any:
    """Return the header without pixels, or None where it is damaged."""
    import warnings

    import pydicom

    from tools.ecg.readers.dicom import parse_errors, silence_pydicom

    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(path, stop_before_pixels=True)
        except parse_errors():
            return None


def _kind(header: Any) -> str:
    kinds = header.get("ImageType") or []
    return str(kinds[2]).upper() if not isinstance(kinds, str) and len(kinds) > 2 else ""


def _objective(header: Any) -> float | None:
    for path in header.get("OpticalPathSequence") or []:
        try:
            return float(path["ObjectiveLensPower"].value)
        except (KeyError, TypeError, ValueError):
            continue
    return None
