"""Named patterns on real records: what must hold, and the published counts measured again."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from knowledge.ecg_accuracy import ecg_accuracy_table
from tests.data_folder import ROOT, shared_data
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.hand_made import age, sex, state
from tools.ecg.analysis import ecg_analysis
from tools.ecg.report import EcgReport

PATTERNS = (
    "de-winter",
    "wellens",
    "brugada-type-1",
    "pericarditis-pattern",
    "hyperkalaemia-pattern",
    "right-ventricular-strain",
)


@cache
def bench() -> ModuleType:
    """Return the script that measured the published rows."""
    spec = importlib.util.spec_from_file_location(
        "bench_ecg_patterns", Path(ROOT) / "bench" / "ecg_patterns.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def counted() -> dict[tuple[str, str], dict[str, int]]:
    data = shared_data("ecg-cpsc2018").parent
    shared_data("ecg-torchecg-samples")
    found: dict[tuple[str, str], dict[str, int]] = bench().everything(data)
    return found


@cache
def report(name: str, years: float, of: str | None) -> EcgReport:
    folder, _, rest = name.partition("/")
    recording = read_path(shared_data(folder) / rest)
    return ecg_analysis(recording, age_years=age(years), sex=sex(of))


def published() -> dict[tuple[str, str], dict[str, Any]]:
    return {(r.dataset, r.statement): r.to_json() for r in ecg_accuracy_table().statements}


def test_published_counts_are_what_the_code_gives() -> None:
    rows = published()
    for key, counts in counted().items():
        assert {name: rows[key][name] for name in counts} == counts, key


@pytest.mark.parametrize("code", PATTERNS)
def test_no_record_labelled_normal_shows_a_pattern_that_alarms(code: str) -> None:
    """19 records; a bound of the true rate is in the published row."""
    counts = counted()[("normal", code)]
    assert counts["fp"] == 0
    assert counts["tn"] >= 15


def test_acute_inferior_infarct_of_philips_shows_none_of_the_anterior_patterns() -> None:
    """Device: acute MI, inferior; V1-V6 without ST elevation of the limits."""
    found = report("ecg-sierra-xml/129DYPRG.XML", 50, "male")
    assert found.headline.startswith("ST-elevation criteria of infarction are met: inferior")
    for code in (*PATTERNS, "terminal-qrs-distortion"):
        assert state(found, code) == "absent", code
    reason = found.finding("subtle-occlusion-4").not_assessed
    assert reason is not None
    assert reason.why.value == "outside-contract"
    assert state(found, "v4r-elevation") == "not_assessed"


def test_infero_lateral_infarct_of_ptb_shows_its_q_waves_by_region() -> None:
    """Chart: acute infero-lateral infarction; RBBB. Leads X, Y, Z are not V7-V9."""
    found = report("ecg-wfdb-samples/s0010_re.hea", 81, "female")
    assert state(found, "pathological-q") == "present"
    present = [
        region
        for region in ("inferior", "high-lateral", "anterior")
        if state(found, f"q-waves-{region}") == "present"
    ]
    assert present
    assert state(found, "q-waves-posterior") == "not_assessed"
    assert state(found, "posterior-lead-elevation") == "not_assessed"
    assert state(found, "q-equivalent") == "not_assessed"  # right bundle branch block


def test_hypertrophy_keeps_the_formulas_from_an_ecg_with_anterior_elevation() -> None:
    """The device calls it LVH with anterior ST elevation: excluded from the study."""
    found = report("ecg-sierra-xml/3191723_ZZDEMOPTONLY_1-04_orig.xml", 60, "male")
    reason = found.finding("subtle-occlusion-4").not_assessed
    assert reason is not None
    assert "hypertrophy" in reason.detail or "QRS" in reason.detail


def test_normal_device_record_shows_no_pattern() -> None:
    found = report("ecg-dicom/anonymous_ecg.dcm", 42, "female")
    for code in (*PATTERNS, "q-waves-inferior", "q-waves-anterior", "t-inversion-anterior"):
        assert state(found, code) == "absent", code


def test_unmeasurable_record_says_nothing() -> None:
    found = report("ecg-wfdb-samples/v102s.hea", 60, "male")
    assert {f.state.value for f in found.findings} == {"not_assessed"}
