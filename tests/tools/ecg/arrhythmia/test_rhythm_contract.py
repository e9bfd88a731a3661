"""Where the further ECG statements refuse, and what they say of medicines and of reliability."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from knowledge.clinical_inputs import catalogue
from knowledge.ecg_accuracy import ecg_accuracy_table
from knowledge.ecg_criteria import ecg_criteria
from knowledge.ecg_reliability import Grade, grade, reliability_words
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.qt_medicines import qt_medicines
from tests.tools.ecg.arrhythmia.rhythm_strip import resampled, sinus
from tests.tools.ecg.arrhythmia.test_drawn_rhythms import paced
from tests.tools.ecg.hand_made import GIVEN, age, ecg, lbbb_ecg, read, recording, sex, state
from tools.ecg.analysis import CARD, ecg_analysis
from tools.ecg.arrhythmia.pacing_kinds import fine_detail
from tools.ecg.filters import low_pass
from tools.ecg.interpretation import interpret
from tools.ecg.measure import measure
from tools.ecg.model import LEADS_12, EcgMeasurements, Problem
from tools.ecg.qtc import bazett, framingham, fridericia, hodges, rautaharju
from tools.ecg.reading import Reading
from tools.ecg.report import EcgReport

FURTHER = tuple(
    code
    for code in ecg_criteria().statements
    if code.startswith(("av-block", "premature", "ventricular-", "low-voltage-", "sinus-"))
    or code
    in {
        "left-anterior-fascicular-block", "left-posterior-fascicular-block", "bifascicular-block",
        "pre-excitation", "atrial-pacing", "dual-chamber-pacing", "atrial-flutter", "rvh",
        "marked-bradycardia", "slow-rhythm-without-p", "narrow-tachycardia-without-p",
        "left-atrial-enlargement", "right-atrial-enlargement", "leg-electrode-reversal",
        "chest-lead-order", "dextrocardia", "wide-qrs", "pathological-intervals",
        "qt-medicine-warning",
    }
)  # fmt: skip


def test_a_child_gets_none_of_the_statements() -> None:
    found = ecg_analysis(sinus(), age_years=age(9), sex=sex("male"))
    assert {state(found, code) for code in FURTHER} == {"not_assessed"}


def test_a_recording_of_two_leads_gets_none_of_the_statements() -> None:
    whole = sinus()
    part = replace(whole, leads=("I", "II"), signal_mv=whole.signal_mv[:, :2])
    found = ecg_analysis(part, age_years=age(60), sex=sex("male"))
    assert {state(found, code) for code in FURTHER} == {"not_assessed"}


def test_three_seconds_are_too_short() -> None:
    found = ecg_analysis(sinus(seconds=3.0), age_years=age(60), sex=sex("male"))
    assert {state(found, code) for code in FURTHER} == {"not_assessed"}


@pytest.mark.parametrize("kind", ["rhythm", "timing", "amplitude"])
def test_a_defect_of_one_kind_is_the_reason_of_each_refusal(kind: str) -> None:
    broken = Problem(code="noise", detail="everywhere", blocks=(kind,))
    found = read(replace(ecg(), problems=(broken,)))
    refused = [code for code in FURTHER if state(found, code) == "not_assessed"]
    assert refused
    blocked = {
        "rhythm": "premature-ventricular", "timing": "wide-qrs", "amplitude": "low-voltage-limb",
    }[kind]  # fmt: skip
    reason = found.finding(blocked).not_assessed
    assert reason is not None
    assert "everywhere" in reason.detail


@pytest.mark.parametrize("lead", LEADS_12)
def test_a_lead_that_cannot_be_trusted_gives_no_voltage_by_region(lead: str) -> None:
    broken = Problem(code="noise", detail="x", leads=(lead,), blocks=("amplitude",))
    small = {name: {"r_mv": 0.1, "s_mv": -0.1} for name in LEADS_12}
    found = read(replace(ecg(waves=small), problems=(broken,)))
    region = "low-voltage-limb" if lead in LEADS_12[:6] else "low-voltage-chest"
    assert state(found, region) == "not_assessed"


@pytest.mark.parametrize(
    "code",
    ["left-anterior-fascicular-block", "left-posterior-fascicular-block", "bifascicular-block"],
)
def test_left_bundle_branch_block_hides_the_fascicles(code: str) -> None:
    reason = read(lbbb_ecg()).finding(code).not_assessed
    assert reason is not None
    assert reason.why is Why.OUTSIDE_CONTRACT


@pytest.mark.parametrize("code", ["av-block-1", "pre-excitation", "premature-ventricular"])
def test_a_paced_rhythm_is_outside_the_contract(code: str) -> None:
    found = ecg_analysis(paced(atria=True, ventricles=True), age_years=age(60), sex=sex("male"))
    assert state(found, "paced_rhythm") == "present"
    assert state(found, code) == "not_assessed"


def test_spikes_that_a_filter_may_have_removed_are_not_called_absent() -> None:
    smooth = sinus(rate_hz=500.0)
    signal = low_pass(smooth.signal_mv, 500.0, 25.0)
    found = ecg_analysis(replace(smooth, signal_mv=signal), age_years=age(60), sex=sex("male"))
    reason = found.finding("atrial-pacing").not_assessed
    assert reason is not None
    assert "smoothed" in reason.detail
    assert state(ecg_analysis(smooth, age_years=age(60), sex=sex("male")), "atrial-pacing") == (
        "absent"
    )


def test_spikes_are_not_looked_for_below_500_samples_a_second() -> None:
    found = ecg_analysis(resampled(sinus(), 250), age_years=age(60), sex=sex("male"))
    reason = found.finding("atrial-pacing").not_assessed
    assert reason is not None
    assert "250 Hz" in reason.detail


def test_fine_detail_is_a_share_of_the_qrs() -> None:
    made = sinus()
    reading = Reading.of(made, measure(made), age_years=age(60), sex=sex("male"))
    assert 0 < fine_detail(reading) < 1


def taken(state_: State | None, names: str = "Sotalol 80 mg") -> Finding | None:
    concept = catalogue().concept("qt_risk_medicine")
    if state_ is None:
        return None
    if state_ is State.NOT_ASSESSED:
        return not_assessed(concept, Why.MISSING, "no medication list")
    return Finding(concept=concept, state=state_, reported=names, evidence=GIVEN)


def judged(measured: EcgMeasurements, medicine: Finding | None) -> EcgReport:
    return interpret(
        recording(), measured, age_years=age(60), sex=sex("male"), qt_risk_medicine=medicine
    )


LONG: dict[str, Any] = {"qt_ms": 500.0, "qtcf_ms": 525.8, "qtcb_ms": 539.2}


@pytest.mark.parametrize(
    ("changes", "medicine", "expected"),
    [
        pytest.param(LONG, State.PRESENT, "present", id="long and taken"),
        pytest.param({}, State.PRESENT, "absent", id="taken, QTc normal"),
        pytest.param(LONG, State.ABSENT, "absent", id="long, none taken"),
        pytest.param(LONG, State.NOT_ASSESSED, "not_assessed", id="list not known"),
        pytest.param({}, State.NOT_ASSESSED, "not_assessed", id="QTc normal, list not known"),
        pytest.param(LONG, None, "not_assessed", id="nobody asked"),
        pytest.param(
            {"qt_ms": None, "qtcf_ms": None, "qtcb_ms": None},
            State.PRESENT,
            "not_assessed",
            id="no QT",
        ),
    ],
)
def test_the_medicine_warning_needs_both_and_knows_what_is_missing(
    changes: dict[str, Any], medicine: State | None, expected: str
) -> None:
    found = judged(ecg(**changes), taken(medicine))
    assert state(found, "qt-medicine-warning") == expected


def test_the_warning_names_the_medicine_and_five_qtc() -> None:
    """QT 400 ms at 75/min: 430.9, 447.2, 430.8, 426.25 and 433.3 ms (MedCalc-Bench formulas)."""
    values = {
        "Fridericia": fridericia(400, rr_s=0.8), "Bazett": bazett(400, rr_s=0.8),
        "Framingham": framingham(400, rr_s=0.8), "Hodges": hodges(400, rate_per_min=75),
        "Rautaharju": rautaharju(400, rate_per_min=75),
    }  # fmt: skip
    expected = [430.9, 447.2, 430.8, 426.25, 433.3]
    assert list(values.values()) == pytest.approx(expected, abs=0.05)
    found = judged(
        ecg(qt_ms=400.0, qtcf_ms=430.9, qtcb_ms=447.2, heart_rate_per_min=75.0),
        taken(State.PRESENT),
    )
    words = found.finding("qt-medicine-warning").reported or ""
    assert "Sotalol 80 mg" in words
    for name, value in values.items():
        assert f"{name} {value:.0f}" in words


def test_a_warning_stands_in_headline_and_advice() -> None:
    found = judged(ecg(**LONG), taken(State.PRESENT))
    assert "medicine known to cause torsades" in found.headline
    assert any("torsades" in text for text in found.advice)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Amiodarone hydrochloride 200 MG Oral Tablet", "amiodarone"),
        ("盐酸胺碘酮片", "amiodarone"),
        ("METHADONE 10 mg", "methadone"),
        ("Escitalopram 10 mg", "citalopram"),
        ("Hydroxychloroquine 200 mg", "chloroquine"),
    ],
)
def test_medicines_are_found_as_charted(name: str, key: str) -> None:
    assert key in qt_medicines().named_in(name)


@pytest.mark.parametrize("name", ["Aspirin 81 mg", "Metoprolol", "Atorvastatin 80 mg", "阿司匹林"])
def test_other_medicines_are_not(name: str) -> None:
    assert qt_medicines().named_in(name) == ()


def test_a_statement_says_how_well_it_is_measured() -> None:
    found = read(ecg(qrs_ms=130.0)).finding("wide-qrs")
    assert found.state is State.PRESENT
    assert "reliability: not measured" in (found.reported or "")
    assert "no labelled recordings" in (found.method or "")


def test_the_card_lists_every_statement_as_measured_or_not() -> None:
    words = " ".join(CARD.accuracy)
    for row in ecg_criteria().statements.values():
        if row.label is not None:
            assert row.label in words, row.label


def test_every_measured_row_is_of_a_statement_and_its_grade_follows_its_counts() -> None:
    rows = ecg_accuracy_table().statements
    assert rows
    for row in rows:
        assert row.statement in ecg_criteria().statements
        labelled = sum(r.tp + r.fn for r in rows if r.statement == row.statement)
        few = grade(row.statement) in (Grade.FEW, Grade.NOT_MEASURED)
        assert few == (labelled < ecg_criteria().reliability.positives_from)
        assert row.dataset in reliability_words(row.statement)


def test_flat_beats_do_not_break_the_beat_by_beat_statements() -> None:
    made = ecg()
    silent = replace(made, baseline_mv=np.zeros_like(made.baseline_mv))
    assert state(read(silent), "premature-ventricular") in ("absent", "not_assessed")
