"""Names of leads, from codes and from the spellings found in files."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tools.ecg.model import LEADS_12
from tools.ecg.readers.device_said import clean

# Lead identification of SCP-ECG (EN 1064), which DICOM writes as SCPECG 5.6.3-9-N, or as MDC 2:N
# (IEEE 11073-10102; DICOM PS3.16 CID 3001).
_BY_NUMBER = {
    1: "I",
    2: "II",
    3: "V1",
    4: "V2",
    5: "V3",
    6: "V4",
    7: "V5",
    8: "V6",
    9: "V7",
    10: "V2R",
    11: "V3R",
    12: "V4R",
    13: "V5R",
    14: "V6R",
    15: "V7R",
    16: "X",
    17: "Y",
    18: "Z",
    61: "III",
    62: "aVR",
    63: "aVL",
    64: "aVF",
    66: "V8",
    67: "V9",
    68: "V8R",
    69: "V9R",
}
# Leads a device computed from others, by the lead they stand for.
_DERIVED = {31: 1, 32: 2, 33: 3, 34: 4, 35: 5, 36: 6, 37: 7, 38: 8}
_DERIVED |= {111: 61, 112: 62, 113: 63, 114: 64}
_INVERTED_AVR = 65
_MAX_NAME = 40  # characters kept of a name that is no standard lead

_KNOWN = {name.lower(): name for name in (*LEADS_12, *_BY_NUMBER.values())}
_SPELLINGS = {"vx": "X", "vy": "Y", "vz": "Z", "1": "I", "2": "II", "3": "III", "mlii": "MLII"}
_DECORATION = re.compile(r"^(mdc_ecg_lead_|lead\s+|ecg\s+)|\s*\(.*\)$", re.IGNORECASE)


def lead_of_code(scheme: str, value: str) -> tuple[str, float, bool] | None:
    """Return (lead, sign, derived) of a coded channel source, or None for an unknown code.

    Args:
        scheme: Coding scheme designator, ``SCPECG`` or ``MDC``.
        value: For example ``5.6.3-9-1`` or ``2:1``.

    Examples:
        >>> lead_of_code("SCPECG", "5.6.3-9-61"), lead_of_code("MDC", "2:65")
        (('III', 1.0, False), ('aVR', -1.0, False))
    """
    match = {
        "SCPECG": re.fullmatch(r"5\.6\.3-9-(\d{1,3})", value.strip()),
        "MDC": re.fullmatch(r"2:\s?(\d{1,3})", value.strip()),
    }.get(scheme.strip().upper())
    if match is None:
        return None
    number = int(match.group(1))
    if number == _INVERTED_AVR:
        return "aVR", -1.0, False
    name = _BY_NUMBER.get(_DERIVED.get(number, number))
    return None if name is None else (name, 1.0, number in _DERIVED)


def number_of_lead(name: str) -> int | None:
    """Return the number of a lead in SCP-ECG and MDC, or None where it has none.

    Examples:
        >>> number_of_lead("V1"), number_of_lead("aVR"), number_of_lead("MLII")
        (3, 62, None)
    """
    return next((number for number, lead in _BY_NUMBER.items() if lead == name), None)


def lead_of_text(text: str) -> str:
    """Return the standard name of a lead however it is spelled, else the text, cleaned and cut.

    Examples:
        >>> lead_of_text("avr"), lead_of_text("Lead I (Einthoven)"), lead_of_text("ABP")
        ('aVR', 'I', 'ABP')
    """
    shown = clean(text, _MAX_NAME)
    bare = _DECORATION.sub("", _DECORATION.sub("", shown)).strip()
    return _KNOWN.get(bare.lower()) or _SPELLINGS.get(bare.lower()) or bare


def is_standard_lead(name: str) -> bool:
    """Return whether a name, as `lead_of_text` returns it, is that of a standard lead."""
    return name.lower() in _KNOWN or name in _SPELLINGS.values()


def in_standard_order(
    leads: Sequence[str], signal: NDArray[np.float64]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return leads and columns with the standard leads first, in their order.

    Of two columns with one name the first is kept.

    Args:
        leads: One name for each column.
        signal: (samples, leads).
    """
    names = list(dict.fromkeys(leads))
    ordered = [name for name in LEADS_12 if name in names]
    ordered += [name for name in names if name not in LEADS_12]
    return tuple(ordered), np.ascontiguousarray(signal[:, [leads.index(n) for n in ordered]])
