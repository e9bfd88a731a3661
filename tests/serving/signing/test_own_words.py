"""What a signer's own words state that nothing behind the statement holds."""

from collections.abc import Callable

import pytest

from agent.assessment import Assessment
from serving.signing.own_words import unverified
from serving.signing.statements import statements
from tests.serving.signing.test_statements import assessed

GRACE = "risk:grace_in_hospital:GRACE in-hospital score"
ESC = "risk:serial_troponin:ESC 0/1 h"


Held = Callable[[str, str, str], list[str]]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    known: dict[str, Assessment] = {}

    def of(name: str, subject: str, text: str) -> list[str]:
        if name not in known:
            known[name] = assessed(name, tmp_path_factory.mktemp(name))
        one = next(s for s in statements(known[name]) if s.subject == subject)
        return list(unverified(text, one, known[name]))

    return of


@pytest.mark.parametrize(
    ("subject", "text", "expected"),
    [
        (GRACE, "GRACE 157: high.", []),
        (GRACE, "GRACE 157, not high", ["not"]),
        (GRACE, "GRACE fifty-seven: high", ["57"]),
        (GRACE, "GRACE 1.57: high", ["1.57"]),
        (GRACE, "GRACE 157: high, in a woman of 71 years", []),
        (GRACE, "GRACE 157: high, in a woman of 72 years", ["72 years"]),
        (GRACE, "GRACE 157: moderate", ["moderate"]),
        (GRACE, "GRACE 157, death above 4 %", ["4 %"]),
        (GRACE, "评分57分,低", ["57分", "低"]),
        (ESC, "24 ng/L, then 43 ng/L after 62 min: rule-in.", []),
        (ESC, "24 ng/L, then 4.3 ng/L after 62 min: rule-in.", ["4.3 ng/L"]),
        (ESC, "24 ng/L, then 43 ng/mL after 62 min: rule-in.", ["43 ng/mL"]),
        (ESC, "Infarction is ruled out.", ["ruled"]),
        (ESC, "Rule-out.", ["Rule out"]),
    ],
)
def test_numbers_grades_and_negations(
    held: Held, subject: str, text: str, expected: list[str]
) -> None:
    assert held("nstemi", subject, text) == expected


def test_a_grade_that_is_only_still_possible_is_not_held(held: Held) -> None:
    assert held("half_missing", GRACE, "GRACE: not determined, low or high") == []
    assert held("half_missing", GRACE, "GRACE: high") == ["high"]
