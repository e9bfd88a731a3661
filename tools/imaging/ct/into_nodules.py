"""The nodules that were measured on a CT series, as entries of a nodule reading.

Each measured nodule is one entry; two seeds in one lesion make one. What eyes must see (lobe, edge,
calcification) is left to the reader. Numbers the reader changes leave the probability behind:
`tools.imaging.ct.nodule_models` computes it anew from the reading.
"""

from collections.abc import Iterator

from pydantic import AwareDatetime

from knowledge.errors import ContractError
from knowledge.finding import NotAssessed, State, Why
from knowledge.quantity import format_number
from tools.imaging.ct.growth import Growth
from tools.imaging.ct.header_answers import AGE, SEX, with_header
from tools.imaging.ct.marked import NoduleResult
from tools.imaging.ct.nodule import NoduleMeasure
from tools.imaging.ct.nodule_level import NoduleLevel, grew_fast, stable_days
from tools.imaging.ct.report import CtReport
from tools.readings.model import NOBODY, Entry, Reading, Said, Stated
from tools.readings.versions import edited

FORM = "ct_nodules"
METHOD = "ct_measurements_of_series 1"
LIST = "nodules"
PROBABILITY = "malignancy_probability"
_NO_SEED = NotAssessed(
    why=Why.DEPENDS, detail="no nodule was marked and measured, and none is looked for"
)


def with_nodules(reading: Reading, report: CtReport, *, at: AwareDatetime) -> Reading:
    """Return the next version of a nodule reading, with the measured nodules as its entries.

    Args:
        reading: Of the form ``ct_nodules``, not signed, of the study the series belongs to.
        report: Of the series.
        at: When it was measured.

    Raises:
        ContractError: Another form, a signed reading, or nodules that a reader already stated.
    """
    if reading.form != FORM:
        raise ContractError(f"reading {reading.id}", f"is of the form {reading.form}", FORM)
    stated = reading.items.get(LIST, NOBODY)
    if stated.said is not None and stated.said.by != "measurement":
        raise ContractError(
            f"reading {reading.id}",
            f"its nodules were stated by {stated.said.who}: measured ones are not put among them",
            "put the measurements into a reading in which no nodule is stated yet",
        )
    said = Said(by="measurement", who=METHOD, at=at)
    changes = {
        name: one
        for name, one in _patient(report, said)
        if (before := reading.items.get(name, NOBODY)).said is None
        or before.said.by == "measurement"
    }
    changes[LIST] = _list(report, said)
    return edited(reading, changes, by=said)


def _patient(report: CtReport, said: Said) -> Iterator[tuple[str, Stated]]:
    known, _ = with_header(report.series, {})
    age, sex = known.get(AGE), known.get(SEX)
    text = "as the header states it"
    if age is not None and age.not_assessed is not None:
        yield AGE, _silent(age.not_assessed, said)
    elif age is not None and age.interval is not None and age.interval.low is not None:
        yield AGE, _number(age.interval.low, "a", said, text)
    if sex is not None and sex.choice is not None:
        yield SEX, Stated(state=State.PRESENT, choices=(sex.choice,), text=text, said=said)


def _list(report: CtReport, said: Said) -> Stated:
    entries = tuple(
        Entry(id=str(place), items=dict(_entry(one, one.measure, said)))
        for place, one in enumerate(report.nodules, start=1)
        if one.measure is not None
    )
    if entries:
        return Stated(state=State.PRESENT, entries=entries, said=said)
    reasons = [one.not_assessed["nodule"] for one in report.nodules]
    return _silent(reasons[0] if reasons else _NO_SEED, said)


def _entry(found: NoduleResult, measure: NoduleMeasure, said: Said) -> Iterator[tuple[str, Stated]]:
    place = "centre " + ", ".join(f"{v:.0f}" for v in measure.centre_lps) + " mm (LPS)"
    yield "nodule_place", Stated(state=State.PRESENT, text=place, said=said)
    flags = "; ".join(measure.flags)
    yield "nodule_diameter", _number(measure.mean_mm, "mm", said, flags)
    missing = measure.not_assessed
    if measure.volume_mm3 is not None:
        yield "nodule_volume", _number(measure.volume_mm3, "mm3", said)
    elif "volume" in missing:
        yield "nodule_volume", _silent(missing["volume"], said)
    if measure.kind is not None:
        yield "nodule_type", Stated(state=State.PRESENT, choices=(measure.kind,), said=said)
    elif "type" in missing:
        yield "nodule_type", _silent(missing["type"], said)
    if measure.kind == "part-solid" and measure.solid_mm is not None:
        yield "nodule_solid_part", _number(measure.solid_mm, "mm", said)
    if found.growth is not None:
        yield from _growth(measure, found.growth, said)
    elif "growth" in found.not_assessed:
        yield "nodule_status", _silent(found.not_assessed["growth"], said)
    if found.management is not None:
        yield PROBABILITY, _probability(found.management.level, said)


def _growth(measure: NoduleMeasure, growth: Growth, said: Said) -> Iterator[tuple[str, Stated]]:
    status = growth.lung_rads_status
    text = "; ".join((growth.because, *growth.cautions))
    if status is None:
        reasons = list(growth.not_assessed.values())
        why = reasons[0] if reasons else NotAssessed(why=Why.TIME_NOT_GIVEN, detail=text)
        yield "nodule_status", _silent(why, said)
        return
    yield "nodule_status", Stated(state=State.PRESENT, choices=(status,), text=text, said=said)
    fast = grew_fast(growth)
    if fast is not None:
        state = State.PRESENT if fast else State.ABSENT
        yield "nodule_fast_growth", Stated(state=state, said=said)
    if status == "stable":
        long = stable_days(measure, growth) is not None
        state = State.PRESENT if long else State.ABSENT
        yield "nodule_long_stable", Stated(state=state, said=said)
    if growth.volume_change_percent is not None:
        yield "volume_change", _number(growth.volume_change_percent, "%", said)
    if growth.verdict == "growth" and growth.doubling_days is not None:
        yield "doubling_days", _number(growth.doubling_days, "d", said)


def _probability(level: NoduleLevel, said: Said) -> Stated:
    """Return the probability of the model that fits; of a range, what it needs."""
    span = level.probability
    if span is not None and span[0] == span[1] and not level.missing:
        return _number(span[0], "%", said, level.model)
    needs = ", ".join(one.label for one in level.missing)
    if level.not_assessed is not None:
        why = level.not_assessed
    elif span is None:
        why = NotAssessed(why=Why.DEPENDS, detail=level.rule)
    else:
        detail = f"{level.model}: {span[0]:g} to {span[1]:g} %; not known: {needs}"
        why = NotAssessed(why=Why.DEPENDS, detail=detail)
    return _silent(why, said)


def _number(number: float, unit: str, said: Said, text: str = "") -> Stated:
    value = float(format_number(number))
    return Stated(state=State.PRESENT, number=value, unit=unit, text=text, said=said)


def _silent(why: NotAssessed, said: Said) -> Stated:
    if why.why is Why.MISSING:
        why = why.model_copy(update={"why": Why.DEPENDS})
    return Stated(state=State.NOT_ASSESSED, not_assessed=why, said=said)
