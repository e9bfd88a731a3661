"""Files of a patient's own devices in a case: read, or refused with the reason."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from knowledge.errors import InputError
from knowledge.patient import Identity
from knowledge.timeline import Fact
from tools.intake.belonging import NEEDS_STATEMENT
from tools.intake.case_file import Attachment
from tools.intake.content import Content, refused
from tools.intake.result import InputFile, Status
from tools.intake.sniff import Kind
from tools.intake.wearable.apple_ecg import read_apple_ecg
from tools.intake.wearable.apple_export import read_apple_export
from tools.intake.wearable.marked import apart, is_marked, readings
from tools.intake.wearable.model import WearableFile
from tools.intake.wearable.pressure_csv import read_pressure_table

_NOT_INPUTS = "its values are shown apart and are no inputs of scores or triage"


class _Reader(Protocol):
    def __call__(self, content: bytes, *, file: str, zone: str | None) -> WearableFile: ...


_READERS: Mapping[Kind, _Reader] = {
    "wearable export": read_apple_export,
    "wearable ECG": read_apple_ecg,
    "home pressure table": read_pressure_table,
}


@dataclass(frozen=True, kw_only=True)
class Wearables:
    """The files of a case.

    Args:
        read: File to what it holds.
        failed: Files that could not be read.
    """

    read: Mapping[str, WearableFile] = field(default_factory=dict)
    failed: tuple[InputFile, ...] = ()


def read_wearables(
    contents: Mapping[str, Content], *, attached: Mapping[str, Attachment], zone: str | None
) -> Wearables:
    """Return the wearable data of a case; one bad file does not stop the rest.

    Args:
        contents: Files by name.
        attached: File to its line in ``case.yaml``.
        zone: IANA zone declared for naive times, where the line declares none.
    """
    read: dict[str, WearableFile] = {}
    failed: list[InputFile] = []
    for file, content in sorted(contents.items()):
        reader = _READERS.get(content.kind)
        if reader is None:
            continue
        line = attached.get(file)
        try:
            where = (line.time_zone if line else None) or zone
            read[file] = reader(content.data, file=file, zone=where)
        except InputError as error:
            failed.append(refused(file, content.kind, error, sha256=content.sha256))
    return Wearables(read=read, failed=tuple(failed))


def belonging_wearables(
    wearables: Wearables, belonging: Collection[str]
) -> tuple[WearableFile, ...]:
    """Return the files that are shown to be of the patient, by name."""
    return tuple(found for file, found in sorted(wearables.read.items()) if file in belonging)


def wearable_report_of(content: Content, found: WearableFile, *, belongs: bool) -> InputFile:
    """Return what became of a file.

    Args:
        content: The file.
        found: What it holds.
        belongs: Whether it is shown to be of the patient.
    """
    if not belongs:
        status: Status = "failed"
        return content.report(status, NEEDS_STATEMENT, kind=found.kind, problems=found.problems)
    return content.report(
        "read",
        _NOT_INPUTS,
        kind=found.kind,
        counts=found.counts,
        ignored=found.ignored,
        problems=found.problems,
    )


def without_marked(
    facts: Sequence[Fact], *, zone: str | None
) -> tuple[list[Fact], list[WearableFile]]:
    """Return the facts with those of wearables taken out of the inputs, and their readings.

    Args:
        facts: Of a chart.
        zone: IANA zone of the case, for the clock time of a reading.
    """
    marked = [fact for fact in facts if is_marked(fact)]
    if not marked:
        return list(facts), []
    found = tuple(readings(marked, zone=zone))
    kept = [apart(fact) if is_marked(fact) else fact for fact in facts]
    if not found:
        return kept, []
    chart = WearableFile(
        file=found[0].file,
        kind="wearable values of a chart",
        identity=Identity(source=found[0].file),
        readings=found,
    )
    return kept, [chart]
