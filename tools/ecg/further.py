"""Statements on rhythm, conduction, chambers and electrodes beside the criteria of infarction.

They read what was judged before and change none of it.
"""

from collections.abc import Mapping

from knowledge.finding import Finding, NotAssessed
from tools.ecg import conduction
from tools.ecg.arrhythmia.av_block import without_pr
from tools.ecg.arrhythmia.ectopy import ectopy
from tools.ecg.arrhythmia.flutter import flutter
from tools.ecg.arrhythmia.pacing_kinds import pacing_kinds
from tools.ecg.arrhythmia.rates import rates
from tools.ecg.chambers import chambers
from tools.ecg.electrode_order import electrode_order
from tools.ecg.fascicles import fascicles
from tools.ecg.pre_excitation import pre_excitation
from tools.ecg.qt_medicines import qt_medicine_warning
from tools.ecg.reading import Reading
from tools.ecg.rhythm import Rhythm
from tools.ecg.verdict import Verdict, first_reason, some

_INTERVALS = ("prolonged-pr", "short-pr", "prolonged-qtc", "short-qtc")


def further(
    reading: Reading, verdicts: Mapping[str, Verdict], beats: Rhythm, medicine: Finding | None
) -> dict[str, Verdict]:
    """Return the verdict of every further statement by code.

    Args:
        reading: The ECG.
        verdicts: The statements judged before, by code.
        beats: The rhythm.
        medicine: Whether a medicine with known risk of torsades is taken; None where the caller
            does not know of medicines at all.
    """
    pacing, right = verdicts["paced_rhythm"], verdicts["rbbb"]
    gate = conduction.gate(verdicts["lbbb"], pacing)
    wide = _wide_qrs(reading)
    return {
        **fascicles(reading, right, gate),
        **without_pr({"pre-excitation": pre_excitation(reading, pacing)}, verdicts),
        **pacing_kinds(reading, pacing),
        **ectopy(reading, beats, pacing),
        "atrial-flutter": flutter(reading, beats, pacing),
        **rates(reading, beats, pacing),
        **chambers(reading, gate=gate, right=right, ventricular_pacing=pacing),
        **electrode_order(reading, verdicts["limb-lead-reversal"]),
        "wide-qrs": wide,
        "pathological-intervals": _intervals({**verdicts, "wide-qrs": wide}),
        "qt-medicine-warning": qt_medicine_warning(reading, verdicts["prolonged-qtc"], medicine),
    }


def _wide_qrs(reading: Reading) -> Verdict:
    limit = reading.criteria.rate.wide_qrs_from_ms
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why, rows=("rate",))
    basis = f"QRS {reading.m.qrs_ms:.0f} ms (limit {limit:g})"
    return Verdict(holds=reading.m.qrs_ms >= limit, basis=basis, rows=("rate",))


def _intervals(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Return whether any interval lies outside its limits; the basis names those that do."""
    parts = [verdicts[code] for code in (*_INTERVALS, "wide-qrs")]
    holds = some(part.holds for part in parts)
    rows = tuple(dict.fromkeys(row for part in parts for row in part.rows))
    out = "; ".join(part.basis for part in parts if part.holds is True)
    if holds is None:
        why: NotAssessed = first_reason(parts)
        return Verdict(holds=None, why=why, rows=rows)
    basis = out if holds else "PR, QRS and QTc within their limits"
    flags = tuple(dict.fromkeys(f for part in parts if part.holds for f in part.flags))
    return Verdict(holds=holds, basis=basis, flags=flags, rows=rows)
