"""A named pattern that is present never leaves ischaemia absent or the HEART ECG normal.

ACC 2022 (10.1016/j.jacc.2022.08.750) lists the de Winter pattern among the equivalents of
ST-elevation infarction; Wellens is ischaemia without occlusion. HEART (Six 2008,
10.1007/BF03086144): normal 0, nonspecific repolarisation change 1, significant ST deviation 2.
"""

from collections.abc import Mapping

import pytest

from knowledge.ecg_criteria import ecg_criteria
from tests.tools.ecg.hand_made import state
from tests.tools.ecg.patterns.drawn import drawn, said

Changes = Mapping[str, Mapping[str, float]]
SLOPED = {"st": -0.2, "st_end": 0.2, "t": 1.0, "t_at": 0.26, "t_width": 0.075}
DE_WINTER: Changes = {lead: SLOPED for lead in ("V2", "V3", "V4", "V5")}
WELLENS_B: Changes = {"V2": {"t": -0.4}, "V3": {"t": -0.5}, "V4": {"t": -0.3}}
WELLENS_A: Changes = {lead: {"t": 0.25, "t2": -0.35} for lead in ("V2", "V3")}
AS_TALL: Changes = {
    lead: {"t": 1.3, "r": 0.4, "s": -0.3, "t_width": 0.08} for lead in ("V2", "V3", "V4")
}
INVERTED: Changes = {lead: {"t": -0.15} for lead in ("V1", "V2", "V3")}
PEAKED: Changes = {lead: {"t": 1.2, "t_width": 0.03} for lead in ("V2", "V3", "V4")}
RAISED: Changes = {"V1": {"st": 0.2}, "V2": {"st": 0.35}, "V3": {"st": 0.4}, "V4": {"st": 0.3}}


@pytest.mark.parametrize(
    ("changes", "code", "equivalent", "ischaemia", "category"),
    [
        (DE_WINTER, "de-winter", "present", "present", "st_deviation"),
        (WELLENS_B, "wellens", "not_assessed", "present", "nonspecific"),
        (WELLENS_A, "wellens", "not_assessed", "present", "nonspecific"),
        (AS_TALL, "t-over-qrs", "not_assessed", "not_assessed", "nonspecific"),
        (INVERTED, "t-inversion-anterior", "absent", "not_assessed", "nonspecific"),
        (PEAKED, "peaked-t", "absent", "absent", "nonspecific"),
    ],
)
def test_pattern_is_heard_in_ischaemia_and_heart(
    changes: Changes, code: str, equivalent: str, ischaemia: str, category: str
) -> None:
    report = said(drawn(changes, noise_mv=0.008))
    assert state(report, code) == "present"
    assert state(report, "omi_equivalent") == equivalent
    assert state(report, "ecg_new_ischaemia") == ischaemia
    assert report.finding("ecg_heart_category").choice == category


def test_de_winter_keeps_its_own_words_and_counts_as_st_deviation() -> None:
    report = said(drawn(DE_WINTER))
    assert report.headline.startswith("de Winter pattern")
    assert state(report, "st_deviation") == "present"


def test_nothing_drawn_is_no_ischaemia() -> None:
    report = said(drawn())
    assert state(report, "omi_equivalent") == "absent"
    assert state(report, "ecg_new_ischaemia") == "absent"


def test_infarction_by_criteria_is_not_opened_by_a_formula_of_subtle_occlusion() -> None:
    report = said(drawn(RAISED))
    assert state(report, "stemi_criteria") == "present"
    assert state(report, "omi_equivalent") == "absent"


def test_every_code_of_the_lists_is_a_statement() -> None:
    criteria = ecg_criteria()
    named = criteria.named_ischaemia
    listed = {*named.equivalent, *named.ischaemia, *named.open}
    assert listed | set(criteria.heart_normal.may_be_present) <= set(criteria.statements)
    assert not listed & set(criteria.heart_normal.may_be_present)


def test_thirty_a_minute_is_no_normal_ecg() -> None:
    """RR 2.0 s is 30 a minute; below 50 is marked bradycardia (2018 ACC/AHA/HRS: below 50)."""
    report = said(drawn(rr_s=2.0))
    assert state(report, "marked-bradycardia") == "present"
    assert report.finding("ecg_heart_category").choice == "nonspecific"
