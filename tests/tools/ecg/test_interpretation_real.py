"""Real recordings: what is measured and said, against the device, the chart and noisy labels.

Labels of CPSC 2018 are of one reader each and partly wrong; agreement is recorded as n/N and only
what must hold whatever the label is asserted.
"""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from knowledge.errors import InputError
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.hand_made import age, sex, state
from tools.ecg.analysis import ecg_analysis
from tools.ecg.report import EcgReport


@cache
def report_of(path: Path, years: float | None, of: str | None) -> EcgReport:
    return ecg_analysis(read_path(path), age_years=age(years), sex=sex(of))


def sierra(name: str, years: float, of: str | None) -> EcgReport:
    return report_of(shared_data("ecg-sierra-xml") / name, years, of)


def test_acute_inferior_infarct_is_told_as_the_device_tells_it() -> None:
    report = sierra("129DYPRG.XML", 50, "male")
    assert state(report, "stemi_criteria") == "present"
    assert state(report, "st-elevation-inferior") == "present"
    assert report.finding("stemi_criteria").body_site == "II, III, aVF"
    assert state(report, "st-elevation-anterior") == "absent"
    assert "sinus bradycardia" in report.rhythm
    assert any("V4R" in text for text in report.advice)
    assert not any("infarction" in c.what for c in report.conflicts)


def test_hypertrophy_with_anterior_elevation_is_no_stemi() -> None:
    report = sierra("3191723_ZZDEMOPTONLY_1-04_orig.xml", 60, "male")
    assert state(report, "lvh") == "present"
    assert state(report, "stemi_criteria") != "present"
    assert report.finding("ecg_heart_category").choice != "normal"
    assert "hypertrophy" in report.headline


@pytest.mark.parametrize(
    ("name", "years", "of"),
    [
        ("2020-5-18_15-48-11.xml", 69, None),
        ("ad4d3d80-d165_1-04_orig.xml", 32, "female"),
    ],
)
def test_recordings_without_a_device_statement_of_infarction(
    name: str, years: float, of: str | None
) -> None:
    report = sierra(name, years, of)
    assert state(report, "stemi_criteria") == "absent"
    assert state(report, "sinus-rhythm") == "present"
    assert state(report, "lbbb") == "absent"


def test_long_qt_of_the_confirmed_bradycardia_is_seen() -> None:
    """The device states QT 564 ms, QTcF 497 ms."""
    report = sierra("ad4d3d80-d165_1-04_orig.xml", 32, "female")
    assert state(report, "prolonged-qtc") == "present"
    assert state(report, "bradycardia") == "present"


def test_dicom_that_the_device_calls_normal_has_no_finding() -> None:
    report = report_of(shared_data("ecg-dicom") / "anonymous_ecg.dcm", 42, "female")
    for code in ("stemi_criteria", "st-depression", "lbbb", "rbbb", "atrial-fibrillation", "lvh"):
        assert state(report, code) == "absent", code
    assert state(report, "sinus-rhythm") == "present"
    assert report.finding("ecg_heart_category").choice == "normal"
    assert report.conflicts == ()


def test_acute_inferolateral_infarct_of_ptb_is_not_called_normal() -> None:
    """Chart: acute infero-lateral infarction. ST elevation in III and aVF is about 1 mm or less;
    V2-V3 show ST depression under an upright T with a right bundle branch block."""
    report = report_of(shared_data("ecg-wfdb-samples") / "s0010_re.hea", 81, "female")
    assert state(report, "rbbb") == "present"
    assert state(report, "st-depression") == "present"
    assert state(report, "ecg_new_ischaemia") == "present"
    assert state(report, "pathological-q") == "present"
    assert state(report, "omi_equivalent") == "not_assessed"
    assert report.finding("ecg_heart_category").choice == "st_deviation"
    assert any("V7-V9" in text for text in report.advice)


def cpsc() -> list[tuple[str, EcgReport]]:
    """Return (label, report) of every record, with age and sex of its header."""
    found = []
    for path in sorted((shared_data("ecg-cpsc2018") / "records").glob("*.hea")):
        header = path.read_text()
        label = re.search(r"#\s*Dx:\s*(\S+)", header)
        years = re.search(r"#\s*Age:\s*(\d+)", header)
        of = re.search(r"#\s*Sex:\s*(male|female)", header, re.IGNORECASE)
        report = report_of(path, float(years[1]) if years else None, of[1].lower() if of else None)
        found.append((label[1] if label else "", report))
    return found


AGREEMENT = {
    "LBBB": "lbbb",
    "RBBB": "rbbb",
    "AF": "atrial-fibrillation",
    "STE": "stemi_criteria",
    "STD": "st-depression",
    "I-AVB": "prolonged-pr",
    "Normal": "sinus-rhythm",
}


@pytest.mark.parametrize(("label", "code"), AGREEMENT.items())
def test_agreement_with_labels_is_recorded(
    label: str, code: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    states = Counter(state(report, code) for got, report in cpsc() if label in got.split(","))
    other = Counter(state(report, code) for got, report in cpsc() if label not in got.split(","))
    record_testsuite_property(
        f"{label}: {code} in labelled", f"{states['present']}/{states.total()}"
    )
    record_testsuite_property(f"{label}: {code} in others", f"{other['present']}/{other.total()}")
    assert states.total() >= 2


def test_no_record_labelled_normal_meets_st_elevation_criteria() -> None:
    normal = [report for label, report in cpsc() if label == "Normal"]
    assert len(normal) == 8
    assert [state(r, "stemi_criteria") for r in normal].count("present") == 0


@pytest.mark.parametrize(("label", "code"), [("LBBB", "lbbb"), ("RBBB", "rbbb")])
def test_labelled_block_is_never_denied(label: str, code: str) -> None:
    states = [state(report, code) for got, report in cpsc() if label in got.split(",")]
    assert "absent" not in states


def test_left_bundle_branch_block_gate_is_open_for_everybody_else() -> None:
    others = [state(report, "lbbb") for got, report in cpsc() if got != "LBBB"]
    assert others.count("present") == 0


def test_labelled_left_bundle_branch_block_never_gets_ordinary_criteria() -> None:
    for got, report in cpsc():
        if got == "LBBB":
            assert state(report, "stemi_criteria") == "not_assessed"


def test_unusable_real_recording_is_refused_with_a_reason() -> None:
    """An ICU record of few leads is no 12-lead ECG."""
    folder = shared_data("ecg-wfdb-samples")
    try:
        made = read_path(folder / "v102s.hea")
    except InputError as error:
        pytest.fail(f"the file should be readable: {error}")
    report = ecg_analysis(made, age_years=age(60), sex=sex("male"))
    assert {f.state.value for f in report.findings} == {"not_assessed"}
    assert "12-lead" in report.headline
