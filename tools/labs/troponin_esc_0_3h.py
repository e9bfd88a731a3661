"""The ESC 0/3 h rule (2015, kept as a fallback), in multiples of the overall 99th percentile.

Rule-out: neither sample above the limit without a relevant change, or a single first sample not
above it when the pain began long enough ago; in both cases free of pain and with a GRACE score
below the limit. Rule-in: a first sample far above the limit; a rise from not above it to above it
by more than half of it; or both above it with a relative change of more than a fifth.

The source does not say what a relevant change below the limit is: half of the limit is used, as for
its rule-in; and a change that rules in at 1 h is never ruled out. The sources do not judge a fall
from above the limit to not above it: it is observed.
"""

from collections.abc import Iterator

from knowledge.quantity import Interval
from knowledge.troponin import pathways
from knowledge.troponin_rules import Rule03
from tools.labs.troponin_case import TroponinCase
from tools.labs.troponin_category import (
    RULE_OUTS,
    Category,
    Verdict,
    any_of,
    ordered,
    split,
    without_rule_out,
)
from tools.labs.troponin_change import percent_change_exceeds
from tools.labs.troponin_clock import Pair, pair
from tools.labs.troponin_onset import ANY, Onset, is_long
from tools.labs.troponin_veto import moved
from tools.labs.troponin_wording import basis

_KEY = "troponin_esc_0_3h"


def evaluate(case: TroponinCase) -> Verdict:
    """Return the verdict of the ESC 0/3 h rule."""
    algorithm = pathways().algorithms[_KEY]
    chosen = pair(case, _KEY)
    found = _possible(case, chosen, case.onset)
    if None in found and chosen.refused is not None:
        return Verdict(refused=chosen.refused, needs=("troponin_second_sample",))
    answers = ordered(Category.NEED_SECOND if f is None else f for f in found)
    waits = Category.NEED_SECOND in answers
    texts = pathways().caveats
    caveats = [texts["conditions_0_3h"].show(grace=_rule().grace_below.value)]
    if _threat(case, chosen) is not False and Category.OBSERVE in answers:
        caveats.append(texts["later_change"].show())
    return Verdict(
        categories=answers,
        second=chosen.second,
        due_minutes=algorithm.window.nominal if waits else None,
        tolerance=algorithm.window.tolerance if waits else 0.0,
        basis=f"{basis(case, chosen.second)}, limit {case.limit_99:g} ng/L",
        caveats=tuple(caveats + ([chosen.late] if chosen.late and waits else [])),
        needs=_needs(case, chosen, answers),
        rows=(
            ("troponin_pathways", "esc_0_3h"),
            ("troponin_assays", f"assays.{case.assay_id}.percentile_99.overall"),
        ),
        reviews=_reviews(case),
    )


def _possible(case: TroponinCase, chosen: Pair, onset: Onset) -> set[Category | None]:
    limit = case.limit_99
    far = limit * _rule().rule_in_times_limit_above.value
    later_far = any_of(s.interval.compare("gt", far) for s in case.series.later)
    if later_far is True:
        return {Category.RULE_IN}
    found: set[Category | None] = set()
    for t0 in split(case.series.first.interval, up_to=(limit, far)):
        if t0.compare("gt", far):
            found.add(Category.RULE_IN)
        elif chosen.second is not None:
            found.update(_pair(t0, chosen.second.interval, limit))
        else:
            low = t0.compare("le", limit)
            found.update(Category.RULE_OUT if low and is_long(p) else None for p in onset.parts())
    decided = without_rule_out({f for f in found if f is not None}, _threat(case, chosen))
    decided = without_rule_out(decided, _conditions_fail(case))
    if later_far is None:
        decided.add(Category.RULE_IN)
    return decided | ({None} & found)


def _pair(t0: Interval, t3: Interval, limit: float) -> Iterator[Category]:
    relevant = limit * _rule().change_percent_of_limit.value / 100
    for t3_part in split(t3, up_to=(limit,)):
        first_above, third_above = t0.compare("gt", limit), t3_part.compare("gt", limit)
        if first_above and third_above:
            moved = percent_change_exceeds(t0, t3_part, _rule().change_percent_of_first.value)
            yield from _either(moved, Category.RULE_IN, Category.OBSERVE)
        elif first_above:
            yield Category.OBSERVE
        else:
            moved = t0.absolute_difference(t3_part).compare("gt", relevant)
            if third_above:
                yield from _either(moved, Category.RULE_IN, Category.OBSERVE)
            else:
                yield from _either(moved, Category.OBSERVE, Category.RULE_OUT)


def _either(truth: bool | None, yes: Category, no: Category) -> Iterator[Category]:
    if truth is not False:
        yield yes
    if truth is not True:
        yield no


def _threat(case: TroponinCase, chosen: Pair) -> bool | None:
    """Return whether a sample outside the pair is raised, or any has moved too much."""
    first, limit = case.series.first.interval, case.limit_99
    relevant = limit * _rule().change_percent_of_limit.value / 100
    return any_of(
        (
            *(s.interval.compare("gt", limit) for s in chosen.others),
            *(first.absolute_difference(s.interval).compare("gt", relevant) for s in chosen.others),
            *(moved(case, first, s) for s in case.series.later),
        )
    )


def _conditions_fail(case: TroponinCase) -> bool | None:
    """Return whether pain or the GRACE score forbids a rule-out."""
    high = None if case.grace is None else case.grace.compare("ge", _rule().grace_below.value)
    return any_of((case.pain_ongoing, high))


def _needs(case: TroponinCase, chosen: Pair, answers: tuple[Category, ...]) -> tuple[str, ...]:
    needs: list[str] = []
    unknown = case.onset.minutes is None and not case.onset.conflicting
    if unknown and _possible(case, chosen, ANY) != _possible(case, chosen, case.onset):
        needs.append("onset")
    if RULE_OUTS & set(answers):
        needs += ["pain_ongoing"] if case.pain_ongoing is None else []
        needs += ["grace_points"] if case.grace is None else []
    if Category.NEED_SECOND in answers:
        needs.append("troponin_second_sample")
    return tuple(needs)


def _reviews(case: TroponinCase) -> tuple[str, ...]:
    overall = case.assay.percentile_99.overall
    own = (pathways().algorithms[_KEY].review,)
    return own if overall is None else (*own, overall.review)


def _rule() -> Rule03:
    return pathways().esc_0_3h
