"""Defects of a recording, and what must not be stated because of each.

The limits are properties of recorders and of signals, not of patients; where a limit follows from
a clinical threshold the reason is on the line.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tools.ecg import leads as lead_set
from tools.ecg.filters import low_pass
from tools.ecg.median_beat import MedianBeat
from tools.ecg.model import LEADS_12, EcgRecording, LeadMeasurement, Problem

FLAT_MV = 0.02
"""A lead whose values span less is not connected (5 uV is one step of most recorders)."""

_MAX_INVALID_SHARE = 0.05
_CLIPPED_RUN_S = 0.012
_CLIPPED_RUNS = 3
_MIN_RATE_HZ = 250.0  # AHA/ACC/HRS 2007: below 500 Hz a QRS duration in ms is already doubtful
# Real records stay below 0.022 and 0.003 mV; LUDB, scaled lead by lead, above 0.088 and 0.008 mV.
_EINTHOVEN_SHARE, _EINTHOVEN_MV = 0.06, 0.0075
_EQUAL_SPAN = 0.02  # spread of the leads' peak-to-peak values, as a share of their mean
_MIN_SPAN_MV, _MAX_SPAN_MV = 0.10, 12.0  # beyond the smallest and largest QRS seen in records
_NOISE_MV = 0.05  # half of the smallest ST deviation that is a criterion (0.05 mV is one)
_MIN_BEATS = 3
_REVERSED_MV = 0.1
_P_VISIBLE_MV = 0.02
# Largest QRS over all leads: real records lie above 0.7 mV; a tenth of a usual one is 0.2 mV.
_MIN_LARGEST_MV = 0.3
_HIGH_LEADS = 2  # an artefact may be this large in one lead, a wrong gain is in all
# Steepness at the beats over the usual one, below 25 Hz: noise, fibrillation and even waves stay
# below 2.6, a wide ventricular rhythm reaches 12 and records with beats 5.
_STEEP_FROM, _STEEP_BELOW_HZ, _AROUND_S = 3.5, 25.0, 0.08
_HELD_S = 3.0  # the longest pause taken for one; lost electrodes and printed strips are longer
_TOGETHER = 0.6  # strips of 2.5 s show a quarter of the leads at once, those of 5 s half
_MIN_LIVE = 5  # of the 8 independent leads; with fewer the beats found are those of noise
NO_QRS = "no-reliable-qrs"
"""Code of the defect that what was counted as beats does not stand out as QRS complexes do."""
TOO_FEW = "too-few-beats"
"""Code of the defect that too few beats are alike."""


def recording_problems(recording: EcgRecording) -> Iterator[Problem]:
    """Yield defects seen on the recorded samples, before any processing."""
    signal, rate = recording.signal_mv, recording.sampling_rate_hz
    missing = tuple(name for name in LEADS_12 if name not in recording.leads)
    if missing:
        yield Problem(
            code="lead-missing", detail=f"not recorded: {', '.join(missing)}", leads=missing
        )
    if recording.format_caution is not None:
        yield Problem(code="format-not-verified", detail=recording.format_caution)
    if recording.gain_doubt is not None:
        yield Problem(code="gain-doubt", detail=recording.gain_doubt, blocks=("amplitude",))
    if rate < _MIN_RATE_HZ:
        yield Problem(
            code="low-sampling-rate",
            detail=f"{rate:g} Hz, too coarse for QRS duration and narrow waves",
            blocks=("timing",),
        )
    lost = _held(signal, rate)
    there = np.asarray(~(lost | np.isnan(signal)), dtype=np.bool_)
    recorded = there.any(axis=0)
    yield from _not_together(there[:, recorded])
    # Where every lead is lost at once the beats that are there lack nothing.
    some = np.asarray(there.any(axis=1))
    lost = np.logical_and(lost, np.outer(some, recorded))
    invalid = (lost | np.isnan(signal)).mean(axis=0)
    yield from _each(
        recording.leads,
        invalid > _MAX_INVALID_SHARE,
        "invalid-samples",
        [f"{share:.0%} of samples invalid" for share in invalid],
    )
    yield from _clipped(recording)


def _not_together(alive: NDArray[np.bool_]) -> Iterator[Problem]:
    """Yield a defect where most leads were not recorded at the same time, as on printed strips."""
    at = alive[alive.any(axis=1)]
    share = float(np.median(at.mean(axis=1))) if len(at) else 1.0
    if share < _TOGETHER:
        yield Problem(
            code="leads-not-simultaneous",
            detail=f"only {share:.0%} of the leads are recorded at the same time",
            blocks=("all",),
        )


def _held(signal: NDArray[np.float64], rate_hz: float) -> NDArray[np.bool_]:
    """Return (samples, leads) where a lead stays at one value for longer than any heart does."""
    run = int(_HELD_S * rate_hz)
    if len(signal) <= run:
        return np.zeros(signal.shape, dtype=bool)
    total = np.cumsum(np.pad(np.diff(signal, axis=0) == 0, ((1, 0), (0, 0))), axis=0)
    starts = (total[run:] - total[:-run]) == run
    marks = np.zeros((len(signal) + 1, signal.shape[1]), dtype=np.int64)
    marks[: len(starts)] += starts
    marks[run + 1 : run + 1 + len(starts)] -= starts[: len(signal) - run]
    return np.cumsum(marks, axis=0)[: len(signal)] > 0


def lead_problems(leads: tuple[str, ...], signal: NDArray[np.float64]) -> Iterator[Problem]:
    """Yield defects of the working signal: flat leads, implausible gain, leads that disagree.

    Args:
        leads: Names of the columns.
        signal: (samples, leads) mV, baseline removed.
    """
    whole = np.ptp(signal, axis=0)
    flat = whole < FLAT_MV
    yield from _each(
        leads, flat, "flat-lead", [f"{v * 1000:.0f} uV from peak to peak" for v in whole]
    )
    low, high = np.percentile(signal, (0.2, 99.8), axis=0)
    span = high - low
    odd = ~flat & ((span < _MIN_SPAN_MV) | (span > _MAX_SPAN_MV))
    yield from _each(leads, odd, "implausible-gain", [f"spans {v:.2f} mV" for v in span])
    known = span[~flat & ~np.isnan(span)]
    high = int((known > _MAX_SPAN_MV).sum())
    largest = float(known.max(initial=0.0))
    if high >= _HIGH_LEADS or 0 < largest < _MIN_LARGEST_MV:
        yield Problem(
            code="implausible-gain",
            detail=f"the largest lead spans {largest:.2f} mV: the gain of the file cannot be right",
            blocks=("amplitude",),
        )
    ours = np.array([name in lead_set.INDEPENDENT for name in leads])
    live = int((ours & (span >= _MIN_SPAN_MV)).sum())
    if live < _MIN_LIVE and largest >= _MIN_LARGEST_MV:
        yield Problem(
            code="too-few-leads",
            detail=f"only {live} of the 8 leads that are no sum of others show a heartbeat's size",
            blocks=("all",),
        )
    standard = np.array([name in LEADS_12 for name in leads]) & ~flat
    if standard.sum() >= 8 and whole[standard].std() < _EQUAL_SPAN * whole[standard].mean():
        yield Problem(
            code="leads-scaled-alike",
            detail=f"every lead spans {whole[standard].mean():.2f} mV: each was scaled on its own",
            blocks=("amplitude",),
        )


def einthoven_problem(leads: tuple[str, ...], signal: NDArray[np.float64]) -> Iterator[Problem]:
    """Yield a defect where the limb leads do not add up as they must."""
    wrong_mv, share = lead_set.residual(leads, signal)
    if share > _EINTHOVEN_SHARE and wrong_mv > _EINTHOVEN_MV:
        yield Problem(
            code="einthoven-residual",
            detail=f"limb leads disagree by {wrong_mv:.3f} mV ({share:.0%} of their size): "
            "gain wrong or leads mislabelled",
            leads=tuple(name for name in lead_set.LIMB if name in leads),
            blocks=("amplitude",),
        )


def beat_problems(
    beat: MedianBeat, j: int, leads: tuple[str, ...], rate_hz: float
) -> Iterator[Problem]:
    """Yield defects of the beats: too few alike, or noise left on the ST segment of their median.

    Args:
        beat: The median beat with its aligned beats.
        j: Index of the J point.
        leads: Names of the columns.
        rate_hz: The rate.
    """
    used = len(beat.used)
    if used < _MIN_BEATS:
        yield Problem(
            code=TOO_FEW,
            detail=f"only {used} of {len(beat.complete)} beats are alike",
            blocks=("timing", "amplitude", "rhythm"),
        )
        return
    part = slice(j, j + int(0.080 * rate_hz))
    rest = np.sqrt(((beat.beats_mv[:, part] - beat.beat_mv[part]) ** 2).mean(axis=(0, 1)))
    left = 1.25 * rest / np.sqrt(used)  # standard error of a median
    yield from _each(
        leads,
        left > _NOISE_MV,
        "noise",
        [
            f"{r:.2f} mV between beats, {n:.3f} mV left on their median"
            for r, n in zip(rest, left, strict=True)
        ],
    )


def qrs_problem(
    signal: NDArray[np.float64], r_peaks: NDArray[np.int64], rate_hz: float
) -> Iterator[Problem]:
    """Yield a defect where the beats found are hardly steeper than what lies between them.

    A QRS is the steepest part of a cycle, by far. Noise, ventricular fibrillation, a sine wave and
    an asystole with disconnected electrodes have maxima that are counted, and no QRS.

    Args:
        signal: (samples, leads) mV, the independent leads.
        r_peaks: (beats,) what was counted.
        rate_hz: The rate.
    """
    smooth = low_pass(signal, rate_hz, _STEEP_BELOW_HZ)
    steep = np.sqrt((np.gradient(smooth, axis=0) ** 2).sum(axis=1))
    around = int(_AROUND_S * rate_hz)
    tops = [float(steep[max(0, r - around) : r + around].max()) for r in r_peaks]
    usual = float(np.median(steep))
    ratio = float(np.median(tops)) / usual if usual > 0 else np.inf
    if ratio < _STEEP_FROM:
        yield Problem(
            code=NO_QRS,
            detail=f"the beats found are {ratio:.1f} times as steep as the rest of the recording "
            f"(limit {_STEEP_FROM:g})",
            blocks=("all",),
        )


def reversal_problem(measured: dict[str, LeadMeasurement]) -> Iterator[Problem]:
    """Yield a suspicion of swapped limb electrodes.

    Arms swapped: lead I is upside down in QRS and P, while V6, which does not depend on which arm
    is which, is not (as it would be with the heart on the right). aVR then shows what aVL would: it
    is upright only where the axis is not steep, and says nothing.
    """
    if not {"I", "V6"} <= measured.keys():
        return
    one, v6 = measured["I"], measured["V6"]
    swapped = (
        net_mv(one) < -_REVERSED_MV
        and net_mv(v6) > _REVERSED_MV
        and (one.p_mv or 0) < -_P_VISIBLE_MV
        and (v6.p_mv or 0) > 0
    )
    if swapped:
        yield Problem(
            code="limb-lead-reversal",
            detail="P and QRS are inverted in I and upright in V6: arm electrodes swapped?",
            leads=lead_set.LIMB,
            blocks=("amplitude",),
        )


def net_mv(lead: LeadMeasurement) -> float:
    """Return the height of R less the depth of the deepest wave, mV."""
    return lead.r_mv + min(lead.q_mv, lead.s_mv)


def _clipped(recording: EcgRecording) -> Iterator[Problem]:
    """Yield a problem for leads that stay at their extreme value again and again."""
    signal = recording.signal_mv
    run = max(3, int(_CLIPPED_RUN_S * recording.sampling_rate_hz))
    counts = np.zeros(signal.shape[1], dtype=int)
    for extreme in (np.fmax.reduce(signal, axis=0), np.fmin.reduce(signal, axis=0)):
        at = (signal == extreme) & (np.abs(extreme) > 0.3)
        held = np.cumsum(np.pad(at, ((1, 0), (0, 0))), axis=0)
        full = (held[run:] - held[:-run]) == run
        counts += (np.diff(np.pad(full, ((1, 0), (0, 0))).astype(int), axis=0) > 0).sum(axis=0)
    yield from _each(
        recording.leads,
        counts >= _CLIPPED_RUNS,
        "clipped",
        [f"held at its extreme value {count} times" for count in counts],
    )


def _each(
    leads: tuple[str, ...], bad: NDArray[np.bool_], code: str, details: list[str]
) -> Iterator[Problem]:
    """Yield one amplitude-blocking problem for the leads marked bad, with each lead's number."""
    names = tuple(name for name, is_bad in zip(leads, bad, strict=True) if is_bad)
    if names:
        numbers = (f"{name} {details[leads.index(name)]}" for name in names)
        yield Problem(code=code, detail="; ".join(numbers), leads=names, blocks=("amplitude",))
