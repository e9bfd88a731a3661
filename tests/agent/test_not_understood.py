"""A chart item that no table matches stays in sight; nothing is low before it is read."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.agent.cases import (
    answered,
    assessed,
    change_case,
    change_chart,
    low_risk_case,
    outcome,
    resources,
    risk,
)
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
    pytest.param(lab({"text": "Troponin I"}, 900, "ng/L"), "“Troponin I”: 900", id="troponin"),
    pytest.param(lab(local("TNI", "hs-TnI"), 900, "ng/L"), "900", id="troponin, local code"),
    pytest.param(lab({"text": "D-Dimer"}, 5000, "ng/mL FEU"), "5000", id="D-dimer"),
    pytest.param(lab({"text": "Systolic BP"}, 70, "mmHg"), "70", id="pressure"),
    pytest.param(
        lab({"text": "肌钙蛋白I"}, 900, "ng/L"), "“肌钙蛋白I”: 900", id="troponin, Chinese"
    ),
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


SETTLING = [
    "d_dimer_feu: 300 ng/mL FEU",
    "chart_items_reviewed: {value: yes, time: 2026-11-20T20:00:00+01:00}",
]


@pytest.mark.parametrize("answer", SETTLING)
def test_an_explicit_answer_settles_what_was_not_understood(tmp_path: Path, answer: str) -> None:
    case = answered(low_risk_case(tmp_path), answer)
    item = lab({"text": "D-Dimer"}, 300, "ng/mL FEU")
    change_chart(case, lambda chart: chart["entry"].append({"resource": item}))
    found = assessed(case)
    assert is_low(found)
    assert any("not understood" in s.text for s in found.narrative.sentences), "still shown"


UNBOUND = [
    pytest.param("chart_items_reviewed: yes", id="a bare yes"),
    pytest.param(
        "chart_items_reviewed: {value: yes, time: 2026-11-20T19:00:00+01:00}", id="earlier"
    ),
    pytest.param(
        "chart_items_reviewed: {value: yes, time: 2026-11-20T23:00:00+01:00}", id="from the future"
    ),
    pytest.param("chart_items_reviewed: {value: yes, items: 00000000}", id="another list"),
]


@pytest.mark.parametrize("answer", UNBOUND)
def test_a_review_that_does_not_cover_the_item_settles_nothing(tmp_path: Path, answer: str) -> None:
    case = answered(low_risk_case(tmp_path), answer)
    add(case, condition("Acute type A aortic dissection"))
    assert not is_low(assessed(case))


def test_a_review_of_the_list_settles_it_until_the_list_changes(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    undated = {k: v for k, v in condition("Old aortic aneurysm").items() if k != "recordedDate"}
    add(case, undated)
    told = next(s.text for s in assessed(case).narrative.sentences if "are list " in s.text)
    mark = told.partition("are list ")[2][:8]
    answered(case, f'chart_items_reviewed: {{value: yes, items: "{mark}"}}')
    assert is_low(assessed(case))
    add(case, {**condition("Acute type A aortic dissection"), "id": "y"})
    assert not is_low(assessed(case))


REVIEW = "chart_items_reviewed: {value: yes, time: 2026-11-20T20:00:00+01:00}"


def test_a_review_never_settles_a_troponin_value(tmp_path: Path) -> None:
    case = answered(low_risk_case(tmp_path), REVIEW)
    add(case, lab({"text": "Troponin I"}, 900, "ng/L"))
    found = assessed(case)
    assert not is_low(found)
    assert any("typed under results" in s.text for s in found.narrative.sentences)


def test_a_typed_result_of_the_same_time_settles_a_troponin_item(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    add(case, lab({"text": "Troponin I"}, 900, "ng/L"))
    with (case / "case.yaml").open("a", encoding="utf-8") as file:
        file.write(f'results:\n  - {{analyte: hs_ctni, value: "900 ng/L", time: "{NOW}"}}\n')
    found = assessed(case)
    assert not is_low(found), "the value itself now counts"
    assert not any("Chart items not understood:" in s.text for s in found.narrative.sentences)


def add(case: Path, *items: dict[str, Any]) -> Path:
    change_chart(case, lambda chart: chart["entry"].extend({"resource": i} for i in items))
    return case


def coded(system: str, code: str, kind: str = "Condition") -> dict[str, Any]:
    item = condition("") if kind == "Condition" else lab({}, 900, "ng/L")
    return {**item, "code": {"coding": [{"system": system, "code": code}]}}


CODE_ONLY = [
    pytest.param(coded("http://snomed.info/sct", "59282003"), "SNOMED 59282003", id="SNOMED"),
    pytest.param(coded("http://hl7.org/fhir/sid/icd-9-cm", "410.9"), "410.9", id="ICD-9"),
    pytest.param(
        coded("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "I71.01"), "I71.01", id="ICD-10-GM"
    ),
    pytest.param(coded("http://lab.local", "TROPI", "lab"), "lab.local TROPI: 900", id="local"),
    pytest.param(coded("http://loinc.org", "49563-0", "lab"), "LOINC 49563-0: 900", id="LOINC"),
]


@pytest.mark.parametrize(("resource", "words"), CODE_ONLY)
def test_a_code_without_words_that_no_table_knows_is_listed_and_blocks_low(
    tmp_path: Path, resource: dict[str, Any], words: str
) -> None:
    found = assessed(add(low_risk_case(tmp_path), resource))
    assert not is_low(found)
    assert found.status == "partial"
    assert any(words in s.text for s in found.narrative.sentences if "not underst" in s.text)


def test_an_icd10_code_of_another_chapter_is_understood_enough(tmp_path: Path) -> None:
    item = coded("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "L60.0")  # ingrown nail
    assert is_low(assessed(add(low_risk_case(tmp_path), item)))


def test_a_german_modification_code_answers_like_icd10(tmp_path: Path) -> None:
    item = coded("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "I25.13")
    assert "known_cad" in {c.input for c in assessed(add(low_risk_case(tmp_path), item)).conflicts}


def test_a_blood_pressure_that_cannot_be_read_is_listed(tmp_path: Path) -> None:
    panel = {
        **lab({"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}, 1, "x"),
        "valueString": "70/40",
    }
    panel.pop("valueQuantity")
    found = assessed(add(low_risk_case(tmp_path), panel))
    assert not is_low(found)
    assert any("70/40" in s.text for s in found.narrative.sentences if "not underst" in s.text)


NORMAL = [
    pytest.param(
        {**REPORT, "conclusion": "No pneumothorax. Normal aortic contour."}, id="chest film"
    ),
    pytest.param(
        {**REPORT, "code": {"text": "ECG"}, "conclusion": "Normal ECG, no ST elevation."}, id="ECG"
    ),
    pytest.param(
        {**REPORT, "code": {"text": "Röntgen"}, "conclusion": "Kein Pneumothorax."}, id="German"
    ),
    pytest.param({**REPORT, "code": {"text": "胸片"}, "conclusion": "未见气胸。"}, id="Chinese"),
    pytest.param(condition("Family history of coronary artery disease"), id="relatives, in words"),
    pytest.param(coded("http://hl7.org/fhir/sid/icd-10-cm", "Z82.49"), id="relatives, by code"),
    pytest.param(
        {
            "resourceType": "MedicationStatement",
            "id": "x",
            "status": "active",
            "medicationCodeableConcept": {"text": "Clopidogrel 75 mg"},
            **SUBJECT,
        },
        id="clopidogrel, and a person said that there is no coronary disease",
    ),
]


@pytest.mark.parametrize("resource", NORMAL)
def test_a_normal_report_does_not_alarm(tmp_path: Path, resource: dict[str, Any]) -> None:
    found = assessed(add(low_risk_case(tmp_path), resource))
    assert is_low(found)
    assert found.status == "complete"


DOUBTFUL = [
    "No change in the known dissection.",
    "No pneumothorax, aortic dissection.",
    "No pneumothorax but dissection.",
    "No pneumothorax - dissection present",
    "Dissection cannot be excluded",
    "No dissection?",
    "Troponin negative",
]


@pytest.mark.parametrize("text", DOUBTFUL)
def test_a_doubtful_report_stays_in_sight(tmp_path: Path, text: str) -> None:
    found = assessed(add(low_risk_case(tmp_path), {**REPORT, "conclusion": text}))
    assert not is_low(found)


def note(case: Path, text: str, time: str = NOW) -> Path:
    (case / "note.txt").write_text(text, "utf-8")
    with (case / "case.yaml").open(encoding="utf-8") as file:
        said = file.read()
    line = f'  - {{file: note.txt, patient: same, recorded_at: "{time}"}}\n'
    if "attach:\n" in said:
        said = said.replace("attach:\n", "attach:\n" + line)
    else:
        said += "attach:\n" + line
    (case / "case.yaml").write_text(said, "utf-8")
    return case


@pytest.mark.parametrize("text", ["Troponin 900 ng/L at the GP.", "Seen in triage, walked in."])
def test_a_note_that_no_model_has_read_blocks_low_until_it_is_read(
    tmp_path: Path, text: str
) -> None:
    case = note(low_risk_case(tmp_path), text)
    found = assessed(case)
    assert not is_low(found)
    assert found.status == "partial"
    file = next(i for i in found.inputs if i.file == "note.txt")
    assert file.reason == "kept; its text is not read without a language model"
    listed = next(s.text for s in found.narrative.sentences if "not understood" in s.text)
    assert "note.txt" in listed


def test_a_note_is_settled_by_a_later_review_unless_it_names_a_troponin(tmp_path: Path) -> None:
    case = answered(note(low_risk_case(tmp_path), "Walked in."), REVIEW)
    assert is_low(assessed(case))
    (case / "note.txt").write_text("Troponin 900 ng/L", "utf-8")
    assert not is_low(assessed(case))


UNREAD = [
    ("lab.hl7", b"MSH|^~\\&|LAB|..."),
    ("lab.csv", b"analyte,value\ntroponin,900\n"),
    ("ct.txt", b"Type A dissection"),
    ("ct.pdf", b"%PDF-1.7 ..."),
    ("ecg2.png", b"\x89PNG\r\n\x1a\n...."),
    ("scan.bin", bytes(range(256)) * 4),
]


@pytest.mark.parametrize(("name", "content"), UNREAD, ids=[n for n, _ in UNREAD])
def test_a_file_that_may_hold_a_result_and_is_not_read_blocks_low(
    tmp_path: Path, name: str, content: bytes
) -> None:
    case = low_risk_case(tmp_path)
    (case / name).write_bytes(content)
    found = assessed(case)
    assert not is_low(found)
    assert found.status == "partial"
    said = [s.text for s in found.narrative.sentences if name in s.text]
    assert any(text.startswith(("Not read", "Could not be used")) for text in said)


HARMLESS = [
    ("README.md", b"How this case was made."),
    (".DS_Store", b"\x00\x00\x00\x01Bud1"),
    ("Thumbs.db", b"\xd0\xcf\x11\xe0...."),
    ("SHA256SUMS", b"00ff  chart.json\n"),
]


@pytest.mark.parametrize(("name", "content"), HARMLESS, ids=[n for n, _ in HARMLESS])
def test_a_file_that_holds_nothing_of_a_patient_blocks_nothing(
    tmp_path: Path, name: str, content: bytes
) -> None:
    case = low_risk_case(tmp_path)
    (case / name).write_bytes(content)
    assert is_low(assessed(case))


def test_a_report_of_our_own_beside_the_case_blocks_nothing(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    made = outcome(case)
    body = json.dumps(made.assessment.to_json())
    (case / "assessment.json").write_text(body, "utf-8")
    (case / "ecg-1.png").write_bytes(b"\x89PNG\r\n\x1a\n....")
    assert is_low(assessed(case))


def test_a_saturation_on_oxygen_is_not_one_on_room_air(tmp_path: Path) -> None:
    flow = {**lab({"coding": [{"system": "http://loinc.org", "code": "3151-8"}]}, 10, "L/min")}
    case = low_risk_case(tmp_path)
    seen: list[str] = []

    def at_the_saturation(chart: dict[str, Any]) -> None:
        times = [
            o["effectiveDateTime"]
            for o in resources(chart, "Observation")
            if "59408-5" in json.dumps(o) or "2708-6" in json.dumps(o)
        ]
        seen.extend(times)
        chart["entry"].append({"resource": {**flow, "effectiveDateTime": times[-1]}})

    change_chart(case, at_the_saturation)
    assert seen
    found = assessed(case)
    assert not is_low(found)
    assert risk(found, "perc").range == (0, 1)


def test_an_onset_of_last_year_is_asked_again(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    change_case(case, "onset: 2026-11-20T13:30:00+01:00", "onset: 2025-11-20T13:30:00+01:00")
    found = assessed(case)
    onset = next(m for m in found.missing if m.input == "onset")
    assert "more than 30 days" in onset.reason.detail
    assert not is_low(found)


def test_a_result_shown_with_the_name_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    item = {
        **condition("Ingrown toenail"),
        "subject": {"reference": "Patient/patient", "display": "Max Mustermann"},
    }
    found = assessed(add(low_risk_case(tmp_path), item))
    assert not is_low(found)
    chart = next(i for i in found.inputs if i.file == "chart.json")
    assert "a name that is not this patient's" in chart.reason


def test_an_age_that_may_be_17_is_named_in_the_headline(tmp_path: Path) -> None:
    case = low_risk_case(tmp_path)
    (case / "ecg.dcm").unlink()

    def born(chart: dict[str, Any]) -> None:
        resources(chart, "Patient")[0]["birthDate"] = "2008"

    change_chart(case, born)
    assert "not shown to be 18" in assessed(case).narrative.headline
