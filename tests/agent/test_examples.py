"""The bundled examples end as a cardiologist would expect; every number is worked by hand here."""

from pathlib import Path

import pytest

from agent.assessment import Verdict
from knowledge.pathways import Urgency
from tests.agent.cases import EXAMPLES, assessed, change_case, example, risk


def verdicts(name: str) -> dict[str, str]:
    return {e.id: e.verdict.value for e in assessed(EXAMPLES / name).differential}


def test_inferior_st_elevation_is_a_call_for_reperfusion() -> None:
    found = assessed(EXAMPLES / "stemi")
    assert found.status == "complete"
    assert found.narrative.urgency is Urgency.IMMEDIATE
    assert "ST-elevation" in found.narrative.headline
    advised = [r.id for r in found.recommendations]
    assert advised[0] == "stemi_reperfusion"
    assert "inferior_right_ventricle" in advised
    assert {e.id: e.verdict for e in found.differential}["acs"] is Verdict.SUPPORTED


def test_with_st_elevation_no_rule_out_score_is_applied() -> None:
    found = assessed(EXAMPLES / "stemi")
    for tool in ("heart", "heart_pathway", "edacs", "edacs_adp", "ESC 0/1 h"):
        assert risk(found, tool).category == "not assessed"
        assert risk(found, tool).value is None
    # Age 62 (58), rate 62 (3), SBP 128 (34), creatinine 1.0 (7), Killip I (0), ST (28), marker (14)
    assert risk(found, "grace_in_hospital").value == 58 + 3 + 34 + 7 + 0 + 28 + 14


def test_a_rising_troponin_rules_in() -> None:
    found = assessed(EXAMPLES / "nstemi")
    assert found.status == "complete"
    assert risk(found, "ESC 0/1 h").category == "rule-in"  # 24 -> 43 ng/L: change 19, limit 5
    # History 1, ST deviation 2, age 71 2, three risk factors 2, 24/14 of the limit 1
    assert risk(found, "heart").value == 1 + 2 + 2 + 2 + 1
    # Age 71 (75), rate 88 (9), SBP 146 (24), 97 umol/L = 1.10 mg/dL (7), ST (28), marker (14)
    assert risk(found, "grace_in_hospital").value == 75 + 9 + 24 + 7 + 28 + 14
    assert "nstemi_early_invasive" in [r.id for r in found.recommendations]
    assert verdicts("nstemi") == {
        "acs": "supported",
        "aortic_dissection": "argued against",
        "pulmonary_embolism": "argued against",
        "tension_pneumothorax": "argued against",
        "tamponade": "not assessed",
        "oesophageal_rupture": "argued against",
    }


def test_one_low_troponin_an_hour_after_onset_rules_nothing_out() -> None:
    found = assessed(EXAMPLES / "early_presenter")
    assert found.status == "partial"
    esc = risk(found, "ESC 0/1 h")
    assert esc.category == "need second sample"
    assert esc.next_due is not None
    assert esc.next_due.show("Europe/Berlin") == "2026-11-20 19:49"  # sample at 18:49 + 60 min
    assert esc.overdue is False
    assert {e.id: e.verdict for e in found.differential}["acs"] is Verdict.NOT_ASSESSED
    assert any("19:49" in r.text for r in found.recommendations)
    assert risk(found, "heart").value == 1  # smoking


def test_a_sample_that_is_late_is_called_overdue(tmp_path: Path) -> None:
    case = example("early_presenter", tmp_path)
    change_case(case, "at: 2026-11-20T19:05:00+01:00", "at: 2026-11-20T22:45:00+01:00")
    due = [r for r in assessed(case).recommendations if r.due is not None]
    assert len(due) == 1
    assert "overdue" in due[0].text
    assert due[0].urgency is Urgency.IMMEDIATE


def test_half_the_data_missing_gives_ranges_and_no_number() -> None:
    found = assessed(EXAMPLES / "half_missing")
    assert found.status == "partial"
    heart = risk(found, "heart")
    # Age 70 2, known coronary disease 2, ECG by the tool, history 0-2, troponin 0-2
    assert heart.value is None
    assert heart.range is not None
    assert heart.range[1] - heart.range[0] == 4
    assert heart.range[0] >= 4
    assert {m.input for m in heart.missing} == {"history_suspicion", "troponin_times_limit"}
    assert risk(found, "ESC 0/1 h").category == "not assessed"
    assert risk(found, "grace_in_hospital").value is None
    assert set(verdicts("half_missing").values()) == {"not assessed"}
    asked = [m.input for m in found.missing]
    assert {"troponin_assay", "onset", "history_suspicion", "systolic_bp"} <= set(asked)
    assert "name_the_assay" in [r.id for r in found.recommendations]


def test_a_creatinine_without_a_unit_is_not_used() -> None:
    found = assessed(EXAMPLES / "half_missing")
    item = next(i for i in risk(found, "grace_in_hospital").items if "reatinine" in i.label)
    assert item.state == "not_assessed"
    assert "unit" in item.answer


@pytest.mark.parametrize("name", ["stemi", "nstemi", "early_presenter", "half_missing"])
def test_every_example_declares_itself_synthetic(name: str) -> None:
    assert assessed(EXAMPLES / name).synthetic
    assert "SYNTHETIC" in (EXAMPLES / name / "case.yaml").read_text("utf-8")


def test_answering_what_is_missing_settles_it(tmp_path: Path) -> None:
    case = example("half_missing", tmp_path)
    with (case / "case.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "answers:\n  troponin_assay: abbott-architect-hs-ctni\n"
            "  onset: 2026-11-20T15:00:00+01:00\n  history_suspicion: moderately\n"
        )
    found = assessed(case)
    # <6 ng/L by Architect: [0, 6) lies across the 4 and 5 ng/L limits, so a second sample is due
    assert risk(found, "ESC 0/1 h").category in ("need second sample", "not determined")
    assert risk(found, "ESC 0/1 h").category != "rule-out"
    # [0, 6) is at most 26.2 ng/L, the 99th percentile: no troponin points
    assert risk(found, "heart").value == 2 + 2 + 1 + 0 + 0
