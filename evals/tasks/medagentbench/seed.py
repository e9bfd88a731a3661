"""The chart store that the tasks are asked of: invented patients with the ids the tasks name.

The reference server of the published benchmark is not public in a form that could be carried, so
its values are other ones. Ours are chosen so that the three tasks of each kind need three
different things: a value to find, a value that is too old, the second page, none at all, another
unit, another patient of the same name.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from evals.fhir_store.store import FhirStore

SEED = 20231113
NOW = datetime(2023, 11, 13, 10, 15, tzinfo=UTC)
"""The moment that the tasks name."""

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_NAMED = re.compile(r"with name (\S+) (\S+) and DOB of (\d{4}-\d\d-\d\d)")
_GIVEN = ("Ana", "Ben", "Chen", "Dora", "Emil", "Fatima", "Goran", "Hana", "Ivo", "Jun")
_FAMILY = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper")
_OTHERS = 40

Sample = tuple[timedelta, float, str]
"""Age at `NOW`, value, unit."""


def store_for(tasks: Sequence[Mapping[str, Any]]) -> FhirStore:
    """Return the store for the tasks; the same tasks give the same store."""
    chance = random.Random(SEED)  # noqa: S311  a recipe, no secret
    resources: list[dict[str, Any]] = []
    for mrn in sorted({task["eval_MRN"] for task in tasks}):
        named = next((m for t in tasks if t["eval_MRN"] == mrn and (m := _named(t))), None)
        resources.append(_patient(mrn, named, chance))
        resources += _chart(mrn, chance)
    for number in range(_OTHERS):
        resources.append(_patient(f"S9{number:06}", None, chance))
    resources += _namesakes(tasks, chance)
    for task in tasks:
        resources += _results(task, chance)
    return FhirStore(resources)


def _named(task: Mapping[str, Any]) -> tuple[str, str, str] | None:
    found = _NAMED.search(task["instruction"])
    return (found[1], found[2], found[3]) if found else None


def _patient(mrn: str, named: tuple[str, str, str] | None, chance: random.Random) -> dict[str, Any]:
    born = datetime(1930, 1, 1, tzinfo=UTC) + _DAY * chance.randrange(365 * 75)
    invented = (chance.choice(_GIVEN), chance.choice(_FAMILY), born.date().isoformat())
    given, family, birth = named or invented
    return {
        "resourceType": "Patient",
        "id": mrn,
        "identifier": [{"system": "urn:mrn", "value": mrn}],
        "name": [{"use": "official", "given": [given], "family": family}],
        "gender": chance.choice(("female", "male")),
        "birthDate": birth,
        "address": [{"line": [f"{chance.randrange(1, 99)} Oak Road"], "city": "Springfield"}],
    }


def _namesakes(
    tasks: Sequence[Mapping[str, Any]], chance: random.Random
) -> Iterator[dict[str, Any]]:
    """Yield another patient with the same name, and one born on the same day."""
    for number, named in enumerate(filter(None, map(_named, tasks))):
        given, family, birth = named
        year = str(int(birth[:4]) + 1)
        yield _patient(f"S8{number:05}1", (given, family, year + birth[4:]), chance)
        yield _patient(f"S8{number:05}2", (chance.choice(_GIVEN), family, birth), chance)


def _chart(mrn: str, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Yield what no task asks for: a problem, a medication, blood pressures, sodium."""
    yield {
        "resourceType": "Condition",
        "id": f"{mrn}-problem-1",
        "category": [{"coding": [{"code": "problem-list-item"}]}],
        "code": {"text": chance.choice(("Essential hypertension", "Asthma", "Migraine"))},
        "subject": {"reference": f"Patient/{mrn}"},
    }
    yield {
        "resourceType": "MedicationRequest",
        "id": f"{mrn}-medication-1",
        "status": "active",
        "intent": "order",
        "category": [{"text": "Community"}],
        "medicationCodeableConcept": {"text": "lisinopril 10 mg"},
        "authoredOn": (NOW - 90 * _DAY).isoformat(),
        "subject": {"reference": f"Patient/{mrn}"},
    }
    for number in range(3):
        yield _observation(f"{mrn}-na-{number}", mrn, "NA", (number * _DAY, 140 + number, "mmol/L"))


def _observation(key: str, mrn: str, code: str, sample: Sample) -> dict[str, Any]:
    age, value, unit = sample
    return {
        "resourceType": "Observation",
        "id": key,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "urn:lab", "code": code}], "text": code},
        "subject": {"reference": f"Patient/{mrn}"},
        "effectiveDateTime": (NOW - age).isoformat(),
        "valueQuantity": {"value": value, "unit": unit},
    }


def _results(task: Mapping[str, Any], chance: random.Random) -> list[dict[str, Any]]:
    """Return the results that one task asks for, in no order of time."""
    kind, _, number = task["id"].removeprefix("task").partition("_")
    recipes = _RECIPES.get(int(kind))
    if recipes is None:
        return []
    code, choices = recipes
    samples = list(choices[(int(number) - 1) % len(choices)])
    chance.shuffle(samples)
    return [
        _observation(f"{task['id']}-{code}-{place}", task["eval_MRN"], code, sample)
        for place, sample in enumerate(samples)
    ]


def _series(count: int, unit: str, low: float, step: float, every: timedelta) -> list[Sample]:
    return [(2 * _HOUR + n * every, round(low + n * step, 1), unit) for n in range(count)]


_RECIPES: Mapping[int, tuple[str, Sequence[Sequence[Sample]]]] = {
    4: (
        "MG",
        (
            [(3 * _HOUR, 2.1, "mg/dL"), (9 * _HOUR, 1.7, "mg/dL"), (40 * _DAY, 1.2, "mg/dL")],
            [(26 * _HOUR, 1.9, "mg/dL"), (50 * _HOUR, 2.0, "mg/dL")],
            [(5 * _HOUR, 0.8, "mmol/L"), (8 * _HOUR, 2.2, "mg/dL")],
        ),
    ),
    5: (
        "MG",
        (
            [(4 * _HOUR, 1.2, "mg/dL"), (11 * _HOUR, 1.8, "mg/dL")],
            [(2 * _HOUR, 0.8, "mg/dL"), (30 * _HOUR, 2.1, "mg/dL")],
            [(25 * _HOUR, 0.9, "mg/dL"), (3 * _DAY, 1.1, "mg/dL")],
        ),
    ),
    6: (
        "GLU",
        (
            [
                *[(n * 4 * _HOUR + _HOUR, 110.0 + 12 * n, "mg/dL") for n in range(5)],
                (30 * _HOUR, 400.0, "mg/dL"),
            ],
            [(27 * _HOUR, 180.0, "mg/dL"), (60 * _HOUR, 95.0, "mg/dL")],
            [(_HOUR, 7.0, "mmol/L"), (7 * _HOUR, 150.0, "mg/dL"), (13 * _HOUR, 98.0, "mg/dL")],
        ),
    ),
    7: (
        "GLU",
        (
            [(6 * _HOUR, 131.0, "mg/dL"), (9 * _DAY, 205.0, "mg/dL")],
            [(70 * _DAY, 88.0, "mg/dL"), (200 * _DAY, 250.0, "mg/dL")],
            _series(45, "mg/dL", 101.0, 3.0, 7 * _HOUR),
        ),
    ),
    9: (
        "K",
        (
            [(5 * _HOUR, 3.1, "mmol/L"), (2 * _DAY, 4.0, "mmol/L")],
            [(8 * _HOUR, 4.2, "mmol/L"), (3 * _DAY, 3.0, "mmol/L")],
            [(12 * _DAY, 2.9, "mmol/L"), (15 * _DAY, 3.3, "mmol/L")],
        ),
    ),
    10: (
        "A1C",
        (
            [(40 * _DAY, 6.4, "%"), (420 * _DAY, 7.2, "%")],
            [(400 * _DAY, 8.1, "%"), (800 * _DAY, 7.0, "%")],
            [],
        ),
    ),
}
"""Results by kind of task, for its first, second and third task."""
