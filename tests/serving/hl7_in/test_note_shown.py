"""What a laboratory wrote beside a result stands in its report, as text from outside."""

from pathlib import Path

from agent.assess import assess_paths
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from tests.tools.intake.hl7v2.messages import obx, oru


def test_the_note_of_the_laboratory_stands_beside_its_result(tmp_path: Path) -> None:
    sent = oru(obx("12"), "NTE|1||Probe stark haemolytisch " + "x" * 400)
    (tmp_path / "a.hl7").write_bytes(sent)
    at = parse_fhir("2026-11-20T12:00:00Z", clock="test")
    found = assess_paths([tmp_path], at=None, now=at, settings=Settings()).assessment.laboratory
    assert found is not None
    (result,) = found.results
    assert result.note.startswith("Probe stark haemolytisch")
    assert len(result.note) <= 200
