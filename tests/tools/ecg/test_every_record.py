"""No record of the shared data, however odd, ends in anything but numbers or a typed error."""

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import ContractError, InputError, UnsupportedError
from tests.data_folder import shared_data
from tests.tools.ecg.ecg_data import read_path
from tools.ecg.measure import measure
from tools.ecg.model import EcgMeasurements

SETS = {
    "ecg-cpsc2018": ("records/*.hea", 50),
    "ecg-torchecg-samples": ("sample-data/cinc2021/*.hea", 50),
}


def _headers(name: str) -> list[Path]:
    pattern, count = SETS[name]
    found = sorted(shared_data(name).glob(pattern))
    assert len(found) == count
    return found


@cache
def _measured(path: Path) -> EcgMeasurements:
    return measure(read_path(path))


@pytest.mark.parametrize("name", SETS)
def test_every_twelve_lead_record_is_measured(name: str) -> None:
    for path in _headers(name):
        _complete(_measured(path), path.name)


def _complete(m: EcgMeasurements, name: str) -> None:
    """Check that each value is a finite number, or None with its reason."""
    for field in ("pr_ms", "qt_ms", "qtcb_ms", "qtcf_ms", "axis_deg", "rr_irregularity"):
        value = getattr(m, field)
        assert (value is None) == (field in m.not_measured), f"{name}: {field}"
        assert value is None or math.isfinite(value), f"{name}: {field}"
    assert 20 < m.heart_rate_per_min < 300, name
    assert 40 <= m.qrs_ms <= 400, name
    assert np.isfinite(m.beat_mv).all(), name
    assert len(m.lead) == len(m.leads) == m.beat_mv.shape[1], name
    marks = m.fiducials
    order = [marks.p_on, marks.qrs_on, marks.r, marks.j, marks.qrs_off, marks.t_peak, marks.t_off]
    present = [x for x in order if x is not None]
    assert present == sorted(present), name


def test_pacing_spikes_are_seen_in_no_unpaced_record() -> None:
    """None of the CPSC and CinC records here is labelled as paced."""
    for name in SETS:
        for path in _headers(name):
            assert len(_measured(path).pacing_spikes) == 0, path.name


def test_every_other_file_is_refused_with_a_typed_error() -> None:
    folders = ("ecg-wfdb-samples", "ecg-aecg-xml", "dicom-misc")
    files = [p for name in folders for p in sorted(shared_data(name).rglob("*")) if p.is_file()]
    taken, refused = [], {}
    for path in files:
        try:
            measure(read_path(path))
            taken.append(path.name)
        except InputError as error:
            refused[path.name] = error
    assert [n for n, e in refused.items() if not (e.item and e.reason and e.way_out)] == []
    assert taken == ["s0010_re.hea", *sorted(p.name for p in files if _is_aecg(p))]


def _is_aecg(path: Path) -> bool:
    return path.suffix == ".xml" and b"AnnotatedECG" in path.read_bytes()[:4096]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("ecg-wfdb-samples/100.hea", ContractError),  # two leads
        ("ecg-wfdb-samples/03700181.hea", UnsupportedError),  # several rates
        ("ecg-torchecg-samples/sample-data/cpsc2018/A1980.mat", UnsupportedError),  # no header
    ],
)
def test_unusable_file_is_refused_as(name: str, error: type[InputError]) -> None:
    folder, _, rest = name.partition("/")
    with pytest.raises(error):
        measure(read_path(shared_data(folder) / rest))


def test_fibrillation_is_told_from_sinus_rhythm_by_irregularity_and_p_waves() -> None:
    """CPSC labels, some of them noisy: the two measures separate the groups, on the median."""
    shares: dict[bool, list[float]] = {True: [], False: []}
    irregular: dict[bool, list[float]] = {True: [], False: []}
    for path in _headers("ecg-cpsc2018"):
        label = path.read_text().partition("#Dx: ")[2].splitlines()[0].split(",")
        if "AF" in label or label == ["Normal"]:
            m = _measured(path)
            shares["AF" in label].append(m.p_wave_share or 0.0)
            irregular["AF" in label].append(m.rr_irregularity or 0.0)
    assert min(len(shares[True]), len(shares[False])) >= 3
    assert np.median(shares[True]) < 0.5 < 0.9 < np.median(shares[False])
    assert np.median(irregular[True]) > 0.15 > 0.1 > np.median(irregular[False])
