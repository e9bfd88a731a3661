"""A troponin result that a person reads off the laboratory system, as a file of the case.

It becomes an Observation of its own beside the chart, of the same test as the samples before it, so
that the rules treat it as they treat any other sample; who entered it, when, and what was typed
stands in it. Two results of one minute are two observations, and contradict each other as two
results of the laboratory do. Only an explicit correction takes the place of an earlier entry: it is
a later version of the same Observation, and the earlier one stays in the case.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from agent.assessment import Assessment
from agent.episode import TROPONIN
from knowledge.analytes import analytes, convert
from knowledge.codes import ANALYTE, LOINC, Coding
from knowledge.errors import InvalidValueError
from knowledge.evidence import FhirEvidence
from knowledge.finding import Finding, NotAssessed, State
from knowledge.pathways import pathway
from knowledge.plain_text import visible
from knowledge.quantity import format_number
from knowledge.troponin import pathways
from knowledge.typed_number import TypedNumber, typed_number
from serving.web.entered import FOLDER, TYPED, Entered

INPUT = "troponin_second_sample"
UNITS = ("ng/L", "pg/mL")
Status = Literal["final", "preliminary"]
_PATHWAY = "chest_pain"
_UCUM = "http://unitsofmeasure.org"


def code_of_samples(findings: Iterable[Finding]) -> Coding | None:
    """Return the LOINC code of the newest troponin sample; None where there is none to follow."""
    samples = [
        finding
        for finding in findings
        if finding.state is State.PRESENT
        and finding.time is not None
        and any(finding.concept.has(ANALYTE, key) for key in TROPONIN)
    ]
    for sample in sorted(samples, key=lambda f: f.time.sort_key if f.time else (), reverse=True):
        for coding in sample.concept.codings:
            if coding.system == LOINC:
                return coding
    return None


def patient_of(findings: Iterable[Finding]) -> str | None:
    """Return the reference of the patient in the chart of the case; None where it names none.

    Who enters a result on the page of a case says whose it is; without a reference intake could
    not know, and refuses the file.
    """
    places = (e for f in findings for e in f.evidence if isinstance(e, FhirEvidence))
    return next((e.resource for e in places if e.resource.startswith("Patient/")), None)


def sample_file(
    assessment: Assessment,
    *,
    value: str,
    unit: str,
    collected_at: datetime,
    status: Status,
    author: str,
    now: datetime,
    corrects: Entered | None = None,
) -> tuple[str, bytes]:
    """Return name and bytes of the file that holds one entered sample.

    Args:
        assessment: The newest, whose samples say which test it is.
        value: In `unit`; ``<6`` for a result below what the assay reports.
        unit: One of `UNITS`.
        collected_at: When the blood was drawn, zoned.
        status: Of the result, as the laboratory gives it.
        author: Who enters it.
        now: The current moment.
        corrects: The entry that this one takes the place of; None for another result.

    Raises:
        InvalidValueError: No number, one that can be read in two ways or is impossible, another
            unit, a time to come or of another presentation, or no sample to follow.
    """
    code, patient = _follows(assessment, corrects)
    _in_time(assessment, collected_at, now)
    number = _possible(code, value, unit)
    limit, comparator = number.limit
    observation = {
        "resourceType": "Observation",
        "id": f"entered-{secrets.token_hex(4)}" if corrects is None else corrects.id,
        "meta": {"versionId": str(1 if corrects is None else corrects.version + 1)},
        "status": _status(status, corrects),
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": code}], "text": _name(code)},
        "subject": {"reference": patient},
        "effectiveDateTime": collected_at.isoformat(),
        "issued": now.isoformat(),
        "performer": [{"display": f"entered by {visible(author)[:80]}"}],
        "valueQuantity": {
            "extension": [{"url": TYPED, "valueString": number.text}],
            "value": limit,
            "unit": unit,
            "system": _UCUM,
            "code": unit,
            **({"comparator": comparator} if comparator else {}),
        },
    }
    content = orjson.dumps(observation, option=orjson.OPT_INDENT_2)
    return f"{FOLDER}{collected_at:%Y%m%dT%H%M}-{secrets.token_hex(4)}.json", content


def _follows(assessment: Assessment, corrects: Entered | None) -> tuple[str, str]:
    """Return the LOINC code and the patient of the sample.

    Raises:
        InvalidValueError: There is no sample to follow.
    """
    if corrects is not None:
        return corrects.code, corrects.patient
    code, patient = code_of_samples(assessment.findings), patient_of(assessment.findings)
    if code is None or patient is None:
        raise InvalidValueError(
            "troponin sample",
            "there is no earlier sample of a known test in a chart",
            "add it as a file",
        )
    return code.code, patient


def _in_time(assessment: Assessment, collected_at: datetime, now: datetime) -> None:
    """Refuse what was not collected yet, and what the pathway takes for another presentation.

    Raises:
        InvalidValueError: The message names the limit and where it is from.
    """
    if collected_at > now:
        raise InvalidValueError("time of collection", "lies in the future", "correct it")
    window = pathway(_PATHWAY).episode
    earliest = min(assessment.provenance.at.at, now) - timedelta(hours=window.max_age_hours)
    if collected_at < earliest:
        hours = format_number(window.max_age_hours)
        raise InvalidValueError(
            "time of collection",
            f"lies more than {hours} hours before the moment of assessment, in another "
            f"presentation (the pathway's limit, {window.source})",
            "correct it, or add the laboratory's file",
        )


def _possible(code: str, value: str, unit: str) -> TypedNumber:
    """Return the number that was typed.

    Raises:
        InvalidValueError: It is no possible concentration of a troponin.
    """
    if unit not in UNITS:
        raise InvalidValueError("unit", "is not one of a troponin concentration", "use ng/L")
    number = typed_number("troponin", value)
    limits = pathways().plausible
    if not limits.low <= number.limit[0] <= limits.high:
        low, high = format_number(limits.low), format_number(limits.high)
        raise InvalidValueError(
            "troponin", f"value impossible: it lies between {low} and {high} ng/L", "correct it"
        )
    key = analytes().for_loinc(code)
    read = None if key is None else convert(key, number.interval, unit, code)
    if isinstance(read, NotAssessed):
        raise InvalidValueError("troponin", read.detail, "correct it")
    return number


def _name(code: str) -> str:
    key = analytes().for_loinc(code)
    return code if key is None else analytes().analytes[key].label


def _status(status: Status, corrects: Entered | None) -> str:
    """Return the status as FHIR R4 has it: a final result that is changed is a corrected one."""
    final_before: Any = corrects is not None and corrects.status != "preliminary"
    return "corrected" if status == "final" and final_before else status
