"""Agreement with the truth, against a published example and sums by hand."""

import pytest

from evals.agreement import Quantity, Stated, agreement, exceeded, rounding
from evals.report import markdown, summary
from evals.results import TaskResult
from evals.scoring import Measured, Trial
from evals.tasks.imaging_measurements.quantities import quantities, stated
from knowledge.ct_measurements import ct_errors
from knowledge.errors import ReferenceDataError

WRIGHT = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)
"""Peak flow by two meters, l/min: Bland and Altman 1986 (10.1016/S0140-6736(86)90837-8), table."""


def test_the_peak_flow_of_bland_and_altman_has_their_bias_and_interval() -> None:
    # Published: mean difference -2.1, SD 38.8, 95 % interval of the bias -22.0 to 17.8.
    found = agreement([float(a - b) for a, b in zip(WRIGHT, MINI, strict=True)])
    assert found is not None
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.bias_ci == pytest.approx((-22.0, 17.8), abs=0.1)
    assert found.limits is not None
    assert (found.limits[1] - found.limits[0]) / 3.92 == pytest.approx(38.8, abs=0.05)
    # Their standard error of a limit, 16.3 by the square root of 3 / n, and t of 16 degrees, 2.12;
    # the exact root, 1 / n + 1.96^2 / 2 (n - 1), is 0.4225 of the standard deviation: 16.4.
    assert found.low_ci is not None
    assert (found.low_ci[1] - found.low_ci[0]) / 2 == pytest.approx(2.12 * 16.4, abs=0.2)


def test_nothing_measured_has_no_agreement_and_one_thing_no_interval() -> None:
    assert agreement([]) is None
    one = agreement([0.5])
    assert one is not None
    assert (one.n, one.bias, one.limits) == (1, 0.5, None)


@pytest.mark.parametrize(
    ("differences", "met"),
    [
        pytest.param((0.1, -0.1, 0.1), True, id="within"),
        pytest.param((0.13, -0.13, 0.14), True, id="half a digit above"),
        pytest.param((0.2, -0.2, 0.2), False, id="mean above"),
        pytest.param((0.0, 0.0, 0.9), False, id="one too far"),
        pytest.param((0.2, 0.2), True, id="mean of too few"),
    ],
)
def test_a_stated_error_is_met_or_not(differences: tuple[float, ...], met: bool) -> None:
    quantity = Quantity(
        id="d",
        title="diameter",
        unit="mm",
        stated=(
            Stated(error="mean absolute", value=0.13, n=3),
            Stated(error="largest", value=0.7),
        ),
    )
    said = exceeded(quantity, agreement(differences))
    assert (said == ()) is met, said


def test_a_number_is_rounded_where_it_is_written() -> None:
    assert (rounding(0.13), rounding(18), rounding(-1.95)) == (0.005, 0.5, 0.005)


def test_a_result_with_an_error_above_the_card_is_a_defect_and_the_report_says_so() -> None:
    quantity = Quantity(
        id="d", title="diameter", unit="mm", stated=(Stated(error="largest", value=0.7),)
    )
    trial = Trial(case="a", system="rules", measured=Measured(differences={"d": (0.1, -1.2)}))
    result = TaskResult(
        task="t", title="T", quantities=(quantity,), systems=("rules",), trials=(trial,)
    )
    assert result.defects() == ("t: rules: diameter: largest error 1.2 mm, stated 0.7",)
    text = markdown([result])
    assert "| diameter, mm | 2 | -0.55" in text
    assert "NOT MET" in text
    numbers = summary([result])["t"]["systems"]["rules"]["quantities"]["d"]
    assert (numbers["n"], numbers["met"]) == (2, False)
    assert TaskResult.model_validate_json(result.model_dump_json(exclude_defaults=True)) == result


def test_every_quantity_has_the_error_of_its_card() -> None:
    found = quantities()
    assert all(quantity.stated for quantity in found)
    by_id = {quantity.id: quantity for quantity in found}
    assert len(by_id) == len(found)
    rows = {
        (row.measurement, row.metric, row.n): row.value
        for row in ct_errors()
        if row.dataset == "solid spheres of 8 to 20 mm, vessels"
    }
    mean, largest = by_id["diameter solid large 1.25"].stated
    assert rows["nodule-diameter", "mean absolute error of the mean diameter", mean.n] == mean.value
    assert largest.value == rows["nodule-diameter", "largest error of the mean diameter", mean.n]


def test_an_error_that_no_card_states_is_not_made_up() -> None:
    with pytest.raises(ReferenceDataError, match="0 rows"):
        stated(ct_errors(), "nodule-diameter", "cubes", mean="mean absolute error")
