"""The device's own measurements and statements, as findings that are never ours."""

import math
import unicodedata
from collections.abc import Iterator
from itertools import islice

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import Coding, Concept
from knowledge.evidence import Evidence
from knowledge.finding import Finding, State
from knowledge.quantity import Quantity, Text

ECG_DEVICE = "urn:epicrisis:ecg-device"
"""Codes of what an ECG device states: `heart_rate`, `pr`, `qrs`, `qt`, `qtc`, ..., `statement`."""

MAX_STATEMENTS = 60
"""Free texts kept from one file; the longest real record seen has fewer than ten."""

_LABELS = {
    "heart_rate": "Heart rate",
    "rr": "RR interval",
    "pp": "PP interval",
    "p_duration": "P duration",
    "pr": "PR interval",
    "qrs": "QRS duration",
    "qt": "QT interval",
    "qtc": "QTc interval",
    "p_axis": "P axis",
    "axis": "QRS axis",
    "t_axis": "T axis",
    "st_j": "ST level at J",
    "statement": "Statement",
    "severity": "Overall statement",
    "header_comment": "Comment in the header",
    "annotation": "Annotation in the file",
}
_MAX_TEXT = 500
# Letters, marks, numbers, punctuation, symbols and spaces; no control, format (bidirectional,
# zero-width), private or unassigned character.
_SHOWN = frozenset("LMNPSZ")


def device_number(
    code: str,
    value: float,
    unit: str,
    evidence: Evidence,
    *,
    lead: str | None = None,
    time: ClinicalTime | None = None,
) -> Finding | None:
    """Return one measurement of the device; None for a number that cannot be one.

    Args:
        code: A code of `ECG_DEVICE`.
        value: The number. A heart rate, interval or duration of 0 or less means "missing" in
            these formats.
        unit: UCUM: ``ms``, ``mV``, ``deg``, ``/min``.
        evidence: Where in the file.
        lead: For a measurement of one lead.
        time: Time of the recording.
    """
    if not math.isfinite(value) or (unit in ("ms", "/min") and value <= 0):
        return None
    return Finding(
        concept=_concept(code),
        state=State.PRESENT,
        value=Quantity(value=value, unit=unit),
        body_site=lead,
        time=time,
        flags=("device-said",),
        evidence=(evidence,),
    )


def device_text(
    code: str, text: str, evidence: Evidence, *, time: ClinicalTime | None = None
) -> Finding | None:
    """Return one statement of the device, cleaned; None where nothing readable is left."""
    shown = clean(text)
    if not shown:
        return None
    return Finding(
        concept=_concept(code),
        state=State.PRESENT,
        value=Text(text=shown),
        time=time,
        flags=("device-said",),
        evidence=(evidence,),
    )


def clean(text: str, limit: int = _MAX_TEXT) -> str:
    r"""Return text from a file as one line without characters that hide or reorder it.

    Examples:
        >>> clean("ECG\u202e \x07NOR\u200bMALE\n")
        'ECG NORMALE'
    """
    kept = "".join(islice(_readable(text), limit + 1))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _readable(text: str) -> Iterator[str]:
    for character in text:
        if character in "\t\r\n":
            yield " "
        elif unicodedata.category(character)[0] in _SHOWN:
            yield character


def _concept(code: str) -> Concept:
    return Concept(
        text=f"{_LABELS[code]} (device)", codings=(Coding(system=ECG_DEVICE, code=code),)
    )
