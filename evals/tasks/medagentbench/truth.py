"""What is right, worked out from the seeded resources themselves, and whether a run got it.

Nothing of the store's search is used here: the resources are read one by one. A kind that needs a
look at the chart is only right where the chart was looked at: an agent that does nothing is never
right by luck.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Resource = Mapping[str, Any]
Searched = tuple[str, tuple[tuple[str, str], ...]]

NOW = datetime(2023, 11, 13, 10, 15, tzinfo=UTC)
"""As every task says."""

MG_MMOL_TO_MG_DL = 2.4305
"""Magnesium: 24.305 g/mol (IUPAC standard atomic weight), a tenth of a litre."""

GLUCOSE_MMOL_TO_MG_DL = 18.016
"""Glucose: 180.16 g/mol (C6H12O6), a tenth of a litre."""

_FACTOR = {"MG": MG_MMOL_TO_MG_DL, "GLU": GLUCOSE_MMOL_TO_MG_DL}
_NDC = "http://hl7.org/fhir/sid/ndc"
_SNOMED = "http://snomed.info/sct"
_LOINC = "http://loinc.org"


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a run left behind.

    Args:
        answer: The final answer; None where there was none.
        created: Resources it created.
        searched: Searches that were answered.
    """

    answer: tuple[float | str, ...] | None
    created: Sequence[Resource]
    searched: Sequence[Searched]


Wrong = str
"""What is wrong in words; empty where nothing is."""


def wrong(task: Mapping[str, Any], resources: Iterable[Resource], done: Done) -> Wrong:
    """Return what a run got wrong in a task; empty where it is right.

    Args:
        task: One of the benchmark.
        resources: As seeded.
        done: What the run left behind.
    """
    if done.answer is None:
        return "no final answer"
    kind = int(task["id"].removeprefix("task").partition("_")[0])
    return _KINDS[kind](_Chart(task, tuple(resources)), done)


class _Chart:
    """The one patient of a task."""

    def __init__(self, task: Mapping[str, Any], resources: Sequence[Resource]) -> None:
        self.task = task
        self.mrn: str = task["eval_MRN"]
        self._all = resources

    def person(self) -> Resource:
        return next(r for r in self._all if r["resourceType"] == "Patient" and r["id"] == self.mrn)

    def series(self, code: str) -> list[tuple[datetime, float]]:
        """Return time and value of each result, oldest first, glucose and magnesium in mg/dL."""
        found = []
        for one in self._all:
            if one["resourceType"] != "Observation":
                continue
            if one["subject"]["reference"] != f"Patient/{self.mrn}":
                continue
            if one["code"].get("text") != code:
                continue
            value = float(one["valueQuantity"]["value"])
            if one["valueQuantity"]["unit"] == "mmol/L" and code in _FACTOR:
                value *= _FACTOR[code]
            found.append((datetime.fromisoformat(one["effectiveDateTime"]), value))
        return sorted(found)

    def last_day(self, code: str) -> list[float]:
        return [v for at, v in self.series(code) if NOW - timedelta(hours=24) <= at <= NOW]


def _looked(done: Done, chart: _Chart, code: str) -> Wrong:
    for kind, parameters in done.searched:
        asked = dict(parameters)
        its = asked.get("patient", asked.get("subject", "")).removeprefix("Patient/")
        if kind == "Observation" and its == chart.mrn and asked.get("code", code) == code:
            return ""
    return "the results of the patient were never looked at"


def _only_answer(done: Done, right: Sequence[float | str], within: float = 0.0) -> Wrong:
    if done.created:
        return "created something that nobody asked for"
    return _answer(done, right, within)


def _answer(done: Done, right: Sequence[float | str], within: float = 0.0) -> Wrong:
    given = done.answer or ()
    if len(given) != len(right):
        return f"answered {list(given)} instead of {list(right)}"
    for got, wanted in zip(given, right, strict=True):
        if not _same(got, wanted, within):
            return f"answered {list(given)} instead of {list(right)}"
    return ""


def _same(got: float | str, wanted: float | str, within: float) -> bool:
    if isinstance(wanted, str):
        return _moment(got) == _moment(wanted) if _moment(wanted) else str(got).strip() == wanted
    try:
        return abs(float(got) - wanted) <= within + 1e-9
    except ValueError:
        return False


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _known_patient(chart: _Chart, done: Done) -> Wrong:
    return _first(_seen_patient(done), _only_answer(done, [chart.task["sol"][0]]))


def _seen_patient(done: Done) -> Wrong:
    seen = any(kind == "Patient" for kind, _ in done.searched)
    return "" if seen else "no patient was looked up"


def _age(chart: _Chart, done: Done) -> Wrong:
    year, month, day = map(int, chart.person()["birthDate"].split("-"))
    age = NOW.year - year - ((NOW.month, NOW.day) < (month, day))
    return _first(_seen_patient(done), _only_answer(done, [float(age)]))


def _blood_pressure(chart: _Chart, done: Done) -> Wrong:
    reading = re.search(r"\d+/\d+ mmHg", chart.task["instruction"])
    if reading is None:
        raise ValueError("the task names no blood pressure")
    post = _one(done, "Observation")
    if isinstance(post, str):
        return post
    category = [c.get("code") for one in post["category"] for c in one.get("coding", ())]
    return _must(
        {
            "category": "vital-signs" in category,
            "code.text": post["code"].get("text") == "BP",
            "effectiveDateTime": _moment(post["effectiveDateTime"]) == NOW,
            "status": post["status"] == "final",
            "valueString": post["valueString"] == reading[0],
            "subject": _of(post, chart),
        }
    )


def _latest_magnesium(chart: _Chart, done: Done) -> Wrong:
    found = chart.last_day("MG")
    right = found[-1] if found else -1.0
    return _first(_looked(done, chart, "MG"), _only_answer(done, [right], 0.06))


def _magnesium_order(chart: _Chart, done: Done) -> Wrong:
    looked = _looked(done, chart, "MG")
    found = chart.last_day("MG")
    grams = _magnesium_grams(found[-1]) if found else None
    if looked or grams is None:
        return looked or ("ordered although nothing is low" if done.created else "")
    post = _one(done, "MedicationRequest")
    if isinstance(post, str):
        return post
    dose, rate = _dose(post, "doseQuantity"), _dose(post, "rateQuantity")
    return _must(
        {
            **_medication(post, chart, "0338-1715-40"),
            "route": _route(post) in ("iv", "intravenous"),
            "dose": dose == (grams, "g"),
            "rate": rate in ((grams, "h"), (1.0, "g/h")),
        }
    )


def _magnesium_grams(value: float) -> float | None:
    """Return the dose that the task's instructions give; it takes as many hours as grams."""
    if value < 1.0:
        return 4.0
    if value < 1.5:
        return 2.0
    return 1.0 if value <= 1.9 else None


def _average_glucose(chart: _Chart, done: Done) -> Wrong:
    found = chart.last_day("GLU")
    right = sum(found) / len(found) if found else -1.0
    return _first(_looked(done, chart, "GLU"), _only_answer(done, [right], 0.1))


def _latest_glucose(chart: _Chart, done: Done) -> Wrong:
    right = chart.series("GLU")[-1][1]
    return _first(_looked(done, chart, "GLU"), _only_answer(done, [right], 0.05))


def _referral(chart: _Chart, done: Done) -> Wrong:
    quoted = re.search('["\u201c](.+)["\u201d]', chart.task["instruction"])
    if quoted is None:
        raise ValueError("the task has no text of a referral")
    post = _one(done, "ServiceRequest")
    if isinstance(post, str):
        return post
    note = post.get("note", {})
    texts = [n.get("text", "") for n in note] if isinstance(note, list) else [note.get("text", "")]
    wanted = " ".join(quoted[1].split())
    return _must(
        {
            **_service(post, chart, _SNOMED, "306181000000106"),
            "note": any(wanted in " ".join(text.split()) for text in texts),
        }
    )


def _potassium(chart: _Chart, done: Done) -> Wrong:
    looked = _looked(done, chart, "K")
    value = chart.series("K")[-1][1]
    if looked or value >= 3.5:
        return looked or ("ordered although nothing is low" if done.created else "")
    kinds = sorted(r["resourceType"] for r in done.created)
    if kinds != ["MedicationRequest", "ServiceRequest"]:
        return f"created {kinds} instead of one order and one test"
    drug, test = sorted(done.created, key=lambda r: str(r["resourceType"]))
    dose = round((3.5 - value) / 0.1) * 10.0
    return _must(
        {
            **_medication(drug, chart, "40032-917-01"),
            "route": _route(drug) in ("oral", "po", "by mouth"),
            "dose": _dose(drug, "doseQuantity") == (dose, "meq"),
            **_service(test, chart, _LOINC, "2823-3"),
            "occurrenceDateTime": _moment(test.get("occurrenceDateTime"))
            == datetime(2023, 11, 14, 8, tzinfo=UTC),
        }
    )


def _a1c(chart: _Chart, done: Done) -> Wrong:
    looked = _looked(done, chart, "A1C")
    series = chart.series("A1C")
    right: list[float | str] = [series[-1][1], series[-1][0].isoformat()] if series else [-1.0]
    answered = _first(looked, _answer(done, right, 0.01))
    old = bool(series) and series[-1][0] < NOW.replace(year=NOW.year - 1)
    if answered or (not old and not done.created):
        return answered
    if series and not old:
        return "ordered although the value is not older than a year"
    # Without any value the task leaves open whether a test is ordered: both are right.
    post = _one(done, "ServiceRequest")
    return post if isinstance(post, str) else _must(_service(post, chart, _LOINC, "4548-4"))


def _one(done: Done, kind: str) -> Resource | Wrong:
    if [r["resourceType"] for r in done.created] != [kind]:
        return f"created {[r['resourceType'] for r in done.created]} instead of one {kind}"
    return done.created[0]


def _medication(post: Resource, chart: _Chart, ndc: str) -> dict[str, bool]:
    return {
        "medication": _coded(post["medicationCodeableConcept"], _NDC, ndc),
        "medication authoredOn": _moment(post["authoredOn"]) == NOW,
        "medication status": post["status"] == "active",
        "medication intent": post["intent"] == "order",
        "medication subject": _of(post, chart),
    }


def _service(post: Resource, chart: _Chart, system: str, code: str) -> dict[str, bool]:
    return {
        "code": _coded(post["code"], system, code),
        "authoredOn": _moment(post["authoredOn"]) == NOW,
        "status": post["status"] == "active",
        "intent": post["intent"] == "order",
        "priority": post["priority"] == "stat",
        "subject": _of(post, chart),
    }


def _coded(concept: Mapping[str, Any], system: str, code: str) -> bool:
    return any(
        c.get("code") == code and c.get("system", system) == system
        for c in concept.get("coding", ())
    )


def _of(post: Resource, chart: _Chart) -> bool:
    return bool(post["subject"]["reference"] == f"Patient/{chart.mrn}")


def _route(post: Resource) -> str:
    route = post["dosageInstruction"][0].get("route", {})
    text = route.get("text", "") if isinstance(route, Mapping) else route
    return str(text).strip().casefold()


def _dose(post: Resource, name: str) -> tuple[float, str] | None:
    given = post["dosageInstruction"][0].get("doseAndRate") or [{}]
    quantity = given[0].get(name, {})
    if not isinstance(quantity.get("value"), int | float):
        return None
    return float(quantity["value"]), str(quantity.get("unit", "")).strip().casefold()


def _must(held: Mapping[str, bool]) -> Wrong:
    failed = [name for name, ok in held.items() if not ok]
    return f"wrong in what was created: {', '.join(failed)}" if failed else ""


def _first(*problems: Wrong) -> Wrong:
    return next(filter(None, problems), "")


_KINDS: Mapping[int, Callable[[_Chart, Done], Wrong]] = {
    1: _known_patient,
    2: _age,
    3: _blood_pressure,
    4: _latest_magnesium,
    5: _magnesium_order,
    6: _average_glucose,
    7: _latest_glucose,
    8: _referral,
    9: _potassium,
    10: _a1c,
}
