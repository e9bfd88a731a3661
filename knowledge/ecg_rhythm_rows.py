"""Limits of rhythm, conduction, chambers and electrode positions: part of the ECG criteria file.

Amplitudes are in mV (1 mm on standard paper is 0.1 mV), times in ms, angles in degrees.
"""

from collections.abc import Mapping

from knowledge.ecg_rows import Count, Level, Row, Share
from knowledge.model import Frozen


class Duration(Row):
    """A duration that counts, reached at the value itself."""

    from_ms: float


class Within(Row):
    """A difference in time that still counts as none."""

    within_ms: float


class UpTo(Row):
    """A longest time."""

    up_to_ms: float


class AvBlock(Row):
    """Atrioventricular block of the second and third degree, from single P waves."""

    p_found: Share
    p_even: Share
    pause: Share
    conducted: UpTo
    pr_same: Within
    pr_grows: Duration
    two_to_one: Count
    train_regularity: Share
    train_covered: Share
    third_regularity: Share
    third_covered: Share
    third_rates_apart: Share
    third_phase: Share


class Fascicular(Row):
    """Blocks of the left anterior and the left posterior fascicle."""

    anterior_axis_deg: tuple[float, float]
    anterior_r_peak_from_ms: float
    posterior_axis_deg: tuple[float, float]
    qrs_below_ms: float
    q_visible: Level


class PreExcitation(Row):
    """Short PR, wide QRS, slow beginning of the QRS (delta wave)."""

    pr_below_ms: float
    qrs_above_ms: float
    delta: Duration


class PacingKinds(Row):
    """Atrial and dual-chamber pacing by the place of the spikes; when spikes can be seen."""

    atrial_before_qrs_ms: tuple[float, float]
    sampled_from_hz: float
    fine_detail: Share


class PrematureBeats(Row):
    """Early beats: how early, of which shape, how wide; couplets, runs, bigeminy."""

    early_below: Share
    other_shape_below: Share
    wide_from_ms: float
    couplet_beats: int
    run_from_beats: int
    bigeminy_from: Count


class FlutterWaves(Row):
    """Even atrial waves at the rate of flutter (row `flutter`), seen between QRS complexes."""

    regularity: Share
    covered: Share
    doubt_regularity: Share
    doubt_covered: Share
    whole_ratio: Share


class RateKinds(Row):
    """Slow and fast rhythms by kind."""

    marked_slow_below_per_min: float


class Rvh(Row):
    """Right ventricular hypertrophy: R in V1, right axis, S in V5 or V6; all three."""

    r_v1_from_mv: float
    r_over_s_v1_above: float
    axis_from_deg: float
    s_v5_above: Level
    s_v6_above: Level


class Atria(Row):
    """Enlargement of the left and the right atrium."""

    v1_terminal_from_mm_ms: float
    p_from_ms: float
    notch_apart: Duration
    notch_visible: Level
    p_ii_above_mv: float
    p_v1_above_mv: float


class LegElectrode(Row):
    """An arm electrode exchanged with the right-leg electrode: one limb lead almost flat."""

    flat_below_mv: float
    others_from_mv: float


class LongGap(Row):
    """A stretch of the recording without a QRS."""

    longest_s: float
    times_usual: Share


class ChestOrder(Row):
    """Chest leads whose exchange makes neighbours fit better than as labelled."""

    gain_above: Share


class Dextrocardia(Row):
    """P and QRS inverted in I with chest leads that shrink from V1 to V6."""

    v6_over_v1_below: Share


class Reliability(Row):
    """From how many labelled recordings a statement counts as measured."""

    positives_from: int
    good: Mapping[str, float]


class RhythmCriteria(Frozen):
    """Rhythm, conduction, chambers and electrode positions of the criteria file."""

    av_block: AvBlock
    fascicular: Fascicular
    pre_excitation: PreExcitation
    pacing_kinds: PacingKinds
    premature_beats: PrematureBeats
    flutter_waves: FlutterWaves
    rate_kinds: RateKinds
    rvh: Rvh
    atria: Atria
    leg_electrode: LegElectrode
    long_gap: LongGap
    chest_order: ChestOrder
    dextrocardia: Dextrocardia
    reliability: Reliability
