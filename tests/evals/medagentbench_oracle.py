"""A scripted agent that works the tasks out from what the server answers, as a good model would.

It sees only the conversation, and it shares no code with the checks: it shows that every task can
be solved through the functions, turns and pages that are offered.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.llm.seam import ChatRequest

NOW = "2023-11-13T10:15:00+00:00"
_NOW = datetime(2023, 11, 13, 10, 15, tzinfo=UTC)
Turn = dict[str, Any]


def oracle(request: ChatRequest) -> Turn:
    """Return the next turn of a conversation."""
    said = [m.content for m in request.messages if m.role == "user"]
    task = said[0]
    answers = [json.loads(text.split("\n", 1)[1].rsplit("\n", 1)[0]) for text in said[1:]]
    for words, solve in _KINDS.items():
        if words in task:
            return solve(task, answers)
    raise AssertionError(f"no script for: {task}")


def call(function: str, **arguments: Any) -> Turn:
    """Return a function call."""
    return {"function": function, "arguments": arguments}


def finish(*answer: float | str) -> Turn:
    """Return the end."""
    return {"function": "finish", "answer": list(answer)}


def _mrn(task: str) -> str:
    found = re.search(r"S\d{7}", task)
    assert found is not None
    return found[0]


def _find(task: str, answers: list[Any]) -> Turn:
    found = re.search(r"name (\S+) (\S+) and DOB of (\S+?)\?", task)
    assert found is not None
    if not answers:
        return call("Patient_Search", name=f"{found[1]} {found[2]}", birthdate=found[3])
    return finish(answers[0]["entry"][0]["resource"]["identifier"][0]["value"])


def _age(task: str, answers: list[Any]) -> Turn:
    if not answers:
        return call("Patient_Search", identifier=_mrn(task))
    born = datetime.fromisoformat(answers[0]["entry"][0]["resource"]["birthDate"])
    return finish(int(((_NOW.replace(tzinfo=None) - born).days + 0.25) / 365.2425))


def _record_pressure(task: str, answers: list[Any]) -> Turn:
    if answers:
        return finish()
    coding = {
        "system": "http://hl7.org/fhir/observation-category",
        "code": "vital-signs",
        "display": "Vital Signs",
    }
    return call(
        "Observation_Create_Vitals",
        resourceType="Observation",
        category=[{"coding": [coding]}],
        code={"text": "BP"},
        effectiveDateTime=NOW,
        status="final",
        valueString="118/77 mmHg",
        subject={"reference": f"Patient/{_mrn(task)}"},
    )


def _rows(
    task: str, answers: list[Any], code: str, *, per_mmol: float = 1.0
) -> list[tuple[str, float]] | Turn:
    """Return all results, newest first, or the call for the next page."""
    pages = [a for a in answers if a["resourceType"] == "Bundle"]
    more = not pages or any(link["relation"] == "next" for link in pages[-1]["link"])
    if more:
        offset = sum(len(page["entry"]) for page in pages)
        return call("Observation_Search_Labs", patient=_mrn(task), code=code, _offset=str(offset))
    rows = []
    for entry in (e["resource"] for page in pages for e in page["entry"]):
        quantity = entry["valueQuantity"]
        factor = per_mmol if quantity["unit"] == "mmol/L" else 1.0
        rows.append((entry["effectiveDateTime"], quantity["value"] * factor))
    return sorted(rows, reverse=True)


def _recent(rows: list[tuple[str, float]]) -> list[float]:
    since = _NOW - timedelta(hours=24)
    return [value for at, value in rows if datetime.fromisoformat(at) >= since]


def _magnesium(task: str, answers: list[Any]) -> Turn:
    rows = _rows(task, answers, "MG", per_mmol=2.43)
    if isinstance(rows, dict):
        return rows
    return finish(*(_recent(rows)[:1] or [-1]))


def _replace_magnesium(task: str, answers: list[Any]) -> Turn:
    rows = _rows(task, answers, "MG")
    if isinstance(rows, dict):
        return rows
    recent = _recent(rows)
    if not recent or recent[0] > 1.9 or answers[-1]["resourceType"] == "MedicationRequest":
        return finish()
    dose = 4 if recent[0] < 1 else 2 if recent[0] < 1.5 else 1
    rate = {"value": dose, "unit": "h"}
    return _drug(task, "0338-1715-40", "IV", {"value": dose, "unit": "g"}, rateQuantity=rate)


def _drug(task: str, ndc: str, route: str, dose: dict[str, Any], **rate: Any) -> Turn:
    return call(
        "MedicationRequest_Create",
        resourceType="MedicationRequest",
        medicationCodeableConcept={
            "coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": ndc}]
        },
        authoredOn=NOW,
        dosageInstruction=[
            {"route": {"text": route}, "doseAndRate": [{"doseQuantity": dose, **rate}]}
        ],
        status="active",
        intent="order",
        subject={"reference": f"Patient/{_mrn(task)}"},
    )


def _average(task: str, answers: list[Any]) -> Turn:
    rows = _rows(task, answers, "GLU", per_mmol=18.0)
    if isinstance(rows, dict):
        return rows
    recent = _recent(rows)
    return finish(round(sum(recent) / len(recent), 2) if recent else -1)


def _glucose(task: str, answers: list[Any]) -> Turn:
    rows = _rows(task, answers, "GLU")
    return rows if isinstance(rows, dict) else finish(rows[0][1])


def _service(task: str, system: str, code: str, **more: Any) -> Turn:
    return call(
        "ServiceRequest_Create",
        resourceType="ServiceRequest",
        code={"coding": [{"system": system, "code": code}]},
        authoredOn=NOW,
        status="active",
        intent="order",
        priority="stat",
        subject={"reference": f"Patient/{_mrn(task)}"},
        **more,
    )


def _refer(task: str, answers: list[Any]) -> Turn:
    if answers:
        return finish()
    text = task[task.index("Situation") : task.rindex('"')]
    return _service(task, "http://snomed.info/sct", "306181000000106", note={"text": text})


def _potassium(task: str, answers: list[Any]) -> Turn:
    rows = _rows(task, answers, "K")
    if isinstance(rows, dict):
        return rows
    made = {a["resourceType"] for a in answers}
    if rows[0][1] >= 3.5 or "ServiceRequest" in made:
        return finish()
    if "MedicationRequest" in made:
        at = "2023-11-14T08:00:00+00:00"
        return _service(task, "http://loinc.org", "2823-3", occurrenceDateTime=at)
    dose = {"value": round((3.5 - rows[0][1]) * 100), "unit": "mEq"}
    return _drug(task, "40032-917-01", "oral", dose)


def _a1c(task: str, answers: list[Any]) -> Turn:
    rows = _rows(task, answers, "A1C")
    if isinstance(rows, dict):
        return rows
    if not rows:
        return finish(-1)
    at, value = rows[0]
    if at < "2022-11-13T10:15" and answers[-1]["resourceType"] != "ServiceRequest":
        return _service(task, "http://loinc.org", "4548-4")
    return finish(value, at)


_KINDS: dict[str, Callable[[str, list[Any]], Turn]] = {
    "the MRN of the patient with name": _find,
    "the age of the patient": _age,
    "I just measured the blood pressure": _record_pressure,
    "most recent magnesium level": _magnesium,
    "last serum magnesium level": _replace_magnesium,
    "average CBG": _average,
    "most recent CBG": _glucose,
    "orthopedic surgery referral": _refer,
    "most recent potassium level": _potassium,
    "HbA1C": _a1c,
}
