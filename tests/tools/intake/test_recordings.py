"""ECG files of a case: copies of one recording, signal files of a header, what they say wrongly."""

from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from tests.data_folder import shared_data
from tests.tools.intake.samples import bundle, observation, patient, read, report, write
from tests.tools.intake.test_folder import HEAD, wfdb


def test_one_sop_instance_uid_is_one_recording(tmp_path: Path) -> None:
    content = (shared_data("ecg-dicom") / "waveform_ecg.dcm").read_bytes()
    write(tmp_path, "a.dcm", content)
    changed = pydicom.dcmread(BytesIO(content))
    changed.SeriesDescription = "sent a second time"
    changed.save_as(tmp_path / "b.dcm")
    lines = ", ".join(f"{{file: {n}.dcm, patient: same}}" for n in "ab")
    write(tmp_path, "case.yaml", HEAD + f"attach: [{lines}]\n")
    case = read(tmp_path)
    assert [r.file for r in case.recordings.values()] == ["a.dcm"]
    item = report(case, "b.dcm")
    assert (item.status, item.reason) == (
        "ignored",
        "the same recording as a.dcm (one SOP Instance UID)",
    )


def test_the_signal_file_of_a_header_that_failed_says_so(tmp_path: Path) -> None:
    wfdb(tmp_path)
    write(tmp_path, "rec.dat", b"\x01\x02")
    case = read(tmp_path)
    assert report(case, "rec.hea").status == "failed"
    item = report(case, "rec.dat")
    assert (item.status, item.reason) == ("ignored", "signal file of rec.hea, which failed")


@pytest.mark.parametrize("born", ["1700-01-01", "20269999", "soon"])
def test_a_birth_date_that_is_rejected_is_told_beside_its_chart(tmp_path: Path, born: str) -> None:
    write(tmp_path, "chart.json", bundle(patient(birthDate=born), observation()))
    case = read(tmp_path)
    assert case.timeline.patient.birth_date is None
    assert report(case, "chart.json").problems[0].startswith("Patient/p1: ")
    assert "identities are compared without it" in report(case, "chart.json").problems[0]


def test_a_chart_that_needs_a_statement_still_tells_its_problems(tmp_path: Path) -> None:
    write(tmp_path, "chart.json", bundle(patient(), observation()))
    nameless = {"resourceType": "Patient", "id": "x", "birthDate": "soon"}
    write(tmp_path, "other.json", bundle(nameless, observation(id="o2", subject=None)))
    item = report(read(tmp_path), "other.json")
    assert item.status == "failed"
    assert "carries no identity" in (item.reason or "")
    assert "identities are compared without it" in item.problems[0]
