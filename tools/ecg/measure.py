"""Measuring a 12-lead ECG: from a recording to the numbers behind every statement.

Method: one median beat of the dominant kind, measured once over all leads. Deterministic: the same
recording gives the same numbers on every machine of one numerical library.
"""

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from tools.ecg import leads as lead_set
from tools.ecg import quality
from tools.ecg.amplitude_range import is_beyond_recorders
from tools.ecg.amplitudes import frontal_axis, lead_measurements
from tools.ecg.baseline import remove_baseline
from tools.ecg.fiducials import find_fiducials, pr_level
from tools.ecg.filters import band_pass, without_mains
from tools.ecg.median_beat import MedianBeat, median_beat
from tools.ecg.model import EcgMeasurements, EcgRecording, Fiducials, Problem
from tools.ecg.moved_electrodes import moved_electrodes
from tools.ecg.pacing import pacing_spikes
from tools.ecg.qtc import bazett, fridericia
from tools.ecg.r_peaks import find_r_peaks
from tools.ecg.resampling import WORKING_RATE_HZ, fill_invalid, resample
from tools.ecg.rhythm_measures import ectopic_beats, p_wave_share, rr_irregularity

MIN_SECONDS, MAX_SECONDS = 5.0, 300.0
MIN_RATE_HZ = 100.0
MIN_BEATS = 3
MAX_FLAT_INDEPENDENT = 3


class NoQrsError(ContractError):
    """Too few QRS complexes, or no signal: asystole, fibrillation or no electrode connected."""


def measure(recording: EcgRecording) -> EcgMeasurements:
    """Return everything measured on a 12-lead recording.

    Defects that leave part of it measurable are in `problems`, each with what it blocks; a value
    that could not be measured is None with its reason in `not_measured`. Extra chest leads may
    stand in the place of standard ones (`moved_electrodes`).

    Raises:
        ContractError: Nothing can be measured: fewer than eight independent leads, too short or
            too long, sampled too coarsely, flat, or fewer than three beats.
    """
    moved = moved_electrodes(recording)
    return _measure(recording) if moved is None else moved.named_back(_measure(moved.recording))


def _measure(recording: EcgRecording) -> EcgMeasurements:
    _check(recording)
    problems = list(quality.recording_problems(recording))
    raw = fill_invalid(recording.signal_mv)
    names, signal, derived = lead_set.complete(
        recording.leads, resample(raw, recording.sampling_rate_hz)
    )
    rate = WORKING_RATE_HZ
    columns = np.array([names.index(name) for name in lead_set.INDEPENDENT])
    spikes = pacing_spikes(signal, rate, columns)
    signal = without_mains(signal, rate)
    signal = signal - np.median(signal, axis=0)
    _check_flat(signal[:, columns], recording.file)
    r_peaks = find_r_peaks(band_pass(signal[:, columns], rate, 0.5, 40), rate)
    if len(r_peaks) < MIN_BEATS:
        raise NoQrsError(
            recording.file, f"{len(r_peaks)} beats found", f"at least {MIN_BEATS} are needed"
        )
    flattened = remove_baseline(signal, r_peaks, rate)
    beat = median_beat(flattened, r_peaks, rate, columns)
    if beat is None:
        raise ContractError(
            recording.file, "no whole beat that can be compared", "give a recording of 10 s"
        )
    marks = find_fiducials(beat.beat_mv, beat.r, rate, columns)
    problems += quality.lead_problems(names, flattened)
    problems += quality.einthoven_problem(
        recording.leads, flattened[:, [names.index(name) for name in recording.leads]]
    )
    problems += quality.beat_problems(beat, marks.j, names, rate)
    problems += quality.qrs_problem(flattened[:, columns], r_peaks, rate)
    if derived:
        problems.append(
            Problem(code="lead-derived", detail=f"computed: {', '.join(derived)}", leads=derived)
        )
    return _result(recording, names, columns, r_peaks, spikes, flattened, beat, marks, problems)


def _result(
    recording: EcgRecording,
    names: tuple[str, ...],
    columns: NDArray[np.int64],
    r_peaks: NDArray[np.int64],
    spikes: NDArray[np.int64],
    flattened: NDArray[np.float64],
    beat: MedianBeat,
    marks: Fiducials,
    problems: list[Problem],
) -> EcgMeasurements:
    rate = WORKING_RATE_HZ
    ms = 1000 / rate
    missing: dict[str, str] = {}
    rr = np.diff(r_peaks) * ms
    ectopic = ectopic_beats(rr, beat, len(r_peaks))
    irregularity = rr_irregularity(rr, ectopic)
    p_share = p_wave_share(beat, marks.qrs_on, rate, columns)
    pr = _pr(marks, p_share, missing)
    if pr is None:
        marks = marks.model_copy(update={"p_on": None})
    qt = None if marks.t_off is None else (marks.t_off - marks.qrs_on) * ms
    if qt is None:
        missing |= dict.fromkeys(("qt_ms", "qtcb_ms", "qtcf_ms"), "no clear T wave")
    if irregularity is None:
        missing["rr_irregularity"] = "too few beats in a row without an ectopic beat"
    if p_share is None:
        missing["p_wave_share"] = "too few alike beats or no room before the QRS"
    axis = frontal_axis(beat.beat_mv, names, marks, rate)
    if axis is None:
        missing["axis_deg"] = "net QRS areas in I and aVF too small for a direction"
    leads = lead_measurements(beat.beat_mv, names, marks, rate)
    problems += quality.reversal_problem({m.lead: m for m in leads})
    rr_s = float(np.median(rr)) / 1000
    return EcgMeasurements(
        recording=recording.id,
        sampling_rate_hz=rate,
        leads=names,
        r_peaks=r_peaks,
        rr_ms=rr,
        heart_rate_per_min=float(60000 / rr.mean()),
        beat_mv=beat.beat_mv - pr_level(beat.beat_mv, marks.qrs_on, rate),
        beats_used=len(beat.used),
        beats_found=len(r_peaks),
        fiducials=marks,
        pr_ms=pr,
        qrs_ms=(marks.qrs_off - marks.qrs_on) * ms,
        qt_ms=qt,
        qtcb_ms=None if qt is None else bazett(qt, rr_s=rr_s),
        qtcf_ms=None if qt is None else fridericia(qt, rr_s=rr_s),
        axis_deg=axis,
        lead=leads,
        rr_irregularity=irregularity,
        p_wave_share=p_share,
        ectopic_beats=int(ectopic.sum()),
        pacing_spikes=spikes,
        baseline_mv=flattened,
        problems=tuple(problems),
        not_measured=missing,
    )


_MIN_P_SHARE = 0.5
"""P waves that repeat before fewer beats than this have no PR interval."""


def _pr(marks: Fiducials, p_share: float | None, missing: dict[str, str]) -> float | None:
    """Return the PR interval, ms, or None with the reason put into `missing`."""
    if marks.p_on is None:
        missing["pr_ms"] = "no P wave above 40 uV before the QRS"
        return None
    if p_share is not None and p_share < _MIN_P_SHARE:
        missing["pr_ms"] = "no P wave that repeats before the QRS"
        return None
    return (marks.qrs_on - marks.p_on) * 1000 / WORKING_RATE_HZ


def _check(recording: EcgRecording) -> None:
    """Refuse what is outside the contract.

    Raises:
        ContractError: With the number and the way out.
    """
    rate, file = recording.sampling_rate_hz, recording.file
    if rate < MIN_RATE_HZ:
        raise ContractError(file, f"sampled at {rate:g} Hz", f"at least {MIN_RATE_HZ:g} Hz needed")
    if is_beyond_recorders(recording.signal_mv):
        raise ContractError(file, "an amplitude no recorder can put out", "correct its gain")
    limb = sum(name in recording.leads for name in lead_set.LIMB)
    chest = [name for name in lead_set.INDEPENDENT[2:] if name not in recording.leads]
    if limb < 2 or chest:
        raise ContractError(
            file,
            f"not a 12-lead ECG: {limb} limb leads"
            + (f", without {', '.join(chest)}" if chest else ""),
            "two limb leads and V1 to V6 are needed",
        )
    seconds = len(recording.signal_mv) / rate
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise ContractError(
            file,
            f"{seconds:.1f} s long",
            f"{MIN_SECONDS:g} to {MAX_SECONDS:g} s are taken; 10 s is usual",
        )


def _check_flat(independent: NDArray[np.float64], file: str) -> None:
    flat = np.ptp(independent, axis=0) < quality.FLAT_MV
    if flat.sum() > MAX_FLAT_INDEPENDENT:
        names = [n for n, f in zip(lead_set.INDEPENDENT, flat, strict=True) if f]
        kind = NoQrsError if flat.all() else ContractError
        raise kind(file, f"no signal in {', '.join(names)}", "record the ECG again")
