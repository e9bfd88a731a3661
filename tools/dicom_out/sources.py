"""The images that a result is about: of one patient and study, ready to be referred to."""

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.errors import (
    ContractError,
    IdentityConflictError,
    InputError,
    InvalidValueError,
    UnreadableError,
)
from tools.ecg.readers.dicom import parse_errors, silence_pydicom
from tools.imaging.dicom_object import AGAIN
from tools.imaging.human import check_human

Source = Path | bytes

_NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_WHO = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex")
_EMPTY_WHERE_ABSENT = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate",
    "StudyTime", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""Patient and study attributes of type 2 (PS3.3 C.7.1.1, C.7.2.1): known to be unknown."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sources:
    """Images of one patient and one study.

    Args:
        datasets: Their headers, decoded to Unicode; in the order given.
        files: Their names, likewise.
    """

    datasets: tuple[Any, ...] = field(repr=False)
    files: tuple[str, ...]

    @property
    def study(self) -> str:
        """Study Instance UID."""
        return str(self.datasets[0].StudyInstanceUID)

    @property
    def instances(self) -> tuple[str, ...]:
        """SOP Instance UIDs."""
        return tuple(str(one.SOPInstanceUID) for one in self.datasets)

    @property
    def modality(self) -> str:
        """Modality of the first."""
        return str(self.datasets[0].get("Modality", "") or "")

    def of(self, instances: Sequence[str]) -> "Sources":
        """Return the images with these SOP Instance UIDs, in this order.

        Raises:
            InvalidValueError: One is not among them.
        """
        known = dict(zip(self.instances, range(len(self.datasets)), strict=True))
        missing = [one for one in instances if one not in known]
        if missing:
            raise InvalidValueError(
                f"image {missing[0]}", "is not among the sources", "give the files it is in"
            )
        places = [known[one] for one in instances]
        return Sources(
            datasets=tuple(self.datasets[i] for i in places),
            files=tuple(self.files[i] for i in places),
        )


def read_sources(
    files: Mapping[str, Source], *, series: str | None = None, pixels: bool = False
) -> Sources:
    """Return the images among some files as sources.

    Args:
        files: Name to path or content.
        series: Series Instance UID, where there are several.
        pixels: Keep the pixel data too.

    Raises:
        UnreadableError: A file is damaged.
        ContractError: An image states no identifiers; several series and none named; an animal.
        IdentityConflictError: They are of several patients.
    """
    found: list[tuple[str, Any]] = []
    for name, source in sorted(files.items()):
        ds = _read(name, source, pixels=pixels)
        if ds is None or (series is not None and str(ds.SeriesInstanceUID) != series):
            continue
        found.append((name, ds))
    if not found:
        which = f"of series {series} " if series else ""
        raise ContractError("source images", f"no DICOM image {which}among the files", "check them")
    _check_one(found)
    return Sources(datasets=tuple(ds for _, ds in found), files=tuple(name for name, _ in found))


def _read(name: str, source: Source, *, pixels: bool) -> Any | None:
    import pydicom

    silence_pydicom()
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise UnreadableError(name, f"cannot be opened: {error.strerror}", AGAIN) from error
    if content[128:132] != b"DICM":
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=not pixels)
            if not ds.get("Rows"):
                return None
            ds.decode()
            check_human(ds, name)
            _check_identified(ds, name)
            for keyword in _EMPTY_WHERE_ABSENT:
                if keyword not in ds:
                    setattr(ds, keyword, "")
        except InputError:
            raise
        except parse_errors() as error:
            raise UnreadableError(
                name, f"damaged DICOM ({type(error).__name__} while decoding)", AGAIN
            ) from error
        return ds


def _check_identified(ds: Any, name: str) -> None:
    missing = [keyword for keyword in _NEEDED if not str(ds.get(keyword, "") or "")]
    if missing:
        raise ContractError(
            name,
            f"states no {', '.join(missing)}: nothing can refer to it",
            "export it from the archive with its identifiers",
        )


def _check_one(found: Sequence[tuple[str, Any]]) -> None:
    first_name, first = found[0]
    for name, ds in found[1:]:
        for keyword in _WHO:
            if str(ds.get(keyword, "") or "") != str(first.get(keyword, "") or ""):
                raise IdentityConflictError(
                    name,
                    f"differs from {first_name} in {keyword}",
                    "give the images of one patient",
                    files=(first_name, name),
                )
        if ds.StudyInstanceUID != first.StudyInstanceUID:
            raise ContractError(name, f"is of another study than {first_name}", "give one study")
        if ds.SeriesInstanceUID != first.SeriesInstanceUID:
            raise ContractError(
                name, f"is of another series than {first_name}: mixed series", "name one series"
            )
