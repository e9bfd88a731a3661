"""A troponin result that a person reads off the laboratory system, as a file of the case.

It becomes an Observation of its own beside the chart, of the same test as the samples before it, so
that the rules treat it as they treat any other sample; who entered it and when stands in it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import orjson

from agent.assessment import Assessment
from agent.episode import TROPONIN
from knowledge.codes import ANALYTE, LOINC, Coding
from knowledge.errors import InvalidValueError
from knowledge.evidence import FhirEvidence
from knowledge.finding import Finding, State
from knowledge.plain_text import visible

INPUT = "troponin_second_sample"
UNITS = ("ng/L", "pg/mL")
Status = Literal["final", "preliminary"]
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

    Raises:
        InvalidValueError: No number, another unit, a time to come, or no sample to follow.
    """
    code, patient = code_of_samples(assessment.findings), patient_of(assessment.findings)
    if code is None or patient is None:
        raise InvalidValueError(
            "troponin sample",
            "there is no earlier sample of a known test in a chart",
            "add it as a file",
        )
    if collected_at > now:
        raise InvalidValueError("time of collection", "lies in the future", "correct it")
    if unit not in UNITS:
        raise InvalidValueError("unit", "is not one of a troponin concentration", "use ng/L")
    number, comparator = _number(value)
    observation = {
        "resourceType": "Observation",
        "id": f"entered-{now:%Y%m%d%H%M%S}",
        "status": status,
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": code.code}]},
        "subject": {"reference": patient},
        "effectiveDateTime": collected_at.isoformat(),
        "issued": now.isoformat(),
        "performer": [{"display": f"entered by {visible(author)[:80]}"}],
        "valueQuantity": {
            "value": number,
            "unit": unit,
            "system": _UCUM,
            "code": unit,
            **({"comparator": comparator} if comparator else {}),
        },
    }
    content = orjson.dumps(observation, option=orjson.OPT_INDENT_2)
    return f"entered/troponin-{collected_at:%Y%m%dT%H%M}.json", content


def _number(text: str) -> tuple[float, str]:
    plain = text.strip().replace(",", ".")
    comparator = plain[0] if plain[:1] in "<>" and plain else ""
    try:
        number = float(plain.removeprefix(comparator).strip())
    except ValueError as error:
        raise InvalidValueError("troponin", "is not a number", "enter digits alone") from error
    if not 0 <= number < 1e7:
        raise InvalidValueError("troponin", "is no possible concentration", "correct it")
    return number, comparator
