"""A score outside the population of its paper is refused; where that is not known it is said.

The populations are those of the papers named beside each row.
"""

import pytest

from knowledge.finding import Why
from tests.tools.risk.given import Plain, given
from tests.tools.risk.golden import golden
from tools.risk.result import CONDITIONAL
from tools.risk.score import evaluate, with_parts

OUTSIDE: list[tuple[str, str, Plain, Plain]] = [
    # score, input, outside, inside
    ("mcmahon", "creatine_kinase", 420, 5001),  # McMahon 2013: CK above 5000 U/L
    ("mcmahon", "creatine_kinase", 5000, 41000),
    ("plasmic", "platelets", 300, 149),  # Bendapudi 2017: thrombotic microangiopathy suspected
    ("plasmic", "schistocytes", False, True),
    ("timi_risk_index", "stemi_criteria", False, True),  # Morrow 2001: ST-elevation infarction
    ("timi_stemi", "stemi_criteria", False, True),
    ("child_pugh", "cirrhosis_known", False, True),
    ("glasgow_imrie", "acute_pancreatitis", False, True),
    ("curb65", "pneumonia_diagnosed", False, True),
    ("crb65", "pneumonia_diagnosed", False, True),
    ("psi", "pneumonia_diagnosed", False, True),
    ("sic", "infection_suspected", False, True),
    ("qsofa", "infection_suspected", False, True),
    ("killip", "acute_mi_now", False, True),
    ("herder_nodule", "pulmonary_nodule", False, True),
    ("brock_nodule", "pulmonary_nodule", False, True),
    ("brock_nodule_2a", "pulmonary_nodule", False, True),
    ("mayo_nodule", "pulmonary_nodule", False, True),
    ("fleischner_2017", "pulmonary_nodule", False, True),
    ("glasgow_blatchford", "upper_gi_bleeding", False, True),
    ("centor", "sore_throat", False, True),
    ("mcisaac", "sore_throat", False, True),
    ("caprini", "in_hospital_or_surgery", False, True),
    ("rcri", "noncardiac_surgery_planned", False, True),
    ("wells_dvt", "dvt_suspected", False, True),
    ("four_ts", "heparin_recent", False, True),
    ("pittsburgh_perforation", "oesophageal_perforation", False, True),
    ("cha2ds2_vasc", "atrial_fibrillation_known", False, True),
    ("has_bled", "atrial_fibrillation_known", False, True),
    ("intertak", "stemi_criteria", True, False),  # consensus 2018: angiography first
    ("intertak", "culprit_lesion", True, False),
    ("geneva_revised", "pe_considered", False, True),
    ("peged", "pe_considered", False, True),
    ("wells_pe", "pe_considered", False, True),  # Wells 2000: pulmonary embolism suspected
    ("wells_pe_three_tier", "pe_considered", False, True),
    ("wells_d_dimer", "pe_considered", False, True),
    ("perc", "pe_considered", False, True),  # Kline 2004: the question is raised, not screening
    ("years", "pe_considered", False, True),  # van der Hulle 2017: pulmonary embolism suspected
    ("add_rs", "aortic_syndrome_considered", False, True),  # Nazerian 2018: in differential
    ("add_rs_d_dimer", "aortic_syndrome_considered", False, True),
    ("aortas", "aortic_syndrome_considered", False, True),  # Morello 2021
    ("aortas_d_dimer", "aortic_syndrome_considered", False, True),
    ("brock_nodule", "age_years", 49, 50),  # McWilliams 2013: screening at 50 to 75 years
    ("brock_nodule_2a", "age_years", 76, 75),
    ("timi_nstemi", "chest_pain", False, True),
    ("adapt", "chest_pain", False, True),
]


@pytest.mark.parametrize(("score_id", "input_id", "out", "inside"), OUTSIDE)
def test_outside_is_refused_inside_is_not_and_unknown_is_said(
    score_id: str, input_id: str, out: Plain, inside: Plain
) -> None:
    clear = golden(score_id).findings(golden(score_id).cases[0])
    refused = evaluate(score_id, {**clear, **given(**{input_id: out})})
    assert refused.category == "not assessed"
    assert refused.value is None
    assert refused.not_assessed is not None
    assert refused.not_assessed.why is Why.OUTSIDE_CONTRACT
    said = evaluate(score_id, {**clear, **given(**{input_id: inside})}).caveats
    label = given(**{input_id: inside})[input_id].concept.text
    assert not [c for c in said if c.startswith(CONDITIONAL) and label in c]
    without = {key: finding for key, finding in clear.items() if key != input_id}
    unknown = evaluate(score_id, without)
    assert unknown.not_assessed is None
    assert [c for c in unknown.caveats if c.startswith(CONDITIONAL) and label in c]


def test_grace_uses_the_limits_of_the_infarction_at_hand() -> None:
    """Points by the table of Granger 2003, added by hand.

    60 years 58, heart rate 90 15, pressure 130 34, creatinine 0.9 7, marker 0, Killip I 0: 114.
    Without ST elevation 109 to 140 is intermediate, with it at most 125 is low.
    """
    answers: dict[str, Plain] = {
        "age_years": 60,
        "heart_rate": 90,
        "systolic_bp": 130,
        "creatinine": 0.9,
        "killip_class": "I",
        "cardiac_arrest": False,
        "st_deviation": False,
        "troponin_times_limit": 0.5,
    }
    without = evaluate("grace_in_hospital", given(**answers, stemi_criteria=False))
    with_it = evaluate("grace_in_hospital", given(**answers, stemi_criteria=True))
    unknown = evaluate("grace_in_hospital", given(**answers))
    assert (without.value, without.category) == (114, "intermediate")
    assert (with_it.value, with_it.category) == (114, "low")
    assert (unknown.value, unknown.range) == (None, (114, 114))
    assert [m.input for m in unknown.missing] == ["stemi_criteria"]
    assert {b.name for b in unknown.bands} == {"low", "intermediate"}
    # 114 + 14 of the raised marker = 128: intermediate by both readings, so determined
    both = evaluate("grace_in_hospital", given(**{**answers, "troponin_times_limit": 2}))
    assert (both.value, both.category, both.missing) == (128, "intermediate", ())
    # 128 + 28 = 156 with ST deviation: high by both; 154 is the last of intermediate with STEMI
    high = evaluate(
        "grace_in_hospital",
        given(**{**answers, "troponin_times_limit": 2, "st_deviation": True}, stemi_criteria=True),
    )
    assert (high.value, high.category) == (156, "high")


def test_sic_wants_more_than_two_of_its_points_from_coagulation() -> None:
    """Iba 2017: at least 4 points, and platelets and INR above 2; exact over completions."""
    known: dict[str, Plain] = {"age_years": 60, "infection_suspected": True, "sofa_four_items": 2}
    half = evaluate("sic", given(**known, platelets=120, inr=1.3))
    assert (half.value, half.category) == (4, "not-met")
    open_ = evaluate("sic", given(**known, platelets=120))
    assert open_.range == (3, 5)
    assert {band.name for band in open_.bands} == {"not-met", "met"}
    # SOFA unknown with 2 + 2 of coagulation: 4 to 6 points, met in every case, never a number
    sure = evaluate("sic", given(age_years=60, infection_suspected=True, platelets=90, inr=1.5))
    assert (sure.category, sure.range, sure.value) == ("met", (4, 6), None)
    # SOFA unknown with 1 + 1: at most 4, never met, though the total reaches 4
    never = evaluate("sic", given(age_years=60, infection_suspected=True, platelets=120, inr=1.3))
    assert (never.category, never.range) == ("not-met", (2, 4))


def test_news2_with_one_item_of_three_asks_for_an_urgent_review() -> None:
    """RCP 2017, thresholds and triggers: a single 3 is low-medium, an urgent ward response."""
    clear = golden("news2").findings(golden("news2").cases[0])
    assert evaluate("news2", clear).category == "low"
    red = evaluate("news2", {**clear, **given(acvpu="voice")})
    assert (red.value, red.category) == (3, "low-medium")
    assert "urgent" in red.statement
    # 3 points spread over three items are low
    spread = evaluate(
        "news2", {**clear, **given(heart_rate=91, body_temperature=38.1, systolic_bp=110)}
    )
    assert (spread.value, spread.category) == (3, "low")


@pytest.mark.parametrize("score_id", ["brock_nodule", "brock_nodule_2a"])
def test_brock_asks_nothing_of_smoking_and_says_whom_it_was_made_in(score_id: str) -> None:
    """McWilliams 2013, model 2: no term for smoking; all participants smoked or had smoked."""
    clear = golden(score_id).findings(golden(score_id).cases[0])
    said = {
        smoker: evaluate(score_id, {**clear, **given(smoking_ever=smoker)})
        for smoker in (True, False, None)
    }
    assert len({risk.value for risk in said.values()}) == 1
    assert not any(risk.missing for risk in said.values())
    told = {s: any("never smoked" in c for c in risk.caveats) for s, risk in said.items()}
    assert told == {True: False, False: True, None: True}


def test_every_score_for_a_disease_names_it_as_data() -> None:
    for score_id in {row[0] for row in OUTSIDE}:
        assert any(part.population.outside_if for part in with_parts(score_id))
