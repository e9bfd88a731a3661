"""Statements of real assessments: nothing is left out, and ids stay."""

from pathlib import Path

import pytest

from agent.assess import assess_paths
from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import RecordEvidence
from knowledge.settings import Settings
from serving.signing.changes import changes
from serving.signing.statements import statement_id, statements
from tests.serving.audit.site import EXAMPLES, NOON

NAMES = ("nstemi", "stemi", "half_missing", "early_presenter")


def assessed(name: str, folder: Path) -> Assessment:
    settings = Settings(data_dir=folder)
    return assess_paths(
        [EXAMPLES / name], at=None, now=ClinicalTime(at=NOON), settings=settings
    ).assessment


@pytest.mark.parametrize("name", NAMES)
def test_every_word_a_report_shows_is_a_statement_once(name: str, tmp_path: Path) -> None:
    assessment = assessed(name, tmp_path)
    found = statements(assessment)
    texts = [one.text for one in found]
    assert texts[0] == assessment.narrative.headline
    for sentence in assessment.narrative.sentences:
        assert sentence.text in texts
    for row in assessment.recommendations:
        assert row.text in texts
    kinds = [one.kind for one in found]
    assert kinds.count("risk") == len(assessment.risks)
    assert kinds.count("differential") == len(assessment.differential)
    assert len({one.id for one in found}) == len(found)
    assert len({one.subject for one in found}) == len(found)


def test_ids_and_subjects_are_the_same_when_assessed_again(tmp_path: Path) -> None:
    first, second = (statements(assessed("nstemi", tmp_path)) for _ in range(2))
    assert [(one.id, one.subject) for one in first] == [(one.id, one.subject) for one in second]


def test_an_id_follows_from_kind_text_and_evidence() -> None:
    place = RecordEvidence(file="case.yaml", record="facts.onset")
    other = RecordEvidence(file="case.yaml", record="facts.pain")
    assert statement_id("risk", "low", (place,)) == statement_id("risk", "low", (place,))
    ids = {
        statement_id("risk", "low", (place,)),
        statement_id("risk", "low", (other,)),
        statement_id("risk", "high", (place,)),
        statement_id("sentence", "low", (place,)),
    }
    assert len(ids) == 4


def test_an_unassessed_diagnosis_says_why_and_is_never_empty(tmp_path: Path) -> None:
    found = {one.subject: one.text for one in statements(assessed("half_missing", tmp_path))}
    assert found["differential:acs"].startswith("Acute coronary syndrome: not assessed (")
    assert all(text.strip() for text in found.values())


def test_the_same_case_later_has_no_changes_by_the_clock_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    folder = [EXAMPLES / "nstemi"]
    now = ClinicalTime(at=NOON)
    signed = assess_paths(folder, at=None, now=now, settings=settings).assessment
    later = assess_paths(
        folder, at=ClinicalTime(at=NOON.replace(hour=14)), now=now, settings=settings
    ).assessment
    assert signed.narrative.sentences[0] != later.narrative.sentences[0], "4 h 10 min before"
    assert changes(signed, later) == ()
