"""Types of the ECG tools: a recording, and what was measured on it.

Amplitudes are in mV (1 mV = 10 mm on standard paper), times in ms, sample indices count from the
start of the recording at `sampling_rate_hz`.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Finding
from knowledge.model import Frozen
from knowledge.patient import Identity

LEADS_12 = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""Standard leads in standard order."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EcgRecording:
    """One recording as read from a file.

    Args:
        id: First 16 hex digits of the SHA-256 of the file content (header and signal files).
        file: Name of the file, relative to the case.
        source_format: ``dicom``, ``wfdb``, ``philips-sierra-xml``, ``hl7-aecg``, ``edf``,
            ``scp-ecg``, ``ge-muse-xml`` or ``apple-health-csv``.
        leads: Lead names as in `LEADS_12`, then extra leads (``V7``, ``V4R``, ``X``) as named.
        signal_mv: (samples, leads) float64, mV; NaN where the source marks a sample invalid.
        sampling_rate_hz: Samples a second.
        start: Start of the recording, on its own clock where no zone is known.
        identity: The identity the file carries; empty for WFDB.
        sop_instance_uid: For DICOM.
        device_said: The device's own measurements and statements, each a Finding flagged
            ``device-said``; never ours.
        gain_doubt: Why the amplitude scale cannot be trusted (gain or unit missing); None where
            the file states it. Amplitudes are then not to be used.
        format_caution: Why the reading of the format itself is not verified; None where it is.
        notes: What the reader had to repair or doubts (header repaired, checksum wrong).
        low_cut_hz: Lower edge of the recorder's pass band where the file states it: 0.05 keeps ST,
            0.5 may tilt it. Tracings of different low cuts are not compared in ST.
    """

    id: str
    file: str
    source_format: str
    leads: tuple[str, ...]
    signal_mv: NDArray[np.float64] = field(repr=False)
    sampling_rate_hz: float
    start: ClinicalTime | None = None
    identity: Identity
    sop_instance_uid: str | None = None
    device_said: tuple[Finding, ...] = ()
    gain_doubt: str | None = None
    format_caution: str | None = None
    notes: tuple[str, ...] = ()
    low_cut_hz: float | None = None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "title": "EcgRecording",
            "description": "Id of an ECG recording of the case",
        }


class LeadMeasurement(Frozen):
    """Amplitudes of one lead on the median beat, mV, against the PR-segment level.

    Args:
        lead: Lead name.
        q_mv, r_mv, s_mv: Peak amplitudes of Q (<= 0), R (>= 0), S (<= 0); 0 where there is none.
            R is the tallest positive wave; a QRS without R (QS) has all its depth in Q.
        r_prime_mv: Amplitude of a second positive wave after an S; 0 where there is none.
        q_ms, r_ms: Durations of the Q and R waves, ms; None where there is none.
        st_j_mv, st_60_mv, st_80_mv: ST level at J, J+60 ms and J+80 ms.
        st_slope_mv_s: Slope from J to J+80 ms, mV/s.
        t_mv: T-wave amplitude, signed; None where no T end was found.
        p_mv: P-wave amplitude, signed; None where no P wave was found.
    """

    lead: str
    q_mv: float
    r_mv: float
    s_mv: float
    r_prime_mv: float = 0.0
    q_ms: float | None = None
    r_ms: float | None = None
    st_j_mv: float
    st_60_mv: float
    st_80_mv: float
    st_slope_mv_s: float
    t_mv: float | None = None
    p_mv: float | None = None


class Fiducials(Frozen):
    """Sample indices on the median beat; None where the wave was not found."""

    p_on: int | None = None
    qrs_on: int
    r: int
    qrs_off: int
    j: int
    """J point for ST: the first (vendor-like) QRS offset, at or before `qrs_off`."""
    t_peak: int | None = None
    t_off: int | None = None


class Problem(Frozen):
    """A defect of the recording, and what must not be stated because of it.

    Args:
        code: Kebab-case, for example ``flat-lead``, ``clipped``, ``einthoven-residual``,
            ``implausible-gain``, ``too-few-beats``, ``too-short``, ``noise``, ``lead-missing``.
        detail: In words with the measured number.
        leads: The leads concerned; empty for all.
        blocks: Which statements it blocks: any of ``timing``, ``amplitude``, ``rhythm``, ``all``.
    """

    code: str
    detail: str
    leads: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class EcgMeasurements:
    """What was measured on one recording; the numbers behind every statement and picture.

    Args:
        recording: Id of the recording.
        sampling_rate_hz: Rate of all indices and of the beat: 500 Hz after resampling.
        leads: The leads measured, in the order of the beat's columns.
        r_peaks: (beats,) int sample indices of all R peaks found.
        rr_ms: (beats - 1,) intervals between them.
        heart_rate_per_min: From the mean RR.
        beat_mv: (samples, leads) median beat, mV, PR-segment level at zero.
        beats_used, beats_found: How many beats went into the median beat, of how many.
        fiducials: Points on the median beat.
        pr_ms, qrs_ms, qt_ms, qtcb_ms, qtcf_ms: Intervals, ms; None where not measurable.
        axis_deg: Frontal QRS axis, degrees in (-180, 180].
        lead: One `LeadMeasurement` for each lead.
        rr_irregularity: Normalised RMSSD of RR without ectopic beats, RMSSD / mean RR.
        p_wave_share: Share of beats with a P wave that repeats before the QRS, 0 to 1.
        ectopic_beats: Beats early or different in shape.
        pacing_spikes: (spikes,) int sample indices of narrow spikes, at `sampling_rate_hz`.
        baseline_mv: (samples, leads) the whole signal after resampling and baseline removal.
        problems: Defects found.
        not_measured: Name of a measurement to the reason it is missing.
    """

    recording: str
    sampling_rate_hz: float
    leads: tuple[str, ...]
    r_peaks: NDArray[np.int64]
    rr_ms: NDArray[np.float64]
    heart_rate_per_min: float
    beat_mv: NDArray[np.float64] = field(repr=False)
    beats_used: int
    beats_found: int
    fiducials: Fiducials
    pr_ms: float | None
    qrs_ms: float
    qt_ms: float | None
    qtcb_ms: float | None
    qtcf_ms: float | None
    axis_deg: float | None
    lead: tuple[LeadMeasurement, ...]
    rr_irregularity: float | None
    p_wave_share: float | None
    ectopic_beats: int
    pacing_spikes: NDArray[np.int64]
    baseline_mv: NDArray[np.float64] = field(repr=False)
    problems: tuple[Problem, ...] = ()
    not_measured: dict[str, str] = field(default_factory=dict)

    def of(self, lead: str) -> LeadMeasurement | None:
        """Return the measurements of one lead, or None where it was not recorded."""
        return next((m for m in self.lead if m.lead == lead), None)
