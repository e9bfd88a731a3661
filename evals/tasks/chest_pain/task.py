"""Whether scores, zones and urgency are those of published tables and of other people's labels."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.assessment import Assessment
from evals.case import Case, read_cases
from evals.one_prompt import EverythingAnswer, ask_everything
from evals.outside_data import missing
from evals.patients import prepared
from evals.scoring import Count, Measured, Metric, System
from evals.systems import run_agent, run_asked, run_rules
from evals.task import Bench, Task
from knowledge.pathways import Urgency
from knowledge.risk import NOT_DETERMINED, Risk

_SEVERITY = (
    ("rule-out", "low", "unlikely"),
    (
        "need second sample",
        "rule-out pending a 3 h sample",
        "observe",
        "intermediate",
        "moderate",
        "not-low",
    ),
    ("rule-in", "high", "likely", "imaging", "positive"),
)
"""Categories from the least to the most severe; each algorithm uses one of a row."""

_URGENCY = tuple(reversed([one.value for one in Urgency]))

Got = Mapping[str, Any]
"""What a system says of one thing: category, value, low, high; absent where it says nothing."""


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    folder = prepared(case.given, bench.folder)
    if system == "llm-everything-in-one-prompt":
        answer = await ask_everything(folder, bench, case.language)
        got, urgency, verdicts = _of_answer(answer), answer.urgency, dict(answer.verdicts)
    else:
        assessment = await _assessed(case, folder, system, bench)
        got = {risk.name: _of_risk(risk) for risk in assessment.risks}
        urgency = assessment.narrative.urgency.value
        verdicts = {entry.id: entry.verdict.value for entry in assessment.differential}
    items = list(_judged(case.expected, got, urgency, verdicts))
    notes = tuple(f"{name}: {told}" for name, ok, _, _, told in items if not ok)
    return Measured(
        counts={
            "exact": Count.of_all(ok for _, ok, _, _, _ in items),
            "under": Count.of_all(under for _, _, under, _, _ in items),
            "contains": Count.of_all(inside for _, _, _, inside, _ in items if inside is not None),
        },
        notes=notes,
    )


async def _assessed(case: Case, folder: Path, system: System, bench: Bench) -> Assessment:
    if system == "rules":
        return run_rules([folder], bench)
    if system == "tools-without-floor":
        return (await run_asked(folder, bench, case.language))[1]
    return (await run_agent(folder, bench=bench, language=case.language)).outcome.assessment


def _of_risk(risk: Risk) -> dict[str, Any]:
    bounds = risk.range or (risk.value, risk.value)
    return {
        "category": "not assessed" if risk.not_assessed else risk.category,
        "value": risk.value,
        "low": bounds[0],
        "high": bounds[1],
        "bands": [band.name for band in risk.bands],
    }


def _of_answer(answer: EverythingAnswer) -> dict[str, dict[str, Any]]:
    """Return the model's points and zone; it gives no categories of scores."""
    names = {
        "heart": "HEART score",
        "grace_in_hospital": "GRACE in-hospital score",
        "add_rs": "ADD-RS",
        "wells_pe": "Wells score (pulmonary embolism)",
    }
    got: dict[str, dict[str, Any]] = {
        names[tool]: {"value": points, "low": points, "high": points}
        for tool, points in answer.points.items()
    }
    return {**got, "ESC 0/1 h": {"category": answer.troponin}}


_Item = tuple[str, bool, bool, bool | None, str]
"""What, whether exactly right, whether under-triaged, whether a range holds the truth, in words."""


def _judged(
    expected: Mapping[str, Any], got: Mapping[str, Got], urgency: str, verdicts: Mapping[str, str]
) -> Iterator[_Item]:
    for name, truth in expected.get("risks", {}).items():
        yield _risk(name, truth, got.get(name, {}))
    if "urgency" in expected:
        allowed: Sequence[str] = expected["urgency"]
        least = min(_URGENCY.index(one) for one in allowed)
        under = _URGENCY.index(urgency) < least
        yield "urgency", urgency in allowed, under, None, urgency
    for key, allowed in expected.get("verdicts", {}).items():
        said = verdicts.get(key, "nothing")
        yield key, said in allowed, said == "argued against" and said not in allowed, None, said


def _risk(name: str, truth: Mapping[str, Any], got: Got) -> _Item:
    category = got.get("category")
    allowed = truth["category"] if isinstance(truth["category"], list) else [truth["category"]]
    wrong = [
        f"{key} {got.get(key)}, not {truth[key]}"
        for key in ("value", "low", "high")
        if key in truth and got.get(key) != truth[key]
    ]
    if category is not None and category not in allowed:
        wrong.append(f"{category}, not {allowed[0]}")
    if not got:
        wrong = ["says nothing"]
    rank, least = _rank(category), min(_rank(one) or 0 for one in allowed)
    under = rank is not None and rank < least
    contains: bool | None = None
    if category == NOT_DETERMINED and category not in allowed:
        contains = allowed[0] in got["bands"]
    elif NOT_DETERMINED in allowed and "low" in truth and got.get("low") is not None:
        contains = got["low"] <= truth["low"] and got["high"] >= truth["high"]
    return name, not wrong, under, contains, "; ".join(wrong)


def _rank(category: Any) -> int | None:
    for rank, names in enumerate(_SEVERITY):
        if category in names:
            return rank
    return None


def _owed(case: Case, system: System) -> Mapping[str, float]:
    expected = case.expected
    count = len(expected.get("risks", ())) + len(expected.get("verdicts", ()))
    return {"exact": float(count + ("urgency" in expected))}


def _load() -> tuple[Case, ...]:
    """Return the cases whose recordings are here; the others are left out, and `list` counts."""
    every = read_cases(Path(__file__).parent / "cases.jsonl")
    return tuple(case for case in every if not _absent(case))


def _absent(case: Case) -> str:
    recording = case.given.get("recording")
    if recording is None:
        return ""
    return missing(*(f"{recording['folder']}/{name}" for name in recording["files"]))


TASK = Task(
    name="chest_pain",
    title="Are scores, zones and urgency those of outside truth?",
    metrics=(
        Metric(id="exact", title="answers exactly as the source says"),
        Metric(
            id="under",
            title="answers less severe than the source",
            better="lower",
            must=0.0,
            must_for=("agent", "rules"),
        ),
        Metric(
            id="contains",
            title="ranges that contain the truth",
            must=1.0,
            must_for=("agent", "rules"),
        ),
    ),
    systems=("agent", "rules", "tools-without-floor", "llm-everything-in-one-prompt"),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
    load=_load,
)
