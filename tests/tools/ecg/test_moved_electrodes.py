"""V7-V9 or right-sided leads recorded in place of standard chest leads."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from knowledge.errors import ContractError
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import read_path
from tests.tools.ecg.hand_made import state
from tests.tools.ecg.patterns.drawn import Lead, drawn, said
from tools.ecg.measure import measure
from tools.ecg.model import EcgRecording

BACK = {"V7": Lead(r=0.6, s=0.0), "V8": Lead(r=0.5, s=0.0), "V9": Lead(r=0.4, s=0.0)}
RIGHT = {n: Lead(r=0.2, s=-0.5, t=0.1) for n in ("V3R", "V4R", "V5R", "V6R")}


def only(recording: EcgRecording, *without: str) -> EcgRecording:
    """Return a recording without some leads."""
    kept = [n for n in recording.leads if n not in without]
    columns = [recording.leads.index(n) for n in kept]
    return replace(recording, leads=tuple(kept), signal_mv=recording.signal_mv[:, columns])


def back(st_mv: float = 0.0, *, rate_hz: float = 500.0, noise_mv: float = 0.0) -> EcgRecording:
    leads = {name: replace(lead, st=st_mv) for name, lead in BACK.items()}
    whole = drawn(extra=leads, rate_hz=rate_hz, noise_mv=noise_mv)
    return only(whole, "V4", "V5", "V6")


def right(st_mv: float = 0.0) -> EcgRecording:
    leads = {name: replace(lead, st=st_mv) for name, lead in RIGHT.items()}
    return only(drawn(extra=leads), "V3", "V4", "V5", "V6")


@cache
def philips() -> EcgRecording:
    return read_path(shared_data("ecg-sierra-xml") / "129DYPRG.XML")


@pytest.mark.parametrize(
    ("st_mv", "expected"), [(0.15, "present"), (0.0, "absent"), (0.03, "absent")]
)
def test_posterior_tracing_is_assessed_by_its_own_leads(st_mv: float, expected: str) -> None:
    """A man of 60: from 0.5 mm in V7-V9 (UDMI-4)."""
    report = said(back(st_mv))
    assert state(report, "st-elevation-posterior") == expected
    assert state(report, "posterior-lead-elevation") == expected
    # without V4 to V6, which were moved, nothing is ruled out of the whole ECG
    whole = "not_assessed" if expected == "absent" else expected
    assert state(report, "omi_equivalent") == whole


@pytest.mark.parametrize(("st_mv", "expected"), [(0.15, "present"), (0.0, "absent")])
def test_right_sided_tracing_is_assessed_by_its_own_leads(st_mv: float, expected: str) -> None:
    report = said(right(st_mv))
    assert state(report, "st-elevation-right") == expected
    assert state(report, "v4r-elevation") == expected


def test_leads_that_were_moved_away_are_never_absent_of_anything() -> None:
    report = said(back())
    for code in ("stemi_criteria", "st-elevation-lateral", "de-winter", "subtle-occlusion-4"):
        assert state(report, code) == "not_assessed", code
    assert report.finding("ecg_heart_category").choice is None
    assert any("V7 for V4" in p.detail for p in report.quality)
    assert not any(f.body_site == "V4" for f in report.measurements)
    assert any(f.body_site == "V7" for f in report.measurements)


@pytest.mark.parametrize(("rate_hz", "noise_mv"), [(250.0, 0.0), (1000.0, 0.0), (500.0, 0.01)])
def test_sampling_rate_and_noise_change_nothing(rate_hz: float, noise_mv: float) -> None:
    report = said(back(0.15, rate_hz=rate_hz, noise_mv=noise_mv))
    assert state(report, "st-elevation-posterior") == "present"


def test_defect_of_a_moved_lead_is_told_under_its_own_name() -> None:
    recording = back()
    signal = recording.signal_mv.copy()
    signal[:, recording.leads.index("V8")] = 0.0
    m = measure(replace(recording, signal_mv=signal))
    (flat,) = [p for p in m.problems if p.code == "flat-lead"]
    assert flat.leads == ("V8",)
    assert flat.detail.startswith("V8")


def test_real_recording_gives_the_same_numbers_under_other_names() -> None:
    """Philips 129DYPRG with V4-V6 called V7-V9: what is measured does not depend on the names."""
    whole = philips()
    names = dict(zip(("V4", "V5", "V6"), ("V7", "V8", "V9"), strict=True))
    renamed = replace(whole, leads=tuple(names.get(n, n) for n in whole.leads))
    a, b = measure(whole), measure(renamed)
    assert (a.qrs_ms, a.pr_ms, a.qt_ms) == (b.qrs_ms, b.pr_ms, b.qt_ms)
    for standard, extra in names.items():
        first, second = a.of(standard), b.of(extra)
        assert first is not None
        assert second is not None
        assert second == first.model_copy(update={"lead": extra})
        assert b.of(standard) is None
    assert np.array_equal(a.beat_mv, b.beat_mv)


@pytest.mark.parametrize("without", [("V6",), ("V1", "V2", "V3", "V4", "V5", "V6")])
def test_too_few_chest_leads_are_refused(without: tuple[str, ...]) -> None:
    extra = {} if len(without) == 1 else {**BACK, **RIGHT}
    with pytest.raises(ContractError, match="not a 12-lead ECG"):
        measure(only(drawn(extra=extra), *without))
