"""Premature beats: supraventricular and ventricular, how many, couplets, runs, bigeminy.

A premature beat with the shape of the dominant beat is supraventricular (atrial or junctional); one
of another shape and at least 120 ms wide is ventricular (or aberrantly conducted: one ECG does not
tell). What is early, of another shape and narrow, or too noisy to have a width, is unclear and
counts as neither.
"""

from dataclasses import dataclass

import numpy as np

from knowledge.finding import NotAssessed, Why
from tools.ecg.arrhythmia.beats import Beat, beats_of
from tools.ecg.reading import Reading
from tools.ecg.rhythm import Rhythm
from tools.ecg.verdict import Verdict, unknown

_ROWS = ("premature_beats",)
_LONGEST_QRS_MS = 300.0  # wider is noise, not a beat
_NARROWER_MS = 30.0
_COMPENSATED = 1.1

ABERRATION = "aberration-not-excluded"
"""Flag: wide beats in an irregular rhythm may be conducted from the atria."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Which beats are premature, by position, in time order.

    Args:
        beats: How many beats there are.
        atrial: Positions of premature supraventricular beats.
        ventricular: Positions of premature ventricular beats.
        unclear: Positions of beats that are early or of another shape and neither.
    """

    beats: int
    atrial: tuple[int, ...]
    ventricular: tuple[int, ...]
    unclear: tuple[int, ...]


def ectopy(reading: Reading, beats: Rhythm, pacing: Verdict) -> dict[str, Verdict]:
    """Return the statements about premature beats, by code."""
    codes = (
        "premature-atrial",
        "premature-ventricular",
        "ventricular-couplet",
        "ventricular-run",
        "ventricular-bigeminy",
    )
    why = reading.blocked("rhythm", "timing")
    if why is None and pacing.holds is True:
        why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="ventricular paced rhythm")
    if why is not None:
        return dict.fromkeys(codes, Verdict(holds=None, why=why, rows=_ROWS))
    counts = count(reading)
    found = {"premature-atrial": _atrial(counts, beats)}
    ventricular = {
        "premature-ventricular": _some(counts, len(counts.ventricular), "ventricular"),
        "ventricular-couplet": _group(reading, counts, couplet=True),
        "ventricular-run": _group(reading, counts, couplet=False),
        "ventricular-bigeminy": _bigeminy(reading, counts),
    }
    if beats.fibrillation.holds is True or beats.irregular.holds is True:
        ventricular = {
            code: v.flagged(ABERRATION) if v.holds is True else v for code, v in ventricular.items()
        }
    return found | ventricular


def count(reading: Reading) -> Counts:
    """Return which beats of a recording are premature, by kind."""
    rule, m = reading.criteria.premature_beats, reading.m
    every = beats_of(m)
    other = [b.alike is not None and b.alike < rule.other_shape_below.share for b in every]
    swapped = _dominant_is_ectopic(reading, every, other)
    early = [b.early is not None and b.early < rule.early_below.share for b in every]
    atrial, ventricular, unclear = [], [], []
    for k, beat in enumerate(every):
        if beat.alike is None or beat.width_ms is None:
            continue
        foreign = other[k] != swapped
        wide = rule.wide_from_ms <= beat.width_ms <= _LONGEST_QRS_MS
        paused = beat.pause is not None and beat.pause > _COMPENSATED
        if foreign and wide and (early[k] or paused):
            ventricular.append(k)
        elif not foreign and early[k]:
            atrial.append(k)
        elif foreign:
            unclear.append(k)
    return Counts(
        beats=len(every),
        atrial=tuple(atrial),
        ventricular=tuple(ventricular),
        unclear=tuple(unclear),
    )


def _dominant_is_ectopic(reading: Reading, every: tuple[Beat, ...], other: list[bool]) -> bool:
    """Return whether the dominant beat is the premature one, as it may be in bigeminy.

    It is where it is wide and mostly early, and the beats of another shape are narrower.
    """
    rule, m = reading.criteria.premature_beats, reading.m
    widths = [b.width_ms for b, o in zip(every, other, strict=True) if o and b.width_ms]
    if m.qrs_ms < rule.wide_from_ms or len(widths) < 2:
        return False
    narrow = float(np.median(widths)) <= m.qrs_ms - _NARROWER_MS
    own = [
        b.early < rule.early_below.share
        for b, o in zip(every, other, strict=True)
        if not o and b.early is not None
    ]
    return narrow and bool(own) and sum(own) >= len(own) / 2


def _atrial(counts: Counts, beats: Rhythm) -> Verdict:
    if beats.fibrillation.holds is True or beats.irregular.holds is True:
        detail = "in an irregular rhythm early beats cannot be told apart"
        return unknown(Why.OUTSIDE_CONTRACT, detail, rows=_ROWS)
    return _some(counts, len(counts.atrial), "supraventricular")


def _some(counts: Counts, number: int, kind: str) -> Verdict:
    basis = f"{number} of {counts.beats} beats premature {kind}"
    if counts.unclear:
        basis += f"; {len(counts.unclear)} more of another shape, unclear"
    if number == 0 and counts.unclear:
        return unknown(Why.CONFLICTING, basis, rows=_ROWS)
    return Verdict(holds=number > 0, basis=basis, rows=_ROWS)


def _group(reading: Reading, counts: Counts, *, couplet: bool) -> Verdict:
    rule = reading.criteria.premature_beats
    lengths = _runs(counts.ventricular)
    longest = max(lengths, default=0)
    if couplet:
        number = lengths.count(rule.couplet_beats)
        basis = f"{number} couplets of ventricular beats"
        return Verdict(holds=number > 0, basis=basis, rows=_ROWS)
    basis = f"longest row of ventricular beats {longest} (limit {rule.run_from_beats})"
    return Verdict(holds=longest >= rule.run_from_beats, basis=basis, rows=_ROWS)


def _bigeminy(reading: Reading, counts: Counts) -> Verdict:
    needed = reading.criteria.premature_beats.bigeminy_from.count
    row = best = 0
    places = frozenset(counts.ventricular)
    for k in sorted(places):
        row = row + 1 if k - 2 in places and k - 1 not in places and row else 1
        best = max(best, row)
    basis = f"{best} ventricular beats in a row at every second beat (limit {needed})"
    return Verdict(holds=best >= needed, basis=basis, rows=_ROWS)


def _runs(positions: tuple[int, ...]) -> list[int]:
    """Return the lengths of the runs of neighbouring positions."""
    groups = np.split(np.array(positions), np.flatnonzero(np.diff(positions) != 1) + 1)
    return [len(group) for group in groups if len(group)]
