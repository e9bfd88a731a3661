"""Measurements on images of known truth, against the errors that the tools state."""

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

from evals.case import Case
from evals.outside_data import missing
from evals.phantoms.sets import FIELDS, RATIOS, RIBS, WIDTHS
from evals.scoring import Count, Measured, Metric, System
from evals.task import Bench, Task
from evals.tasks.imaging_measurements import ct, film, pathology
from evals.tasks.imaging_measurements.found import Found
from evals.tasks.imaging_measurements.quantities import KINDS, quantities

MEASURES: Mapping[str, Callable[[Mapping[str, Any]], Found]] = {
    "nodules": ct.nodules,
    "lungs": ct.lung_volume,
    "agatston": ct.calcium,
    "tube": ct.tube,
    "real aorta": ct.real_aorta,
    "film": film.films,
    "ihc": pathology.fields,
    "tissue": pathology.tissue,
}
_NODULE_SEEDS, _FIELD_SEEDS, _SLIDES = 3, 4, 12
_DRAWN = "drawn; the truth is the drawing's"


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    """Measure one case; what a tool refuses is counted, and why is noted."""
    measure = case.given["measure"]
    found = MEASURES[measure](case.given)
    given = found.asked - len(found.refused)
    counts = {
        "measured": Count(hits=given, of=found.asked),
        f"measured {measure}": Count(hits=given, of=found.asked),
    }
    if found.types:
        counts["type"] = Count.of_all(found.types)
    return Measured(
        counts=counts,
        differences={key: tuple(values) for key, values in found.differences.items()},
        notes=tuple(f"not measured: {reason}" for reason in found.refused),
    )


def _owed(case: Case, system: System) -> Mapping[str, float]:
    return {"measured": 1.0, f"measured {case.given['measure']}": 1.0}


def _cases() -> Iterator[Case]:
    yield from _nodules()
    yield _case("lungs", "lungs", {})
    yield _case("agatston", "agatston", {})
    for width in (22, 30, 45, 60):
        for lean in (0, 25):
            yield _case(f"tube-{width}-mm-{lean}-degrees", "tube", {"width": width, "lean": lean})
    if not missing(ct.REPORT) and find_spec("nibabel") is not None:
        yield Case(
            id="real-aorta",
            tags=("real aorta",),
            source="ct-totalseg-ref: the published report of one aorta",
            given={"measure": "real aorta"},
        )
    each = len(WIDTHS) * len(RIBS)
    for number, ratio in enumerate(RATIOS):
        places = list(range(number * each, (number + 1) * each))
        yield _case(f"films-{ratio:g}", "film", {"places": places})
    for key, name in pathology.LOOKS.items():
        for of in range(len(FIELDS[name])):
            for seed in range(_FIELD_SEEDS):
                yield _case(f"ihc-{key}-{of}-{seed}", "ihc", {"look": key, "of": of, "seed": seed})
    yield _case("tissue", "tissue", {"slides": _SLIDES})


def _nodules() -> Iterator[Case]:
    for thick, kind, seed in product((False, True), KINDS, range(_NODULE_SEEDS)):
        slices = "2.5" if thick else "1.25"
        given = {"kind": kind, "seed": seed, "thick": thick}
        yield _case(f"nodules-{kind}-{slices}-mm-{seed}", "nodules", given)


def _case(name: str, measure: str, given: Mapping[str, Any]) -> Case:
    return Case(
        id=name, smoke=True, tags=(measure,), source=_DRAWN, given={"measure": measure, **given}
    )


TASK = Task(
    name="imaging_measurements",
    title="Are measurements on images of known truth within the error that the tools state?",
    metrics=(
        Metric(id="measured", title="measured, not refused"),
        *(Metric(id=f"measured {name}", title=f"measured: {name}") for name in MEASURES),
        Metric(id="type", title="type of the nodule right"),
    ),
    quantities=quantities(),
    systems=("rules",),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
    load=lambda: tuple(_cases()),
)
