"""Hand-made measured ECGs: a normal one, and changes to it in mm as a textbook states them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.clinical_inputs import catalogue
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.patient import Identity
from knowledge.quantity import Choice, Interval, measured
from tools.ecg.interpretation import interpret
from tools.ecg.model import (
    LEADS_12,
    EcgMeasurements,
    EcgRecording,
    Fiducials,
    LeadMeasurement,
    Problem,
)
from tools.ecg.report import EcgReport

RATE_HZ = 500.0
ON = 200
"""Sample of QRS onset on the median beat."""
GIVEN = (RecordEvidence(file="case.yaml", record="facts"),)
# Usual R and S in mm of a healthy adult, and an upright or inverted T; no voltage near a limit.
_USUAL = {
    "I": (7, 1, 2), "II": (10, 1, 3), "III": (4, 1, 1), "aVR": (1, 8, -2), "aVL": (3, 1, 1),
    "aVF": (7, 1, 2), "V1": (2, 9, 1), "V2": (4, 12, 4), "V3": (7, 8, 4), "V4": (12, 5, 4),
    "V5": (12, 2, 3), "V6": (9, 1, 2), "V7": (6, 1, 2), "V8": (5, 1, 2), "V9": (4, 1, 2),
    "V3R": (2, 6, 1), "V4R": (2, 5, 1),
}  # fmt: skip


def age(years: float | Interval | None) -> Finding:
    """Return an age as a fact, or not assessed."""
    concept = catalogue().concept("age_years")
    if years is None:
        return not_assessed(concept, Why.MISSING, "not given")
    interval = years if isinstance(years, Interval) else Interval.exact(years)
    return Finding(
        concept=concept, state=State.PRESENT, value=measured(interval, "a"), evidence=GIVEN
    )


def sex(answer: str | None) -> Finding:
    """Return a sex as a fact, or not assessed."""
    concept = catalogue().concept("sex")
    if answer is None:
        return not_assessed(concept, Why.MISSING, "not given")
    return Finding(
        concept=concept, state=State.PRESENT, value=Choice(choice=answer), evidence=GIVEN
    )


def recording(**changes: Any) -> EcgRecording:
    """Return a recording without samples: interpretation reads the measurements."""
    fields: dict[str, Any] = {
        "id": "0123456789abcdef",
        "file": "ecg.hea",
        "source_format": "wfdb",
        "leads": LEADS_12,
        "signal_mv": np.zeros((5000, 12)),
        "sampling_rate_hz": RATE_HZ,
        "identity": Identity(source="ecg.hea"),
    }
    return EcgRecording(**(fields | changes))


def ecg(
    st_mm: Mapping[str, float] | None = None,
    *,
    waves: Mapping[str, Mapping[str, Any]] | None = None,
    extra: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    slope: float = 0.0,
    qrs_ms: float = 90.0,
    r_at_ms: Mapping[str, float] | None = None,
    problems: tuple[Problem, ...] = (),
    **changes: Any,
) -> EcgMeasurements:
    """Return a normal ECG with changes.

    Args:
        st_mm: ST at J by lead in mm; 0 elsewhere.
        waves: By lead: fields of `LeadMeasurement`.
        extra: Further leads recorded, such as V7.
        without: Standard leads not recorded.
        slope: ST slope of all leads, mV/s.
        qrs_ms: QRS duration.
        r_at_ms: Time of the R peak by lead; a third of the QRS elsewhere.
        problems: Defects.
        **changes: Fields of `EcgMeasurements`.
    """
    names = tuple(n for n in (*LEADS_12, *extra) if n not in without)
    marks = Fiducials(
        p_on=ON - 80, qrs_on=ON, r=ON + 15, qrs_off=ON + int(qrs_ms / 2), j=ON + int(qrs_ms / 2),
        t_peak=360, t_off=395,
    )  # fmt: skip
    leads = tuple(
        _lead(name, (st_mm or {}).get(name, 0.0), slope, (waves or {}).get(name, {}))
        for name in names
    )
    times = r_at_ms or {}
    beat = np.stack([_beat(m, marks, times.get(m.lead, qrs_ms / 3)) for m in leads], axis=1)
    beats = np.arange(10) * 430 + 300
    fields: dict[str, Any] = {
        "recording": "0123456789abcdef", "sampling_rate_hz": RATE_HZ, "leads": names,
        "r_peaks": beats, "rr_ms": np.full(9, 860.0), "heart_rate_per_min": 70.0,
        "beat_mv": beat, "beats_used": 10, "beats_found": 10, "fiducials": marks,
        "pr_ms": 160.0, "qrs_ms": qrs_ms, "qt_ms": 390.0, "qtcb_ms": 420.6, "qtcf_ms": 410.1,
        "axis_deg": 50.0, "lead": leads, "rr_irregularity": 0.03, "p_wave_share": 1.0,
        "ectopic_beats": 0, "pacing_spikes": np.empty(0, dtype=np.int64),
        "baseline_mv": np.tile(beat, (10, 1)), "problems": problems,
    }  # fmt: skip
    return EcgMeasurements(**(fields | changes))


def lbbb_ecg(st_mm: Mapping[str, float] | None = None, **changes: Any) -> EcgMeasurements:
    """Return a typical left bundle branch block: 150 ms, rS in V1-V3, late R in I, aVL, V5, V6."""
    deep = {"r_mv": 0.2, "s_mv": -2.0, "t_mv": 0.6}
    late = {"r_mv": 1.2, "s_mv": 0.0, "t_mv": -0.3}
    waves = dict.fromkeys(("V1", "V2", "V3"), deep) | dict.fromkeys(("I", "aVL", "V5", "V6"), late)
    times = dict.fromkeys(("I", "aVL", "V5", "V6"), 90.0) | dict.fromkeys(("V1", "V2"), 20.0)
    return ecg(st_mm, waves=waves, r_at_ms=times, qrs_ms=150.0, **changes)


def rbbb_ecg(st_mm: Mapping[str, float] | None = None, **changes: Any) -> EcgMeasurements:
    """Return a typical right bundle branch block: 140 ms, late R and inverted T in V1, broad S."""
    waves = {
        "V1": {"r_mv": 1.0, "s_mv": 0.0, "t_mv": -0.3},
        "I": {"r_mv": 0.6, "s_mv": -0.4},
        "V6": {"r_mv": 0.8, "s_mv": -0.4},
    }
    return ecg(
        st_mm,
        waves={**waves, **changes.pop("waves", {})},
        r_at_ms={"V1": 100.0, "I": 25.0, "V6": 25.0},
        qrs_ms=140.0,
        **changes,
    )


def read(
    measurements: EcgMeasurements,
    *,
    years: float | Interval | None = 60,
    of: str | None = "male",
    **changes: Any,
) -> EcgReport:
    """Return the report of a measured ECG of a man of 60, or as stated."""
    return interpret(recording(**changes), measurements, age_years=age(years), sex=sex(of))


def state(report: EcgReport, code: str) -> str:
    """Return the state of one statement."""
    return report.finding(code).state.value


def with_problem(measurements: EcgMeasurements, *problems: Problem) -> EcgMeasurements:
    """Return the measurements with defects added."""
    return replace(measurements, problems=(*measurements.problems, *problems))


def _lead(name: str, st_mm: float, slope: float, fields: Mapping[str, Any]) -> LeadMeasurement:
    r, s, t = _USUAL[name]
    st = round(st_mm / 10, 4)
    usual: dict[str, Any] = {
        "q_mv": 0.0, "r_mv": r / 10, "s_mv": -s / 10, "r_ms": 40.0, "t_mv": t / 10,
        "p_mv": -0.1 if name == "aVR" else 0.1,
        "st_j_mv": st, "st_60_mv": st + slope * 0.06, "st_80_mv": st + slope * 0.08,
        "st_slope_mv_s": slope,
    }  # fmt: skip
    return LeadMeasurement(lead=name, **(usual | dict(fields)))


def _beat(lead: LeadMeasurement, marks: Fiducials, r_ms: float) -> NDArray[np.float64]:
    """Return one beat drawn from straight lines through the points of a lead."""
    off = marks.qrs_off
    r_at = ON + r_ms / 2
    points = [
        (0, 0.0), (ON - 80, 0.0), (ON - 50, lead.p_mv or 0.0), (ON - 20, 0.0), (ON, 0.0),
        (ON + min(5.0, r_ms / 4), lead.q_mv), (r_at, lead.r_mv), ((r_at + off) / 2, lead.s_mv),
        (off, lead.st_j_mv), (off + 40, lead.st_80_mv), (360, lead.t_mv or 0.0), (395, 0.0),
        (429, 0.0),
    ]  # fmt: skip
    x, y = zip(*points, strict=True)
    return np.asarray(np.interp(np.arange(430), x, y), dtype=np.float64)
