"""Cases for the serial troponin tests: findings as an intake would make them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import ANALYTE, Coding, Concept
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.quantity import Choice, Interval, Quantity, measured
from knowledge.risk import Risk
from tools.labs.serial_troponin import SerialTroponin, serial_troponin

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TNT, TNI = "roche-elecsys-hs-ctnt", "abbott-architect-hs-ctni"
UNKNOWN = "unknown"
_BOOLEANS = (
    "known_cad",
    "esrd_dialysis",
    "ckd",
    "stemi_criteria",
    "omi_equivalent",
    "st_deviation",
    "lbbb",
    "paced_rhythm",
    "pain_ongoing",
)


def value(text: str | float) -> Interval:
    """Return what a laboratory prints: ``12``, ``<6``, ``>10000``, ``4..9``."""
    words = str(text)
    if words.startswith("<"):
        return Interval(low=0, high=float(words[1:]), high_closed=False)
    if words.startswith(">"):
        return Interval(low=float(words[1:]), low_closed=False)
    if ".." in words:
        low, high = words.split("..")
        return Interval(low=float(low), high=float(high))
    return Interval.exact(float(words))


def at(minutes: float) -> ClinicalTime:
    return ClinicalTime(at=START + timedelta(minutes=minutes))


def sample(
    minutes: float | None, result: str | float, *, analyte: str = "hs_ctnt", **more: Any
) -> Finding:
    place = f"{minutes}-{result}-{analyte}"
    given: dict[str, Any] = {
        "concept": Concept(text="Troponin", codings=(Coding(system=ANALYTE, code=analyte),)),
        "state": State.PRESENT,
        "value": measured(value(result), "ng/L"),
        "time": None if minutes is None else at(minutes),
        "evidence": (RecordEvidence(file="labs.json", record=place),),
    }
    return Finding(**{**given, **more})


def missing(input_id: str, why: Why = Why.MISSING) -> Finding:
    return not_assessed(catalogue().concept(input_id), why, "not in the case")


def said(input_id: str, answer: Any) -> Finding:
    """Return an answer: yes/no, a number, a choice, a time, or `UNKNOWN`."""
    if answer == UNKNOWN:
        return missing(input_id)
    if isinstance(answer, Finding):
        return answer
    given: dict[str, Any] = {"state": State.PRESENT}
    if isinstance(answer, bool):
        given["state"] = State.PRESENT if answer else State.ABSENT
    elif isinstance(answer, ClinicalTime):
        given["time"] = answer
    elif isinstance(answer, str):
        given["value"] = Choice(choice=answer)
    else:
        unit = catalogue().get(input_id).unit or "1"
        given["value"] = Quantity(value=answer, unit=unit)
    evidence = RecordEvidence(file="case.yaml", record=input_id)
    return Finding(concept=catalogue().concept(input_id), evidence=(evidence,), **given)


def run(*samples: Finding, now: float = 70, **given: Any) -> SerialTroponin:
    """Return the tool's result for a man of 60 without any condition, ECG normal.

    Args:
        samples: The troponin findings.
        now: Time of assessment, minutes after 08:00 UTC.
        given: Answers by parameter; `onset_h` is hours from onset to 08:00 UTC or `UNKNOWN`.
    """
    hours = given.pop("onset_h", 5.0)
    onset = UNKNOWN if hours == UNKNOWN else at(-60 * hours)
    answers: dict[str, Any] = {
        "troponin_assay": given.pop("assay", TNT),
        "onset": onset,
        "sex": "male",
        "age_years": 60,
        **dict.fromkeys(_BOOLEANS, False),
        **given,
    }
    findings = {key: said(key, answer) for key, answer in answers.items()}
    findings["assay"] = findings.pop("troponin_assay")
    moment = given.get("moment") or at(now)
    findings.pop("moment", None)
    return serial_troponin(samples=tuple(samples), at=moment, **findings)


def risk(result: SerialTroponin, name: str) -> Risk:
    """Return one risk by its name."""
    return next(r for r in result.risks if r.name == name)


def answers(found: Risk) -> set[str]:
    """Return the categories still possible."""
    return {band.name for band in found.bands} or {found.category}
