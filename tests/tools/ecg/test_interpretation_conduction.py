"""Bundle branch blocks, pacing, and the rules behind them."""

from typing import Any

import numpy as np
import pytest

from knowledge.finding import Why
from tests.tools.ecg.hand_made import ON, ecg, lbbb_ecg, rbbb_ecg, read, state
from tools.ecg.model import Problem

SPIKES = np.arange(10) * 430 + 300 - 20
"""One spike 10 ms before each QRS onset of the hand-made ECG (R is 30 ms behind the onset)."""


def test_left_bundle_branch_block_is_told_and_is_nonspecific_for_heart() -> None:
    report = read(lbbb_ecg())
    assert state(report, "lbbb") == "present"
    assert state(report, "rbbb") == "absent"
    assert state(report, "omi_equivalent") == "absent"
    assert report.finding("ecg_heart_category").choice == "nonspecific"
    assert state(report, "ecg_new_ischaemia") == "not_assessed"
    assert report.headline.startswith("Left bundle branch block; modified Sgarbossa")


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(ecg(), id="normal"),
        pytest.param(ecg(qrs_ms=150), id="wide without the shape"),
        pytest.param(rbbb_ecg(), id="right bundle branch block"),
    ],
)
def test_what_is_no_left_bundle_branch_block(made: Any) -> None:
    assert state(read(made), "lbbb") == "absent"


def test_a_septal_q_argues_against_left_bundle_branch_block() -> None:
    made = lbbb_ecg()
    leads = tuple(
        m.model_copy(update={"q_mv": -0.1}) if m.lead in ("I", "V6") else m for m in made.lead
    )
    report = read(lbbb_ecg(lead=leads))
    assert state(report, "lbbb") == "absent"
    assert state(report, "conduction-delay") != "absent"


def test_wide_qrs_without_a_shape_is_a_nonspecific_delay() -> None:
    report = read(ecg(qrs_ms=130))
    assert state(report, "conduction-delay") == "present"
    assert state(report, "stemi_criteria") == "absent"
    assert report.finding("ecg_heart_category").choice == "nonspecific"


@pytest.mark.parametrize(("qrs_ms", "code"), [(140, "rbbb"), (114, "incomplete-rbbb")])
def test_right_bundle_branch_block_complete_and_incomplete(qrs_ms: float, code: str) -> None:
    waves = {"V1": {"r_mv": 1.0, "s_mv": 0.0, "t_mv": -0.3}, "I": {"r_mv": 0.6, "s_mv": -0.4}}
    report = read(ecg(waves=waves, qrs_ms=qrs_ms, r_at_ms={"V1": 80.0, "I": 25.0}))
    assert state(report, code) == "present"
    other = {"rbbb", "incomplete-rbbb"} - {code}
    assert state(report, other.pop()) == "absent"


# Signs of the modified Sgarbossa rule (Smith 2012) and the Barcelona algorithm (2020), mm
SIGNS = [
    pytest.param({"V5": 1.0}, {}, "present", "present", id="concordant elevation"),
    pytest.param({"V2": -1.0}, {}, "present", "present", id="concordant depression V2"),
    pytest.param({"V2": 5.0}, {}, "present", "absent", id="discordant, quarter of S 20 mm"),
    pytest.param({"V2": 4.5}, {}, "absent", "absent", id="discordant, less than a quarter"),
    pytest.param({"V1": 1.0}, {"V1": {"r_mv": 0.1, "s_mv": -0.6}}, "absent", "present",
                 id="discordant 1 mm in a lead of 6 mm"),
    pytest.param({"III": -1.0}, {"III": {"r_mv": 0.2, "s_mv": -0.9}}, "absent", "present",
                 id="concordant depression outside V1-V3"),
    pytest.param({"V5": -2.0}, {}, "absent", "absent", id="discordant depression over a tall R"),
    pytest.param({}, {}, "absent", "absent", id="none"),
]  # fmt: skip


@pytest.mark.parametrize(("st_mm", "waves", "smith", "barcelona"), SIGNS)
def test_rules_behind_left_bundle_branch_block(
    st_mm: dict[str, float], waves: dict[str, Any], smith: str, barcelona: str
) -> None:
    made = lbbb_ecg(st_mm)
    leads = tuple(m.model_copy(update=waves.get(m.lead, {})) for m in made.lead)
    report = read(lbbb_ecg(st_mm, lead=leads))
    assert state(report, "modified-sgarbossa") == smith
    assert state(report, "barcelona") == barcelona
    expected = "present" if "present" in (smith, barcelona) else "absent"
    assert state(report, "omi_equivalent") == expected
    category = "st_deviation" if expected == "present" else "nonspecific"
    assert report.finding("ecg_heart_category").choice == category


@pytest.mark.parametrize("code", ["modified-sgarbossa", "barcelona"])
def test_rules_are_not_assessed_outside_bundle_branch_block_and_pacing(code: str) -> None:
    found = read(ecg({"V5": 3.0})).finding(code)
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.OUTSIDE_CONTRACT


def test_spikes_at_the_qrs_make_a_paced_rhythm_with_its_own_rules() -> None:
    report = read(lbbb_ecg({"V5": 2.0}, pacing_spikes=SPIKES))
    assert state(report, "paced_rhythm") == "present"
    assert "derived-in-lbbb" not in read(lbbb_ecg({"V5": 2.0})).finding("barcelona").flags
    assert state(report, "stemi_criteria") == "not_assessed"
    assert state(report, "omi_equivalent") == "present"
    assert report.rhythm == "ventricular paced rhythm"
    narrow = read(ecg({"V5": 2.0}, qrs_ms=130, pacing_spikes=SPIKES))
    assert "derived-in-lbbb" in narrow.finding("modified-sgarbossa").flags


def test_atrial_spikes_are_no_ventricular_pacing() -> None:
    report = read(ecg(pacing_spikes=SPIKES - 80))
    assert state(report, "paced_rhythm") == "absent"


def test_pacing_is_not_denied_where_filters_may_have_taken_the_spikes() -> None:
    assert state(read(lbbb_ecg()), "paced_rhythm") == "not_assessed"
    assert state(read(ecg(qrs_ms=180)), "paced_rhythm") == "not_assessed"
    assert state(read(ecg(qrs_ms=180)), "stemi_criteria") == "not_assessed"
    assert state(read(rbbb_ecg()), "paced_rhythm") == "absent"


def test_unknown_conduction_leaves_infarction_open() -> None:
    noise = Problem(code="noise", detail="V1", leads=("V1",), blocks=("amplitude",))
    report = read(ecg({"II": 3.0, "aVF": 3.0}, qrs_ms=150, r_at_ms=dict.fromkeys(("I", "V6"), 90.0),
                      problems=(noise,)))  # fmt: skip
    assert state(report, "lbbb") == "not_assessed"
    found = report.finding("stemi_criteria")
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.DEPENDS


def test_low_sampling_rate_keeps_every_timing_statement_open() -> None:
    slow = Problem(code="low-sampling-rate", detail="125 Hz", blocks=("timing",))
    report = read(ecg(problems=(slow,)))
    for code in ("lbbb", "rbbb", "conduction-delay", "prolonged-pr", "prolonged-qtc", "short-qtc"):
        assert state(report, code) == "not_assessed", code


def test_fixture_onset_is_where_spikes_are_measured_from() -> None:
    made = ecg()
    assert made.fiducials.qrs_on == ON
    assert made.fiducials.r - made.fiducials.qrs_on == 15
