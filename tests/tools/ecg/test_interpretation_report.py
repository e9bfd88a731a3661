"""The report as a whole: what is missing, unusable or switched off, and what the device said."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.evidence import DicomEvidence, RecordEvidence, ReferenceEvidence, ToolEvidence
from knowledge.finding import Finding, State, Why
from knowledge.quantity import Interval
from tests.tools.ecg.hand_made import (
    GIVEN,
    age,
    ecg,
    lbbb_ecg,
    rbbb_ecg,
    read,
    recording,
    sex,
    state,
    with_problem,
)
from tools.ecg.analysis import ecg_analysis
from tools.ecg.model import LEADS_12, EcgMeasurements, Problem
from tools.ecg.readers.device_said import device_number, device_text
from tools.ecg.report import EcgReport, switched_off_report
from tools.toolbox import discover

EVERY = Problem(code="gain-doubt", detail="no unit", blocks=("amplitude",))
AMPLITUDE = (
    "stemi_criteria", "omi_equivalent", "multivessel_ischaemia_pattern", "st_deviation",
    "ecg_new_ischaemia", "ecg_heart_category", "st-depression", "t-inversion", "lvh",
    "low-voltage", "pathological-q", "st-elevation-inferior", "left-axis", "limb-lead-reversal",
)  # fmt: skip


def said(*texts: str) -> tuple[Finding, ...]:
    found = [device_text("statement", text, GIVEN[0]) for text in texts]
    return tuple(f for f in found if f is not None)


def number(code: str, value: float, unit: str) -> tuple[Finding, ...]:
    found = device_number(code, value, unit, GIVEN[0])
    assert found is not None
    return (found,)


@pytest.mark.parametrize("code", AMPLITUDE)
def test_nothing_about_amplitude_is_said_where_amplitudes_cannot_be_trusted(code: str) -> None:
    found = read(with_problem(ecg({"II": 3.0, "aVF": 3.0}), EVERY)).finding(code)
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.QUALITY


def test_doubtful_gain_of_the_recording_blocks_even_without_a_problem() -> None:
    report = read(ecg({"II": 3.0, "aVF": 3.0}), gain_doubt="the file states no unit")
    assert state(report, "stemi_criteria") == "not_assessed"
    assert state(report, "sinus-rhythm") == "present"
    st_levels = [f for f in report.measurements if f.body_site == "II"]
    assert st_levels
    assert all(f.state is State.NOT_ASSESSED for f in st_levels)


@pytest.mark.parametrize("years", [17, Interval(low=16, high=18)])
def test_criteria_of_adults_are_refused_below_eighteen(years: int | Interval) -> None:
    report = read(ecg({"II": 3.0, "aVF": 3.0}), years=years)
    for found in report.findings:
        assert found.not_assessed is not None
        assert found.not_assessed.why is Why.OUTSIDE_CONTRACT
    assert any(f.state is State.PRESENT for f in report.measurements)


def test_missing_lead_is_never_a_normal_lead() -> None:
    assert state(read(ecg(without=("aVF", "V4"))), "stemi_criteria") == "not_assessed"
    assert state(read(ecg({"II": 2.0}, without=("aVF",))), "stemi_criteria") == "not_assessed"
    assert state(read(ecg(without=("II", "III"))), "st-depression") == "not_assessed"
    assert state(read(ecg(without=LEADS_12[:6])), "stemi_criteria") == "not_assessed"


def test_exchanged_arms_are_said_and_keep_limb_statements_open() -> None:
    problem = Problem(
        code="limb-lead-reversal", detail="I upside down", leads=LEADS_12[:6], blocks=("amplitude",)
    )
    report = read(ecg({"V5": 2.0, "V6": 2.0}, problems=(problem,)))
    assert state(report, "limb-lead-reversal") == "present"
    assert state(report, "st-elevation-inferior") == "not_assessed"
    assert state(report, "stemi_criteria") == "present"
    assert any("electrodes" in text for text in report.advice)


def test_switched_off_says_nothing_at_all() -> None:
    made = recording(device_said=said("Sinus rhythm"))
    report = switched_off_report(made)
    normal = read(ecg())
    assert [f.concept for f in report.findings] == [f.concept for f in normal.findings]
    for found in report.findings:
        assert found.not_assessed is not None
        assert found.not_assessed.why is Why.SWITCHED_OFF
    assert report.measurements == ()
    assert report.device_said == made.device_said
    assert "switched off" in report.headline


def test_recording_that_cannot_be_measured_is_not_a_normal_ecg() -> None:
    flat = recording(signal_mv=np.zeros((5000, 12)))
    report = ecg_analysis(flat, age_years=age(60), sex=sex("male"))
    assert {f.state for f in report.findings} == {State.NOT_ASSESSED}
    assert report.headline.startswith("No QRS was reliably found")


def test_every_statement_of_the_criteria_file_is_made_once_and_has_its_evidence() -> None:
    report = read(ecg({"II": 2.0, "aVF": 2.0}))
    codes = [f.concept.codings[0].code for f in report.findings]
    assert len(codes) == len(set(codes))
    found = report.finding("stemi_criteria")
    assert RecordEvidence(file="ecg.hea", record="lead II") in found.evidence
    assert ReferenceEvidence(table="ecg_criteria", row="st_elevation") in found.evidence
    assert any(isinstance(e, ToolEvidence) for e in found.evidence)
    assert any(c.id == "ecg_criteria/udmi4" and c.doi for c in report.source)


def test_dicom_evidence_names_instance_and_lead() -> None:
    report = read(ecg({"II": 2.0, "aVF": 2.0}), sop_instance_uid="1.2.3", file="ecg.dcm")
    expected = DicomEvidence(file="ecg.dcm", sop_instance_uid="1.2.3", lead="II")
    assert expected in report.finding("stemi_criteria").evidence


def test_report_survives_json() -> None:
    report = read(ecg({"V2": -1.0, "V3": -1.0}), device_said=said("ECG normale"))
    assert EcgReport.model_validate_json(report.model_dump_json()) == report


def test_missing_measurement_carries_its_reason() -> None:
    made = ecg(
        qt_ms=None, qtcf_ms=None, qtcb_ms=None, pr_ms=None,
        not_measured={"qt_ms": "no clear T wave", "pr_ms": "no P wave"},
    )  # fmt: skip
    details = {
        f.concept.codings[0].code: f.not_assessed.detail
        for f in read(made).measurements
        if f.not_assessed is not None
    }
    assert details["qt"] == "no clear T wave"
    assert details["qtcf"] == "no clear T wave"
    assert details["pr"] == "no P wave"
    assert "qrs" not in details


def test_tool_is_found_and_publishes_both_schemas() -> None:
    found = discover()["ecg_analysis"]
    assert found.card.regulatory == "device-function"
    assert set(found.input_schema()["properties"]) == {
        "recording",
        "age_years",
        "sex",
        "qt_risk_medicine",
    }
    assert "findings" in found.output_schema()["properties"]
    assert any("have not been measured" in text for text in found.card.accuracy)


CONFLICTS = [
    pytest.param({"II": 3.0, "aVF": 3.0}, ("ECG normale",), "normal or not", id="ours STEMI"),
    pytest.param({"V5": -1.0, "V6": -1.0}, ("Normal ECG",), "normal or not", id="ours STD"),
    pytest.param({}, ("Inferior infarct, acute (LCx)",), "infarction", id="infarct"),
    pytest.param({}, (">>> Acute MI <<<",), "infarction", id="acute MI"),
    pytest.param({"II": 3.0, "aVF": 3.0}, ("Sinus rhythm",), "infarction", id="device silent"),
    pytest.param({}, ("ANTERIOR ST ELEVATION, PROBABLY LVH",), "ST elevation", id="LVH"),
    pytest.param({}, ("Atrial fibrillation",), "rhythm", id="fibrillation, ours sinus"),
]  # fmt: skip


@pytest.mark.parametrize(("st_mm", "texts", "what"), CONFLICTS)
def test_disagreement_with_the_device_is_shown_side_by_side(
    st_mm: dict[str, float], texts: tuple[str, ...], what: str
) -> None:
    report = read(ecg(st_mm), device_said=said(*texts))
    (conflict,) = [c for c in report.conflicts if what in c.what]
    ours, theirs = conflict.sides
    assert (ours.who, theirs.who) == ("Epicrisis", "ECG device")
    assert theirs.says == "; ".join(texts)
    assert ours.evidence


@pytest.mark.parametrize(
    ("st_mm", "texts"),
    [
        pytest.param({}, ("Normal ECG", "Sinus rhythm"), id="both normal"),
        pytest.param({"II": 3.0, "aVF": 3.0}, ("Acute MI",), id="both infarct"),
        pytest.param({"V5": -1.0, "V6": -1.0}, ("Abnormal ECG",), id="abnormal is not normal"),
        pytest.param({}, ("Old infarct, acute MI ruled out: no acute MI",), id="negated"),
        pytest.param({}, (), id="the device said nothing"),
    ],
)
def test_agreement_and_negation_are_no_conflict(
    st_mm: dict[str, float], texts: tuple[str, ...]
) -> None:
    report = read(ecg(st_mm), device_said=said(*texts))
    assert report.conflicts == ()


@pytest.mark.parametrize(
    ("code", "value", "unit", "apart"),
    [("qt", 431.0, "ms", True), ("qt", 429.0, "ms", False), ("pr", 181.0, "ms", True),
     ("qrs", 110.0, "ms", False), ("heart_rate", 76.0, "/min", True)],
)  # fmt: skip
def test_interval_differs_from_the_device_beyond_the_tolerance(
    code: str, value: float, unit: str, apart: bool
) -> None:
    report = read(ecg(), device_said=number(code, value, unit))
    assert bool(report.conflicts) == apart


def test_header_comment_is_not_a_device_statement() -> None:
    comment = device_text("header_comment", "Acute MI", GIVEN[0])
    assert comment is not None
    assert read(ecg(), device_said=(comment,)).conflicts == ()


Maker = Callable[[dict[str, float]], EcgMeasurements]
levels = st.dictionaries(
    st.sampled_from(LEADS_12), st.floats(-4, 4, allow_nan=False).map(lambda v: round(v, 2))
)
makers = st.sampled_from([ecg, lbbb_ecg, rbbb_ecg])


@settings(max_examples=40, deadline=None)
@given(st_mm=levels, make=makers, years=st.integers(18, 90))
def test_statement_with_unknown_sex_holds_for_both_sexes(
    st_mm: dict[str, float], make: Maker, years: int
) -> None:
    made = make(st_mm)
    unknown = read(made, years=years, of=None)
    each = [read(made, years=years, of=of) for of in ("female", "male")]
    for found in unknown.findings:
        if found.state is not State.NOT_ASSESSED:
            code = found.concept.codings[0].code
            assert {r.finding(code).state for r in each} == {found.state}, code


@settings(max_examples=40, deadline=None)
@given(st_mm=levels, make=makers, lead=st.sampled_from(LEADS_12))
def test_losing_a_lead_never_turns_a_statement_around(
    st_mm: dict[str, float], make: Maker, lead: str
) -> None:
    made = make(st_mm)
    problem = Problem(code="noise", detail="x", leads=(lead,), blocks=("amplitude",))
    whole, partly = read(made), read(replace(made, problems=(problem,)))
    for found in partly.findings:
        code = found.concept.codings[0].code
        if found.state is not State.NOT_ASSESSED and state(whole, code) != "not_assessed":
            assert found.state.value == state(whole, code), code
            assert found.choice == whole.finding(code).choice, code
