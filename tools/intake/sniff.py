"""What a file is, by its content; the name only tells what somebody meant it to be."""

import re
from collections.abc import Callable
from typing import Literal

from tools.ecg.readers.aecg import is_aecg
from tools.ecg.readers.edf import is_edf
from tools.ecg.readers.muse import is_muse
from tools.ecg.readers.scp import is_scp
from tools.ecg.readers.sierra import is_sierra
from tools.ecg.readers.wfdb_header import looks_like_header
from tools.intake.hl7v2.wire import is_hl7v2
from tools.intake.tables.workbook import is_workbook
from tools.intake.wearable.apple_ecg import is_apple_ecg
from tools.intake.wearable.apple_export import is_apple_export
from tools.intake.wearable.pressure_csv import is_pressure_table

Kind = Literal[
    "FHIR JSON",
    "HL7 v2",
    "DICOM",
    "WFDB header",
    "Philips Sierra XML",
    "HL7 aECG XML",
    "GE MUSE XML",
    "SCP-ECG",
    "EDF",
    "PNG picture",
    "JPEG picture",
    "TIFF",
    "wearable export",
    "wearable ECG",
    "home pressure table",
    "case file",
    "lab mapping",
    "Excel workbook",
    "PDF",
    "gzip",
    "text",
    "not taken",
    "not recognised",
    "empty",
]

HEAD = 65536
"""Bytes looked at."""

ECG_FILES: tuple[tuple[Kind, Callable[[bytes], bool]], ...] = (
    ("Philips Sierra XML", is_sierra),
    ("HL7 aECG XML", is_aecg),
    ("GE MUSE XML", is_muse),
    ("SCP-ECG", is_scp),
    ("EDF", is_edf),
)
"""ECG formats of which one file is one recording, and how each is recognised."""

_OTHER_FILES: tuple[tuple[Kind, Callable[[bytes], bool]], ...] = (
    ("HL7 v2", is_hl7v2),
    ("wearable export", is_apple_export),
)

IMAGE_FILES: tuple[tuple[Kind, bytes], ...] = (
    ("PNG picture", b"\x89PNG\r\n\x1a\n"),
    ("JPEG picture", b"\xff\xd8\xff"),
    ("TIFF", b"II*\x00"),
    ("TIFF", b"MM\x00*"),
    ("TIFF", b"II+\x00"),
    ("TIFF", b"MM\x00+"),
)
"""Pictures and slides by their first bytes (PNG 5.2, ITU T.81 B.1.1.3, TIFF 6.0, BigTIFF)."""

DOCUMENT_FILES: tuple[tuple[Kind, bytes], ...] = (("PDF", b"%PDF-"),)
"""Documents by their first bytes (ISO 32000-1, 7.5.2)."""

IMAGE_KINDS: frozenset[Kind] = frozenset({"DICOM", *(kind for kind, _ in IMAGE_FILES)})

ECG_KINDS: frozenset[Kind] = frozenset({"DICOM", "WFDB header", *(kind for kind, _ in ECG_FILES)})

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))
_CASE = re.compile(
    rb"""^(?:schema\s*:\s*['"]?epicrisis/case/|(?:facts|answers|attach)\s*:)""", re.MULTILINE
)
_MAPPING = re.compile(rb"""^schema\s*:\s*['"]?epicrisis/lab-mapping/""", re.MULTILINE)
_NOT_TAKEN: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture; export it as PNG or give the DICOM object"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture; export it as PNG or give the DICOM object"),
    (344, b"n+1\x00", "a NIfTI volume; give the DICOM series"),
    (0, b"MATLAB 5.0", "a MATLAB file"),
    (0, b"\xd0\xcf\x11\xe0", "an Office document of the old binary kind; save it as .xlsx or PDF"),
    (0, b"Rar!", "an archive; unpack it first"),
    (0, b"7z\xbc\xaf", "an archive; unpack it first"),
    (257, b"ustar", "an archive; unpack it first"),
)
_XML: tuple[tuple[bytes, str], ...] = (
    (b"http://hl7.org/fhir", "FHIR XML; export it as JSON"),
    (b"ClinicalDocument", "a CDA document"),
)
_MEANT = {
    ".json": "FHIR JSON",
    ".ndjson": "FHIR NDJSON",
    ".dcm": "DICOM",
    ".xml": "XML",
    ".hea": "a WFDB header",
    ".yaml": "YAML",
    ".yml": "YAML",
    ".gz": "gzip",
    ".xlsx": "an Excel workbook",
    ".pdf": "PDF",
    ".edf": "EDF",
    ".scp": "SCP-ECG",
    ".hl7": "HL7 v2",
}
_FIRST_ELEMENTS = frozenset({0x00, 0x01, 0x05, 0x08})
"""Elements a data set may begin with: group length, length to end, character set, image type."""

_ENCRYPTED_ENTRY = 0x1
"""General purpose bit 0 of a ZIP local header (PKWARE APPNOTE 4.4.4)."""


def sniff(content: bytes) -> Kind:
    """Return the kind of a content.

    Examples:
        >>> sniff(b'{"resourceType": "Patient"}'), sniff(b"%PDF-1.7"), sniff(b"")
        ('FHIR JSON', 'PDF', 'empty')
    """
    head = content[:HEAD]
    if not head.strip(b"\x00 \t\r\n"):
        return "empty"
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head[128:132] == b"DICM" or _is_bare_dicom(head):
        return "DICOM"
    for kind, magic in (*IMAGE_FILES, *DOCUMENT_FILES):
        if head.startswith(magic):
            return kind
    for kind, recognised in (*ECG_FILES, *_OTHER_FILES):
        if recognised(head):
            return kind
    if is_workbook(content):
        return "Excel workbook"
    return "not taken" if not_taken(content) is not None else _text_kind(head)


def _text_kind(head: bytes) -> Kind:
    """Return the kind of a content that is no binary format."""
    text = _as_text(head)
    if text is None:
        return "not recognised"
    if text.lstrip()[:1] in (b"{", b"["):
        return "FHIR JSON"
    if is_apple_ecg(text):
        return "wearable ECG"
    if is_pressure_table(text):
        return "home pressure table"
    if _MAPPING.search(text):
        return "lab mapping"
    if _CASE.search(text):
        return "case file"
    return "WFDB header" if looks_like_header(head) else "text"


def not_taken(content: bytes) -> str | None:
    """Return what a content of a known kind that is not taken is, in words."""
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        locked = len(content) > 6 and content[6] & _ENCRYPTED_ENTRY
        return f"{'an encrypted' if locked else 'a'} ZIP archive, not opened; unpack it first"
    for offset, magic, words in _NOT_TAKEN:
        if content[offset : offset + len(magic)] == magic:
            return words
    head = (_as_text(content[:HEAD]) or b"").lstrip()
    if not head.startswith(b"<"):
        return None
    return next((words for mark, words in _XML if mark in head), "XML of another kind")


def meant(name: str) -> str | None:
    """Return what a file's name says it should be, or None where it says nothing."""
    return next((kind for ending, kind in _MEANT.items() if name.lower().endswith(ending)), None)


def _as_text(head: bytes) -> bytes | None:
    """Return the beginning of a text as UTF-8, or None where it is not text."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return head[: len(head) // 2 * 2].decode(encoding, errors="replace").encode()
    head = head.removeprefix(b"\xef\xbb\xbf")
    return head if head.translate(None, _CONTROLS) == head else None


def _is_bare_dicom(head: bytes) -> bool:
    """Return whether a data set without preamble begins: group 2 or 8, explicit or implicit VR."""
    if len(head) < 8 or head[:2] not in (b"\x02\x00", b"\x08\x00") or head[3] != 0:
        return False
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    return explicit or (head[2] in _FIRST_ELEMENTS and int.from_bytes(head[4:8], "little") <= HEAD)
