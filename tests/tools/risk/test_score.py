"""The engine: published vectors, what it refuses, and what it says with a result."""

# ruff: noqa: E501 - one row of a table on one line
import pytest

from knowledge.clinical_inputs import catalogue
from knowledge.errors import ContractError, InvalidValueError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.low_risk import NEVER_LOW
from knowledge.quantity import Choice, Interval, Quantity, Text
from knowledge.risk import NOT_DETERMINED, Risk
from tests.tools.risk.given import Plain, given, no
from tools.risk.score import evaluate

FACTORS = no("hypercholesterolaemia", "diabetes", "smoking_current", "obesity")
HISTORY = no("known_cad", "prior_stroke_tia", "peripheral_artery_disease", "family_history_cvd")
NOT_STEMI = no("stemi_criteria", "omi_equivalent")


def grace(**answers: Plain) -> Risk:
    return evaluate("grace_in_hospital", given(**answers))


# ---- published or hand-worked vectors


def test_heart_vector_of_five_points_is_moderate() -> None:
    risk = evaluate(
        "heart",
        given(
            age_years=52,
            history_suspicion="highly",
            ecg_heart_category="nonspecific",
            hypertension=True,
            troponin_times_limit=1,
            **FACTORS,
            **HISTORY,
        ),
    )
    assert (risk.value, risk.category) == (5, "moderate")
    assert {i.item: i.low for i in risk.items} == {
        "history": 2,
        "ecg": 1,
        "age": 1,
        "risk_factors": 1,
        "troponin": 0,
    }
    assert "16.6 %" in risk.statement


def test_known_atherosclerosis_alone_gives_two_points_in_heart() -> None:
    """Prior infarction only: 0+0+1+2+0; the risk factors nobody asked about cannot change it."""
    risk = evaluate(
        "heart",
        given(
            age_years=50,
            history_suspicion="slightly",
            ecg_heart_category="normal",
            known_cad=True,
            troponin_times_limit=0.4,
        ),
    )
    assert (risk.value, risk.category, risk.missing) == (3, "low", ())
    item = next(i for i in risk.items if i.item == "risk_factors")
    assert "cannot change the points" in item.answer
    assert any(c.startswith(NEVER_LOW) for c in risk.caveats)


def test_untested_patient_has_a_range_in_heart_and_is_never_low() -> None:
    risk = evaluate("heart", given(age_years=70, hypertension=True, known_cad=True))
    assert risk.value is None
    assert risk.range == (4, 10)
    assert [m.input for m in risk.missing] == [
        "history_suspicion",
        "ecg_heart_category",
        "troponin_times_limit",
    ]
    assert [b.name for b in risk.bands] == ["moderate", "high"]
    assert risk.category == NOT_DETERMINED
    assert all(m.question and m.how for m in risk.missing)


@pytest.mark.parametrize(
    ("answers", "points", "band", "percent"),
    [
        pytest.param(
            {
                "age_years": 55,
                "heart_rate": 80,
                "systolic_bp": 135,
                "creatinine": 1.0,
                "killip_class": "I",
                "troponin_times_limit": 2,
                **no("cardiac_arrest", "st_deviation"),
            },
            105,
            "low",
            "0.66 %",
            id="55y",
        ),
        pytest.param(
            {
                "age_years": 70,
                "heart_rate": 95,
                "systolic_bp": 120,
                "creatinine": 1.3,
                "killip_class": "II",
                "st_deviation": True,
                "troponin_times_limit": 2,
                **no("cardiac_arrest"),
            },
            196,
            "high",
            "9.9 %",
            id="70y",
        ),
        pytest.param(
            {
                "age_years": 80,
                "heart_rate": 110,
                "systolic_bp": 95,
                "creatinine": 2.2,
                "killip_class": "III",
                "st_deviation": True,
                "troponin_times_limit": 2,
                **no("cardiac_arrest"),
            },
            270,
            "high",
            "43 %",
            id="80y",
        ),
        pytest.param(
            {
                "age_years": 45,
                "heart_rate": 70,
                "systolic_bp": 150,
                "creatinine": 0.9,
                "killip_class": "I",
                "troponin_times_limit": 0.5,
                **no("cardiac_arrest", "st_deviation"),
            },
            65,
            "low",
            "0.17 %",
            id="45y",
        ),
    ],
)
def test_grace_vectors(answers: dict[str, Plain], points: int, band: str, percent: str) -> None:
    risk = grace(**answers, stemi_criteria=False)
    assert (risk.value, risk.category) == (points, band)
    regression = [c for c in risk.caveats if "published regression" in c]
    assert len(regression) == 1
    assert regression[0].startswith("Approximate")
    assert f": {percent} (" in regression[0]


def test_grace_probability_is_not_shown_for_a_range() -> None:
    assert not [c for c in grace(age_years=70, heart_rate=95).caveats if "Approximate" in c]


@pytest.mark.parametrize(
    ("answers", "points"),
    [
        ({"age_years": 48, "sex": "male", "diaphoresis": True, **no("pain_radiation_arm", "pain_palpation")}, 13),
        ({"age_years": 62, "sex": "female", "pain_radiation_arm": True, "pain_palpation": True, **no("diaphoresis")}, 9),
    ],
    ids=["man of 48 with diaphoresis", "woman of 62 with radiation and palpation"],
)  # fmt: skip
def test_edacs_vectors(answers: dict[str, Plain], points: int) -> None:
    risk = evaluate(
        "edacs", given(**answers, **FACTORS, **HISTORY, **no("hypertension", "pain_pleuritic"))
    )
    assert (risk.value, risk.category) == (points, "low")


def test_wells_vector_of_four_points_is_unlikely_in_two_tiers_and_moderate_in_three() -> None:
    answers = given(
        heart_rate=110,
        haemoptysis=True,
        prior_vte=True,
        **no("dvt_signs", "pe_most_likely", "immobilisation_or_surgery", "malignancy_active"),
    )
    two, three = evaluate("wells_pe", answers), evaluate("wells_pe_three_tier", answers)
    assert (two.value, two.category, three.category) == (4.0, "unlikely", "moderate")


@pytest.mark.parametrize(("rate", "band"), [(99, "rule-out"), (100, "positive")])
def test_perc_vector_turns_at_a_heart_rate_of_100(rate: int, band: str) -> None:
    criteria = ("haemoptysis", "oestrogen_use", "prior_vte", "unilateral_leg_swelling")
    risk = evaluate(
        "perc",
        given(
            pe_gestalt_below_15=True,
            age_years=49,
            heart_rate=rate,
            spo2=95,
            **no(*criteria, "surgery_trauma_admission"),
        ),
    )
    assert risk.category == band


def test_two_add_rs_categories_need_imaging_whatever_the_d_dimer() -> None:
    answers = given(pain_abrupt=True, pain_severe=True, pulse_deficit=True)
    assert evaluate("add_rs", answers).category == "high"
    for dimer in (None, 20, 9000):
        risk = evaluate("add_rs_d_dimer", {**answers, **given(d_dimer_feu=dimer)})
        assert risk.category == "imaging"
        assert "whatever the D-dimer" in risk.statement


# ---- outside the contract


@pytest.mark.parametrize("score_id", ["heart", "heart_pathway", "edacs", "edacs_adp"])
@pytest.mark.parametrize("sign", ["stemi_criteria", "omi_equivalent"])
def test_rule_out_scores_refuse_st_elevation_infarction(score_id: str, sign: str) -> None:
    risk = evaluate(score_id, given(**{sign: True}, age_years=60))
    assert risk.category == "not assessed"
    assert (risk.value, risk.range, risk.bands) == (None, None, ())
    assert risk.not_assessed is not None
    assert risk.not_assessed.why is Why.OUTSIDE_CONTRACT
    assert risk.evidence[0] == RecordEvidence(file="case.yaml", record=f"answers.{sign}")


@pytest.mark.parametrize(
    "score_id", ["heart", "edacs", "grace_in_hospital", "add_rs", "wells_pe", "perc", "years"]
)
def test_scores_refuse_a_child(score_id: str) -> None:
    risk = evaluate(score_id, given(age_years=17.9, pe_gestalt_below_15=True))
    assert risk.category == "not assessed"
    assert "18 years" in risk.statement
    adult = evaluate(score_id, given(age_years=18, pe_gestalt_below_15=True))
    assert adult.category != "not assessed"


def test_age_that_may_be_below_the_limit_is_said_and_not_refused() -> None:
    risk = evaluate("heart", given(age_years=Interval(low=17, high=18), **NOT_STEMI))
    assert risk.category != "not assessed"
    assert [c for c in risk.caveats if "Check that the score applies" in c and "18 years" in c]


def test_score_without_an_st_elevation_answer_says_it_holds_only_without() -> None:
    unknown = evaluate("heart", given(age_years=60)).caveats
    known = evaluate("heart", given(age_years=60, chest_pain=True, **NOT_STEMI)).caveats
    assert len([c for c in unknown if "Check that the score applies" in c]) == 3
    assert not [c for c in known if "Check that the score applies" in c]


@pytest.mark.parametrize(
    ("gestalt", "why"),
    [(None, Why.MISSING), (False, Why.OUTSIDE_CONTRACT)],
    ids=["unknown", "15 % or more"],
)
def test_perc_needs_a_probability_known_to_be_below_15_percent(
    gestalt: bool | None, why: Why
) -> None:
    risk = evaluate("perc", given(age_years=30, heart_rate=60, pe_gestalt_below_15=gestalt))
    assert risk.category == "not assessed"
    assert risk.not_assessed is not None
    assert risk.not_assessed.why is why
    asked = ["pe_gestalt_below_15"] if gestalt is None else []
    assert [m.input for m in risk.missing] == asked


def test_d_dimer_rules_for_embolism_refuse_an_unstable_patient() -> None:
    answers = given(haemodynamic_instability=True, d_dimer_feu=100, age_years=50)
    for score_id in ("wells_pe", "wells_d_dimer", "wells_pe_three_tier", "years"):
        assert evaluate(score_id, answers).category == "not assessed"


# ---- unusable input


@pytest.mark.parametrize(
    ("input_id", "value"),
    [
        ("age_years", 300),
        ("age_years", -1),
        ("troponin_times_limit", -3),
        ("troponin_times_limit", Interval(low=-9, high=-1)),
        ("history_suspicion", "very"),
    ],
)
def test_impossible_answer_is_an_error(input_id: str, value: Plain) -> None:
    with pytest.raises(InvalidValueError, match=input_id):
        evaluate("heart", given(**{input_id: value}))


def test_unknown_score_is_an_error_that_lists_the_scores() -> None:
    with pytest.raises(InvalidValueError, match="grace_in_hospital"):
        evaluate("grace", {})


@pytest.mark.parametrize(
    ("score_id", "input_id", "value"),
    [
        pytest.param("grace_in_hospital", "creatinine", Quantity(value=88, unit="umol/L"), id="unit"),
        pytest.param("grace_in_hospital", "creatinine", Text(text="normal"), id="text"),
        pytest.param("heart", "diabetes", Quantity(value=1, unit="1"), id="number for yes/no"),
        pytest.param("heart", "diabetes", Choice(choice="no"), id="choice for yes/no"),
    ],
)  # fmt: skip
def test_answer_of_another_kind_or_unit_is_refused(
    score_id: str, input_id: str, value: Quantity | Text | Choice
) -> None:
    wrong = Finding(
        concept=catalogue().concept(input_id),
        state=State.PRESENT,
        value=value,
        evidence=(RecordEvidence(file="case.yaml", record=input_id),),
    )
    with pytest.raises(ContractError, match=input_id):
        evaluate(score_id, {input_id: wrong})


# ---- what is said with a result


def test_reason_of_a_missing_input_is_the_findings_own() -> None:
    switched_off = not_assessed(
        catalogue().concept("ecg_heart_category"), Why.SWITCHED_OFF, "ECG analysis is switched off"
    )
    risk = evaluate("heart", {"ecg_heart_category": switched_off})
    reasons = {m.input: m.reason for m in risk.missing}
    assert reasons["ecg_heart_category"].why is Why.SWITCHED_OFF
    assert reasons["history_suspicion"].why is Why.MISSING


def test_imprecise_input_that_matters_is_missing_as_censored() -> None:
    risk = evaluate("heart", given(troponin_times_limit=Interval(low=0, high=2, high_closed=False)))
    reasons = {m.input: m.reason.why for m in risk.missing}
    assert reasons["troponin_times_limit"] is Why.CENSORED


def test_each_item_keeps_the_evidence_of_its_inputs() -> None:
    risk = evaluate("heart", given(age_years=50, diabetes=True))
    evidence = {i.item: i.evidence for i in risk.items}
    assert evidence["age"] == (RecordEvidence(file="case.yaml", record="answers.age_years"),)
    assert evidence["risk_factors"] == (
        RecordEvidence(file="case.yaml", record="answers.diabetes"),
    )
    assert evidence["history"] == ()


@pytest.mark.parametrize(
    "block", ["known_cad", "esrd_dialysis", "paced_rhythm", "lbbb", "st_deviation"]
)
def test_low_heart_with_a_blocking_condition_says_never_low_overall(block: str) -> None:
    low = given(
        age_years=40,
        history_suspicion="slightly",
        ecg_heart_category="normal",
        troponin_times_limit=0.4,
        hypertension=False,
        **FACTORS,
        **HISTORY,
    )
    clear = given(**no("esrd_dialysis", "paced_rhythm", "lbbb", "st_deviation"))
    without = evaluate("heart", {**low, **clear})
    blocked = evaluate("heart", {**low, **clear, **given(**{block: True})})
    assert without.category == blocked.category == "low"
    assert not [c for c in without.caveats if c.startswith(NEVER_LOW)]
    assert len([c for c in blocked.caveats if c.startswith(NEVER_LOW)]) == 1


def test_low_heart_names_blocking_conditions_nobody_assessed() -> None:
    caveats = evaluate("heart", given(age_years=40)).caveats
    named = [c for c in caveats if c.startswith("Not assessed, and would forbid")]
    assert len(named) == 1
    assert "dialysis" in named[0]


def test_sources_carry_the_least_sure_review_of_what_was_used() -> None:
    risk = evaluate("edacs", given(age_years=40))
    assert [c.id for c in risk.source] == ["scores/edacs/than-2014"]
    assert "sources disagree" in risk.source[0].review


def test_rule_cites_the_score_it_reads() -> None:
    ids = {c.id.rpartition("/")[0] for c in evaluate("heart_pathway", given(age_years=40)).source}
    assert ids == {"scores/heart", "scores/heart_pathway"}


def test_result_round_trips_through_json() -> None:
    risk = evaluate("wells_d_dimer", given(age_years=60, d_dimer_feu=700))
    assert Risk.model_validate_json(risk.model_dump_json()) == risk
