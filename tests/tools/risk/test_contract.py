"""Whether a score applies: values outside its population are left out, and that is said."""

import pytest

from knowledge.finding import Why
from knowledge.quantity import Interval
from knowledge.rules import Condition
from knowledge.scores import score
from tests.tools.risk.given import Plain, given
from tools.risk.completions import Values, representatives
from tools.risk.contract import Refusal, Scope, within
from tools.risk.inputs import Input, read_inputs

ADULT = Condition(input="age_years", lt=18)


def _read(**answers: Plain | None) -> tuple[dict[str, Input], Values]:
    inputs = read_inputs(
        [
            "age_years",
            "chest_pain",
            "stemi_criteria",
            "omi_equivalent",
            "pe_considered",
            "pe_gestalt_below_15",
        ],
        given(chest_pain=True, **answers),
    )
    signs = [{"input": i, "is": "present"} for i in inputs if i != "age_years"]
    return inputs, representatives(
        inputs, [ADULT, *(Condition.model_validate(sign) for sign in signs)]
    )


@pytest.mark.parametrize("age", [None, Interval(low=10, high=30)], ids=["unknown", "10 to 30"])
def test_ages_outside_the_population_are_not_completions(age: Interval | None) -> None:
    scope = within([score("heart")], *_read(age_years=age, stemi_criteria=False))
    assert isinstance(scope, Scope)
    ages = [v.low for v in scope.values["age_years"] if isinstance(v, Interval)]
    assert ages
    assert all(low is not None and low >= 18 for low in ages)
    assert {next(c.when.inputs()) for c in scope.conditional} == {"age_years", "omi_equivalent"}


def test_known_exclusion_refuses_and_names_its_row() -> None:
    refusal = within([score("heart")], *_read(age_years=50, stemi_criteria=True))
    assert isinstance(refusal, Refusal)
    assert refusal.reason.why is Why.OUTSIDE_CONTRACT
    assert refusal.missing is None


def test_requirement_that_is_unknown_refuses_and_asks() -> None:
    refusal = within([score("perc")], *_read(age_years=50))
    assert isinstance(refusal, Refusal)
    assert refusal.missing is not None
    assert refusal.missing.id == "pe_gestalt_below_15"
