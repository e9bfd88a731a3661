"""The readings of a case as they are known at a moment, and those that were released for it."""

import hashlib
from collections.abc import Collection, Mapping, Sequence

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import EpicrisisError
from tools.imaging.model import ImageFile
from tools.intake.readings import REPLACED, Readings, reading_file
from tools.intake.result import InputFile
from tools.intake.withhold import is_future
from tools.readings.check import faults
from tools.readings.in_case import UNSIGNED, ReadingFile, Standing, why_unsigned
from tools.readings.model import Reading

RELEASED = "released reading"
"""Begins the name of a reading that was released for the case, beside its files."""

OUTGROWN = "does not fit the form that is installed now, so nothing of it is used"
"""Of a released reading whose form has changed since."""


def in_time(
    read: Sequence[ReadingFile], images: Mapping[str, ImageFile], now: ClinicalTime | None
) -> tuple[ReadingFile, ...]:
    """Return the readings as they are known at a moment.

    A reading without a time has that of its images, where these are in the case. One that is signed
    later than the moment is not signed yet.

    Args:
        read: The readings of the case.
        images: Those that belong.
        now: The moment after which everything is in the future; None for no limit.
    """
    return tuple(_unsigned_until(_dated(one, images.values()), now) for one in read)


def known_at(
    readings: Readings, images: Mapping[str, ImageFile], now: ClinicalTime | None
) -> Readings:
    """Return the reading files as they are known at a moment; see `in_time`."""
    found = in_time(tuple(readings.read.values()), images, now)
    return Readings(read={one.file: one for one in found}, failed=readings.failed)


def _dated(one: ReadingFile, images: Collection[ImageFile]) -> ReadingFile:
    if one.time is not None or one.reading.study.done is not None:
        return one
    times = {i.time for i in images if i.study == one.reading.study.study_uid and i.time}
    earliest = min(times, key=lambda time: time.at.isoformat(), default=None)
    return one if earliest is None else one.model_copy(update={"time": earliest})


def _unsigned_until(one: ReadingFile, now: ClinicalTime | None) -> ReadingFile:
    signed = one.reading.signed
    if signed is None or now is None or not is_future(ClinicalTime(at=signed.at), now):
        return one
    update = {"signed": None, "status": "preliminary"}
    reading = one.reading.model_copy(update=update)
    return one.model_copy(update={"reading": reading, "signed_later": ClinicalTime(at=signed.at)})


def released_reading(reading: Reading, release: str) -> ReadingFile:
    """Return a reading that was released for this very case, under the name it has in lists.

    Args:
        reading: What was released.
        release: Id of the release.
    """
    return reading_file(reading, file=f"{RELEASED} {release}", written_as="released here")


def fitting(released: Sequence[ReadingFile]) -> tuple[ReadingFile, ...]:
    """Return the released readings that fit the forms that are installed now.

    A form changes after a release: what fits the newer version too still says what it said; what
    does not is told by `released_reports` and answers nothing.
    """
    return tuple(one for one in released if _outgrown(one) is None)


def released_reports(
    released: Sequence[ReadingFile], stands: Mapping[str, Standing]
) -> tuple[InputFile, ...]:
    """Return the entries of a list of sources for readings that were released here."""
    return tuple(_released_report(one, stands.get(one.file)) for one in released)


def _released_report(one: ReadingFile, stands: Standing | None) -> InputFile:
    fault = _outgrown(one)
    if fault is not None:
        status, reason = "failed", f"{OUTGROWN}: {fault}"
    elif stands == "superseded":
        status, reason = "ignored", REPLACED
    elif stands == "unsigned":
        status, reason = "read", f"{UNSIGNED}: {why_unsigned(one)}"
    else:
        status, reason = "read", None
    return InputFile.model_validate(
        {
            "file": one.file,
            "kind": f"structured reading ({one.written_as})",
            "status": status,
            "reason": reason,
            "unread": stands == "unsigned",
            "sha256": hashlib.sha256(one.reading.model_dump_json().encode()).hexdigest(),
        }
    )


def _outgrown(one: ReadingFile) -> EpicrisisError | None:
    return next(faults(one.reading, any_version=True), None)
