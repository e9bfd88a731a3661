"""Timing against cardiologists' marks on LUDB (100 records here; timing only, see its README)."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from knowledge.ecg_accuracy import ecg_accuracy
from tests.tools.ecg.ecg_data import AnnotatedBeat, ludb_beats, ludb_records, read_path
from tools.ecg.measure import measure
from tools.ecg.model import EcgMeasurements

TOLERANCE = 37  # samples of 2 ms: 75 ms, half the window that ANSI/AAMI EC57 allows
Record = Callable[[str, object], None]


@cache
def _measured() -> tuple[tuple[EcgMeasurements, tuple[AnnotatedBeat, ...]], ...]:
    return tuple((measure(read_path(path)), tuple(ludb_beats(path))) for path in ludb_records())


def _reference(beats: Sequence[AnnotatedBeat], interval: str) -> float | None:
    """Return the median over beats of the interval between 10th and 90th percentiles of leads."""
    values = []
    for beat in beats:
        ends = {"pr": beat.qrs_on, "qrs": beat.qrs_off, "qt": beat.t_off}[interval]
        starts = beat.p_on if interval == "pr" else beat.qrs_on
        if min(len(starts), len(ends)) >= 4:
            upper = 10 if interval == "pr" else 90
            values.append(2 * (np.percentile(ends, upper) - np.percentile(starts, 10)))
    return float(np.median(values)) if len(values) >= 2 else None


def test_every_annotated_beat_is_found_and_hardly_any_other(
    record_property: Record,
) -> None:
    found = missed = false = 0
    for m, beats in _measured():
        marks = np.array([peak for beat in beats for peak in beat.peaks])
        for beat in beats:
            near = np.abs(m.r_peaks[:, None] - np.array(beat.peaks)).min() <= TOLERANCE
            found, missed = found + near, missed + (not near)
        inside = m.r_peaks[(m.r_peaks > marks.min() - 50) & (m.r_peaks < marks.max() + 50)]
        false += int((np.abs(inside[:, None] - marks).min(axis=1) > TOLERANCE).sum())
    sensitivity, precision = found / (found + missed), found / (found + false)
    record_property("r_peaks", f"n {found + missed}, Se {sensitivity:.4f}, PPV {precision:.4f}")
    published = ecg_accuracy()
    assert sensitivity == pytest.approx(published["r_peak_sensitivity"].value, abs=0.0005)
    assert precision == pytest.approx(published["r_peak_ppv"].value, abs=0.0005)
    assert sensitivity >= 0.999
    assert precision >= 0.995


@pytest.mark.parametrize(("interval", "limit_ms"), [("pr", 9), ("qrs", 14), ("qt", 23)])
def test_interval_differs_from_cardiologists_by_no_more_than(
    interval: str, limit_ms: float, record_property: Record
) -> None:
    errors = np.array(
        [
            value - reference
            for m, beats in _measured()
            if (value := getattr(m, f"{interval}_ms")) is not None
            and (reference := _reference(beats, interval)) is not None
        ]
    )
    words = f"n {len(errors)}, bias {errors.mean():.1f}, SD {errors.std():.1f} ms"
    mae = float(np.abs(errors).mean())
    record_property(interval, f"{words}, MAE {mae:.1f} ms")
    assert len(errors) >= 80
    assert mae <= limit_ms, words
    published = ecg_accuracy()
    assert mae == pytest.approx(published[interval].value, abs=0.5)
    assert errors.mean() == pytest.approx(published[f"{interval}_bias"].value, abs=0.5)
    assert len(errors) == published[interval].n


def test_a_pr_interval_is_hardly_ever_missing_where_cardiologists_marked_p() -> None:
    marked = [m for m, beats in _measured() if _reference(beats, "pr") is not None]
    assert sum(m.pr_ms is None for m in marked) <= 0.03 * len(marked)


def test_amplitudes_of_the_scaled_copy_are_blocked_in_every_record() -> None:
    """LUDB as distributed scales every lead on its own: no amplitude may be used."""
    for m, _ in _measured():
        assert any("amplitude" in p.blocks and not p.leads for p in m.problems), m.recording


def test_scaled_leads_are_seen_without_the_header() -> None:
    """What the signal alone shows: leads that disagree, or that all span the same."""
    codes = [{p.code for p in m.problems} for m, _ in _measured()]
    seen = sum(bool(c & {"einthoven-residual", "leads-scaled-alike"}) for c in codes)
    assert seen >= 0.99 * len(codes)
