"""One engine for every score: from what is known to a value, or to a range and what is missing.

A score with an input that could still change its total is never a number. The total is then the
exact range over every completion of the unknown inputs, with the bands those completions reach. An
unknown input that cannot change the points (a risk factor where known coronary disease already
gives them all) does not stand in the way; the item says so.

A score keeps its own band. Where that band can be "low" and a condition of
``chest_pain_low_risk_blocks.yaml`` is present, the result carries a caveat that begins with
`knowledge.low_risk.NEVER_LOW`; a pathway that speaks of the case as a whole asks
`knowledge.low_risk.low_risk_blocks` itself and does not read it out of the text.
"""

from collections.abc import Mapping
from functools import cache

from knowledge.finding import Finding
from knowledge.low_risk import block_inputs
from knowledge.risk import Risk
from knowledge.scores import Score, score
from tools.risk.completions import representatives
from tools.risk.contract import Refusal, within
from tools.risk.inputs import read_inputs
from tools.risk.outcomes import Outcomes
from tools.risk.result import refused, result


def evaluate(score_id: str, findings: Mapping[str, Finding]) -> Risk:
    """Return the result of one score or rule.

    Args:
        score_id: File name under ``knowledge/data/scores``.
        findings: By clinical-input id, in any order; others are not looked at.

    Returns:
        The risk. Outside the score's population, or before what it requires is known, its
        category is ``not assessed`` with the reason.

    Raises:
        InvalidValueError: A value is impossible, or there is no such score.
        ContractError: A finding is of another kind or unit than the input asks for.
    """
    chosen = score(score_id)
    inputs = read_inputs(inputs_of(score_id), findings)
    every = with_parts(score_id)
    values = representatives(
        inputs,
        [c for part in every for c in part.conditions()],
        [line for part in every for line in part.lines()],
    )
    scope = within(every, inputs, values)
    if isinstance(scope, Refusal):
        return refused(chosen, inputs, scope)
    totals = tuple(part for part in every if part.items)
    return result(inputs, Outcomes(chosen, totals, scope.values), scope)


@cache
def with_parts(score_id: str) -> tuple[Score, ...]:
    """Return the score itself, then every score whose total its rule reads."""
    chosen = score(score_id)
    return (chosen, *(score(other) for other in chosen.scores_read() if other != score_id))


@cache
def inputs_of(score_id: str) -> tuple[str, ...]:
    """Return the ids of every clinical input a score looks at: its items, then the rest."""
    every = with_parts(score_id)
    items = [i for part in every for item in part.items for i in item.inputs()]
    rest = [i for part in every for condition in part.conditions() for i in condition.inputs()]
    regressions = [part.regression for part in every if part.regression is not None]
    terms = [term.input for r in regressions for term in r.terms if term.input is not None]
    blocks = block_inputs() if every[0].low_categories else ()
    return tuple(dict.fromkeys([*items, *rest, *terms, *blocks]))
