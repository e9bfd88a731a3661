"""ECG criteria of adults as reviewable data: every limit of a statement about an ECG.

Amplitudes are in mV (1 mm on standard paper is 0.1 mV), times in ms, angles in degrees. The file is
``knowledge/data/ecg_criteria.yaml``.
"""

from collections.abc import Mapping
from functools import cache
from typing import Self

from pydantic import model_validator

from knowledge.ecg_patterns import PatternCriteria
from knowledge.ecg_rhythm_rows import RhythmCriteria
from knowledge.ecg_rows import Count, Level, Row, Share, Slope
from knowledge.model import Frozen
from knowledge.patient import Sex
from knowledge.quantity import Interval
from knowledge.reference import Table, load

SEXES: tuple[Sex, ...] = ("female", "male")


class Contract(Row):
    """Whom the criteria are for."""

    adult_from_years: float


class JPoint(Row):
    """How far apart two estimates of the J point may lie."""

    apart_above_ms: float


class ElevationLimit(Row):
    """ST elevation at the J point that counts, for some leads, one sex or both, an age range."""

    leads: tuple[str, ...]
    sex: Sex | None = None
    age_from: float | None = None
    age_below: float | None = None
    from_mv: float

    def may_apply(self, sex: Sex, age: Interval) -> bool:
        """Return whether the row may apply to this sex and some age in the interval, years."""
        too_old = self.age_below is not None and age.compare("ge", self.age_below) is True
        too_young = self.age_from is not None and age.compare("lt", self.age_from) is True
        return self.sex in (None, sex) and not too_old and not too_young


class StElevation(Row):
    """Limits by lead, and which leads are contiguous."""

    limits: tuple[ElevationLimit, ...]
    leads_needed: int
    groups: Mapping[str, tuple[str, ...]]
    neighbours: Mapping[str, tuple[str, str]]
    extra_groups: tuple[str, ...]

    def possible_mv(self, lead: str, sexes: tuple[Sex, ...], age: Interval) -> tuple[float, ...]:
        """Return every limit that may apply to a lead, ascending; empty for a lead without one."""
        rows = [row for row in self.limits if lead in row.leads]
        return tuple(sorted({r.from_mv for r in rows for s in sexes if r.may_apply(s, age)}))


class StDepression(Row):
    """ST depression at the J point, horizontal or downsloping."""

    from_mv: float
    leads: tuple[str, ...]
    slope: Slope


class TInversion(Row):
    """T inversion deeper than a limit where the R wave is prominent."""

    above_mv: float
    r_over_s_above: float
    leads: tuple[str, ...]


class Posterior(Row):
    """Mirror image of a posterior infarction in the anterior leads."""

    leads: tuple[str, ...]
    depression_from_mv: float
    r_lead: str
    r_above_ms: float
    r_over_s_above: float


class Multivessel(Row):
    """Widespread ST depression with ST elevation in aVR or V1."""

    depression_from_mv: float
    leads_needed: int
    elevation_leads: tuple[str, ...]
    elevation: Level


class DiffuseElevation(Row):
    """ST elevation in all regions without reciprocal depression."""

    groups: tuple[str, ...]
    reciprocal_from_mv: float
    except_leads: tuple[str, ...]


class LvhExplains(Row):
    """Leads in which hypertrophy may deviate the ST segment by itself."""

    elevation_leads: tuple[str, ...]
    depression_leads: tuple[str, ...]


class ModifiedSgarbossa(Row):
    """Any one of three signs, behind left bundle branch block or ventricular pacing."""

    concordant_elevation_from_mv: float
    concordant_depression_from_mv: float
    concordant_depression_leads: tuple[str, ...]
    discordant_elevation_from_mv: float
    st_over_s_from: float


class Barcelona(Row):
    """Concordant ST deviation, or discordant ST deviation in a lead of low voltage."""

    concordant_from_mv: float
    discordant_from_mv: float
    low_voltage_up_to_mv: float


class Lbbb(Row):
    """Left bundle branch block."""

    qrs_from_ms: float
    r_peak_above_ms: float
    r_peak_leads: tuple[str, ...]
    r_peak_leads_needed: Count
    no_q_leads: tuple[str, ...]
    q_visible: Level
    negative_lead: str


class Rbbb(Row):
    """Right bundle branch block, complete and incomplete."""

    qrs_from_ms: float
    incomplete_from_ms: float
    r_peak_above_ms: float
    r_leads: tuple[str, ...]
    s_above_ms: float
    s_leads: tuple[str, ...]
    r_visible: Level
    explains_leads: tuple[str, ...]


class Lvh(Row):
    """Left ventricular hypertrophy by voltage: any one of three."""

    sokolow_from_mv: float
    cornell_above_mv: Mapping[Sex, float]
    r_avl_above_mv: float


class LowVoltage(Row):
    """QRS from peak to peak below a limit in all limb or all chest leads."""

    limb_below_mv: float
    chest_below_mv: float


class QWaves(Row):
    """Q waves of an old infarction."""

    leads_v2_v3_from_ms: float
    other_from_ms: float
    other_from_mv: float
    groups: tuple[tuple[str, ...], ...]


class ShortQtc(Row):
    """QTc that is short."""

    up_to_ms: float


class WideQrsShare(Row):
    """Share of the QRS duration that is taken off the QT where the QRS is wide."""

    of_qrs: float


class Qtc(Row):
    """QTc limits."""

    prolonged_from_ms: Mapping[Sex, float]
    high_risk_above_ms: float
    wide_qrs_from_ms: float
    short: ShortQtc
    wide_qrs_share: WideQrsShare


class Pr(Row):
    """PR limits."""

    prolonged_above_ms: float
    short_below_ms: float


class Flutter(Row):
    """Atrial rate of flutter, lowest and highest."""

    atrial_per_min: tuple[float, float]


class Rate(Row):
    """Heart-rate limits."""

    slow_below_per_min: float
    fast_above_per_min: float
    wide_qrs_from_ms: float


class Axis(Row):
    """Frontal QRS axis limits."""

    normal_from_deg: float
    normal_to_deg: float
    extreme_below_deg: float


class AtrialFibrillation(Row):
    """Irregular RR and no repeating P wave."""

    irregularity_above: Share
    p_wave_share_below: Share


class Sinus(Row):
    """A P wave before the QRS in most beats, upright in one lead."""

    p_wave_share_from: float
    upright_p_lead: str
    ectopy_irregularity_above: float


class Pacing(Row):
    """Spikes next to most QRS onsets; without spikes, a QRS that may still be paced."""

    before_qrs_up_to_ms: float
    after_qrs_up_to_ms: float
    beats_share_from: float
    wide_qrs_from_ms: float
    suspect_qrs_from_ms: float


class Tolerance(Row):
    """Differences to the device that are not worth a word."""

    heart_rate_per_min: float
    pr_ms: float
    qrs_ms: float
    qt_ms: float


class Device(Frozen):
    """How the device's own statements are read."""

    tolerance: Tolerance
    words: Mapping[str, tuple[str, ...]]
    negations: tuple[str, ...]


class StatementRow(Frozen):
    """A statement a report makes: an entry of the input catalogue, or one with its own label."""

    input: bool = False
    label: str | None = None

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if self.input == (self.label is not None):
            raise ValueError("a statement is a clinical input or has a label")
        return self


class EcgCriteria(PatternCriteria, RhythmCriteria, Table):
    """The whole file."""

    contract: Contract
    j_point: JPoint
    st_elevation: StElevation
    st_depression: StDepression
    t_inversion: TInversion
    posterior: Posterior
    multivessel: Multivessel
    diffuse_elevation: DiffuseElevation
    lvh_explains: LvhExplains
    modified_sgarbossa: ModifiedSgarbossa
    barcelona: Barcelona
    lbbb: Lbbb
    rbbb: Rbbb
    lvh: Lvh
    low_voltage: LowVoltage
    q_waves: QWaves
    qtc: Qtc
    pr: Pr
    flutter: Flutter
    rate: Rate
    axis: Axis
    atrial_fibrillation: AtrialFibrillation
    sinus: Sinus
    pacing: Pacing
    device: Device
    advice: Mapping[str, str]
    statements: Mapping[str, StatementRow]

    @model_validator(mode="after")
    def _sources_exist(self) -> Self:
        unknown = {row.source for row in self.rows()} - set(self.sources)
        if unknown:
            raise ValueError(f"sources not listed: {', '.join(sorted(unknown))}")
        return self

    def rows(self) -> tuple[Row, ...]:
        """Return every row of the file that carries a source, at any depth."""
        return tuple(_rows(self))


def _rows(node: object) -> list[Row]:
    found = [node] if isinstance(node, Row) else []
    if isinstance(node, Frozen):
        for name in type(node).model_fields:
            found += _rows(getattr(node, name))
    elif isinstance(node, tuple):
        for item in node:
            found += _rows(item)
    return found


@cache
def ecg_criteria() -> EcgCriteria:
    """Return the packaged criteria."""
    return load("ecg_criteria", EcgCriteria)
