"""How much the independent checker sees: planted errors caught, true sentences wrongly flagged."""

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.llm.lies import LIES
from evals.case import Case
from evals.checker.check import check_sentence
from evals.checker.mutations import MUTATIONS
from evals.checker.truth import Truth, truth_of
from evals.patients import prepared
from evals.scoring import Count, Measured, Metric, System
from evals.systems import run_rules
from evals.task import Bench, Task

_SEED = 20261122
PARTS = ("first", "second", "third")
"""Sets of sentences written by hand; README.md tells how each was used."""
_EACH = 2
"""Mutations of one kind for each sentence, with different places and sizes."""


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    """Check true sentences as they are, and with one planted error each."""
    found = run_rules([prepared(case.given, bench.folder)], bench)
    assessment = found.to_json()
    truth = truth_of(assessment)
    sentences = _sentences(case, assessment)
    false_alarms = [(text, check_sentence(text, truth).wrong) for text in sentences]
    planted = list(_planted(sentences, case.id))
    caught = [bool(check_sentence(text, truth).wrong) for _, _, text in planted]
    notes = [f"false alarm: {text}: {wrong[0].detail}" for text, wrong in false_alarms if wrong]
    notes += [
        f"missed {kind}: {text}"
        for (kind, _, text), seen in zip(planted, caught, strict=True)
        if not seen
    ]
    counts = {
        "caught": Count.of_all(caught),
        "false_alarm": Count.of_all(bool(wrong) for _, wrong in false_alarms),
    }
    unseen = list(_unseen(sentences))
    counts["caught_unseen"] = Count.of_all(
        bool(check_sentence(text, truth).wrong) for _, text in unseen
    )
    notes += [
        f"missed, not made for it: {lie}: {text}"
        for lie, text in unseen
        if not check_sentence(text, truth).wrong
    ]
    counts |= _by_hand(case, truth)
    for kind in MUTATIONS:
        seen = [s for (k, _, _), s in zip(planted, caught, strict=True) if k == kind]
        counts[f"caught {kind}"] = Count.of_all(seen)
    return Measured(counts=counts, notes=tuple(notes))


def _sentences(case: Case, assessment: Mapping[str, Any]) -> list[str]:
    told = [s["text"] for s in assessment["narrative"]["sentences"]]
    return [*told, *case.expected["true"]]


def _planted(sentences: list[str], seed: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, true sentence, and the sentence with the error."""
    for text in sentences:
        for kind, mutate in MUTATIONS.items():
            seen = {text}
            for number in range(_EACH):
                chance = random.Random(f"{_SEED} {seed} {kind} {number} {text}")  # noqa: S311
                changed = mutate(text, chance)
                if changed is not None and changed not in seen:
                    seen.add(changed)
                    yield kind, text, changed


def _unseen(sentences: list[str]) -> Iterator[tuple[str, str]]:
    """Yield errors of the model that lies: the checker was not worked on with these."""
    for text in sentences:
        for lie, change in LIES.items():
            changed = change(text)
            if changed != text:
                yield lie, changed


def sentences(name: str) -> tuple[Mapping[str, str], ...]:
    """Return the sentences written by hand: `wrong` or `honest`."""
    text = (Path(__file__).parent / f"{name}.jsonl").read_text("utf-8")
    return tuple(json.loads(line) for line in text.splitlines())


def _by_hand(case: Case, truth: Truth) -> Iterator[tuple[str, Count]]:
    """Yield how many sentences written by hand are flagged, of those of this example."""
    for name, metric in (("wrong", "caught"), ("honest", "false_alarm")):
        for part in PARTS:
            flagged = [
                bool(check_sentence(row["text"], truth).wrong)
                for row in sentences(name)
                if (row["example"], row["language"]) == (case.given["base"], case.language)
                and row["part"] == part
            ]
            yield f"{metric} {part}", Count.of_all(flagged)


def _owed(case: Case, system: System) -> Mapping[str, float]:
    return {"caught": 1.0, "false_alarm": 1.0}


TASK = Task(
    name="checker",
    title="Does the independent checker see planted errors, and leave true sentences alone?",
    metrics=(
        Metric(id="caught", title="planted errors caught"),
        Metric(id="caught_unseen", title="errors of the lying model caught, not made for it"),
        Metric(id="false_alarm", title="true sentences flagged", better="lower"),
        *(Metric(id=f"caught {part}", title=f"written by hand, caught: {part}") for part in PARTS),
        *(
            Metric(
                id=f"false_alarm {part}", title=f"honest by hand, flagged: {part}", better="lower"
            )
            for part in PARTS
        ),
        *(Metric(id=f"caught {kind}", title=f"caught: {kind}") for kind in MUTATIONS),
    ),
    systems=("rules",),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
)
