"""Made-up laboratory tables for the tests."""

from pathlib import Path

from knowledge.clinical_time import parse_fhir
from knowledge.finding import Finding
from knowledge.settings import Settings
from tests.tools.intake.samples import write
from tools.intake.content import Content
from tools.intake.folder import read_case
from tools.intake.lab_file import LabFile
from tools.intake.result import CaseFiles, InputFile
from tools.intake.sniff import sniff
from tools.intake.tables.mapping import LabMapping, read_mapping
from tools.intake.tables.read import read_table

NOW = parse_fhir("2026-11-22T12:00:00Z", clock="test")

MAPPING = """
schema: epicrisis/lab-mapping/1
files: ["labs*"]
columns:
  patient_id: {column: Pat, system: "urn:oid:1.2.3"}
  test: Test
  value: Wert
  unit: Einheit
  collected: {column: Abnahme, format: "%d.%m.%Y %H:%M"}
  interval: Referenz
  flag: {column: Mark, values: {"*": abnormal, "+": high, "-": low}}
  specimen: Material
decimal: comma
thousands: point
time_zone: Europe/Berlin
delimiter: semicolon
tests:
  Kalium: {analyte: potassium}
  Natrium: {loinc: 2951-2}
  Kreatinin: {analyte: creatinine, unit: umol/L}
"""
HEADER = "Pat;Test;Wert;Einheit;Abnahme;Referenz;Mark;Material"
POTASSIUM = "0012;Kalium;5,9;mmol/L;20.11.2026 08:10;3.5-5.1;+;Serum"


def mapping(text: str = MAPPING) -> LabMapping:
    return read_mapping(text.encode(), "mapping.yaml")


def content(data: bytes | str, name: str = "labs.csv") -> Content:
    raw = data.encode() if isinstance(data, str) else data
    return Content(file=name, kind=sniff(raw), data=raw, sha256="0" * 64)


def table(*rows: str, by: str | None = MAPPING, header: str = HEADER) -> LabFile:
    """A table of these rows, read by a mapping; None for no mapping."""
    text = "\n".join((header, *rows)) + "\n"
    return read_table(content(text), mapping(by) if by is not None else None, zone=None)


def findings(lab: LabFile) -> list[Finding]:
    return [fact.finding for fact in lab.facts]


def only(lab: LabFile) -> Finding:
    assert len(lab.facts) == 1, lab.problems
    return lab.facts[0].finding


def case(folder: Path, **files: str | bytes) -> CaseFiles:
    """A case of files; ``labs_csv`` is written as ``labs.csv``."""
    for name, data in files.items():
        write(folder, name.replace("_", "."), data)
    return read_case([folder], at=None, settings=Settings(), now=NOW)


def told(case_: CaseFiles, file: str) -> InputFile:
    return next(item for item in case_.inputs if item.file == file)
