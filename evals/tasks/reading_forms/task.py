"""Forms of readings against published tables, whole and with each item left out."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from evals.case import Case
from evals.phantoms.readings import reading
from evals.scoring import Count, Measured, Metric, System
from evals.task import Bench, Task
from evals.tasks.reading_forms.left_out import left_out, wrong_after
from evals.tasks.reading_forms.numbers import number_checks
from knowledge.finding import State
from knowledge.reading_form import ReadingForm, reading_form
from tools.readings.category import headline, outcomes
from tools.readings.fhir_in import reading_from_fhir
from tools.readings.fhir_out import fhir_bundle
from tools.readings.model import Reading
from tools.readings.outcome import Outcome, outcome_of
from tools.readings.sr_in import reading_from_sr
from tools.readings.sr_out import reading_sr

VECTORS = Path(__file__).parents[3] / "tests" / "golden" / "readings"
"""Cases of the published tables, worked out by hand; each with its source."""


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    """Read one case whole, with each item left out, in words, and through both formats."""
    form = reading_form(case.given["form"])
    made = reading(form.id, case.given["items"])
    found = outcomes(form, made.items)
    table = list(_against_table(form, found, case.expected))
    less = list(_incomplete(form, made, found))
    numbers = list(number_checks(form, made))
    trips = list(_round_trips(made))
    counts = {
        "exact": Count.of_all(right for right, _ in table),
        f"exact {form.id}": Count.of_all(right for right, _ in table),
        "possible": Count.of_all(not wrong for wrong, _ in less),
        "certain": Count.of_all(certain for _, certain in less),
        "numbers": Count.of_all(right for right, _ in numbers),
        "trips": Count.of_all(right for right, _ in trips),
    }
    notes = [text for right, text in (*table, *numbers, *trips) if not right]
    return Measured(counts=counts, notes=(*notes, *(w for wrong, _ in less for w in wrong)))


def _against_table(
    form: ReadingForm, found: tuple[Outcome, ...], expected: Mapping[str, Any]
) -> Iterator[tuple[bool, str]]:
    """Yield whether each answer is the published one, and what is wrong in words."""
    for key, category in expected.get("is", {}).items():
        got = outcome_of(found, *key.split("/"))
        yield got.category == category, f"{key}: {', '.join(got.possible)}, not {category}"
    for key, possible in expected.get("range", {}).items():
        got = outcome_of(found, *key.split("/"))
        yield list(got.possible) == possible, f"{key}: {', '.join(got.possible)}, not {possible}"
    for key, missing in expected.get("missing", {}).items():
        got = outcome_of(found, *key.split("/"))
        lacking = sorted(set(missing) - set(got.missing))
        yield not lacking, f"{key}: does not say that {', '.join(lacking)} is missing"
    for key, (low, high) in expected.get("total", {}).items():
        total = outcome_of(found, *key.split("/")).total
        right = total is not None and (total.low, total.high) == (low, high)
        yield right, f"{key}: total {total}, not {low} to {high}"
    for key in expected.get("none", ()):
        yield outcome_of(found, key).no_entries, f"{key}: not said to have no entries"
    if "headline" in expected:
        said = headline(form, found)
        yield said == expected["headline"], f"headline {said!r}"


def _incomplete(
    form: ReadingForm, made: Reading, found: tuple[Outcome, ...]
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield for each item left out what can then not be, and whether something is still certain."""
    before = {(one.table, one.entry): one for one in found}
    for path, items in left_out(made.items):
        after = outcomes(form, items)
        wrong = tuple(f"without {path}: {text}" for text in wrong_after(before, after))
        yield wrong, any(one.category is not None for one in after)


def _round_trips(made: Reading) -> Iterator[tuple[bool, str]]:
    bundle = json.loads(json.dumps(fhir_bundle(made)))
    yield reading_from_fhir(bundle) == made, "comes back from FHIR as another reading"
    yield reading_from_sr(reading_sr(made)) == made, "comes back from DICOM SR as another reading"


def _owed(case: Case, system: System) -> Mapping[str, float]:
    form = reading_form(case.given["form"])
    made = reading(form.id, case.given["items"])
    stated = sum(one.state is not State.NOT_ASSESSED for one in made.items.values())
    answers = sum(len(case.expected.get(k, ())) for k in ("is", "range", "missing", "total"))
    owed = {"exact": answers, f"exact {form.id}": answers, "possible": stated}
    return {**{key: float(max(1, of)) for key, of in owed.items()}, "numbers": 1.0, "trips": 2.0}


def _files() -> tuple[Path, ...]:
    return tuple(sorted(VECTORS.glob("*.yaml")))


def _missing() -> str:
    return "" if _files() else "the vectors of the tables are not installed (tests/golden/readings)"


def _load() -> tuple[Case, ...]:
    return tuple(
        Case(
            id=f"{file.stem}-{number}",
            tags=(file.stem,),
            source=case["source"],
            given={"form": file.stem, "items": case["items"]},
            expected={k: v for k, v in case.items() if k not in ("name", "source", "items")},
        )
        for file in _files()
        for number, case in enumerate(yaml.safe_load(file.read_text("utf-8")), 1)
    )


TASK = Task(
    name="reading_forms",
    title="Are the categories of the reading forms those of the published tables, also with less?",
    metrics=(
        Metric(id="exact", title="answers as in the table", must=1.0, must_for=("rules",)),
        Metric(
            id="possible",
            title="items left out after which the true category is still possible",
            must=1.0,
            must_for=("rules",),
        ),
        Metric(id="certain", title="items left out after which some category is still certain"),
        Metric(
            id="numbers",
            title="numbers of the report that are those of the form",
            must=1.0,
            must_for=("rules",),
        ),
        Metric(id="trips", title="round trips, FHIR and SR", must=1.0, must_for=("rules",)),
        *(
            Metric(id=f"exact {file.stem}", title=f"as in the table: {file.stem}")
            for file in _files()
        ),
    ),
    systems=("rules",),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
    missing=_missing,
    load=_load,
)
