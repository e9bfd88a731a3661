"""Which signs of a tension pneumothorax are not assessed, as headline and actions name them."""

from collections.abc import Iterator

from agent.state import State
from knowledge.clinical_inputs import catalogue
from knowledge.finding import State as Known
from knowledge.pathways import Pathway
from knowledge.rules import Condition, holds

CONDITION = "tension_absent"
"""The pathway's condition that no sign of tension is there, each of them looked for."""

PLACE = "{tension_open}"
_CONFLICT = "conflict."


def open_said(text: str, pathway: Pathway, state: State) -> str:
    """Return a text with the signs of tension that are not assessed in their place."""
    if PLACE not in text:
        return text
    row = pathway.conditions[CONDITION]
    named = dict.fromkeys(_open(row.when, state))
    return text.replace(PLACE, ", ".join(named))


def _open(condition: Condition, state: State) -> Iterator[str]:
    answers = state.answers()
    for leaf in condition.leaves():
        name = leaf.input or ""
        if name.startswith(_CONFLICT):
            if holds(leaf, answers) is True:
                yield _label(name.removeprefix(_CONFLICT)) + " (sources disagree)"
        elif leaf.is_ == Known.ABSENT.value and holds(leaf, answers) is None:
            yield _label(name)


def _label(input_id: str) -> str:
    return catalogue().get(input_id).label
