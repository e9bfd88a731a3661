"""The ESC 0/1 h and 0/2 h algorithms: one rule, two sets of limits and two windows.

Order of the rule (ESC 2020, as the APACE investigators coded it): a first sample at or above `high`
rules in; one below `very_low` rules out unless the patient came early; then the absolute change,
rise or fall, rules in at or above `delta_in`; a first sample below `low` with a change below
`no_delta` rules out; all else is observed. A rule-out in a very early presenter waits for 3 h.

Beyond the published order, and only ever towards caution: a later sample at or above `high` rules
in (the algorithm started again at that sample); a second sample that changes by `delta_in` rules in
even where the first one alone ruled out; any other sample that leaves the low zone or has moved
from the first (`tools.labs.troponin_veto`) forbids a rule-out, and so does the second sample where
the first one alone ruled out and the pair would not.
"""

from collections.abc import Iterator

from knowledge.finding import Why
from knowledge.quantity import Interval
from knowledge.troponin import ChangeLimits, EscLimits, assays, pathways
from knowledge.troponin_rules import Algorithm
from tools.labs.troponin_case import TroponinCase
from tools.labs.troponin_category import (
    Category,
    Verdict,
    any_of,
    ordered,
    refuse,
    split,
    without_rule_out,
)
from tools.labs.troponin_clock import Pair, pair, third_sample
from tools.labs.troponin_onset import ANY, Onset, is_early, is_very_early
from tools.labs.troponin_samples import SeriesSample
from tools.labs.troponin_veto import forbids, low_zone
from tools.labs.troponin_wording import basis


def evaluate(case: TroponinCase, key: str) -> Verdict:
    """Return the verdict of ``troponin_esc_0_1h`` or ``troponin_esc_0_2h``."""
    algorithm = pathways().algorithms[key]
    assert algorithm.limits is not None  # noqa: S101 - both algorithms name their limits
    limits = assays().limits(case.assay_id, algorithm.limits)
    if limits is None:
        note = assays().note(case.assay_id, algorithm.limits)
        return refuse(Why.NOT_AVAILABLE_FOR_ASSAY, f"not available for this assay: {note}")
    chosen = pair(case, key)
    found = _possible(case, limits, chosen, case.onset)
    if None in found:
        if limits.change is None:
            note = assays().note(case.assay_id, algorithm.limits)
            return refuse(Why.NOT_AVAILABLE_FOR_ASSAY, f"serial part not available: {note}")
        if chosen.refused is not None:
            return Verdict(refused=chosen.refused, needs=("troponin_second_sample",))
    answers = ordered(Category.NEED_SECOND if f is None else f for f in found)
    return _verdict(case, algorithm, limits, chosen, answers)


def _verdict(
    case: TroponinCase,
    algorithm: Algorithm,
    limits: EscLimits,
    chosen: Pair,
    answers: tuple[Category, ...],
) -> Verdict:
    caveats = list(limits.notes)
    texts = pathways().caveats
    if _later_high(case, limits) is not False and Category.RULE_IN in answers:
        caveats.append(texts["later_high"].show())
    if _threat(case, limits, chosen) is not False and Category.OBSERVE in answers:
        caveats.append(texts["later_change"].show())
    needs: list[str] = []
    if not case.onset.conflicting and _onset_matters(case, limits, chosen, answers):
        needs.append("onset")
    minutes, tolerance = _due(case, algorithm, chosen, answers)
    if minutes is not None:
        needs.append("troponin_second_sample")
        caveats += [chosen.late] if chosen.late and Category.NEED_SECOND in answers else []
    return Verdict(
        categories=answers,
        second=chosen.second,
        due_minutes=minutes,
        tolerance=tolerance,
        basis=basis(case, chosen.second),
        caveats=tuple(caveats),
        needs=tuple(needs),
        rows=tuple(("troponin_assays", row) for row in limits.rows),
        reviews=limits.reviews,
    )


def _possible(
    case: TroponinCase, limits: EscLimits, chosen: Pair, onset: Onset
) -> set[Category | None]:
    """Return every answer a completion reaches; None stands for "a second sample decides"."""
    later_high = _later_high(case, limits)
    if later_high is True:
        return {Category.RULE_IN}
    third = third_sample(case, chosen.second)
    found: set[Category | None] = set()
    for t0 in _parts(case.series.first.interval, limits):
        for part in onset.parts():
            found.update(_answers(case, t0, part, limits, (chosen.second, third)))
    decided = {category for category in found if category is not None}
    kept = without_rule_out(decided, _threat(case, limits, chosen))
    if later_high is None:
        kept.add(Category.RULE_IN)
    return kept | ({None} & found)


def _parts(first: Interval, limits: EscLimits) -> tuple[Interval, ...]:
    cuts = [limits.high]
    if limits.very_low is not None:
        cuts.append(limits.very_low)
    if limits.change is not None:
        cuts.append(limits.change.low)
    return split(first, below=cuts)


def _answers(
    case: TroponinCase,
    t0: Interval,
    onset: Interval | None,
    limits: EscLimits,
    later: tuple[SeriesSample | None, SeriesSample | None],
) -> Iterator[Category | None]:
    second, third = later
    if t0.compare("ge", limits.high):
        yield Category.RULE_IN
        return
    alone = limits.very_low is not None and t0.compare("lt", limits.very_low) is True
    alone = alone and not is_early(onset)
    if second is None or limits.change is None:
        yield Category.RULE_OUT if alone else None
        return
    change = limits.change
    for d in split(
        t0.absolute_difference(second.interval), below=(change.no_delta, change.delta_in)
    ):
        if d.compare("ge", change.delta_in):
            yield Category.RULE_IN
        elif t0.compare("lt", change.low) and d.compare("lt", change.no_delta):
            yield from [Category.RULE_OUT] if alone else _low_and_flat(t0, onset, change, third)
        elif alone:
            forbidden = forbids(case, t0, second, low=change.low)
            yield from without_rule_out({Category.RULE_OUT}, forbidden)
        else:
            yield Category.OBSERVE


def _low_and_flat(
    t0: Interval, onset: Interval | None, change: ChangeLimits, third: SeriesSample | None
) -> Iterator[Category]:
    """Yield the rule-out, which in a very early presenter waits for a low, flat sample from 3 h."""
    if not is_very_early(onset):
        yield Category.RULE_OUT
        return
    if third is None:
        yield Category.PENDING
        return
    low = third.interval.compare("lt", change.low)
    flat = t0.absolute_difference(third.interval).compare("lt", change.no_delta)
    if low is not False and flat is not False:
        yield Category.RULE_OUT
    if not (low and flat):
        yield Category.OBSERVE


def _later_high(case: TroponinCase, limits: EscLimits) -> bool | None:
    return any_of(s.interval.compare("ge", limits.high) for s in case.series.later)


def _threat(case: TroponinCase, limits: EscLimits, chosen: Pair) -> bool | None:
    """Return whether a sample outside the pair forbids a rule-out."""
    first, low = case.series.first.interval, low_zone(case, limits.name)
    others = chosen.others if limits.change is not None else case.series.later
    return any_of(forbids(case, first, sample, low=low) for sample in others)


def _onset_matters(
    case: TroponinCase, limits: EscLimits, chosen: Pair, answers: tuple[Category, ...]
) -> bool:
    """Return whether an onset that is not known, or not exactly, could change the answer."""
    if case.onset.minutes is not None:
        return len(answers) > 1 and len(case.onset.parts()) > 1
    return _possible(case, limits, chosen, ANY) != _possible(case, limits, chosen, case.onset)


def _due(
    case: TroponinCase, algorithm: Algorithm, chosen: Pair, answers: tuple[Category, ...]
) -> tuple[float | None, float]:
    if Category.NEED_SECOND in answers:
        return algorithm.window.nominal, algorithm.window.tolerance
    settled = answers in ((Category.RULE_IN,), (Category.RULE_OUT,))
    if settled or third_sample(case, chosen.second) is not None:
        return None, 0.0
    window = pathways().algorithms["troponin_esc_0_3h"].window
    return window.nominal, window.tolerance
