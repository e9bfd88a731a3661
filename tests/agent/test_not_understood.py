"""A chart item that no table matches stays in sight; nothing is low before it is read."""

from pathlib import Path
from typing import Any

import pytest

from tests.agent.cases import answered, assessed, change_chart, low_risk_case
from tests.agent.test_never_low import is_low

SUBJECT = {"subject": {"reference": "Patient/patient"}}
NOW = "2026-11-20T19:20:00+01:00"


def lab(code: dict[str, Any], value: float, unit: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "x",
        "status": "final",
        "code": code,
        "effectiveDateTime": NOW,
        "valueQuantity": {"value": value, "unit": unit},
        **SUBJECT,
    }


def local(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": "urn:lab:local", "code": code, "display": display}]}


def condition(text: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "x",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": text},
        "recordedDate": NOW,
        **SUBJECT,
    }


REPORT = {
    "resourceType": "DiagnosticReport",
    "id": "x",
    "status": "final",
    "code": {"text": "CT chest"},
    "effectiveDateTime": NOW,
    "conclusion": "Type A aortic dissection.",
    **SUBJECT,
}

ITEMS = [
    pytest.param(lab({"text": "Troponin I"}, 900, "ng/L"), "Troponin I: 900", id="troponin"),
    pytest.param(lab(local("TNI", "hs-TnI"), 900, "ng/L"), "900", id="troponin, local code"),
    pytest.param(lab({"text": "D-Dimer"}, 5000, "ng/mL FEU"), "5000", id="D-dimer"),
    pytest.param(lab({"text": "Systolic BP"}, 70, "mmHg"), "70", id="pressure"),
    pytest.param(lab({"text": "肌钙蛋白I"}, 900, "ng/L"), "肌钙蛋白I: 900", id="troponin, Chinese"),
    pytest.param(condition("Acute type A aortic dissection"), "type A", id="dissection"),
    pytest.param(condition("CAD s/p LAD stent 2021"), "stent", id="stent"),
    pytest.param(condition("急性肺栓塞"), "肺栓塞", id="embolism, Chinese"),
    pytest.param(REPORT, "Type A aortic dissection", id="report"),
    pytest.param(
        lab({"coding": [{"system": "http://loinc.org", "code": "48065-7"}]}, 5000, "ng/mL DDU"),
        "5000 ng/mL DDU",
        id="D-dimer whose unit contradicts its code",
    ),
]


@pytest.mark.parametrize(("resource", "words"), ITEMS)
def test_an_important_item_without_a_known_code_is_listed_and_blocks_low(
    tmp_path: Path, resource: dict[str, Any], words: str
) -> None:
    case = low_risk_case(tmp_path)
    change_chart(case, lambda chart: chart["entry"].append({"resource": resource}))
    found = assessed(case)
    assert not is_low(found)
    assert found.status == "partial"
    note = next(s.text for s in found.narrative.sentences if "not understood" in s.text)
    assert words in note
    assert "not_understood" in [r.id for r in found.recommendations]
    assert any("not-understood" in f.flags for f in found.findings)


def test_no_value_of_an_unknown_code_reaches_a_rule(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    item = lab({"text": "Troponin I"}, 900, "ng/L")
    change_chart(case, lambda chart: chart["entry"].append({"resource": item}))
    esc = next(r for r in assessed(case).risks if r.name == "ESC 0/1 h")
    assert "900" not in esc.statement


UNIMPORTANT = [
    pytest.param(lab({"text": "Vitamin D"}, 20, "ng/mL"), id="vitamin"),
    pytest.param(condition("Ingrown toenail"), id="toenail"),
    pytest.param(condition("Speech delay"), id="a word that holds pe"),
    pytest.param(lab(local("POTATO", "Food allergy screen"), 1, "kU/L"), id="allergy"),
]


@pytest.mark.parametrize("resource", UNIMPORTANT)
def test_other_items_are_counted_in_the_file_list_and_block_nothing(
    tmp_path: Path, resource: dict[str, Any]
) -> None:
    case = low_risk_case(tmp_path)
    change_chart(case, lambda chart: chart["entry"].append({"resource": resource}))
    found = assessed(case)
    assert is_low(found)
    chart = next(i for i in found.inputs if i.file == "chart.json")
    assert "1 chart items that no table here matches" in chart.content


def test_a_troponin_of_last_year_under_a_local_code_is_of_another_presentation(
    tmp_path: Path,
) -> None:
    case = low_risk_case(tmp_path)
    old = {**lab({"text": "Troponin I"}, 900, "ng/L"), "effectiveDateTime": "2025-11-20"}
    change_chart(case, lambda chart: chart["entry"].append({"resource": old}))
    assert is_low(assessed(case))


def test_a_refuted_diagnosis_blocks_nothing(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    refuted = {
        **condition("Aortic dissection, type A"),
        "verificationStatus": {"coding": [{"code": "refuted"}]},
    }
    change_chart(case, lambda chart: chart["entry"].append({"resource": refuted}))
    assert is_low(assessed(case))


@pytest.mark.parametrize("answer", ["chart_items_reviewed: yes", "d_dimer_feu: 300 ng/mL FEU"])
def test_an_explicit_answer_settles_what_was_not_understood(tmp_path: Path, answer: str) -> None:
    case = answered(low_risk_case(tmp_path), answer)
    item = lab({"text": "D-Dimer"}, 300, "ng/mL FEU")
    change_chart(case, lambda chart: chart["entry"].append({"resource": item}))
    found = assessed(case)
    assert is_low(found)
    assert any("not understood" in s.text for s in found.narrative.sentences), "still shown"
