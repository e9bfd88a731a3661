"""A patient who arrives through a laboratory feed has no stated complaint until somebody states it.

Messages are real ones of public collections where named, else invented; what is expected is what a
physician would do: an ECG within 10 minutes is for acute chest pain (ESC 2023, recommendation on
the ECG at first medical contact), not for everybody whose blood was taken.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.assess import assess_case, assess_paths, next_calls
from agent.assessment import Assessment
from agent.ledger import Ledger
from agent.triage import triage
from knowledge.clinical_time import parse_fhir
from knowledge.pathways import Urgency, pathway
from knowledge.risk import NOT_DETERMINED
from knowledge.settings import Settings
from serving.report.render import markdown
from tests.agent.cases import NOW, answered, low_risk_case
from tests.agent.test_never_low import is_low
from tests.data_folder import shared_data
from tests.tools.intake.hl7v2.messages import PID, message, msh, obr, obx, oru
from tools.intake.answer import Answer
from tools.intake.folder import read_case
from tools.intake.given import GivenAnswer

AT = parse_fhir("2026-11-20T10:00:00Z", clock="test")
NIST = "test/functional/test-data/valid"
CREATININE = "2160-0^Creatinine [Mass/volume] in Serum or Plasma^LN"
POTASSIUM = "2823-3^Potassium [Moles/volume] in Serum or Plasma^LN"
NOT_STARTED = (
    "No complaint of acute chest pain is stated: the acute chest pain pathway was not started"
)
OUTPATIENT = oru(obr("F1"), obx("0.9", code=CREATININE, unit="mg/dL^^UCUM", printed="0.6-1.1"))


def of(
    folder: Path, content: bytes, *answers: tuple[str, str | bool], setting: str = "not stated"
) -> Assessment:
    (folder / "message.hl7").write_bytes(content)
    given = [
        GivenAnswer(
            input=i, answer=Answer(value=v), author="Dr A", entered_at="2026-11-20T09:50:00Z"
        )
        for i, v in answers
    ]
    settings = Settings.model_validate({"hl7_complaint": setting})
    return assess_paths([folder], at=AT, now=AT, settings=settings, given=given).assessment


def advised(found: Assessment) -> set[str]:
    return {row.id for row in found.recommendations}


def test_an_outpatient_with_one_creatinine_is_no_emergency(tmp_path: Path) -> None:
    found = of(tmp_path, OUTPATIENT)
    assert found.narrative.headline.startswith(NOT_STARTED)
    assert found.narrative.urgency is Urgency.SOON
    assert not found.recommendations
    assert (found.problem, found.status.value) == ("complaint not stated", "not_assessable")
    assert not is_low(found)
    assert {entry.verdict.value for entry in found.differential} == {"not assessed"}
    assert [item.input for item in found.missing] == ["chest_pain"]
    assert found.laboratory is not None
    assert found.laboratory.results
    told = " ".join(sentence.text for sentence in found.narrative.sentences)
    assert all(w in told for w in ("PV2-3", "hl7_complaint", "no statement of a low risk"))
    assert "pain not known" not in told
    assert "# Complaint not stated" in markdown(found)


@pytest.mark.parametrize(
    "name",
    [
        "nist/ORU_R01_2.5.1_SampleTestCase1.hl7",
        "athena-health/oru-example.hl7",
        "realm/realm-cj.hl7",
        "cerner/cerner_lead.hl7",
    ],
)
def test_real_messages_without_a_complaint_start_nothing(tmp_path: Path, name: str) -> None:
    content = (shared_data("hl7v2-nist") / NIST / name).read_bytes()
    found = of(tmp_path, content)
    assert found.narrative.headline.startswith(NOT_STARTED)
    assert advised(found) <= {"not_understood"}


def test_the_admit_reason_of_a_real_message_states_the_complaint(tmp_path: Path) -> None:
    """PV2-3 of the real message is ``1^Sick^99AdmitReason``; here it says chest pain instead."""
    real = (shared_data("hl7v2-nist") / NIST / "realm/realm-cj.hl7").read_bytes()
    changed = real.replace(b"1^Sick^99AdmitReason", b"1^Acute chest pain^99AdmitReason")
    assert changed != real
    found = of(tmp_path, changed)
    assert {"ecg_now", "troponin_now"} <= advised(found)
    (pain,) = [f for f in found.findings if any(c.code == "chest_pain" for c in f.concept.codings)]
    (place,) = pain.evidence
    assert "PV2" in str(place)


@pytest.mark.parametrize(
    ("segment", "starts"),
    [
        ("PV2|||^Chest pain radiating to the left arm", True),
        ("PV2|||R07.4^Chest pain, unspecified^I10", True),
        ("PV2|||^胸痛2小时", True),
        ("PV2|||^Chest pain, no dyspnoea", True),
        ("PV2|||^No chest pain", False),
        ("PV2|||^History of chest pain", False),
        ("PV2|||140004^Chronic pharyngitis^SCT", False),
        ("PV2|||", False),
        ("DG1|1||R07.4^Chest pain^I10|||A", True),
        ("DG1|1||R07.4^Chest pain^I10|||F", True),
        ("DG1|1||N18.3^Chronic kidney disease^I10|||F", False),
    ],
)
def test_what_states_the_complaint(tmp_path: Path, segment: str, starts: bool) -> None:
    sent = message(
        msh(charset="UNICODE UTF-8"), PID, "PV1|1|E", segment, obr(), obx("5.0", code=POTASSIUM)
    )
    found = of(tmp_path, sent)
    assert ("ecg_now" in advised(found)) is starts
    assert found.complaint_stated is starts


def test_a_person_or_the_setting_starts_the_pathway(tmp_path: Path) -> None:
    assert "ecg_now" in advised(of(tmp_path, OUTPATIENT, ("chest_pain", True)))
    assert "ecg_now" in advised(of(tmp_path, OUTPATIENT, setting="acute chest pain"))
    denied = of(tmp_path, OUTPATIENT, ("chest_pain", False))
    assert denied.narrative.headline.startswith("Chest pain is stated to be absent")
    assert not advised(denied)
    assert not is_low(denied)
    (tmp_path / "case.yaml").write_text("schema: epicrisis/case/1\n")
    assert "ecg_now" in advised(of(tmp_path, OUTPATIENT)), "a case file is for acute chest pain"


RAISED = [
    # at or above 52 ng/L: the highest single-sample rule-in limit (hs-cTnT, ESC 2023)
    (obx("120"), "injury", Urgency.URGENT),
    (obx("30", flag="H"), "troponin_marked_high", Urgency.URGENT),
    (
        obx("6.9", code=POTASSIUM, unit="mmol/L^^UCUM", printed="3.5-5.1", flag="HH"),
        "critical_laboratory",
        Urgency.IMMEDIATE,
    ),
]


@pytest.mark.parametrize(("result", "expected", "urgency"), RAISED)
def test_what_is_found_is_raised_without_a_complaint(
    tmp_path: Path, result: str, expected: str, urgency: Urgency
) -> None:
    found = of(tmp_path, oru(obr("F1"), result))
    assert advised(found) == {expected}
    assert found.narrative.urgency is urgency
    assert not found.complaint_stated


def test_an_ecg_that_meets_the_criteria_is_raised_without_a_complaint(tmp_path: Path) -> None:
    found = of(tmp_path, OUTPATIENT, ("stemi_criteria", True))
    assert "stemi_reperfusion" in advised(found)
    assert found.narrative.urgency is Urgency.IMMEDIATE


SERIAL = oru(
    obr("F1", taken="20261120080000+0000"),
    obx("3"),
    obr("F2", taken="20261120090000+0000"),
    obx("{second}", number=1),
).decode()
KNOWN = (
    ("onset", "2026-11-20T03:00:00+00:00"),
    ("troponin_assay", "roche-elecsys-hs-ctnt"),
    ("stemi_criteria", False),
    ("esrd_dialysis", False),
)


@pytest.mark.parametrize(
    ("second", "stated", "without"),
    # ESC 0/1 h, Elecsys hs-cTnT: both below 12 with a rise below 3 rules out; a rise of 5 rules in
    [("4", "rule-out", "not assessed"), ("60", "rule-in", "rule-in")],
)
def test_a_rule_out_is_for_chest_pain_and_a_rule_in_for_everybody(
    tmp_path: Path, second: str, stated: str, without: str
) -> None:
    content = SERIAL.replace("{second}", second).encode()
    for setting, expected in (("acute chest pain", stated), ("not stated", without)):
        found = of(tmp_path, content, *KNOWN, setting=setting)
        (rule,) = [r for r in found.risks if r.name == "ESC 0/1 h"]
        assert rule.category == expected
    assert not is_low(found)
    assert ("nstemi_early_invasive" in advised(found)) is (without == "rule-in")
    assert "rule-out" not in {r.category for r in found.risks}


@pytest.mark.parametrize("answers", [(), ("chest_pain: no",)])
def test_a_case_that_would_end_low_never_does_without_a_complaint(
    tmp_path: Path, answers: tuple[str, ...]
) -> None:
    folder = low_risk_case(tmp_path)
    file = folder / "case.yaml"
    file.write_text(file.read_text().replace("  chest_pain: yes\n", ""))
    if answers:
        answered(folder, *answers)
    case = read_case([folder], at=None, now=NOW, settings=Settings())
    assert case.at is not None
    if not answers:
        assert is_low(assess_case(case, at=case.at, settings=Settings()).assessment)
    of_feed = replace(case, complaint_stated=False)
    found = assess_case(of_feed, at=case.at, settings=Settings()).assessment
    assert not is_low(found)
    said = {r.category for r in found.risks}
    assert not said & {"low", "rule-out", "unlikely", NOT_DETERMINED}
    low = {"rule_out_low", "rule_out_not_low", "another_cause", "discharge_open"}
    assert not advised(found) & low
    assert "low" not in found.narrative.headline
    flags = triage(of_feed, at=case.at, settings=Settings(), ledger=Ledger())
    assert "ecg_now" not in {flag.id for flag in flags.red_flags}
    assert next_calls(of_feed, at=case.at, settings=Settings(), entries=()), "the ECG is analysed"


def test_what_is_left_out_is_only_what_asks_or_reassures() -> None:
    """No row that acts on a finding is left out: those name an input that is present."""
    path = pathway("chest_pain")
    immediate = {
        key
        for key in path.not_started.leaves_out
        if path.recommendations[key].urgency is Urgency.IMMEDIATE
    }
    assert immediate == {"ecg_now", "outside_age"}
