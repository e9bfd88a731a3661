"""Writing a FHIR R4 Observation whose components hold the leads as SampledData.

Lead codes are IEEE 11073 (MDC) as in the R4 example "ekg"; values are in mV.
"""

from typing import Any

import orjson

from knowledge.clinical_time import ClinicalTime, Precision
from tools.ecg.model import EcgRecording
from tools.ecg.writers.quantised import quantised

_MDC = "urn:oid:2.16.840.1.113883.6.24"
MDC_ECG_POTENTIAL = 131_328
"""MDC_ECG_ELEC_POTL; a lead's code is this plus its number (2::N, partition 2 is 131072)."""
_DATES = {Precision.YEAR: "%Y", Precision.MONTH: "%Y-%m", Precision.DAY: "%Y-%m-%d"}


def observation(recording: EcgRecording) -> dict[str, Any]:
    """Return the recording as an Observation.

    It carries the identifier of the patient, never the name: a reference by business identifier.
    An invalid sample is ``E``. A time of unknown zone is left out, because FHIR has none such.

    Raises:
        ContractError: The scale is not known, or a lead no standard has a code for.
    """
    whole = quantised(recording)
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:epicrisis:ecg:recording", "value": recording.id}],
        "status": "preliminary",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "procedure",
                    }
                ]
            }
        ],
        "code": {
            "coding": [
                {"system": _MDC, "code": str(MDC_ECG_POTENTIAL), "display": "MDC_ECG_ELEC_POTL"},
                {"system": "http://loinc.org", "code": "11524-6", "display": "EKG study"},
            ]
        },
    }
    who = recording.identity
    if who.identifiers:
        system, value = who.identifiers[0]
        stated = {"system": system} if system else {}
        resource["subject"] = {"identifier": {**stated, "value": value}}
    when = None if recording.start is None else _time(recording.start)
    if when is not None:
        resource["effectiveDateTime"] = when
    resource["component"] = [
        _component(lead, number, whole.step_uv, recording.sampling_rate_hz, samples)
        for lead, number, samples in zip(
            whole.leads, whole.numbers, _texts(whole.values.T, whole.invalid.T), strict=True
        )
    ]
    return resource


def observation_json(recording: EcgRecording) -> bytes:
    """Return the Observation as JSON; the same recording gives the same bytes.

    Raises:
        ContractError: As `observation`.
    """
    return orjson.dumps(observation(recording), option=orjson.OPT_INDENT_2)


def _component(lead: str, number: int, step_uv: int, rate_hz: float, data: str) -> dict[str, Any]:
    display = f"MDC_ECG_ELEC_POTL_{lead.upper() if lead.startswith('a') else lead}"
    return {
        "code": {
            "coding": [
                {"system": _MDC, "code": str(MDC_ECG_POTENTIAL + number), "display": display}
            ]
        },
        "valueSampledData": {
            "origin": {
                "value": 0,
                "unit": "mV",
                "system": "http://unitsofmeasure.org",
                "code": "mV",
            },
            "period": 1000 / rate_hz,
            "factor": step_uv / 1000,
            "dimensions": 1,
            "data": data,
        },
    }


def _texts(values: Any, invalid: Any) -> list[str]:
    """Return one text for each lead: whole numbers, ``E`` where invalid."""
    return [
        " ".join("E" if bad else str(v) for v, bad in zip(lead, mask, strict=True))
        for lead, mask in zip(values.tolist(), invalid.tolist(), strict=True)
    ]


def _time(time: ClinicalTime) -> str | None:
    if time.precision in _DATES:
        return time.at.strftime(_DATES[time.precision])
    return None if time.at.tzinfo is None else time.at.isoformat(timespec="milliseconds")
