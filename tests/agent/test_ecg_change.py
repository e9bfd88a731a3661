"""The comparison of two tracings of a case stands in its narrative and changes nothing else."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from agent.assessment import Assessment
from knowledge.clinical_time import load_zone
from tests.agent.cases import assessed, example
from tools.ecg.readers import read_ecg
from tools.ecg.writers import write_ecg


def with_later_ecg(case: Path, *, minutes: int = 20) -> Path:
    """Add the case's own ECG again, `minutes` later."""
    first = read_ecg((case / "ecg.dcm").read_bytes(), file="ecg.dcm")
    assert first.start is not None
    moved = first.start.at + timedelta(minutes=minutes)
    if moved.tzinfo is None:
        moved = moved.replace(tzinfo=load_zone("Europe/Berlin"))
    start = first.start.model_copy(update={"at": moved, "zone": "stated", "clock": None})
    again = replace(first, id="f" * 16, start=start)
    (case / "ecg-2.dcm").write_bytes(write_ecg(again, "dicom"))
    return case


def sentences(found: Assessment) -> list[str]:
    return [s.text for s in found.narrative.sentences]


def test_one_ecg_has_no_comparison(tmp_path: Path) -> None:
    found = assessed(example("nstemi", tmp_path))
    assert not any("against the one before" in text for text in sentences(found))


def test_second_ecg_is_compared_and_the_decision_is_the_same(tmp_path: Path) -> None:
    one = assessed(example("nstemi", tmp_path / "one"))
    two = assessed(with_later_ecg(example("nstemi", tmp_path / "two")))
    (text,) = [t for t in sentences(two) if "against the one before" in t]
    assert "No change that counts" in text
    assert two.narrative.headline == one.narrative.headline
    assert [r.id for r in two.recommendations] == [r.id for r in one.recommendations]
    assert {d.id: d.verdict for d in two.differential} == {
        d.id: d.verdict for d in one.differential
    }


def test_sentence_rests_on_both_recordings(tmp_path: Path) -> None:
    found = assessed(with_later_ecg(example("nstemi", tmp_path)))
    (said,) = [s for s in found.narrative.sentences if "against the one before" in s.text]
    assert {e.file for e in said.evidence if hasattr(e, "file")} == {"ecg.dcm", "ecg-2.dcm"}


def test_switched_off_device_functions_compare_nothing(tmp_path: Path) -> None:
    found = assessed(with_later_ecg(example("nstemi", tmp_path)), device_functions=False)
    assert not any("against the one before" in text for text in sentences(found))
