"""A folder of messages is assessed as any other case, and a file of them can be sent."""

import asyncio
from pathlib import Path

import pytest

from agent.assess import assess_paths
from knowledge.clinical_time import parse_fhir
from knowledge.errors import UnavailableError
from knowledge.settings import Settings
from serving.hl7_in.sender import send_file
from tests.serving.cases.fresh import fresh
from tests.serving.hl7_in.listening import listening, store_of
from tests.tools.intake.hl7v2.messages import obr, obx, oru

AT = parse_fhir("2026-11-20T10:00:00Z", clock="test")
FIRST = oru(obr("F1", taken="20261120080000+0000"), obx("12"))
SECOND = oru(
    obr("F2", taken="20261120090000+0000"), obx("60"), control="M2", at="20261120093000+0000"
)
CASE = """schema: epicrisis/case/1
problem: acute chest pain
facts:
  onset: 2026-11-20T03:00:00+00:00
  troponin_assay: roche-elecsys-hs-ctnt
"""


def test_two_result_messages_give_the_one_hour_algorithm_its_two_samples(tmp_path: Path) -> None:
    """ESC 0/1 h, Elecsys hs-cTnT: a rise of 5 ng/L or more within the hour rules in (ESC 2023)."""
    (tmp_path / "first.hl7").write_bytes(FIRST)
    (tmp_path / "second.hl7").write_bytes(SECOND)
    (tmp_path / "case.yaml").write_text(CASE)
    found = assess_paths([tmp_path], at=AT, now=AT, settings=Settings()).assessment
    (risk,) = [r for r in found.risks if r.name == "ESC 0/1 h"]
    assert risk.category == "rule-in"
    withdrawn = oru(
        obr("F2", taken="20261120090000+0000"),
        obx("", status="W"),
        control="M3",
        at="20261120094500+0000",
    )
    (tmp_path / "third.hl7").write_bytes(withdrawn)
    outcome = assess_paths([tmp_path], at=AT, now=AT, settings=Settings())
    risks = outcome.assessment.risks
    assert [r.category for r in risks if r.name == "ESC 0/1 h"] != ["rule-in"]
    assert outcome.case is not None
    assert any(r.file == "second.hl7" for r in outcome.case.retracted)


def test_a_file_of_messages_is_sent_and_each_answer_told(tmp_path: Path) -> None:
    async def talk() -> list[str]:
        async with listening(made.services) as at:
            content = FIRST + SECOND + SECOND.replace(b"|2.5.1|", b"|2.9|")
            answers = await send_file(content, "f.hl7", host=at.host, port=at.port, tls_ca=None)
        return [f"{a.control_id} {a.code}{a.text[:4]}" for a in answers]

    with fresh(tmp_path, hl7_port=0) as made:
        assert asyncio.run(talk()) == ["M1 AA", "M2 AA", "M2 AR 203"]
        assert store_of(made.services).counts() == {"received": 2}


def test_nobody_there_is_said_so() -> None:
    with pytest.raises(UnavailableError):
        asyncio.run(send_file(FIRST, "f.hl7", host="127.0.0.1", port=9, tls_ca=None))
