"""What is wrong with a condition in a data file, checked against the clinical-input catalogue.

A mistyped input or answer would never be true, and so would read as "not there". It is found here,
when the file is loaded.
"""

from collections.abc import Iterator, Mapping
from typing import assert_never

from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.finding import State
from knowledge.rules import Condition

_STATES = frozenset({State.PRESENT.value, State.ABSENT.value})


def condition_faults(
    condition: Condition, known: Mapping[str, ClinicalInput] | None = None
) -> Iterator[str]:
    """Yield one sentence for each test that no answer of the catalogue could decide.

    Args:
        condition: The condition.
        known: The inputs it may read; the default is those a pathway is answered.

    Examples:
        >>> list(condition_faults(Condition(input="sex", is_="femal")))
        ["'sex' has no answer 'femal'"]
    """
    known = catalogue().inputs if known is None else known
    for leaf in condition.leaves():
        if leaf.input is None:
            continue
        entry = known.get(leaf.input)
        if entry is None:
            yield f"{leaf.input!r} is not in the catalogue of clinical inputs"
        else:
            yield from _faults(leaf.input, leaf, entry, known)


def _faults(
    input_id: str, leaf: Condition, entry: ClinicalInput, known: Mapping[str, ClinicalInput]
) -> Iterator[str]:
    wanted = (leaf.is_,) if isinstance(leaf.is_, str) else leaf.is_ or ()
    match entry.kind:
        case "boolean":
            answers: frozenset[str] = _STATES
        case "choice":
            answers = frozenset(entry.choices)
        case "quantity" | "time":
            answers = frozenset()
        case _:
            assert_never(entry.kind)
    for answer in wanted:
        if answer not in answers:
            yield f"{input_id!r} has no answer {answer!r}"
    if (leaf.limits or leaf.below) and entry.kind != "quantity":
        yield f"{input_id!r} is not a number, so it has no limits"
    if leaf.below is not None:
        mover = known.get(leaf.below.input)
        if mover is None or mover.kind != "quantity":
            yield f"{leaf.below.input!r} is not a number of the catalogue, so it moves no limit"
