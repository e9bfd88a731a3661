"""ST and intervals against what Philips devices and a Mortara device measured themselves."""

from collections.abc import Callable

import numpy as np
import pytest

from knowledge.ecg_accuracy import ecg_accuracy
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import device_values, read_path
from tools.ecg.measure import measure

FILES = (
    "129DYPRG.XML",
    "2020-5-18_15-48-11.xml",
    "3191723_ZZDEMOPTONLY_1-04_orig.xml",
    "ad4d3d80-d165_1-04_orig.xml",
)
Record = Callable[[str, object], None]


def test_st_at_j_is_within_20_uv_of_the_device_on_average(record_property: Record) -> None:
    ours, device = [], []
    for name in FILES:
        recording = read_path(shared_data("ecg-sierra-xml") / name)
        m = measure(recording)
        for finding in recording.device_said:
            if finding.concept.codings[0].code == "st_j" and finding.body_site is not None:
                lead = m.of(finding.body_site)
                assert lead is not None
                assert finding.interval is not None
                assert finding.interval.low is not None
                ours.append(1000 * lead.st_j_mv)
                device.append(1000 * finding.interval.low)
    error = np.abs(np.array(ours) - np.array(device))
    r = np.corrcoef(ours, device)[0, 1]
    words = f"n {len(error)}, MAE {error.mean():.1f} uV, max {error.max():.0f} uV, r {r:.3f}"
    record_property("st_j", words)
    assert len(error) == 48
    assert error.mean() <= 20, words
    assert error.mean() == pytest.approx(ecg_accuracy()["st_j"].value, abs=0.5)
    assert error.max() == pytest.approx(ecg_accuracy()["st_j_max"].value, abs=2)
    assert r >= 0.95, words


def test_acute_inferior_infarct_has_the_devices_st_elevation_in_ii_iii_avf() -> None:
    """129DYPRG, which the device calls an acute inferior infarct: 0.246, 0.224, 0.234 mV."""
    m = measure(read_path(shared_data("ecg-sierra-xml") / "129DYPRG.XML"))
    for name, device_mv in (("II", 0.246), ("III", 0.224), ("aVF", 0.234)):
        lead = m.of(name)
        assert lead is not None
        assert lead.st_j_mv == pytest.approx(device_mv, abs=0.075), name


@pytest.mark.parametrize(
    ("name", "pr", "qrs", "qt"),
    [
        # Stated by the devices. 129DYPRG is left out of QRS: its global value (135 ms) disagrees
        # with its own beats (96 ms).
        ("129DYPRG.XML", 151, None, 476),
        ("2020-5-18_15-48-11.xml", 164, 102, 399),
        ("3191723_ZZDEMOPTONLY_1-04_orig.xml", 144, 84, 352),
        ("ad4d3d80-d165_1-04_orig.xml", 144, 102, 564),
    ],
)
def test_intervals_are_near_the_devices(name: str, pr: float, qrs: float | None, qt: float) -> None:
    recording = read_path(shared_data("ecg-sierra-xml") / name)
    m = measure(recording)
    assert m.pr_ms == pytest.approx(pr, abs=12)
    assert qrs is None or m.qrs_ms == pytest.approx(qrs, abs=12)
    assert m.qt_ms == pytest.approx(qt, abs=20)
    assert m.axis_deg == pytest.approx(device_values(recording)["axis"], abs=10)
    assert m.heart_rate_per_min == pytest.approx(device_values(recording)["heart_rate"], abs=3)


def test_dicom_sample_has_the_intervals_annotated_in_the_file() -> None:
    recording = read_path(shared_data("ecg-dicom") / "waveform_ecg.dcm")
    said = device_values(recording)
    assert said == {
        "rr": 982,
        "pr": 161,
        "qrs": 75,
        "qt": 368,
        "qtc": 370,
        "p_axis": 74,
        "axis": 52,
        "t_axis": 57,
    }
    m = measure(recording)
    assert m.rr_ms.mean() == pytest.approx(982, abs=2)
    assert m.pr_ms == pytest.approx(161, abs=15)
    # 75 ms is the shortest of all devices' QRS here: cardiologists' bounds on LUDB are wider.
    assert m.qrs_ms == pytest.approx(75, abs=25)
    assert m.qt_ms == pytest.approx(368, abs=20)
    assert m.axis_deg == pytest.approx(52, abs=5)
    assert not any(p.blocks for p in m.problems)
