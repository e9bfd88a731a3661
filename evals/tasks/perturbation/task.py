"""Whether a change that means nothing changes nothing, and a datum that is gone lowers nothing."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.assessment import Assessment
from evals.case import Case
from evals.outcome import said_hash
from evals.patients import prepared
from evals.scoring import Count, Measured, Metric, System
from evals.systems import run_agent, run_rules
from evals.task import Bench, Task
from knowledge.pathways import Urgency
from knowledge.risk import Risk

_LOWEST = ("rule-out", "low", "unlikely")
"""Categories that let somebody go home; none may come from a datum that is gone."""

_WORSE = tuple(reversed([one.value for one in Urgency]))


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    base = {"base": case.given["base"], "edits": case.given.get("edits", [])}
    plain = prepared(base, bench.folder / "plain")
    changed = prepared(
        {**base, "edits": [*base["edits"], *case.given["change"]]}, bench.folder / "changed"
    )
    before = run_rules([plain], bench)
    if system == "rules":
        after = run_rules([changed], bench)
    else:
        done = await run_agent(changed, bench=bench, language=case.language)
        after = done.outcome.assessment
    if case.expected["effect"] == "none":
        same = said_hash(before) == said_hash(after)
        notes = () if same else tuple(_differences(before, after))
        return Measured(counts={"same": Count.of_all([same])}, notes=notes)
    lower = list(_lowered(before, after))
    open_again = [_is_open(after, name) for name in case.expected["open"]]
    notes = tuple(
        f"{name}: still settled"
        for name, ok in zip(case.expected["open"], open_again, strict=True)
        if not ok
    )
    return Measured(
        counts={"lower": Count.of_all([bool(lower)]), "open": Count.of_all(open_again)},
        notes=(*(f"lower: {text}" for text in lower), *notes),
    )


def _differences(before: Assessment, after: Assessment) -> Iterator[str]:
    old = {risk.name: risk for risk in before.risks}
    for risk in after.risks:
        was = old.get(risk.name)
        if was is None or (was.category, was.value, was.range) != (
            risk.category,
            risk.value,
            risk.range,
        ):
            yield f"{risk.name}: {risk.category} {risk.value} {risk.range}"


def _lowered(before: Assessment, after: Assessment) -> Iterator[str]:
    """Yield each risk that became lower because something is not known any more."""
    old = {risk.name: risk for risk in before.risks}
    for risk in after.risks:
        was = old.get(risk.name)
        if was is None:
            continue
        if risk.category in _LOWEST and was.category not in _LOWEST:
            yield f"{risk.name}: {was.category} became {risk.category}"
        if was.not_assessed is None and _top(risk) < _top(was):
            yield f"{risk.name}: {_top(was):g} points became at most {_top(risk):g}"
    ranks = [_WORSE.index(one.narrative.urgency.value) for one in (before, after)]
    if ranks[1] < ranks[0] and ranks[1] == 0:
        yield f"urgency: {before.narrative.urgency} became {after.narrative.urgency}"


def _top(risk: Risk) -> float:
    """Return the highest points that are possible; no limit where nothing is said."""
    if risk.value is not None:
        return risk.value
    return risk.range[1] if risk.range is not None else float("inf")


def _is_open(after: Assessment, name: str) -> bool:
    """Return whether a risk says that it does not know: a range, more than one band, or why not."""
    risk = next(one for one in after.risks if one.name == name)
    return risk.value is None and (
        risk.not_assessed is not None
        or risk.range is not None
        or risk.category in ("not determined", "need second sample")
    )


def _owed(case: Case, system: System) -> Mapping[str, float]:
    if case.expected["effect"] == "none":
        return {"same": 1.0}
    return {"lower": 1.0, "open": float(len(case.expected["open"]))}


TASK = Task(
    name="perturbation",
    title="Do order, units and notation change nothing, and does a lost datum lower nothing?",
    metrics=(
        Metric(
            id="same",
            title="the same result after a change that means nothing",
            must=1.0,
            must_for=("agent", "rules"),
        ),
        Metric(
            id="lower",
            title="a lower risk after a datum was taken away",
            better="lower",
            must=0.0,
            must_for=("agent", "rules"),
        ),
        Metric(
            id="open",
            title="results that say they do not know any more",
            must=1.0,
            must_for=("agent", "rules"),
        ),
    ),
    systems=("rules", "agent"),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
)
