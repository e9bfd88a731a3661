"""Guidelines, models and the suggested level of a measured nodule."""

import pytest

from knowledge.finding import Finding
from knowledge.nodule_levels import nodule_levels
from tests.tools.imaging.ct.test_growth import _seen
from tools.imaging.ct.growth import ct_nodule_growth
from tools.imaging.ct.nodule_level import NoduleManagement, ct_nodule_management
from tools.intake.answer import stated_finding

PLAIN = {
    "age_years": "55 a", "smoking_ever": "no", "extrathoracic_cancer_over_5_years": "no",
    "nodule_spiculated": "no", "nodule_upper_lobe": "no", "cancer_within_5_years_or_lung": "no",
    "nodule_perifissural": "no", "nodule_benign_calcification": "no", "nodule_high_risk": "no",
    "nodules_multiple": "no", "lung_cancer_screening": "no", "malignancy_any": "no",
    "immunosuppression": "no",
}  # fmt: skip


def _answers(**changes: str) -> dict[str, Finding]:
    stated = {k: v for k, v in {**PLAIN, **changes}.items() if v}
    return {k: stated_finding(k, v, file="test", record=k) for k, v in stated.items()}


def _of(
    mm: float, kind: str = "solid", solid: float | None = None, **changes: str
) -> NoduleManagement:
    nodule = _seen(mm, kind=kind, solid_mm=solid)
    return ct_nodule_management(nodule, answers=_answers(**changes))


def _risk(found: NoduleManagement, name: str) -> tuple[str, float | None]:
    risk = next(r for r in found.risks if r.tool == name)
    return risk.category, risk.value


def test_the_example_of_the_mayo_paper() -> None:
    """Swensen 1997: 55 years, 20 mm, none of the others: 0.1063 -> below 30 %."""
    found = _of(20)
    category, value = _risk(found, "mayo_nodule")
    assert category == "intermediate"
    assert value == pytest.approx(10.63, abs=0.01)
    assert found.level.level == "suspected-benign"
    assert found.level.model == "mayo_nodule"
    assert "below 30 % suspected benign" in found.level.rule


@pytest.mark.parametrize(
    ("mm", "kind", "solid", "band"),
    [
        (5.0, "solid", None, "no-follow-up"),
        (7.0, "solid", None, "ct-6-12-consider-18-24"),
        (9.0, "solid", None, "ct-3-or-pet-or-tissue"),
        (7.0, "ground-glass", None, "ground-glass-ct-6-12"),
        (9.0, "part-solid", 5.0, "part-solid-ct-3-6-then-yearly"),
        (9.0, "part-solid", 7.0, "part-solid-suspicious"),
    ],
)
def test_fleischner_2017_by_the_measured_size_and_type(
    mm: float, kind: str, solid: float | None, band: str
) -> None:
    """Rows of clinical.md C1, one nodule at low risk."""
    assert _risk(_of(mm, kind, solid), "fleischner_2017")[0] == band


def test_lung_rads_and_brock_hold_in_screening_and_decide_there() -> None:
    """Brock 2b: 62 F, 8 mm solid upper lobe, one nodule, spiculated: 11.75 % (clinical.md F)."""
    found = _of(8, age_years="62 a", sex="female", lung_cancer_screening="yes", nodule_count="1",
                nodule_upper_lobe="yes", nodule_spiculated="yes", emphysema="no",
                family_history_lung_cancer="no", nodule_status="baseline")  # fmt: skip
    assert _risk(found, "brock_nodule")[1] == pytest.approx(11.75, abs=0.01)
    assert _risk(found, "lung_rads_2022")[0] == "category-4A"
    assert (found.level.model, found.level.level) == ("brock_nodule", "suspected-benign")


def test_after_pet_the_herder_model_decides_with_the_mayo_probability() -> None:
    """-4.739 + 3.691 x 0.1063 + 4.771 = 0.4244; 1 / (1 + e^-0.4244) = 60.45 %."""
    found = _of(20, fdg_uptake="intense")
    assert _risk(found, "herder_nodule")[1] == pytest.approx(60.45, abs=0.05)
    assert (found.level.model, found.level.level) == ("herder_nodule", "suspected-malignant")


def test_what_is_unknown_leaves_several_levels_and_is_listed() -> None:
    found = _of(20, smoking_ever="", nodule_spiculated="", nodule_upper_lobe="")
    assert found.level.level is None
    assert found.level.possible == ("suspected-benign", "suspected-malignant")
    assert {m.input for m in found.level.missing} == {
        "smoking_ever", "nodule_spiculated", "nodule_upper_lobe",
    }  # fmt: skip


def test_a_benign_sign_goes_before_the_models() -> None:
    found = _of(20, nodule_benign_calcification="yes", nodule_spiculated="yes")
    assert (found.level.level, found.level.model) == ("benign", "")
    assert found.level.rule == "Benign calcification or fat in the nodule."


def test_two_stable_years_are_benign_for_a_solid_nodule_only() -> None:
    """BTS 2015: one year by volume."""
    before, after = _seen(8), _seen(8.2, "2027-02-01")
    growth = ct_nodule_growth(before, after)
    stable = ct_nodule_management(after, answers=_answers(), growth=growth)
    assert (stable.level.level, stable.level.model) == ("benign", "")
    glass_before, glass = (n.model_copy(update={"kind": "ground-glass"}) for n in (before, after))
    growth = ct_nodule_growth(glass_before, glass)
    assert ct_nodule_management(glass, answers=_answers(), growth=growth).level.model


def test_fast_growth_allows_no_benign_level() -> None:
    after = _seen(10, "2026-07-01")
    growth = ct_nodule_growth(_seen(8), after)
    found = ct_nodule_management(after, answers=_answers(age_years="40 a"), growth=growth)
    assert found.level.probability is not None
    assert found.level.probability[1] < 5
    assert found.level.level == "suspected-malignant"
    assert "doubling time of at most 400 days" in found.level.rule


def test_outside_every_population_there_is_no_level_but_the_reason() -> None:
    found = _of(20, cancer_within_5_years_or_lung="yes")
    assert found.level.level is None
    assert found.level.not_assessed is not None
    assert "cancer within 5 years" in found.level.not_assessed.detail


def test_without_a_type_no_model_takes_it_for_solid() -> None:
    found = _of(9, kind=None)  # type: ignore[arg-type]
    fleischner = next(r for r in found.risks if r.tool == "fleischner_2017")
    assert fleischner.category == "not determined"
    assert "nodule_type" in {m.input for m in fleischner.missing}


def test_every_level_has_words_and_every_probability_one_level() -> None:
    table = nodule_levels()
    assert {table.level_of(p) for p in (0, 4.99, 5, 29.9, 30, 64.9, 65, 100)} == set(table.levels)
    assert all(w.en and w.zh for w in table.levels.values())
