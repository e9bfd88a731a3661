# ruff: noqa: RUF001
"""What must be read with a score is told in Chinese in a Chinese answer."""

import pytest

from agent.fact_sheet.chinese import in_chinese
from agent.fact_sheet.scores import CAVEAT
from agent.facts import Fact


@pytest.mark.parametrize(
    ("name", "caveat", "told"),
    [
        (
            "CRUSADE",
            "The paper speaks of 1 to 100 points; its items add up to 1 to 96.",
            "CRUSADE：论文称1至100分；各项合计为1至96分。",
        ),
        (
            "TIMI (unstable angina or NSTEMI)",
            "Not assessed, and would forbid a low conclusion: End-stage renal disease or dialysis.",
            "TIMI（不稳定型心绞痛或NSTEMI）：未评估且可能使低危结论不成立：终末期肾病或透析。",
        ),
    ],
)
def test_a_caveat_is_told_in_chinese(name: str, caveat: str, told: str) -> None:
    fact = Fact(
        key=f"{CAVEAT}{name}.1", kind="score", names=(name,), whole=True, text=f"{name}: {caveat}"
    )
    found = in_chinese(fact)
    assert (found.language, found.text) == ("zh", told)


def test_a_caveat_without_chinese_words_stays_as_it_is() -> None:
    fact = Fact(key=f"{CAVEAT}X.1", kind="score", names=("X",), whole=True, text="X: a new one.")
    assert in_chinese(fact).text == "X: a new one."
