"""ECG files to recordings: each with its sibling files, its declared zone and start."""

import dataclasses
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from knowledge.clinical_time import parse_fhir
from knowledge.errors import InputError
from knowledge.evidence import DicomEvidence, Evidence, RecordEvidence
from knowledge.timeline import Category, Fact, RecordingRef
from tools.ecg.model import EcgRecording
from tools.ecg.readers.read import read_ecg
from tools.ecg.readers.wfdb_header import parse_header
from tools.intake.case_file import Attachment
from tools.intake.content import Content, refused
from tools.intake.result import InputFile
from tools.intake.sniff import ECG_KINDS

_META_GROUP = b"\x02\x00"


@dataclass(frozen=True, kw_only=True)
class Recordings:
    """The ECG files of a case.

    Args:
        read: File to its recording.
        parts: Signal file to the header it belongs to.
        failed: Files that could not be read.
        failed_parts: Signal file to the header it belongs to, where that could not be read.
    """

    read: Mapping[str, EcgRecording]
    parts: Mapping[str, str]
    failed: tuple[InputFile, ...]
    failed_parts: Mapping[str, str]


def read_recordings(
    contents: Mapping[str, Content],
    *,
    attached: Mapping[str, Attachment],
    siblings: Mapping[str, Mapping[str, bytes]],
    zone: str | None,
    case_file: str,
    images: Collection[str] = (),
) -> Recordings:
    """Return the recordings of a case; one bad file does not stop the rest.

    Args:
        contents: Files by name.
        attached: File to its line in ``case.yaml``.
        siblings: Folder to the bytes of all its files by base name, for WFDB.
        zone: IANA zone declared for naive times, where the line declares none.
        case_file: Name of ``case.yaml``, the clock of a start stated there.
        images: DICOM files that are no waveform.
    """
    read: dict[str, EcgRecording] = {}
    parts: dict[str, str] = {}
    failed: list[InputFile] = []
    failed_parts: dict[str, str] = {}
    for file, content in contents.items():
        if content.kind not in ECG_KINDS or file in images:
            continue
        line = attached.get(file)
        beside = siblings.get(content.folder, {})
        try:
            recording = read_ecg(
                _with_preamble(content),
                file=file,
                siblings=beside,
                zone=(line.time_zone if line else None) or zone,
            )
            parts |= _parts(content)
            if line is not None and line.recorded_at is not None:
                start = parse_fhir(line.recorded_at, clock=case_file, zone=line.time_zone or zone)
                recording = dataclasses.replace(recording, start=start)
        except InputError as error:
            failed.append(refused(file, "ECG", error, sha256=content.sha256))
            with suppress(InputError):  # the header itself may be what failed
                failed_parts |= _parts(content)
            continue
        read[file] = recording
    return Recordings(read=read, parts=parts, failed=tuple(failed), failed_parts=failed_parts)


def _parts(content: Content) -> dict[str, str]:
    """Return the signal files that a WFDB header names, each with the header's name."""
    if content.kind != "WFDB header":
        return {}
    prefix = f"{content.folder}/" if content.folder else ""
    signals = parse_header(content.data, file=content.file).signals
    return {prefix + signal.file: content.file for signal in signals}


def reference(recording: EcgRecording) -> RecordingRef:
    """Return the timeline's entry of a recording."""
    return RecordingRef(
        id=recording.id,
        modality="ECG",
        time=recording.start,
        evidence=evidence_of(recording),
        leads=recording.leads,
        sampling_rate_hz=recording.sampling_rate_hz,
        duration_s=recording.signal_mv.shape[0] / recording.sampling_rate_hz,
    )


def said_by_device(recording: EcgRecording) -> list[Fact]:
    """Return the device's own measurements and statements as facts of their own category."""
    return [Fact(category=Category.DEVICE_SAID, finding=f) for f in recording.device_said]


def evidence_of(recording: EcgRecording) -> Evidence:
    """Return where a recording stands."""
    if recording.sop_instance_uid is not None:
        return DicomEvidence(file=recording.file, sop_instance_uid=recording.sop_instance_uid)
    return RecordEvidence(file=recording.file, record="recording")


def _with_preamble(content: Content) -> bytes:
    """Return a DICOM file that lost its 128-byte preamble with one (PS3.10 7.1)."""
    data = content.data
    bare = content.kind == "DICOM" and data[128:132] != b"DICM"
    return b"\x00" * 128 + b"DICM" + data if bare and data[:2] == _META_GROUP else data
