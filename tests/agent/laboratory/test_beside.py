"""What was not read, and what of documents waits for a person, stands before the results."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.assess import assess_paths
from agent.assessment import Assessment
from agent.fact_sheet.laboratory import laboratory_facts
from agent.laboratory.view import laboratory_view
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from serving.cli import application
from serving.report.render import laboratory_html, laboratory_markdown

NOW = parse_fhir("2026-11-20T14:40:00Z", clock="test")
CASE = """schema: epicrisis/case/1
case: t
synthetic: true
problem: acute chest pain
time_zone: Europe/Berlin
at: 2026-11-20T14:40:00+01:00
"""
MESSAGE = (
    "MSH|^~\\&|LIS|HOSP|EPI|HOSP|20261120090000+0000||ORU^R01^ORU_R01|{id}|P|2.5.1\r"
    "PID|1||0012^^^LAB&1.2.3&ISO^MR||{name}^Clara||19550721|F\r"
    "OBR|1||{id}|67151-1^hs-cTnT^LN|||20261120080000+0000||||||||||||||||||F\r"
    "OBX|1|NM|{test}^LN||{value}|||||F|||\r"
)
POTASSIUM = "2823-3^Potassium [Moles/volume] in Serum or Plasma"
TROPONIN = "67151-1^Troponin T.cardiac [Mass/volume] in Serum or Plasma by High sensitivity"
REPORT = """LABORATORY REPORT
Patient name: Muster Clara
Date of birth: 1955-07-21
Collected: 2026-11-20 08:00

Potassium   6.9  mmol/L   3.5-5.1  H
Sodium   140  mmol/L   135-145
"""


def message(test: str, value: str, *, number: str = "M1", name: str = "Muster") -> str:
    return MESSAGE.format(id=number, name=name, test=test, value=value)


def assessed(folder: Path) -> Assessment:
    (folder / "case.yaml").write_text(CASE, "utf-8")
    return assess_paths([folder], at=None, now=NOW, settings=Settings()).assessment


@pytest.fixture
def failed_beside(tmp_path: Path) -> Assessment:
    (tmp_path / "a.hl7").write_text(message(TROPONIN, "12|ng/L|<14"), "ascii")
    text = message(POTASSIUM, "7.9|mmol/L|3.5-5.1", number="M7", name="Müller")
    (tmp_path / "b.hl7").write_bytes(text.encode("latin-1"))
    return assessed(tmp_path)


def test_a_file_that_was_not_read_stands_first_and_qualifies_what_is_urgent(
    failed_beside: Assessment,
) -> None:
    assert failed_beside.laboratory is not None
    view = laboratory_view(failed_beside.laboratory, "en", time_zone=None)
    first = view.parts[0]
    assert (first.title, len(first.lines)) == ("Not read", 1)
    assert "b.hl7" in first.lines[0].text
    urgent = next(part for part in view.parts if part.key == "urgent")
    assert "not everything was read" in urgent.none


def test_it_is_in_every_form(failed_beside: Assessment) -> None:
    assert failed_beside.laboratory is not None
    for language, title in (("en", "Not read"), ("zh", "未读取")):
        view = laboratory_view(failed_beside.laboratory, language, time_zone=None)  # type: ignore[arg-type]
        for text in (
            laboratory_markdown(view, heading="h", notice="n"),
            laboratory_html(view, heading="h", notice="n", language="en"),
        ):
            assert title in text
            assert "b.hl7" in text
    facts = list(laboratory_facts(failed_beside, "en"))
    assert any(fact.text.startswith("Not read: b.hl7") for fact in facts)


def test_a_report_alone_has_a_laboratory_part_with_what_waits(tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_text(REPORT, "utf-8")
    laboratory = assessed(tmp_path).laboratory
    assert laboratory is not None
    assert laboratory.results == ()
    assert [(one.test, one.name) for one in laboratory.documented] == [
        ("potassium", "Potassium"),
        ("sodium", "Sodium"),
    ]
    view = laboratory_view(laboratory, "en", time_zone=None)
    assert view.parts[0].title == "Read from documents, not used until confirmed"
    assert view.parts[0].lines[0].text.startswith("Potassium 6.9 mmol/L")


def test_nothing_beside_leaves_the_published_form_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.hl7").write_text(message(TROPONIN, "12|ng/L|<14"), "ascii")
    laboratory = assessed(tmp_path).laboratory
    assert laboratory is not None
    assert not {"not_read", "documented"} & set(laboratory.to_json())


def test_a_case_of_failed_files_alone_says_which(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text(CASE, "utf-8")
    text = message(POTASSIUM, "7.9|mmol/L|3.5-5.1", name="Müller")
    (tmp_path / "b.hl7").write_bytes(text.encode("latin-1"))
    result = CliRunner().invoke(application(), ["laboratory", str(tmp_path)])
    assert result.exit_code == 4
    assert "ECG" not in result.output
    assert "Not read: b.hl7 (HL7 v2)" in result.output
