"""Results read from a document are shown in the assessment and change none of its risks."""

import shutil
from pathlib import Path

from agent.assess import assess_paths
from agent.assessment import Assessment
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from tests.data_folder import ROOT

NOW = parse_fhir("2026-11-20T18:05:00Z", clock="test")
REPORT = """Name: Davi Exemplo   DOB: 1983-01-30   Sex: M
Collected: 2026-11-20 18:40
Potassium   6.9  H  mmol/L  3.5-5.1
Creatinine  700  H  umol/L  57-97
hs-cTnI     900  H  ng/L    <26
"""


def assessed(folder: Path) -> Assessment:
    return assess_paths([folder], at=None, now=NOW, settings=Settings()).assessment


def test_a_document_is_shown_and_changes_no_risk(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(ROOT / "serving" / "examples" / "early_presenter", folder)
    before = assessed(folder)
    (folder / "report.txt").write_text(REPORT, "utf-8")
    after = assessed(folder)
    said = [sentence.text for sentence in after.narrative.sentences]
    (note,) = [text for text in said if text.startswith("Read from documents")]
    assert "Potassium: 6.9 mmol/L" in note
    assert "troponin I: 900 ng/L" in note
    assert after.risks == before.risks
    assert not [f for f in after.findings if "900" in str(f.value)]
