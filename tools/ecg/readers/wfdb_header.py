"""The WFDB header: what it says, read leniently, with every repair told.

Grammar: header(5) of the WFDB Applications Guide. Only the record line's name, counts and rate are
needed; a date written in another form (as in the CinC challenge records) is read or left out.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import TooLargeError, UnreadableError, UnsupportedError
from tools.ecg.readers import limits
from tools.ecg.readers.placed import placed

MAX_HEADER_BYTES = 1024 * 1024

# Numbers are bounded in length: no header needs more digits, and a number of thousands of digits
# takes long to match and cannot be converted.
_RECORD = re.compile(
    r"^(?P<name>[^\s/]+)(?:/(?P<segments>\d{1,6}))?[ \t]+(?P<signals>\d{1,4})"
    r"(?:[ \t]+(?P<rate>\d{1,12}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?)(?:/\S+)?"
    r"(?:[ \t]+(?P<samples>\d{1,12}))?(?P<rest>[ \t].*)?)?[ \t]*$"
)
_FORMAT = re.compile(
    r"(?P<format>\d{1,4})(?:x(?P<frame>\d{1,6}))?(?::(?P<skew>\d{1,9}))?(?:\+(?P<offset>\d{1,12}))?"
)
_GAIN = re.compile(
    r"(?P<gain>[-+]?\d{0,18}\.?\d{1,18}(?:[eE][+-]?\d{1,3})?)"
    r"(?:\((?P<baseline>[-+]?\d{1,12})\))?(?:/(?P<unit>\S{1,40}))?"
)
_DEFAULT_RATE_HZ = 250.0  # header(5): the rate where none is written
_DEFAULT_GAIN = 200.0  # header(5): adu per physical unit where none is written
_TIME_FORMS = ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M")
_START_WORDS = 8  # a time, a date and what little may stand between them
_DATE_FORMS = ("%d/%m/%Y", "%d-%b-%Y", "%Y-%m-%d")


@dataclass(frozen=True, kw_only=True)
class SignalLine:
    """One signal of a WFDB record.

    Args:
        file: Base name of the signal file; a folder written in the header is ignored.
        format: Storage format number.
        samples_per_frame: 1 for all signals of one rate.
        skew: Samples by which the signal is delayed in the file.
        offset: Bytes before the first sample.
        gain: adu per physical unit; 0 means not calibrated.
        baseline: adu at 0 physical units.
        unit: As written; empty where not written.
        gain_stated: Whether the gain was written and is not 0.
        initial: First sample in adu, where written.
        checksum: 16-bit sum of all samples, where written.
        description: The lead name as written.
    """

    file: str
    format: int
    samples_per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    unit: str
    gain_stated: bool
    initial: int | None
    checksum: int | None
    description: str


@dataclass(frozen=True, kw_only=True)
class Header:
    """A WFDB header.

    Args:
        name: Record name.
        rate_hz: Frames a second.
        samples: Length of each signal where written.
        signals: One line for each signal.
        start: Base date and time, naive, where both were understood.
        comments: Text of the comment lines.
        repairs: What was not as the format demands, in words.
    """

    name: str
    rate_hz: float
    samples: int | None
    signals: tuple[SignalLine, ...]
    start: datetime | None
    comments: tuple[str, ...]
    repairs: tuple[str, ...]

    def time(self, *, clock: str, zone: str | None, notes: list[str]) -> ClinicalTime | None:
        """Return the start in the declared zone, or on the file's own clock.

        A start that cannot be is told in `notes` and is None.
        """
        if self.start is None:
            return None
        return placed(self.start, "the start of the recording", clock=clock, zone=zone, notes=notes)


def looks_like_header(content: bytes) -> bool:
    """Return whether the bytes begin like a WFDB header: a record line, then a signal line."""
    text = content[:4096].decode("latin-1")
    if "\x00" in text:
        return False
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines or (match := _RECORD.match(lines[0])) is None:
        return False
    if match["segments"] or match["signals"] == "0":
        return True
    return len(lines) > 1 and _FORMAT.fullmatch([*lines[1].split(), "", ""][1]) is not None


def parse_header(content: bytes, *, file: str) -> Header:
    """Return the header.

    Raises:
        UnreadableError: The record line or a signal line cannot be understood.
        UnsupportedError: A multi-segment record, or one without signals.
        TooLargeError: The header is longer than `MAX_HEADER_BYTES`.
    """
    if len(content) > MAX_HEADER_BYTES:
        raise TooLargeError(file, "a WFDB header of over 1 MiB", "give the record's own header")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    comments = tuple(line.lstrip("#").strip() for line in lines if line.startswith("#"))
    lines = [line for line in lines if not line.startswith("#")]
    match = _RECORD.match(lines[0]) if lines else None
    if match is None:
        raise UnreadableError(file, "the record line cannot be understood", "correct the header")
    if match["segments"]:
        raise UnsupportedError(file, "a multi-segment record", "give the header of one segment")
    count = int(match["signals"])
    if count == 0:
        raise UnsupportedError(file, "a record without signals", "give a record with signals")
    if len(lines) - 1 < count:
        raise UnreadableError(
            file, f"truncated: {len(lines) - 1} of {count} signal lines", "copy the header again"
        )
    repairs: list[str] = []
    rate = float(match["rate"]) if match["rate"] else _DEFAULT_RATE_HZ
    if not match["rate"]:
        repairs.append("no sampling rate in the header; the format's default of 250 Hz was taken")
    limits.check_rate(file, rate)
    return Header(
        name=match["name"],
        rate_hz=rate,
        samples=int(match["samples"]) or None if match["samples"] else None,
        signals=tuple(_signal(line, file) for line in lines[1 : count + 1]),
        start=_start((match["rest"] or "").split(), repairs),
        comments=tuple(comment for comment in comments if comment),
        repairs=tuple(repairs),
    )


def _signal(line: str, file: str) -> SignalLine:
    """Return one signal line: file, format, gain, bits, zero, initial, checksum, block, name."""
    fields = line.split(maxsplit=8)
    form = _FORMAT.fullmatch(fields[1]) if len(fields) > 1 else None
    gain = _GAIN.fullmatch(fields[2]) if len(fields) > 2 else None
    number = float(gain["gain"]) if gain is not None else 0.0
    if form is None or (gain is None and len(fields) > 2) or not math.isfinite(number):
        raise UnreadableError(file, "a signal line cannot be understood", "correct the header")
    zero = _integer(fields, 4) or 0
    return SignalLine(
        file=re.split(r"[\\/]", fields[0])[-1],
        format=int(form["format"]),
        samples_per_frame=int(form["frame"] or 1),
        skew=int(form["skew"] or 0),
        offset=int(form["offset"] or 0),
        gain=number or _DEFAULT_GAIN,
        baseline=int(gain["baseline"]) if gain is not None and gain["baseline"] else zero,
        unit=(gain["unit"] or "") if gain is not None else "",
        gain_stated=number != 0,
        initial=_integer(fields, 5),
        checksum=_integer(fields, 6),
        description=fields[8].strip() if len(fields) > 8 else "",
    )


def _integer(fields: list[str], index: int) -> int | None:
    text = fields[index] if len(fields) > index else ""
    return int(text) if re.fullmatch(r"[-+]?\d{1,12}", text) else None


def _start(words: list[str], repairs: list[str]) -> datetime | None:
    """Return date and time from the rest of the record line, in either order."""
    if not words:
        return None
    near = words[:_START_WORDS]
    times = [t for w in near for t in (_first(w, _TIME_FORMS),) if t is not None]
    dates = [d for w in near for d in (_first(w, _DATE_FORMS),) if d is not None]
    if len(words) == 2 and _first(words[0], _TIME_FORMS) is None:
        repairs.append("the header's record line writes the date before the time")
    if not times or not dates:
        repairs.append("no start date and time that could be understood in the header")
        return None
    return datetime.combine(dates[0].date(), times[0].time())


def _first(word: str, forms: tuple[str, ...]) -> datetime | None:
    for form in forms:
        try:
            return datetime.strptime(word, form)  # noqa: DTZ007 - WFDB times carry no zone
        except ValueError:
            continue
    return None
