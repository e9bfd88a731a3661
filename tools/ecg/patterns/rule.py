"""One rule asked of several leads, in three values: contiguous leads, all of some leads, or any."""

from collections.abc import Callable, Iterable, Mapping

from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import Call, contiguous, deciding, nearest, open_call, words
from tools.ecg.model import LeadMeasurement
from tools.ecg.reading import Reading
from tools.ecg.verdict import Verdict, at_least, every, some, with_margin

LeadRule = Callable[[LeadMeasurement, float], Call]
"""Takes a lead and what is added to every limit, mV."""

_NEAREST = 2


def calls(
    reading: Reading, leads: Iterable[str], rule: LeadRule, shift_mv: float = 0.0
) -> dict[str, Call]:
    """Return what each lead says; a lead that is missing or unusable says nothing, with why."""
    return {name: _call(reading.lead(name), name, rule, shift_mv) for name in leads}


def in_contiguous(
    reading: Reading,
    leads: tuple[str, ...],
    rule: LeadRule,
    *,
    sets: tuple[tuple[str, ...], ...],
    row: str,
    margin_mv: float,
) -> Verdict:
    """Return whether all leads of any of the sets meet a rule.

    Args:
        reading: The ECG.
        leads: The leads asked.
        rule: What each is asked.
        sets: Which leads decide together.
        row: The row of the criteria.
        margin_mv: Our error: a verdict that turns within it is borderline.
    """

    def at(shift_mv: float) -> Verdict:
        said = calls(reading, leads, rule, shift_mv)
        return _verdict(said, contiguous(said, sets), deciding(said, sets), sets, row)

    return with_margin(at, margin_mv)


def in_all(
    reading: Reading, leads: tuple[str, ...], rule: LeadRule, *, row: str, margin_mv: float
) -> Verdict:
    """Return whether every one of these leads meets a rule."""

    def at(shift_mv: float) -> Verdict:
        said = calls(reading, leads, rule, shift_mv)
        holds = every(c.holds for c in said.values())
        return _verdict(said, holds, leads if holds else (), (leads,), row)

    return with_margin(at, margin_mv)


def in_any(
    reading: Reading, leads: tuple[str, ...], rule: LeadRule, *, row: str, margin_mv: float
) -> Verdict:
    """Return whether any of these leads meets a rule."""

    def at(shift_mv: float) -> Verdict:
        said = calls(reading, leads, rule, shift_mv)
        met = tuple(name for name, c in said.items() if c.holds)
        holds = some(c.holds for c in said.values())
        return _verdict(said, holds, met, tuple((name,) for name in leads), row)

    return with_margin(at, margin_mv)


def in_number(
    reading: Reading,
    leads: tuple[str, ...],
    rule: LeadRule,
    *,
    needed: int,
    row: str,
    margin_mv: float,
) -> Verdict:
    """Return whether at least `needed` of these leads meet a rule."""

    def at(shift_mv: float) -> Verdict:
        said = calls(reading, leads, rule, shift_mv)
        met = tuple(name for name, c in said.items() if c.holds)
        holds = at_least((c.holds for c in said.values()), needed)
        return _verdict(said, holds, met, (leads,), row)

    return with_margin(at, margin_mv)


def _verdict(
    said: Mapping[str, Call],
    holds: bool | None,
    leads: tuple[str, ...],
    sets: tuple[tuple[str, ...], ...],
    row: str,
) -> Verdict:
    if holds is True:
        return Verdict(holds=True, basis=words(said, leads), leads=leads, rows=(row,))
    basis = "nearest to the limit: " + words(said, nearest(said, said.keys(), _NEAREST))
    if holds is False:
        return Verdict(holds=False, basis=basis, rows=(row,))
    opened = open_call(said, sets) or next((c for c in said.values() if c.holds is None), None)
    missing = NotAssessed(why=Why.MISSING, detail="a lead of the rule is not recorded")
    return Verdict(holds=None, why=(opened and opened.why) or missing, basis=basis, rows=(row,))


def _call(found: LeadMeasurement | NotAssessed, name: str, rule: LeadRule, shift_mv: float) -> Call:
    if isinstance(found, NotAssessed):
        return Call(lead=name, holds=None, words=f"{name} {found.detail}", why=found)
    return rule(found, shift_mv)


def no_call(lead: LeadMeasurement, why: NotAssessed) -> Call:
    """Return the call of a lead that says nothing."""
    return Call(lead=lead.lead, holds=None, words=f"{lead.lead} {why.detail}", why=why)
