"""Desirable specifications from biological variation, by hand from the rules of the sheet."""

import pytest

from knowledge.biological_variation import biological_variation
from tools.labs.analytical_quality import desirable_quality


def test_the_specifications_of_potassium() -> None:
    found = desirable_quality("potassium")
    assert found is not None
    assert found.imprecision == pytest.approx(1.95)  # 0.5 x 3.9
    # 0.25 x sqrt(3.9^2 + 4.1^2) = 0.25 x 5.659 = 1.415; 1.65 x 1.95 + 1.415 = 4.632
    assert found.bias == pytest.approx(1.415, abs=0.001)
    assert found.total_error == pytest.approx(4.632, abs=0.001)


def test_without_the_between_subject_variation_there_is_no_bias() -> None:
    found = desirable_quality("chloride")
    assert found is not None
    assert (found.bias, found.total_error) == (None, None)
    assert found.imprecision == pytest.approx(0.485)


def test_without_any_variation_there_is_nothing() -> None:
    assert desirable_quality("hs_ctnt") is None


# between-subject variation of fact sheet B4, %, and the desirable bias 0.25 x sqrt(CVI^2 + CVG^2):
# sodium 0.25 x sqrt(0.55^2 + 1.0^2) = 0.25 x 1.141
@pytest.mark.parametrize(
    ("analyte", "cvi", "cvg"),
    [
        ("sodium", 0.55, 1.0),
        ("potassium", 3.9, 4.1),
        ("creatinine", 4.39, 14),
        ("urea", 13.14, 21),
        ("alt", 12.64, 28),
        ("cholesterol", 5.26, 15),
        ("triglycerides", 19.76, 37),
        ("tsh", 17.82, 36),
        ("haemoglobin", 2.67, 5.5),
        ("platelets", 7.26, 16),
    ],
)
def test_the_desirable_bias_of_each_between_subject_variation(
    analyte: str, cvi: float, cvg: float
) -> None:
    found = desirable_quality(analyte)
    assert found is not None
    assert found.bias == pytest.approx(0.25 * (cvi**2 + cvg**2) ** 0.5, abs=1e-6)
    assert set(biological_variation().between_subject) == {
        "sodium", "potassium", "creatinine", "urea", "alt", "cholesterol", "triglycerides", "tsh",
        "haemoglobin", "platelets",
    }  # fmt: skip
