"""Headline, ECG and verdicts name what they rest on: the leads, the findings, the rules."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.assess import assess_paths
from agent.assessment import Assessment, Narrative
from agent.fact_sheet import fact_sheet
from agent.state import State
from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import DicomEvidence, RecordEvidence, ToolEvidence
from knowledge.finding import Finding
from knowledge.finding import State as Known
from knowledge.pathways import Urgency
from knowledge.rules import Condition
from knowledge.settings import Settings
from tools.ecg.report import statement_concept

EXAMPLES = Path("serving/examples")
NOON = ClinicalTime(at=datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def stemi(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    settings = Settings(data_dir=tmp_path_factory.mktemp("stemi"))
    return assess_paths([EXAMPLES / "stemi"], at=None, now=NOON, settings=settings).assessment


def leads(evidence: object) -> list[str]:
    assert isinstance(evidence, tuple)
    return [e.lead for e in evidence if isinstance(e, DicomEvidence) and e.lead]


def test_the_headline_rests_on_the_leads_that_the_ecg_sentence_names(stemi: Assessment) -> None:
    ecg = next(s for s in stemi.narrative.sentences if s.text.startswith("ECG: "))
    assert "inferior (II, III, aVF)" in ecg.text
    assert leads(stemi.narrative.evidence) == ["II", "III", "aVF"]
    assert leads(ecg.evidence)[:3] == ["II", "III", "aVF"]


def test_in_the_chat_each_part_of_the_ecg_sentence_has_its_own_evidence(
    stemi: Assessment,
) -> None:
    facts = {f.text: f for f in fact_sheet(stemi, language="en").facts}
    rhythm = facts["ECG: sinus rhythm, 62/min."]
    outputs = [e.output for e in rhythm.evidence if isinstance(e, ToolEvidence)]
    assert set(outputs) == {"sinus-rhythm", "heart-rate"}
    assert leads(rhythm.evidence) == []
    assert facts[stemi.narrative.headline].evidence == stemi.narrative.evidence


def test_a_verdict_sentence_has_the_evidence_of_its_reasons(stemi: Assessment) -> None:
    acs = next(e for e in stemi.differential if e.id == "acs")
    said = next(s for s in stemi.narrative.sentences if s.text.startswith("Supported: "))
    assert {e for reason in acs.supporting for e in reason.evidence} <= set(said.evidence)


def test_of_alternatives_only_those_that_hold_are_evidence() -> None:
    def finding(code: str, state: Known) -> Finding:
        place = RecordEvidence(file="case.yaml", record=code)
        return Finding(concept=statement_concept(code), state=state, evidence=(place,))

    state = State(
        findings={
            "stemi_criteria": finding("stemi_criteria", Known.PRESENT),
            "omi_equivalent": finding("omi_equivalent", Known.ABSENT),
        }
    )
    either = Condition.model_validate(
        {
            "any": [
                {"input": "stemi_criteria", "is": "present"},
                {"input": "omi_equivalent", "is": "present"},
            ]
        }
    )
    neither = Condition.model_validate({"not": either.model_dump(by_alias=True)})
    answers = state.answers()
    (found,) = state.evidence_for(either, answers)
    assert isinstance(found, RecordEvidence)
    assert found.record == "stemi_criteria"
    none_holds = State(
        findings={k: finding(k, Known.ABSENT) for k in ("stemi_criteria", "omi_equivalent")}
    )
    both = none_holds.evidence_for(neither, none_holds.answers())
    assert len(both) == 2, "that neither holds rests on both"


def test_a_headline_without_evidence_is_written_as_before_there_was_any() -> None:
    said = Narrative(headline="x", urgency=Urgency.SOON, author="templates", sentences=())
    assert said.to_json() == {
        "headline": "x",
        "urgency": "soon",
        "author": "templates",
        "sentences": [],
    }
