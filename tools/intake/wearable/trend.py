"""Readings to trends: mean, range, day and night, and the threshold for readings at home."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from statistics import fmean

from knowledge.clinical_time import ClinicalTime
from knowledge.codes import Coding, Concept
from knowledge.evidence import Evidence, RecordEvidence
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.quantity import Text
from knowledge.reference import Citation
from knowledge.wearable import wearable
from tools.intake.wearable.model import Reading, Strip, WearableFile
from tools.intake.wearable.report import (
    Pressures,
    PressureTrend,
    RateTrend,
    Spread,
    StripResult,
    WearableReport,
)
from tools.intake.wearable.rhythm import StripRhythm, strip_rhythm
from tools.intake.withhold import is_future

WEARABLE = "urn:epicrisis:wearable"
"""Codes of what is said of a patient's own device: never those of a clinical input."""

_NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """A systolic and a diastolic pressure of one moment."""

    systolic: Reading
    diastolic: Reading

    @property
    def at(self) -> ClinicalTime | None:
        return self.systolic.time

    @property
    def wall(self) -> datetime | None:
        return self.systolic.wall


def wearable_report(
    files: Iterable[WearableFile], *, now: ClinicalTime | None
) -> WearableReport | None:
    """Return what the files show, or None where nothing of a wearable is in the case.

    Args:
        files: Those shown to be of the patient.
        now: Readings after it are left out and told.
    """
    given = list(files)
    if not given:
        return None
    left_out: list[str] = []
    by_device: dict[str, list[Reading]] = defaultdict(list)
    late = 0
    for reading in (r for one in given for r in one.readings):
        if is_future(reading.time, now):
            late += 1
        else:
            by_device[reading.device or reading.file].append(reading)
    if late:
        left_out.append(f"{late} readings are later than the moment of assessment and are not used")
    pressures: list[PressureTrend] = []
    rates: list[RateTrend] = []
    for device, readings in sorted(by_device.items()):
        pairs = _pairs(readings, device, left_out)
        rest = [r for r in readings if r.kind == "heart_rate"]
        if pairs:
            pressures.append(_pressure_trend(device, pairs, rest))
        elif rest:
            rates.append(_rate_trend(device, rest))
    strips = [_strip(s) for one in given for s in one.strips if not is_future(s.time, now)]
    return WearableReport(
        pressures=tuple(pressures),
        rates=tuple(rates),
        strips=tuple(sorted(strips, key=lambda s: (_when(s.time), s.file))),
        left_out=tuple(left_out),
        source=tuple(_sources(bool(pressures), bool(strips))),
    )


def _sources(pressures: bool, strips: bool) -> Iterator[Citation]:
    table = wearable()
    if pressures:
        yield table.citation(table.home_pressure.source, table.home_pressure.review)
        series = table.home_pressure.series
        yield table.citation(series.source, series.review)
    if strips:
        limit = table.single_lead.irregularity
        yield table.citation(limit.source, limit.review)


def _pairs(readings: Sequence[Reading], device: str, left_out: list[str]) -> list[_Pair]:
    """Return the pressures in pairs of one moment; one without the other is left out and told."""

    def moment(reading: Reading) -> tuple[datetime, str, str]:
        return (*_when(reading.time), "" if reading.time else reading.place)

    wanted = [r for r in readings if r.kind != "heart_rate"]
    pairs: list[_Pair] = []
    single = 0
    for _, group in groupby(sorted(wanted, key=moment), key=moment):
        found = {r.kind: r for r in group}
        if {"systolic", "diastolic"} <= found.keys():
            pairs.append(_Pair(systolic=found["systolic"], diastolic=found["diastolic"]))
        else:
            single += 1
    if single:
        left_out.append(f"{device}: {single} pressures without their second number are not used")
    return pairs


def _pressure_trend(device: str, pairs: Sequence[_Pair], rates: Sequence[Reading]) -> PressureTrend:
    times = [p.at for p in pairs if p.at is not None]
    recent = _recent(pairs)
    evidence = _evidence(p.systolic for p in pairs)
    return PressureTrend(
        device=device,
        pairs=_pressures(pairs),
        pulse=_spread(rates) if rates else None,
        days=_days(p.systolic for p in pairs),
        first=min(times, key=_when, default=None),
        last=max(times, key=_when, default=None),
        day=_part(pairs, day=True),
        night=_part(pairs, day=False),
        recent=_pressures(recent) if recent else None,
        high=_high(recent, evidence),
        evidence=evidence,
    )


def _recent(pairs: Sequence[_Pair]) -> list[_Pair]:
    """Return the pairs of the days before the last reading that the threshold is for."""
    timed = [p for p in pairs if p.at is not None]
    if not timed:
        return []
    span = timedelta(days=wearable().home_pressure.series.window_days)
    start = max(_when(p.at)[0] for p in timed) - span
    return [p for p in timed if _when(p.at)[0] > start]


def _high(recent: Sequence[_Pair], evidence: tuple[Evidence, ...]) -> Finding:
    """Return whether the mean of the recent readings is high for readings at home.

    Either number at or above its limit is enough. A shorter series than the guideline asks for
    gives no answer.
    """
    rule = wearable().home_pressure
    concept = Concept(
        text="Mean home blood pressure at or above "
        f"{rule.systolic_from_mmhg:g}/{rule.diastolic_from_mmhg:g} mmHg",
        codings=(Coding(system=WEARABLE, code="home-pressure-high"),),
    )
    if not recent:
        return not_assessed(concept, Why.TIME_NOT_GIVEN, "no reading has a time")
    days = _days(p.systolic for p in recent)
    if days < rule.series.days_from or len(recent) < rule.series.readings_from:
        detail = (
            f"{len(recent)} readings on {days} days; at least {rule.series.readings_from} on "
            f"{rule.series.days_from} days are needed"
        )
        return not_assessed(concept, Why.OUTSIDE_CONTRACT, detail, evidence=evidence)
    means = _pressures(recent)
    holds = (
        means.systolic.mean >= rule.systolic_from_mmhg
        or means.diastolic.mean >= rule.diastolic_from_mmhg
    )
    return Finding(
        concept=concept,
        state=State.PRESENT if holds else State.ABSENT,
        reported=f"mean {means.systolic.mean:.0f}/{means.diastolic.mean:.0f} mmHg",
        flags=("wearable",),
        evidence=evidence,
    )


def _part(pairs: Sequence[_Pair], *, day: bool) -> Pressures | None:
    hours = wearable().day
    chosen = [
        p
        for p in pairs
        if p.wall is not None and (hours.from_hour <= p.wall.hour < hours.to_hour) is day
    ]
    return _pressures(chosen) if chosen else None


def _pressures(pairs: Sequence[_Pair]) -> Pressures:
    return Pressures(
        systolic=_spread([p.systolic for p in pairs]),
        diastolic=_spread([p.diastolic for p in pairs]),
    )


def _spread(readings: Sequence[Reading]) -> Spread:
    values = [r.value for r in readings]
    return Spread(
        count=len(values), mean=round(fmean(values), 1), low=min(values), high=max(values)
    )


def _rate_trend(device: str, readings: Sequence[Reading]) -> RateTrend:
    times = [r.time for r in readings if r.time is not None]
    return RateTrend(
        device=device,
        rates=_spread(readings),
        days=_days(readings),
        first=min(times, key=_when, default=None),
        last=max(times, key=_when, default=None),
        evidence=_evidence(readings),
    )


def _days(readings: Iterable[Reading]) -> int:
    return len({(r.wall or r.time.at).date() for r in readings if r.time is not None})


def _evidence(readings: Iterable[Reading]) -> tuple[Evidence, ...]:
    files = sorted({reading.file for reading in readings})
    return tuple(RecordEvidence(file=file, record="readings") for file in files)


def _when(time: ClinicalTime | None) -> tuple[datetime, str]:
    return (_NO_TIME, "") if time is None else time.sort_key


def _strip(strip: Strip) -> StripResult:
    found = strip_rhythm(strip)
    measured = wearable().single_lead.irregularity.measured
    return StripResult(
        file=strip.file,
        lead=strip.lead,
        device=strip.device,
        time=strip.time,
        duration_s=round(found.duration_s, 1),
        device_said=strip.classification,
        regularity=found.regularity,
        not_assessed=found.not_assessed,
        heart_rate_per_min=_rounded(found.heart_rate_per_min, 0),
        irregularity=_rounded(found.irregularity, 3),
        beats=found.beats,
        ectopic=found.ectopic,
        irregular=_irregular(strip, found),
        measured=(measured.en, measured.zh),
    )


def _irregular(strip: Strip, found: StripRhythm) -> Finding:
    concept = Concept(
        text="Irregular rhythm on a single lead (suspicion; a 12-lead ECG settles it)",
        codings=(Coding(system=WEARABLE, code="irregular-rhythm"),),
    )
    place = (RecordEvidence(file=strip.file, record="single-lead ECG"),)
    if found.not_assessed is not None:
        why = found.not_assessed
        return not_assessed(concept, why.why, why.detail, evidence=place, time=strip.time)
    holds = found.regularity == "irregular"
    basis = f"RR irregularity {found.irregularity:.2f} over {found.beats} beats"
    return Finding(
        concept=concept,
        state=State.PRESENT if holds else State.ABSENT,
        value=Text(text=basis) if holds else None,
        time=strip.time,
        reported=basis,
        flags=("wearable", "single-lead"),
        evidence=place,
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
