"""Bad images are refused with the right reason, and good ones are taken."""

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from evals.case import Case, read_cases
from evals.outside_data import missing
from evals.scoring import Count, Measured, Metric, System
from evals.task import Bench, Task
from evals.tasks.imaging_refusals.probes import ct, film, ihc, model, slide
from evals.tasks.imaging_refusals.probes.answer import Answer, Probe, of
from knowledge.errors import IdentityConflictError, InputError

PROBES: Mapping[str, Probe] = {
    "film": film.film,
    "film-ratio": film.film_ratio,
    "film-gate": film.film_gate,
    "ct-file": ct.ct_file,
    "ct-series": ct.ct_series,
    "ct-lungs": ct.ct_lungs,
    "ct-nodule": ct.ct_nodule,
    "ct-agatston": ct.ct_agatston,
    "ct-aorta": ct.ct_aorta,
    "slide-file": slide.slide_file,
    "slide-micrometres": slide.slide_micrometres,
    "slide-check": slide.slide_check,
    "tile": slide.tile,
    "ihc-real": ihc.ihc_real,
    "ihc-drawn": ihc.ihc_drawn,
    "model": model.model,
}
KINDS = ("film", "ct", "slide", "tile", "ihc", "model")


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    """Give one input to its tool; what is no error of ours is a crash, and the runner counts it."""
    probe: Probe = of(PROBES, case.given["probe"], "probe")
    try:
        answer = probe(case.given, bench.folder)
    except (InputError, IdentityConflictError) as error:
        answer = Answer(refused=f"{error.item}: {error.reason}")
    judged = _good(case, answer) if case.expected["accept"] else _bad(case, answer)
    return judged.model_copy(update={"counts": {**judged.counts, "crashed": Count.of_all([False])}})


def _bad(case: Case, answer: Answer) -> Measured:
    """Judge an input that must be refused."""
    wanted = case.expected["reason"]
    right = bool(answer.refused) and bool(re.search(wanted, answer.refused))
    counts = {
        "refused": Count.of_all([right]),
        "other_reason": Count.of_all([bool(answer.refused) and not right]),
        "accepted_wrongly": Count.of_all([not answer.refused]),
        f"refused {_kind(case)}": Count.of_all([right]),
    }
    if right:
        return Measured(counts=counts)
    said = f"refused for another reason: {answer.refused}" if answer.refused else "accepted"
    return Measured(counts=counts, notes=(f"{said}; it is: {wanted}",))


def _good(case: Case, answer: Answer) -> Measured:
    """Judge an input that must be taken, with the defects that must be named all the same."""
    kind = _kind(case)
    counts = {
        "accepted": Count.of_all([not answer.refused]),
        f"accepted {kind}": Count.of_all([not answer.refused]),
    }
    notes = [f"refused: {answer.refused}"] if answer.refused else []
    named = case.expected.get("says", ())
    if named:
        counts["named"] = Count.of_all(one in answer.said for one in named)
        notes += [f"not named: {one}" for one in named if one not in answer.said]
    return Measured(counts=counts, notes=tuple(notes))


def _kind(case: Case) -> str:
    return str(case.given["probe"]).partition("-")[0]


def _owed(case: Case, system: System) -> Mapping[str, float]:
    kind = _kind(case)
    if case.expected["accept"]:
        named = case.expected.get("says", ())
        owed = {"accepted": 1.0, f"accepted {kind}": 1.0}
        return {**owed, **({"named": float(len(named))} if named else {}), "crashed": 1.0}
    return {"refused": 1.0, f"refused {kind}": 1.0, "crashed": 1.0}


def _load() -> tuple[Case, ...]:
    """Return the cases that can be run: those whose real file, and whose reader, is here."""
    every = read_cases(Path(__file__).parent / "cases.jsonl")
    return tuple(case for case in every if not _absent(case))


def _absent(case: Case) -> str:
    nifti = case.given.get("nifti")
    if nifti is not None and find_spec("nibabel") is None:
        return "nibabel is not installed"
    file = case.given.get("file", nifti)
    return "" if file is None else missing(file)


def _metrics() -> Iterator[Metric]:
    held: tuple[System, ...] = ("rules",)
    yield Metric(id="refused", title="bad inputs refused with the right reason")
    yield Metric(id="accepted", title="good inputs taken", must=1.0, must_for=held)
    yield Metric(id="named", title="defects that stop nothing, named", must=1.0, must_for=held)
    yield Metric(
        id="accepted_wrongly", title="bad inputs taken", better="lower", must=0.0, must_for=held
    )
    yield Metric(id="other_reason", title="bad inputs refused for another reason", better="lower")
    yield Metric(
        id="crashed", title="inputs that broke the tool", better="lower", must=0.0, must_for=held
    )
    for kind in KINDS:
        yield Metric(id=f"refused {kind}", title=f"refused with the right reason: {kind}")
        yield Metric(id=f"accepted {kind}", title=f"taken: {kind}")


TASK = Task(
    name="imaging_refusals",
    title="Are bad images refused with the right reason, and good ones taken?",
    metrics=tuple(_metrics()),
    systems=("rules",),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
    load=_load,
)
