"""Which files make up a DICOM slide: the levels of one series, never its label or overview."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import ContractError, InvalidValueError, UnreadableError, UnsupportedError
from knowledge.model import Frozen
from tools.imaging.slide_label import IDENTIFYING, LABEL_INSIDE, image_types, label_inside

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
"""VL Whole Slide Microscopy Image Storage (PS3.4 B.5)."""

MAX_FILES = 4096
_LEFT_OUT = IDENTIFYING | {"THUMBNAIL"}
"""Values of Image Type of pictures that are no level (PS3.3 C.8.12.4.1.1)."""


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


@dataclass(frozen=True, kw_only=True)
class _Header:
    """What one file says.

    Args:
        animal: Why the patient is no human; None for a human.
        kind: That by which it is no level; else the third value of the image type.
        labelled: It says that the label is seen on it.
    """

    sop_class: str
    series: str
    instance: str
    kind: str
    objective: float | None
    planes: int
    labelled: bool
    animal: ContractError | None


_Rows = list[tuple[Path, _Header]]


def is_dicom(path: Path) -> bool:
    """Return whether a file begins as DICOM does (PS3.10 7.1)."""
    with path.open("rb") as opened:
        return opened.read(132)[128:] == b"DICM"


def slide_series(path: Path) -> str | None:
    """Return the series of a file of a DICOM slide; None for another file and a damaged one."""
    header = _header(path) if is_dicom(path) else None
    return header.series if header is not None and header.sop_class == WHOLE_SLIDE else None


def dicom_slide(path: Path) -> DicomSlide:
    """Return the slide of a file and the files beside it, or of a folder.

    Raises:
        UnreadableError: Damaged.
        UnsupportedError: No slide.
        ContractError: The folder holds several slides, or one of an animal.
    """
    folder = path if path.is_dir() else path.parent
    wanted = "" if path.is_dir() else _required(path)
    found: dict[str, _Rows] = defaultdict(list)
    for one in sorted(folder.iterdir())[:MAX_FILES]:
        if not one.is_file() or not is_dicom(one):
            continue
        header = _header(one)
        if header is None or header.sop_class != WHOLE_SLIDE:
            continue
        if not wanted or header.series == wanted:
            found[header.series].append((one, header))
    if not found:
        raise UnsupportedError(path.name, "no DICOM slide in it", "name a slide or its folder")
    if len(found) > 1:
        raise ContractError(path.name, f"{len(found)} slides in it", "name one file of the slide")
    series, rows = found.popitem()
    return _put_together(path, series, rows)


def _put_together(path: Path, series: str, rows: _Rows) -> DicomSlide:
    levels = [(file, header) for file, header in rows if header.kind not in _LEFT_OUT]
    levels = _once(path, levels)
    if not levels:
        raise UnsupportedError(
            path.name, "only a label or an overview, which is never passed on", "name a level"
        )
    for file, header in levels:
        if header.labelled:
            raise ContractError(
                file.name, f"{LABEL_INSIDE}: never passed on", "export the slide without its label"
            )
        if header.animal is not None:
            raise ContractError(path.name, header.animal.reason, header.animal.way_out)
    planes = max(header.planes for _, header in levels)
    notes = (f"{planes} focal planes: the first is read",) if planes > 1 else ()
    powers = (header.objective for _, header in levels)
    return DicomSlide(
        files=tuple(file for file, _ in levels),
        series=series,
        objective=next((power for power in powers if power is not None), None),
        left_out=tuple(sorted({h.kind.lower() for _, h in rows if h.kind in _LEFT_OUT})),
        notes=notes,
    )


def _once(path: Path, levels: _Rows) -> _Rows:
    """Return the levels with each instance once: of copies the file that was named."""
    found: dict[str, tuple[Path, _Header]] = {}
    for file, header in levels:
        instance = header.instance or file.name
        if instance in found and path.is_dir():
            raise ContractError(path.name, "two files of one instance", "take one of them out")
        if instance not in found or file == path:
            found[instance] = (file, header)
    return list(found.values())


def _required(path: Path) -> str:
    header = _header(path)
    if header is None:
        raise UnreadableError(path.name, "damaged DICOM", "export the slide again")
    if header.sop_class != WHOLE_SLIDE:
        raise UnsupportedError(path.name, "a DICOM object that is no slide", "name a slide")
    if not header.series:
        raise InvalidValueError(path.name, "without a series UID", "export the slide again")
    return header.series


def _header(path: Path) -> _Header | None:
    """Return what a file says, or None where it is damaged.

    pydicom decodes a value when it is asked for: everything is asked for in here.
    """
    import warnings

    import pydicom

    from tools.ecg.readers.dicom import parse_errors, silence_pydicom

    silence_pydicom()
    kinds: tuple[type[Exception], ...] = (*parse_errors(), NotImplementedError)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _said(pydicom.dcmread(path, stop_before_pixels=True), path.name)
        except kinds:
            return None


def _said(ds: Any, file: str) -> _Header:
    from tools.imaging.human import check_human

    animal = None
    try:
        check_human(ds, file)
    except ContractError as error:
        animal = error
    kinds = image_types(ds)
    apart = [kind for kind in kinds if kind in _LEFT_OUT]
    return _Header(
        sop_class=str(ds.get("SOPClassUID", "")),
        series=str(ds.get("SeriesInstanceUID", "")),
        instance=str(ds.get("SOPInstanceUID", "")),
        kind=apart[0] if apart else (kinds[2] if len(kinds) > 2 else ""),
        objective=_objective(ds),
        planes=int(ds.get("TotalPixelMatrixFocalPlanes", 1) or 1),
        labelled=label_inside(ds),
        animal=animal,
    )


def _objective(ds: Any) -> float | None:
    for path in ds.get("OpticalPathSequence") or []:
        try:
            return float(path["ObjectiveLensPower"].value)
        except (KeyError, TypeError, ValueError):
            continue
    return None
