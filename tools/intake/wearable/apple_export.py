"""Reading a health app's whole export: the XML of all records, as it is or in its ZIP.

The XML is read as a stream, record by record; nothing of it is kept but blood pressures and heart
rates. The ZIP is never unpacked to disk.
"""

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import InputError, InvalidValueError, TooLargeError, UnreadableError
from knowledge.patient import Identity, Sex
from tools.ecg.readers.device_said import clean
from tools.intake.wearable.apple_ecg import MAX_BYTES as MAX_ECG_BYTES
from tools.intake.wearable.apple_ecg import is_apple_ecg, read_apple_ecg
from tools.intake.wearable.model import MAX_READINGS, Kind, Reading, Strip, WearableFile
from tools.intake.wearable.reading import moment, number

MAX_STREAMED = 512 * 1024 * 1024
"""Bytes of XML read; the export of many years with a watch is larger, and is refused."""

MAX_STRIPS = 50
MAX_MEMBERS = 20_000
MAX_PROBLEMS = 50
MAX_DEPTH = 32
"""Levels of nesting: the deepest record has five."""

_ROOT = re.compile(rb"<HealthData[\s>]")
_FOLDER = "apple_health_export/"
_KINDS: dict[str, Kind] = {
    "HKQuantityTypeIdentifierBloodPressureSystolic": "systolic",
    "HKQuantityTypeIdentifierBloodPressureDiastolic": "diastolic",
    "HKQuantityTypeIdentifierHeartRate": "heart_rate",
    "HKQuantityTypeIdentifierRestingHeartRate": "heart_rate",
}
_UNITS: dict[Kind, str] = {"systolic": "mmHg", "diastolic": "mmHg", "heart_rate": "count/min"}
_SEXES: dict[str, Sex] = {"HKBiologicalSexFemale": "female", "HKBiologicalSexMale": "male"}
_BORN = "HKCharacteristicTypeIdentifierDateOfBirth"
_SEX = "HKCharacteristicTypeIdentifierBiologicalSex"
_AGAIN = "export the health data again"
_DTD_BYTES = 256 * 1024
_HEAD = 65536
_ENCRYPTED = 0x1


@dataclass(kw_only=True)
class _Found:
    """What is gathered while the stream is read."""

    file: str
    zone: str | None
    identity: Identity
    readings: dict[tuple[Kind, str, float], Reading] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    left_out: int = 0

    def trouble(self, words: str) -> None:
        """Add a problem, up to a limit."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(words)
        else:
            self.left_out += 1


def is_apple_export(content: bytes) -> bool:
    """Return whether a content is such an export: its XML, or a ZIP that begins with its folder."""
    head = content[:_HEAD]
    if head[:4] == b"PK\x03\x04":
        length = int.from_bytes(head[26:28], "little")
        return head[30 : 30 + length].startswith(_FOLDER.encode())
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and bool(_ROOT.search(head))


def read_apple_export(content: bytes, *, file: str, zone: str | None) -> WearableFile:
    """Return blood pressures, heart rates and single-lead ECGs of an export.

    Args:
        content: The XML or the ZIP.
        file: Its name.
        zone: IANA zone declared for times without an offset; this format states offsets.

    Raises:
        UnreadableError: Damaged, encrypted, or with entities.
        TooLargeError: Over a limit.
    """
    strips: list[Strip] = []
    found = _Found(file=file, zone=zone, identity=Identity(source=file))
    if content[:4] != b"PK\x03\x04":
        _records(io.BytesIO(content), found)
    else:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as opened:
                _zipped(opened, found, strips)
        except InputError:
            raise
        except (
            zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError,
            ValueError, LookupError, MemoryError,
        ) as error:  # fmt: skip
            raise UnreadableError(file, "a damaged or encrypted ZIP", _AGAIN) from error
    if found.left_out:
        found.problems.append(f"and {found.left_out} more")
    readings = tuple(found.readings.values())
    if not readings and not strips and not found.problems:
        found.problems.append("it holds no blood pressure, no heart rate and no ECG")
    counts: dict[str, int] = dict(Counter(reading.kind for reading in readings))
    return WearableFile(
        file=file,
        kind="health export of a wearable",
        identity=found.identity,
        readings=readings,
        strips=tuple(strips),
        counts={**counts, **({"single-lead ECG": len(strips)} if strips else {})},
        ignored=dict(found.others.most_common(20)),
        problems=tuple(found.problems),
    )


def _zipped(opened: zipfile.ZipFile, found: _Found, strips: list[Strip]) -> None:
    members = opened.infolist()
    if len(members) > MAX_MEMBERS:
        raise TooLargeError(found.file, f"over {MAX_MEMBERS} files in it", "give the XML alone")
    xml = next((m for m in members if m.filename == f"{_FOLDER}export.xml"), None)
    if xml is None:
        found.trouble(f"no {_FOLDER}export.xml in it: its records were not read")
    else:
        with opened.open(xml) as stream:
            _records(stream, found)
    for member in sorted(members, key=lambda m: m.filename):
        if not member.filename.startswith(f"{_FOLDER}electrocardiograms/"):
            continue
        if member.is_dir() or member.flag_bits & _ENCRYPTED:
            continue
        if len(strips) >= MAX_STRIPS or member.file_size > MAX_ECG_BYTES:
            found.trouble("an ECG in it was left out: too many or too large")
            continue
        with opened.open(member) as stream:
            head = stream.read(MAX_ECG_BYTES + 1)
        name = clean(member.filename.rpartition("/")[2], 60)
        if not is_apple_ecg(head):
            found.trouble(f"{name}: not an ECG with an English head")
            continue
        try:
            strips += read_apple_ecg(head, file=found.file, zone=found.zone).strips
        except InputError as error:
            found.trouble(f"{name}: {error.reason}")


def _records(stream: IO[bytes], found: _Found) -> None:
    from defusedxml import ElementTree  # type: ignore[import-untyped]
    from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

    bounded = _Bounded(stream, found.file)
    try:
        root, depth = None, 0
        for event, element in ElementTree.iterparse(bounded, events=("start", "end")):
            root = _root(element, found.file) if root is None else root
            depth += 1 if event == "start" else -1
            if depth > MAX_DEPTH:
                raise UnreadableError(found.file, "elements nested too deep", _AGAIN)
            if event == "end":
                _element(element, found)
            if event == "end" and depth == 1:
                root.clear()  # nothing is kept but what was taken from it
    except DefusedXmlException as error:
        raise UnreadableError(found.file, "entities in the XML", _AGAIN) from error
    except (ParseError, ValueError, LookupError, RecursionError, MemoryError) as error:
        raise UnreadableError(
            found.file, f"damaged XML ({type(error).__name__} while decoding)", _AGAIN
        ) from error
    if root is None:
        _root(None, found.file)


def _root(element: Any, file: str) -> Any:
    """Return the first element where it is that of an export.

    Raises:
        UnreadableError: It is another, or there is none.
    """
    if element is None or element.tag != "HealthData":
        raise UnreadableError(file, "not the XML of a health export", _AGAIN)
    return element


class _Bounded:
    """A stream without its document type, that refuses to be longer than `MAX_STREAMED`.

    Exports of 2022 hold a document type that is not well-formed; nothing in it is needed. One
    that declares entities is left as it is, and refused by the parser.
    """

    def __init__(self, stream: IO[bytes], file: str) -> None:
        self._stream = stream
        self._file = file
        self._read = 0
        self._parts = self._without_type()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, none at the end."""
        del size  # parts are of at most 256 KiB
        return next(self._parts, b"")

    def _without_type(self) -> Iterator[bytes]:
        head = self._stream.read(_DTD_BYTES)
        start = head.find(b"<!DOCTYPE")
        end = head.find(b"]>", start)
        if 0 <= start < end and b"<!ENTITY" not in head[start:end]:
            head = head[:start] + head[end + 2 :]
        while head:
            self._read += len(head)
            if self._read > MAX_STREAMED:
                raise TooLargeError(
                    self._file, "over 512 MiB of records", "export fewer years, or the ECGs alone"
                )
            yield head
            head = self._stream.read(_DTD_BYTES)


def _element(element: Any, found: _Found) -> None:
    if element.tag == "Me":
        found.identity = _me(element, found)
    elif element.tag == "Record":
        stated = str(element.get("type", ""))
        kind = _KINDS.get(stated)
        if kind is None:
            found.others[clean(stated, 60) or "record without a type"] += 1
        else:
            _reading(element, kind, found)


def _reading(element: Any, kind: Kind, found: _Found) -> None:
    at = clean(str(element.get("startDate", "")), 40)
    try:
        if element.get("unit") != _UNITS[kind]:
            raise InvalidValueError(kind, "in a unit that is not taken")
        value = number(str(element.get("value", "")), kind)
        time, wall = moment(at, clock=found.file, zone=found.zone)
    except InvalidValueError as error:
        found.trouble(f"a {kind.replace('_', ' ')} is not used: {error.reason}")
        return
    if len(found.readings) >= MAX_READINGS:
        found.readings.pop(next(iter(found.readings)))  # the file is in order of time: the oldest
        if not any("oldest" in told for told in found.problems):
            found.trouble(f"over {MAX_READINGS} readings: the oldest were left out")
    # A pressure stands twice: by itself and within its pair.
    found.readings[kind, at, value] = Reading(
        kind=kind,
        value=value,
        time=time,
        wall=wall,
        device=clean(str(element.get("sourceName", "")), 60),
        file=found.file,
        place=f"Record {kind} at {at}",
    )


def _me(element: Any, found: _Found) -> Identity:
    return Identity(
        source=found.file,
        birth_date=_born(str(element.get(_BORN, "")), found),
        sex=_SEXES.get(str(element.get(_SEX, ""))),
    )


def _born(text: str, found: _Found) -> ClinicalTime | None:
    if not text:
        return None
    try:
        return parse_fhir(text, clock=found.file, zone=found.zone)
    except InvalidValueError:
        found.trouble("the date of birth cannot be read; identities are compared without it")
        return None
