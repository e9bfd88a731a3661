"""QT 400 ms at 75/min: values worked outside this code and compared with another package."""

import pytest

from tools.ecg.qtc import bazett, framingham, fridericia, hodges, rautaharju

QT_MS, RATE, RR_S = 400.0, 75.0, 0.8


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(bazett(QT_MS, rr_s=RR_S), 447.2, id="Bazett"),
        pytest.param(fridericia(QT_MS, rr_s=RR_S), 430.9, id="Fridericia"),
        pytest.param(framingham(QT_MS, rr_s=RR_S), 430.8, id="Framingham"),
        pytest.param(hodges(QT_MS, rate_per_min=RATE), 426.25, id="Hodges"),
        pytest.param(rautaharju(QT_MS, rate_per_min=RATE), 433.3, id="Rautaharju"),
    ],
)
def test_corrected_qt(found: float, expected: float) -> None:
    assert found == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("correct", [bazett, fridericia, framingham])
def test_at_60_per_minute_no_formula_changes_the_qt(correct: object) -> None:
    assert callable(correct)
    assert correct(412.0, rr_s=1.0) == pytest.approx(412.0)
