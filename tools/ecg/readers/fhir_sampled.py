"""Reading a FHIR R4 Observation whose components are ECG leads as SampledData."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import InvalidValueError, UnreadableError, UnsupportedError
from knowledge.patient import Identity
from tools.ecg.model import EcgRecording
from tools.ecg.readers import limits
from tools.ecg.readers.lead_names import in_standard_order, lead_of_code

_MDC = "urn:oid:2.16.840.1.113883.6.24"
_FIRST = 131_328  # MDC_ECG_ELEC_POTL; a lead's code is this plus its number
_MV = {"mV": 1.0, "uV": 1e-3, "V": 1e3}
_AGAIN = "export the ECG again"


def read_fhir_ecg(resource: dict[str, Any], *, content: bytes, file: str) -> EcgRecording:
    """Return the recording of an Observation.

    The letters of SampledData (``E`` error, ``L`` below, ``U`` above the detection limit) are NaN.

    Args:
        resource: The Observation.
        content: The whole file, for the id of the recording.
        file: Its name.

    Raises:
        UnreadableError: Not a number where one must be, or leads of different rate or length.
        UnsupportedError: No Observation, or without ECG leads.
    """
    if resource.get("resourceType") != "Observation":
        raise UnsupportedError(file, "no FHIR Observation", "give an Observation with ECG leads")
    found: dict[str, NDArray[np.float64]] = {}
    periods, doubts = set(), []
    for component in resource.get("component") or []:
        lead, sampled = _lead(component), component.get("valueSampledData")
        if lead is None or not isinstance(sampled, dict):
            continue
        unit = str((sampled.get("origin") or {}).get("code", ""))
        if unit not in _MV:
            doubts.append(f"lead {lead}: no unit of voltage is stated")
        found[lead] = _values(sampled, _MV.get(unit, 1.0), lead, file)
        periods.add(_number(sampled.get("period"), "period", file))
    if not found:
        raise UnsupportedError(file, "an Observation without ECG leads", "give SampledData")
    if len(periods) != 1 or len({len(v) for v in found.values()}) != 1:
        raise UnreadableError(file, "leads of different rate or length", _AGAIN)
    period = periods.pop()
    if period <= 0:
        raise UnreadableError(file, f"a sampling period of {period:g} ms", _AGAIN)
    leads, signal = in_standard_order(tuple(found), np.stack(list(found.values()), axis=1))
    limits.check_shape(file, samples=len(signal), leads=len(leads))
    notes: list[str] = []
    return EcgRecording(
        id=limits.content_id([content]),
        file=file,
        source_format="fhir-observation",
        leads=leads,
        signal_mv=signal,
        sampling_rate_hz=round(1000 / period, 6),
        start=_start(resource, file, notes),
        identity=_identity(resource, file),
        gain_doubt="; ".join(doubts) or None,
        notes=tuple(notes),
    )


def _lead(component: dict[str, Any]) -> str | None:
    for coding in (component.get("code") or {}).get("coding") or []:
        code = str(coding.get("code", ""))
        if coding.get("system") == _MDC and code.isdigit() and int(code) > _FIRST:
            lead = lead_of_code("MDC", f"2:{int(code) - _FIRST}")
            return None if lead is None or lead[1] < 0 else lead[0]
    return None


def _values(sampled: dict[str, Any], to_mv: float, lead: str, file: str) -> NDArray[np.float64]:
    factor = _number(sampled.get("factor", 1), "factor", file)
    origin = _number((sampled.get("origin") or {}).get("value"), "origin", file)
    if sampled.get("dimensions") != 1:
        raise UnsupportedError(file, f"lead {lead}: more than one dimension", _AGAIN)
    words = str(sampled.get("data", "")).split()
    raw = np.array([math.nan if w in ("E", "U", "L") else _number(w, lead, file) for w in words])
    return np.asarray((raw * factor + origin) * to_mv, dtype=np.float64)


def _number(value: Any, what: str, file: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise UnreadableError(file, f"{what} is no number", _AGAIN)
    return number


def _start(resource: dict[str, Any], file: str, notes: list[str]) -> ClinicalTime | None:
    text = resource.get("effectiveDateTime")
    if not isinstance(text, str):
        return None
    try:
        return parse_fhir(text, clock=file)
    except InvalidValueError as error:
        notes.append(f"the start of the recording is not used: {error.reason}")
        return None


def _identity(resource: dict[str, Any], file: str) -> Identity:
    said = (resource.get("subject") or {}).get("identifier") or {}
    value = str(said.get("value", ""))
    numbers = ((str(said.get("system", "")), value),) if value else ()
    return Identity(source=file, identifiers=numbers)
