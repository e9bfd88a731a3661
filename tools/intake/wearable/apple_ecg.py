"""Reading the ECG that a watch's health app exports as CSV: a head of words, then microvolts."""

import csv
import re
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from knowledge.clinical_time import ClinicalTime, Precision, place
from knowledge.errors import InvalidValueError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.patient import Identity
from tools.ecg.amplitude_range import is_beyond_recorders
from tools.ecg.readers.device_said import clean
from tools.intake.wearable.model import Strip, WearableFile
from tools.intake.wearable.reading import moment

MAX_BYTES = 4 * 1024 * 1024
"""30 s at 512 Hz are 15360 lines, some 0.12 MiB."""

_HEAD_LINES = 40
_KEYS = ("Recorded Date", "Classification", "Sample Rate")
_RATE = re.compile(r"(\d{1,5}(?:[.,]\d{1,6})?)\s*(?:hertz|hz)", re.IGNORECASE)
_SAMPLE = re.compile(r"-?\d{1,6}(?:[.,]\d{1,6})?")
_UNITS = {"µv": 1e-3, "μv": 1e-3, "uv": 1e-3, "mv": 1.0}
_BIRTHS = ("%Y-%m-%d", "%b %d, %Y", "%d %b %Y", "%B %d, %Y", "%d %B %Y")
_AGAIN = "export the ECG again from the health app"
_RATES_HZ = (50.0, 2000.0)


def is_apple_ecg(head: bytes) -> bool:
    """Return whether a text begins with the head of such a file, in English."""
    text = head[:4096].decode("utf-8", errors="ignore").removeprefix("\ufeff")
    found = {line.partition(",")[0].strip() for line in text.splitlines()[:_HEAD_LINES]}
    return found.issuperset(_KEYS)


def read_apple_ecg(content: bytes, *, file: str, zone: str | None) -> WearableFile:
    """Return the strip in a file.

    Args:
        content: The whole file.
        file: Its name.
        zone: IANA zone declared for a time without an offset.

    Raises:
        UnreadableError: A line that is no sample, no rate, no samples.
        UnsupportedError: A lead or unit that is not taken.
        TooLargeError: Over `MAX_BYTES`.
    """
    if len(content) > MAX_BYTES:
        raise TooLargeError(file, f"{len(content)} bytes", "give one ECG of 30 s")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UnreadableError(file, "not a text in UTF-8", _AGAIN) from error
    head, start = _head(lines, file)
    samples = _samples(lines, start, file) * _scale(head, file)
    if is_beyond_recorders(samples[:, None]):
        raise UnreadableError(file, "an amplitude that no recorder can put out", _AGAIN)
    problems: list[str] = []
    strip = Strip(
        file=file,
        lead=clean(head.get("Lead", ""), 40) or "lead not stated",
        signal_mv=samples,
        sampling_rate_hz=_rate(head, file),
        time=_time(head, file, zone, problems),
        classification=clean(head.get("Classification", ""), 100),
        device=clean(head.get("Device", ""), 60),
    )
    return WearableFile(
        file=file,
        kind="single-lead ECG of a wearable",
        identity=_identity(head, file, zone, problems),
        strips=(strip,),
        counts={"single-lead ECG": 1},
        problems=tuple(problems),
    )


def _head(lines: list[str], file: str) -> tuple[dict[str, str], int]:
    """Return the head, and the line at which the samples begin."""
    head: dict[str, str] = {}
    for at, line in enumerate(lines[:_HEAD_LINES]):
        if _SAMPLE.fullmatch(line.strip()):
            return head, at
        try:
            row = next(csv.reader([line]), [])
        except csv.Error as error:
            raise UnreadableError(file, f"line {at + 1} cannot be read", _AGAIN) from error
        if len(row) > 1:
            head.setdefault(row[0].strip(), ",".join(row[1:]).strip())
    raise UnreadableError(file, "no samples", _AGAIN)


def _samples(lines: list[str], start: int, file: str) -> NDArray[np.float64]:
    values: list[float] = []
    for at in range(start, len(lines)):
        text = lines[at].strip()
        if not text:
            continue
        if _SAMPLE.fullmatch(text) is None:
            raise UnreadableError(file, f"line {at + 1} is no sample", _AGAIN)
        values.append(float(text.replace(",", ".")))
    return np.array(values)


def _scale(head: dict[str, str], file: str) -> float:
    """Return mV of one unit.

    Raises:
        UnsupportedError: No unit of voltage that is known.
    """
    unit = head.get("Unit", "").strip()
    scale = _UNITS.get(unit.casefold()) or _UNITS.get(unit.lower())
    if scale is None:
        raise UnsupportedError(file, "the samples have no unit that is known", _AGAIN)
    return scale


def _rate(head: dict[str, str], file: str) -> float:
    stated = _RATE.fullmatch(head.get("Sample Rate", "").strip())
    rate = float(stated.group(1).replace(",", ".")) if stated else 0.0
    if not _RATES_HZ[0] <= rate <= _RATES_HZ[1]:
        raise UnreadableError(file, "no sampling rate that a watch has", _AGAIN)
    return rate


def _time(
    head: dict[str, str], file: str, zone: str | None, problems: list[str]
) -> ClinicalTime | None:
    try:
        return moment(head.get("Recorded Date", ""), clock=file, zone=zone)[0]
    except InvalidValueError as error:
        problems.append(f"the time of the recording is not used: {error.reason}")
        return None


def _identity(head: dict[str, str], file: str, zone: str | None, problems: list[str]) -> Identity:
    born, text = None, head.get("Date of Birth", "").strip()
    for form in _BIRTHS:
        try:
            at = datetime.strptime(text, form)  # noqa: DTZ007 - a date
            born = place(at, clock=file, zone=zone, precision=Precision.DAY)
            break
        except (ValueError, InvalidValueError):
            continue
    if text and born is None:
        problems.append("the date of birth cannot be read; identities are compared without it")
    return Identity(source=file, family=clean(head.get("Name", ""), 200) or None, birth_date=born)
