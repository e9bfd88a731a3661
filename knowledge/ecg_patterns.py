"""Limits of the named ECG patterns: part of the ECG criteria file, as reviewable rows.

Amplitudes are in mV (1 mm on standard paper is 0.1 mV), times in ms.
"""

from collections.abc import Mapping

from knowledge.ecg_rows import Count, Level, Row, Share
from knowledge.model import Frozen


class Milliseconds(Row):
    """A duration that counts, reached at the value itself."""

    from_ms: float


class QMap(Row):
    """Where pathological Q waves stand: leads by region."""

    regions: Mapping[str, tuple[str, ...]]
    extra_regions: tuple[str, ...]


class QEquivalent(Row):
    """A broad R in V1-V2 with an upright T: the mirror image of a posterior Q wave."""

    leads: tuple[str, ...]
    r_from_ms: float
    r_over_s_from: float


class TMap(Row):
    """Depth of a T inversion in words, and how many leads of a region are needed."""

    regions: Mapping[str, tuple[str, ...]]
    deep_from_mv: float
    giant_from_mv: float
    leads_needed: Count
    upright_in_adults: tuple[str, ...]


class NamedIschaemia(Row):
    """Which named patterns equal ST-elevation infarction, are ischaemia, or leave it open."""

    equivalent: tuple[str, ...]
    ischaemia: tuple[str, ...]
    open: tuple[str, ...]


class HeartNormal(Row):
    """Statements that may be present on an ECG that the HEART score counts as normal.

    Those of `never_normal` are no abnormality, but with them nothing abnormal seen is not normal.
    """

    may_be_present: tuple[str, ...]
    never_normal: tuple[str, ...]


class Wellens(Row):
    """Biphasic (A) or deeply inverted (B) T wave in V2 and V3 with a quiet ST segment."""

    leads: tuple[str, ...]
    st_below_mv: float
    biphasic: Level
    deep: Level
    r_visible: Level


class DeWinter(Row):
    """Upsloping ST depression at J that runs into a tall, symmetric T wave, in chest leads."""

    leads: tuple[str, ...]
    depression_from_mv: float
    tall_t: Level
    symmetric: Share
    avr: Level


class TOverQrs(Row):
    """Height of an upright T wave against the whole QRS."""

    leads: tuple[str, ...]
    from_ratio: float


class Formula(Row):
    """A linear formula and the value from which it speaks for an occlusion.

    Amplitudes enter in mm, QTc (Bazett) in ms.
    """

    per_mm_st60_v3: float
    per_ms_qtc: float
    per_mm_r_v4: float
    per_mm_qrs_v2: float = 0.0
    limit: float
    limit_itself_counts: bool


class SubtleOcclusion(Row):
    """Early repolarisation against a subtle anterior occlusion: where the formulas hold."""

    elevation_leads: tuple[str, ...]
    elevation_from_mv: float
    elevation_up_to_mv: float
    concave_leads: tuple[str, ...]
    inferior_leads: tuple[str, ...]
    chest_leads: tuple[str, ...]
    q_leads: tuple[str, ...]
    distortion_leads: tuple[str, ...]
    qrs_below_ms: float
    depression: Level
    slow_below_per_min: float
    three_variables: Formula
    four_variables: Formula


class TerminalDistortion(Row):
    """Neither an S nor a J wave in leads with ST elevation."""

    leads: tuple[str, ...]
    s_visible: Level


class EarlyRepolarisation(Row):
    """Notch or slur at the end of the QRS."""

    leads: tuple[str, ...]
    peak_from_mv: float
    leads_needed: int
    qrs_below_ms: float
    notch_depth: Level
    slur_fall: Level


class Pericarditis(Row):
    """Widespread concave ST elevation with PR depression and no reciprocal depression."""

    groups: tuple[str, ...]
    elevation: Level
    leads_needed_in_a_group: Count
    reciprocal: Level
    except_leads: tuple[str, ...]
    pr_depression: Level
    pr_leads_needed: Count
    ratio_lead: str
    st_over_t: Share


class Hyperkalaemia(Row):
    """Tall, narrow, symmetric T waves; with a wide QRS, a long PR or no P wave."""

    limb_t_above_mv: float
    chest_t_above_mv: float
    narrow: Milliseconds
    symmetric: Share
    leads_needed: Count
    qrs_from_ms: float
    pr_above_ms: float


class Brugada(Row):
    """Coved ST elevation with an inverted T in V1 or V2."""

    leads: tuple[str, ...]
    elevation_from_mv: float
    fall: Level


class RightHeart(Row):
    """S in I, Q and inverted T in III; T inversion in the right chest leads."""

    s_lead: str
    s_from_mv: float
    q_lead: str
    q_from_mv: float
    strain_leads: tuple[str, ...]


class SingleExtraLead(Row):
    """ST elevation in a single right-sided or posterior lead, by the limits of that lead."""

    right_leads: tuple[str, ...]
    posterior_leads: tuple[str, ...]


class ErrorOfDifference(Row):
    """How the error of a difference is computed from the mean absolute error of one value."""

    z: float
    sd_of_mean_absolute: float


class Degrees(Row):
    """A difference of angles."""

    degrees: float


class Comparison(Row):
    """Changes between two tracings that count."""

    rise_from_mv: float
    fall_from_mv: float
    error: ErrorOfDifference
    qtc_change_from_ms: Milliseconds
    axis_shift_above_deg: Degrees


class PatternCriteria(Frozen):
    """The named patterns of the criteria file."""

    q_map: QMap
    q_equivalent: QEquivalent
    t_map: TMap
    named_ischaemia: NamedIschaemia
    heart_normal: HeartNormal
    wellens: Wellens
    de_winter: DeWinter
    t_over_qrs: TOverQrs
    subtle_occlusion: SubtleOcclusion
    terminal_distortion: TerminalDistortion
    early_repolarisation: EarlyRepolarisation
    pericarditis: Pericarditis
    hyperkalaemia: Hyperkalaemia
    brugada: Brugada
    right_heart: RightHeart
    single_extra_lead: SingleExtraLead
    comparison: Comparison
