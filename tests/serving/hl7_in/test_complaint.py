"""A patient of the feed as people see it: worklist, page in both languages, card in the EHR.

An ECG within 10 minutes is for acute chest pain (ESC 2023), not for everybody with a creatinine.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.assessment import Assessment
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.cds.answer import Told, cards_of
from serving.hl7_in.filing import PRINCIPAL
from serving.worklist.service import worklist
from tests.serving.cases.fresh import ANNA, Fresh, fresh
from tests.serving.hl7_in.test_filing import filed
from tests.tools.intake.hl7v2.messages import obr, obx, oru

CREATININE = "2160-0^Creatinine [Mass/volume] in Serum or Plasma^LN"
OUTPATIENT = oru(obr("F1"), obx("0.9", code=CREATININE, unit="mg/dL^^UCUM", printed="0.6-1.1"))
TOLD = Told(patient="0012", encounter=None, now=datetime(2026, 11, 20, 15, tzinfo=UTC), links=())


def only_case(made: Fresh) -> Case:
    (case,) = made.services.cases.list()
    return case


def assessment_of(made: Fresh) -> Assessment:
    return CaseService(made.services).outcome(only_case(made)).assessment


def test_worklist_and_page_say_that_no_complaint_is_stated(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        filed(made, OUTPATIENT)
        (row,) = worklist(made.services, PRINCIPAL).rows
        assert row.headline.startswith("No complaint of acute chest pain is stated")
        assert not row.due
        case = only_case(made)
        assert case.label == "from HL7 v2"
        for language, words in (("en", "Complaint: not stated."), ("zh", "未启动急性胸痛路径")):
            with made.client() as browser:
                page = browser.get(
                    f"/cases/{case.id}",
                    headers={"Accept": "text/html", "Accept-Language": language},
                ).text
            assert words in page
            assert "Record a 12-lead ECG" not in page
            assert "No complaint of acute chest pain is stated" in page


def test_an_answer_on_the_page_starts_the_pathway(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        filed(made, OUTPATIENT)
        CaseService(made.services).answer(only_case(made), "chest_pain", True, principal=ANNA)
        (row,) = worklist(made.services, PRINCIPAL).rows
        assert row.headline.startswith("No ECG in the case: record a 12-lead ECG now")


def test_a_feed_can_be_for_acute_chest_pain(tmp_path: Path) -> None:
    with fresh(tmp_path, hl7_complaint="acute chest pain") as made:
        filed(made, OUTPATIENT)
        (row,) = worklist(made.services, PRINCIPAL).rows
        assert row.headline.startswith("No ECG in the case: record a 12-lead ECG now")


def test_a_message_takes_nothing_from_a_case_that_a_person_opened(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        cases = CaseService(made.services)
        case = cases.open([("result.hl7", OUTPATIENT)], label="bed 4", principal=ANNA)[0]
        found = cases.outcome(case).assessment
        assert "ecg_now" in {row.id for row in found.recommendations}
        assert found.complaint_stated


def test_the_ehr_hears_nothing_of_a_creatinine(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        filed(made, OUTPATIENT)
        assert cards_of(assessment_of(made), (), orders=None, told=TOLD) == ()


@pytest.mark.parametrize(
    ("result", "summary"),
    [
        (obx("5"), "Not assessable: No complaint of acute chest pain is stated"),
        (obx("120"), "High: Troponin is above the rule-in limit of every assay"),
        (obx("30", flag="H"), "High: The laboratory marks a troponin as raised"),
    ],
)
def test_the_card_of_a_troponin_says_it(tmp_path: Path, result: str, summary: str) -> None:
    with fresh(tmp_path) as made:
        taken = obr("F2", taken="20261120140000+0000")
        filed(made, oru(taken, result, at="20261120143000+0000"))
        (made_card,) = cards_of(assessment_of(made), (), orders=None, told=TOLD)
        assert made_card.card.summary.startswith(summary)
        assert "Record a 12-lead ECG" not in made_card.card.model_dump_json()
