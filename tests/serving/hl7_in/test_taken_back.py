"""A critical result that its source took back, and what is held, as the worklist says it.

Potassium 6.9 mmol/L is above the critical limit of 6.5 in the packaged table.
"""

from pathlib import Path

import pytest
from sqlalchemy import update

from serving.cases.service import CaseService
from serving.hl7_in.filing import _NOT_HELD, _OF_SEVERAL, _OTHER_NUMBER, PRINCIPAL
from serving.hl7_in.store import MERGE
from serving.hl7_in.tables import Hl7MessageRow
from serving.web.translation import translations
from serving.web.worklist_pages import GONE_REASONS, HELD_REASONS
from serving.worklist.acknowledge import acknowledge
from serving.worklist.critical import TAKEN_BACK
from serving.worklist.service import worklist
from tests.serving.cases.fresh import ANNA, Fresh, fresh
from tests.serving.hl7_in.test_filing import filed
from tests.tools.intake.hl7v2.messages import PID, message, msh, obr, obx, oru

TAKEN = "20261120120000+0000"
POTASSIUM = "2823-3^Potassium^LN"
CRITICAL = oru(
    obr("FO2", taken=TAKEN),
    obx("6.9", code=POTASSIUM, unit="mmol/L^^UCUM", printed="3.5-5.1"),
    at="20261120130000+0000",
)
LATER = "20261120140000+0000"
CANCELLED = message(
    msh("ORM^O01", "M2", at=LATER), PID, "ORC|CA||FO2", f"OBR|1||FO2|67151-1^hs-cTnT^LN|||{TAKEN}"
)
WITHDRAWN = message(
    msh(control="M2", at=LATER), PID, obr("FO2", taken=TAKEN), obx("", code=POTASSIUM, status="W")
)


def page(made: Fresh, language: str) -> str:
    with made.client() as browser:
        headers = {"Accept": "text/html", "Accept-Language": language}
        return browser.get("/worklist", headers=headers).text


@pytest.mark.parametrize("second", [CANCELLED, WITHDRAWN], ids=["order", "result"])
def test_a_critical_result_says_that_it_was_taken_back_and_can_be_acknowledged(
    second: bytes, tmp_path: Path
) -> None:
    with fresh(tmp_path) as made:
        filed(made, CRITICAL)
        (row,) = worklist(made.services, PRINCIPAL).rows
        (known,) = row.critical
        assert known.result.value == "6.9 mmol/L"
        assert known.is_open
        filed(made, second)
        (row,) = worklist(made.services, PRINCIPAL).rows
        (known,) = row.critical
        assert known.superseded_why == "taken back by its source"
        assert "taken back by its source" in page(made, "en")
        assert "已由来源撤回" in page(made, "zh")
        (case,) = made.services.cases.list()
        done = acknowledge(made.services, case, known.id, note="", principal=ANNA)
        assert done.acknowledged_by == "anna"
        assert "已由来源撤回" not in page(made, "zh")


def test_a_result_that_is_sent_again_is_not_taken_back(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        filed(made, CRITICAL, WITHDRAWN)
        again = CRITICAL.replace(b"20261120130000+0000", b"20261120145000+0000")
        filed(made, again.replace(b"|M1|", b"|M3|"))
        (case,) = made.services.cases.list()
        assert CaseService(made.services).outcome(case).assessment.laboratory is not None
        (row,) = worklist(made.services, PRINCIPAL).rows
        assert {one.superseded_why for one in row.critical} == {TAKEN_BACK, None}


def test_the_reasons_of_what_is_held_are_in_the_language_of_the_page(tmp_path: Path) -> None:
    say = translations("zh").gettext
    for reason in (MERGE, _NOT_HELD, _OF_SEVERAL, _OTHER_NUMBER):
        assert reason in HELD_REASONS
    assert TAKEN_BACK in GONE_REASONS
    assert all(say(reason) != reason for reason in (*HELD_REASONS, *GONE_REASONS))
    with fresh(tmp_path) as made:
        filed(made, oru(obr("F0", taken=TAKEN), obx("4.1", code=POTASSIUM, unit="mmol/L^^UCUM")))
        filed(made, WITHDRAWN)
        chinese, english = page(made, "zh"), page(made, "en")
        assert "该患者的任何病例中都没有这项结果" in chinese
        assert _NOT_HELD not in chinese
        assert _NOT_HELD in english
        with made.services.database.transaction() as session:
            session.execute(
                update(Hl7MessageRow)
                .where(Hl7MessageRow.state == "held")
                .values(reason="message 2: a reason of its own")
            )
        assert '<span lang="en">a reason of its own</span>' in page(made, "zh")
