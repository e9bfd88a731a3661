"""Named patterns on drawn signals, whole chain; gain, sampling rate and noise must not matter."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from knowledge.ecg_criteria import ecg_criteria
from tests.tools.ecg.hand_made import state
from tests.tools.ecg.patterns.drawn import Lead, drawn, said
from tools.ecg.patterns.subtle_occlusion import Inputs, formula_value


@dataclass(frozen=True)
class Drawn:
    """A pattern: what is drawn, the statement, and a near miss that must be absent."""

    code: str
    present: Mapping[str, Mapping[str, float]]
    absent: Mapping[str, Mapping[str, float]]


CHEST = ("V2", "V3", "V4")
SLOPED = {"st": -0.25, "st_end": 0.22, "st_fade": 0.16, "t": 0.9, "t_width": 0.06, "t_at": 0.27}
COVED = {"st": 0.45, "st_end": 0.25, "st_fade": 0.2, "t": -0.3, "s": -0.2, "t_at": 0.27}
WIDESPREAD = ("I", "II", "V2", "V3", "V4", "V5", "V6")
RAISED = {"st": 0.2, "pr": -0.12, "t": 0.5}
CASES = [
    Drawn("de-winter", dict.fromkeys(CHEST, SLOPED), dict.fromkeys(CHEST, SLOPED | {"st": 0.0})),
    Drawn("de-winter", dict.fromkeys(CHEST, SLOPED), dict.fromkeys(CHEST, SLOPED | {"t": 0.2})),
    Drawn(
        "wellens",
        {key: {"t": 0.25, "t2": -0.45, "t_at": 0.27} for key in ("V2", "V3")},
        {"V2": {"t": 0.25, "t2": -0.45, "t_at": 0.27}},
    ),
    Drawn(
        "wellens",
        {key: {"t": -0.6} for key in ("V2", "V3")},
        {key: {"t": -0.6, "st": 0.25, "st_end": 0.3} for key in ("V2", "V3")},
    ),
    Drawn(
        "t-over-qrs",
        {key: {"t": 1.3, "r": 0.4, "s": -0.3, "t_width": 0.08} for key in CHEST},
        {key: {"t": 1.3, "r": 1.4, "s": -0.6, "t_width": 0.08} for key in CHEST},
    ),
    Drawn(
        "peaked-t",
        {key: {"t": 1.4, "t_width": 0.04} for key in CHEST},
        {key: {"t": 1.4, "t_width": 0.08} for key in CHEST},
    ),
    Drawn(
        "brugada-type-1",
        dict.fromkeys(("V1", "V2"), COVED),
        dict.fromkeys(("V1", "V2"), COVED | {"t": 0.4}),
    ),
    Drawn(
        "pericarditis-pattern",
        dict.fromkeys(WIDESPREAD, RAISED),
        dict.fromkeys(WIDESPREAD, RAISED | {"pr": 0.0}),
    ),
    Drawn(
        "pericarditis-pattern",
        dict.fromkeys(WIDESPREAD, RAISED),
        dict.fromkeys(WIDESPREAD, RAISED) | {"V4": RAISED | {"st": -0.5}},
    ),
    Drawn(
        "early-repolarisation",
        {key: {"notch": 0.3, "s": 0.0} for key in ("V4", "V5", "V6")},
        {"V5": {"notch": 0.3, "s": 0.0}},
    ),
    Drawn(
        "terminal-qrs-distortion",
        {key: {"r": 1.0, "s": 0.0, "st": 0.3, "t": 0.6} for key in ("V2", "V3")},
        {key: {"r": 1.0, "s": -0.6, "st": 0.3, "t": 0.6} for key in ("V2", "V3")},
    ),
]
IDS = [f"{case.code}-{number}" for number, case in enumerate(CASES)]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_drawn_pattern_is_told_and_its_near_miss_is_not(case: Drawn) -> None:
    assert state(said(drawn(case.present)), case.code) == "present"
    assert state(said(drawn(case.absent)), case.code) == "absent"


@pytest.mark.parametrize("case", CASES, ids=IDS)
@pytest.mark.parametrize(("rate_hz", "noise_mv"), [(250.0, 0.0), (1000.0, 0.0), (500.0, 0.01)])
def test_sampling_rate_and_noise_change_no_statement(
    case: Drawn, rate_hz: float, noise_mv: float
) -> None:
    made = drawn(case.present, rate_hz=rate_hz, noise_mv=noise_mv)
    assert state(said(made), case.code) == "present"


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_half_the_gain_never_turns_a_near_miss_into_the_pattern(
    case: Drawn,
) -> None:
    assert state(said(drawn(case.absent, gain=0.5)), case.code) != "present"


def test_t_over_qrs_does_not_depend_on_the_gain() -> None:
    case = CASES[4]
    for gain in (0.5, 1.5):
        assert state(said(drawn(case.present, gain=gain)), "t-over-qrs") == "present"


def test_plain_drawn_ecg_shows_no_pattern() -> None:
    report = said(drawn())
    for case in CASES:
        assert state(report, case.code) == "absent", case.code


def test_de_winter_is_said_first_and_with_its_advice() -> None:
    report = said(drawn(CASES[0].present))
    assert report.headline.startswith("de Winter pattern (V2, V3, V4)")
    assert any("cardiologist reads the ECG now" in text for text in report.advice)
    assert any(c.id == "ecg_criteria/de-winter-2008" for c in report.source)


def test_wellens_is_said_with_its_condition() -> None:
    report = said(drawn(CASES[3].present))
    assert report.finding("wellens").flags == ("if-free-of-pain",)
    assert "if the patient had pain and is free of it now" in report.headline
    assert any("no stress test" in text for text in report.advice)


def test_peaked_t_with_a_wide_qrs_is_the_hyperkalaemia_pattern() -> None:
    waves = {"t": 1.4, "t_width": 0.04}
    plain = said(drawn(dict.fromkeys(CHEST, waves)))
    assert state(plain, "hyperkalaemia-pattern") == "absent"
    without_p = {n: {"p": 0.0} for n in ("I", "II", "V1", "V5", "V6")}
    lost = said(drawn(without_p | dict.fromkeys(CHEST, waves | {"p": 0.0})))
    assert state(lost, "hyperkalaemia-pattern") == "present"
    assert "potassium" in lost.headline


def test_recorded_right_and_posterior_leads_are_read() -> None:
    extra = {
        "V4R": Lead(r=0.2, s=-0.4, st=0.15, t=0.1),
        "V7": Lead(r=0.6, s=0.0, st=0.12),
        "V8": Lead(r=0.5, s=0.0, st=0.12),
        "V9": Lead(r=0.5, s=0.0),
    }
    report = said(drawn(extra=extra))
    assert state(report, "v4r-elevation") == "present"
    assert state(report, "posterior-lead-elevation") == "present"
    assert state(report, "st-elevation-posterior") == "present"
    assert state(report, "omi_equivalent") == "present"
    assert state(report, "st-elevation-right") == "not_assessed"  # V3R is not there


# Worked examples of a public calculator (fictional cases): QTc, QRS V2, R V4, ST V3 in ms and mm.
PUBLISHED = [
    (380, 22, 18, 1.5, 13.21),
    (410, 12, 10, 2.0, 18.95),
    (445, 9, 6, 3.0, 23.36),
    (360, 30, 25, 1.0, 8.55),
    (480, 6, 3, 4.5, 28.03),
    (420, 10, 12, 2.0, 19.24),
]


@pytest.mark.parametrize(("qtc", "qrs_v2", "r_v4", "st", "expected"), PUBLISHED)
def test_four_variable_formula_gives_the_published_values(
    qtc: float, qrs_v2: float, r_v4: float, st: float, expected: float
) -> None:
    rule = ecg_criteria().subtle_occlusion.four_variables
    given = Inputs(st60_v3_mm=st, qtc_ms=qtc, r_v4_mm=r_v4, qrs_v2_mm=qrs_v2)
    assert formula_value(rule, given) == pytest.approx(expected, abs=0.005)


def test_three_variable_formula_by_hand() -> None:
    """1.196 x 2 + 0.059 x 420 - 0.326 x 10 = 2.392 + 24.78 - 3.26 = 23.912 > 23.4 (Smith 2012)."""
    rule = ecg_criteria().subtle_occlusion.three_variables
    given = Inputs(st60_v3_mm=2, qtc_ms=420, r_v4_mm=10, qrs_v2_mm=99)
    assert formula_value(rule, given) == pytest.approx(23.912)
