"""Where received objects are kept: on the disk before the sender is told; a study, one patient."""

import contextlib
import hashlib
import io
import os
import re
import shutil
import threading
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from knowledge.errors import (
    IdentityConflictError,
    InvalidValueError,
    TooLargeError,
    UnavailableError,
    UnreadableError,
)
from tools.ecg.readers.dicom import parse_errors, silence_pydicom

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_WHO = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex")
_SIZE = (
    "Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "NumberOfFrames",
    "PhotometricInterpretation",
)  # fmt: skip
_PLAIN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
"""Transfer syntaxes whose pixel data has the length that the header says (PS3.5 A.1 to A.3)."""
_PATIENT = "patient.json"
_AGAIN = "send it again from the archive"
SUFFIX = ".dcm"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One object on the disk.

    Args:
        path: The file.
        study, series, instance: Its identifiers.
        again: The very same object was here before.
    """

    path: Path
    study: str
    series: str
    instance: str
    again: bool


class Inbox:
    """The folder of received objects: ``study/series/instance.dcm``.

    Args:
        folder: Made where it is not there.
        object_bytes: Largest object.
        total_bytes: Most of all objects.
    """

    def __init__(self, folder: Path, *, object_bytes: int, total_bytes: int) -> None:
        self.folder = folder
        self._object_bytes, self._total_bytes = object_bytes, total_bytes
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._study_of = {p.name: p.parent.name for p in self.series_folders()}
            self._used = sum(p.stat().st_size for p in folder.rglob(f"*{SUFFIX}"))
        except OSError as error:
            raise _away(error) from error

    def keep(self, content: bytes) -> Kept:
        """Keep one object and return where; it is on the disk then.

        Raises:
            UnreadableError: No DICOM file, without its identifiers, or its pixels are cut off.
            InvalidValueError: Another object has the same identifier.
            IdentityConflictError: Of another patient than the rest of its study, or its series is
                of another study here.
            TooLargeError: Over a limit.
            UnavailableError: The disk cannot be used.
        """
        if len(content) > self._object_bytes:
            raise TooLargeError(
                "object", f"over {self._object_bytes >> 20} MiB", "EPICRISIS_DICOM_OBJECT_MIB"
            )
        uids, who = _head(content)
        study, series, instance = uids
        path = self.folder / study / series / f"{instance}{SUFFIX}"
        with self._lock:
            try:
                return self._put(path, content, who, uids)
            except OSError as error:
                raise _away(error) from error

    def _put(
        self, path: Path, content: bytes, who: dict[str, str], uids: tuple[str, str, str]
    ) -> Kept:
        self._same_study(uids[1], uids[0])
        self._same_patient(path.parent.parent / _PATIENT, who)
        kept = Kept(path=path, study=uids[0], series=uids[1], instance=uids[2], again=False)
        if path.exists():
            if path.read_bytes() == content:
                return Kept(**{**kept.__dict__, "again": True})
            raise InvalidValueError(
                "object", "another one has the same SOP Instance UID", "correct it at its source"
            )
        if self._used + len(content) > self._total_bytes:
            raise TooLargeError("inbox", "is full", "raise EPICRISIS_DICOM_INBOX_GIB or clear it")
        _durable(path, content)
        self._used += len(content)
        self._study_of[uids[1]] = uids[0]
        return kept

    def _same_study(self, series: str, study: str) -> None:
        """Refuse a series that another study has: one of the two is named wrongly."""
        known = self._study_of.get(series, study)
        if known != study and (self.folder / known / series).exists():
            raise IdentityConflictError(
                "object", "its series is one of another study here", "correct it at its source"
            )

    def _same_patient(self, path: Path, who: dict[str, str]) -> None:
        """Compare with the first object of the study; what differs is never put beside it."""
        if not path.exists():
            _durable(path, orjson.dumps(who))
            return
        before = orjson.loads(path.read_bytes())
        differ = [keyword for keyword in _WHO if before.get(keyword, who[keyword]) != who[keyword]]
        if differ:
            raise IdentityConflictError(
                "object",
                f"differs from the other objects of its study in {', '.join(differ)}",
                "correct the study at its source",
            )

    def series_folders(self) -> list[Path]:
        """Return the folder of every series here."""
        return sorted(p for p in self.folder.glob("*/*") if p.is_dir())

    def studies(self) -> list[str]:
        """Return the Study Instance UID of every study here."""
        return sorted(p.name for p in self.folder.iterdir() if p.is_dir())

    def changed(self, study: str) -> int:
        """Return a number that becomes another when something in a study's series changes, ns."""
        folders = [p for p in (self.folder / study).iterdir() if p.is_dir()]
        return hash(tuple(sorted((p.name, p.stat().st_mtime_ns) for p in folders)))

    def images_of(self, study: str) -> list[Path]:
        """Return the objects of a study, by series and instance; none where it is not here."""
        return sorted((self.folder / study).glob(f"*/*{SUFFIX}"))


def forget_studies(folder: Path, studies: Iterable[str]) -> None:
    """Delete studies from an inbox, for their case is deleted.

    Raises:
        UnavailableError: The disk cannot be used.
    """
    for study in studies:
        if not _UID.fullmatch(study):
            continue
        try:
            shutil.rmtree(folder / study)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _away(error) from error


def _head(content: bytes) -> tuple[tuple[str, str, str], dict[str, str]]:
    """Return study, series and instance, and the digests of who the patient is."""
    import pydicom

    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            file = io.BytesIO(content)
            ds = pydicom.dcmread(
                file, stop_before_pixels=True, specific_tags=[*_UIDS, *_WHO, *_SIZE]
            )
            _check_whole(ds, left=len(content) - file.tell())
            uids = tuple(str(ds.get(keyword, "") or "") for keyword in _UIDS)
            who = {keyword: _digest(ds, keyword) for keyword in _WHO}
        except parse_errors() as error:
            raise UnreadableError("object", "no readable DICOM", _AGAIN) from error
    for keyword, uid in zip(_UIDS, uids, strict=True):
        if not _UID.fullmatch(uid) or len(uid) > 64:
            raise UnreadableError("object", f"states no valid {keyword}", _AGAIN)
    return (uids[0], uids[1], uids[2]), who


def _check_whole(ds: Any, *, left: int) -> None:
    """Refuse pixel data shorter than the header says; coded pictures are checked when decoded.

    Args:
        ds: The header.
        left: Bytes after it: none, or the pixel data.
    """
    from pydicom.pixels.utils import get_expected_length

    syntax = str(ds.file_meta.get("TransferSyntaxUID", "") or "")
    if not left or syntax not in _PLAIN or any(keyword not in ds for keyword in _SIZE[:4]):
        return
    wanted = get_expected_length(ds)
    if left < wanted:
        raise UnreadableError("object", f"cut off: {left} of {wanted} bytes of pixels", _AGAIN)


def _digest(ds: Any, keyword: str) -> str:
    text = str(ds.get(keyword, "") or "").strip().strip("^").casefold()
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def _durable(path: Path, content: bytes) -> None:
    """Write a file so that it is whole or not there, whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.part")
    with beside.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    for folder in (path.parent, path.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def durable(path: Path, content: bytes) -> None:
    """Write a file durably.

    Raises:
        UnavailableError: The disk cannot be used.
    """
    try:
        _durable(path, content)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.with_name(f"{path.name}.part").unlink()
        raise _away(error) from error


def _away(error: OSError) -> UnavailableError:
    return UnavailableError("the inbox", f"cannot be used: {error.strerror}", "check the disk")
