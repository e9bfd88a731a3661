"""Reading a WFDB record from the bytes of its header and of the signal files beside it.

A signal file is looked up by base name among the files given; a path in the header is never
followed.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import UnreadableError, UnsupportedError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding
from knowledge.patient import Identity
from tools.ecg.leads import is_12_lead
from tools.ecg.model import EcgRecording
from tools.ecg.readers import limits
from tools.ecg.readers.device_said import clean, device_text
from tools.ecg.readers.lead_names import in_standard_order, lead_of_text
from tools.ecg.readers.wfdb_header import Header, SignalLine, parse_header
from tools.ecg.readers.wfdb_samples import available, decode, invalid_value

_MAX_NAME = 60  # characters of a file or lead name in a message
_MV = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "v": 1e3, "nv": 1e-6}


def read_wfdb(
    content: bytes, *, file: str, siblings: Mapping[str, bytes], zone: str | None
) -> EcgRecording:
    """Return the recording of a WFDB header.

    Signals in another unit than volts (pressure, respiration) are left out with a note, and so are
    those whose file is not there while the eight independent leads are. The identity is empty:
    WFDB carries none, and comments such as age and sex are not one.

    Args:
        content: The header file.
        file: Its name.
        siblings: Signal files by base name.
        zone: IANA zone declared for the naive base time.

    Raises:
        UnreadableError: Header or signal file damaged, or a signal file that is needed is not
            there.
        UnsupportedError: A storage format, or several rates in one record.
        TooLargeError: Over a limit of `limits`.
    """
    header = parse_header(content, file=file)
    notes = list(header.repairs)
    header = _with_files(header, siblings, file, notes)
    used = {signal.file: _sibling(signal.file, siblings) for signal in header.signals}
    stored = _stored(header, used, file)
    _check_sums(header, stored, file, notes)
    keep = [i for i, line in enumerate(header.signals) if _is_voltage(line)]
    for i in sorted(set(range(len(header.signals))) - set(keep)):
        notes.append(f"signal {_lead_name(header, i)} is not in volts and was left out")
    if not keep:
        raise UnsupportedError(file, "no signal in volts", "give a 12-lead ECG record")
    names = [_lead_name(header, i) for i in keep]
    signal = np.stack([_millivolts(stored[:, i], header.signals[i]) for i in keep], axis=1)
    leads, signal = in_standard_order(names, signal)
    start = header.time(clock=file, zone=zone, notes=notes)
    return EcgRecording(
        id=limits.content_id([content, *(used[name] for name in sorted(used))]),
        file=file,
        source_format="wfdb",
        leads=leads,
        signal_mv=signal,
        sampling_rate_hz=header.rate_hz,
        start=start,
        identity=Identity(source=file),
        device_said=_comments(header, file, start),
        gain_doubt=_gain_doubt([header.signals[i] for i in keep]),
        notes=tuple(notes),
    )


def _with_files(
    header: Header, siblings: Mapping[str, bytes], file: str, notes: list[str]
) -> Header:
    """Return the header with the signals whose files are there; the others go into `notes`.

    Raises:
        UnreadableError: Without the missing ones it is not a 12-lead ECG.
    """
    there = tuple(line for line in header.signals if line.file in siblings)
    missing = [line for line in header.signals if line.file not in siblings]
    if not missing:
        return header
    files = ", ".join(dict.fromkeys(clean(line.file, _MAX_NAME) for line in missing))
    if not is_12_lead(tuple(lead_of_text(line.description) for line in there)):
        raise UnreadableError(
            file, f"its signal file {files} is not beside it", "add the file to the same folder"
        )
    names = ", ".join(clean(line.description, _MAX_NAME) or "without a name" for line in missing)
    notes.append(f"leads {names} not read: {files} is not beside the header")
    return replace(header, signals=there)


def _sibling(name: str, siblings: Mapping[str, bytes]) -> bytes:
    """Return the signal file of this base name.

    Raises:
        TooLargeError: It is over the size limit.
    """
    limits.check_bytes(name, siblings[name])
    return siblings[name]


def _stored(header: Header, files: Mapping[str, bytes], file: str) -> NDArray[np.float64]:
    """Return (samples, signals) in adu, NaN where invalid; skew removed."""
    if any(line.samples_per_frame != 1 for line in header.signals):
        raise UnsupportedError(
            file, "signals of different rates in one record", "convert it to one rate"
        )
    runs = [list(run) for _, run in groupby(header.signals, key=lambda line: line.file)]
    if len(runs) != len({line.file for line in header.signals}):
        raise UnreadableError(file, "signal files are not listed in one block each", "correct it")
    columns = [_file_columns(run, files[run[0].file], header, file) for run in runs]
    length = min(len(column) for column in columns)
    return np.concatenate([column[:length] for column in columns], axis=1)


def _file_columns(
    run: list[SignalLine], content: bytes, header: Header, file: str
) -> NDArray[np.float64]:
    first = run[0]
    if any((line.format, line.offset) != (first.format, first.offset) for line in run):
        raise UnreadableError(file, "one signal file with two formats", "correct the header")
    held = available(content, format=first.format, offset=first.offset, signals=len(run))
    frames = held if header.samples is None else header.samples
    limits.check_shape(file, samples=frames, leads=len(header.signals))
    if frames == 0:
        raise UnreadableError(first.file, "no samples", "copy the file again")
    values = decode(
        content,
        format=first.format,
        offset=first.offset,
        signals=len(run),
        frames=frames,
        file=first.file,
    )
    signal = values.astype(np.float64)
    marker = invalid_value(first.format)
    if marker is not None:
        signal[values == marker] = np.nan
    return _without_skew(signal, run)


def _without_skew(signal: NDArray[np.float64], run: list[SignalLine]) -> NDArray[np.float64]:
    if not any(line.skew for line in run):
        return signal
    moved = np.full_like(signal, np.nan)
    for column, line in enumerate(run):
        if line.skew < len(signal):
            moved[: len(signal) - line.skew, column] = signal[line.skew :, column]
    return moved


def _check_sums(header: Header, stored: NDArray[np.float64], file: str, notes: list[str]) -> None:
    """Compare the first samples and the 16-bit checksums with the header.

    Raises:
        UnreadableError: Header and signal file do not belong together: neither agrees in any lead.
    """
    wrong_first, wrong_sum, judged = 0, [], 0
    for i, line in enumerate(header.signals):
        if line.checksum is None or line.initial is None or line.skew:
            continue
        column = stored[:, i]
        marker = invalid_value(line.format) or 0
        total = int(np.where(np.isnan(column), marker, column).sum())
        judged += 1
        wrong_first += int(np.isnan(column[0]) or column[0] != line.initial)
        if (total - line.checksum) % 2**16:
            wrong_sum.append(_lead_name(header, i))
    if judged and wrong_first == judged and len(wrong_sum) == judged:
        raise UnreadableError(
            file,
            "the signal file is not the one this header describes (first samples and checksums)",
            "put the record's own signal file beside it",
        )
    if wrong_sum:
        notes.append(f"checksum differs from the header in {', '.join(wrong_sum)}")


def _is_voltage(line: SignalLine) -> bool:
    return line.unit == "" or line.unit.lower() in _MV


def _lead_name(header: Header, index: int) -> str:
    return lead_of_text(header.signals[index].description) or f"signal {index}"


def _millivolts(stored: NDArray[np.float64], line: SignalLine) -> NDArray[np.float64]:
    return (stored - line.baseline) / line.gain * _MV.get(line.unit.lower(), 1.0)


def _gain_doubt(lines: list[SignalLine]) -> str | None:
    """Return why the gains cannot be trusted, or None.

    A header without a unit means mV by the format's default; that is taken when the gain is
    written, as in the PTB records.
    """
    if missing := [line.description for line in lines if not line.gain_stated]:
        return f"the header states no gain for {', '.join(missing)}"
    if any(line.gain < 0 for line in lines):
        return "the header states a negative gain"
    ratio = max(line.gain for line in lines) / min(line.gain for line in lines)
    if ratio > 2.0 and len(lines) >= 8:  # the leads of one recorder share one amplifier gain
        return f"the gains in the header differ {ratio:.1f}-fold between leads"
    return None


def _comments(header: Header, file: str, start: ClinicalTime | None) -> tuple[Finding, ...]:
    """Return the comment lines as one text: published labels, not identity and not ours."""
    said = device_text(
        "header_comment",
        "; ".join(header.comments),
        RecordEvidence(file=file, record="comments"),
        time=start,
    )
    return () if said is None else (said,)
