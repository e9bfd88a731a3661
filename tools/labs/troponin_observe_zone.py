"""The observe-zone rule: hs-cTnT at 3 h in a patient whom the ESC 0/1 h algorithm observes.

Rule-out: third sample below a limit and little change from the first. Rule-in: a larger change. All
else stays in the observe zone: imaging and clinical judgement.
"""

from knowledge.finding import Why
from knowledge.troponin import pathways
from knowledge.troponin_rules import RuleObserveZone
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
from tools.labs.troponin_clock import Pair, pair
from tools.labs.troponin_wording import basis

_KEY = "troponin_observe_zone"


def evaluate(case: TroponinCase, esc_0_1h: Verdict) -> Verdict:
    """Return the verdict of the observe-zone rule.

    Args:
        case: The case.
        esc_0_1h: The verdict of the ESC 0/1 h algorithm, which opens this rule.
    """
    rule = pathways().observe_zone
    if case.assay_id not in rule.assays:
        return refuse(Why.NOT_AVAILABLE_FOR_ASSAY, "not available for this assay: hs-cTnT only")
    if esc_0_1h.certain is not Category.OBSERVE or esc_0_1h.second is None:
        why = Why.OUTSIDE_CONTRACT if esc_0_1h.certain else Why.DEPENDS
        detail = "applies only in the observe zone of the ESC 0/1 h algorithm"
        return refuse(why, detail + ("" if esc_0_1h.certain else ", which is not determined"))
    chosen = pair(case, _KEY)
    if chosen.refused is not None:
        return Verdict(refused=chosen.refused, needs=("troponin_second_sample",))
    answers = _possible(case, rule, chosen)
    window = pathways().algorithms[_KEY].window
    waits = Category.NEED_SECOND in answers
    return Verdict(
        categories=answers,
        second=chosen.second,
        due_minutes=window.nominal if waits else None,
        tolerance=window.tolerance if waits else 0.0,
        basis=basis(case, chosen.second),
        caveats=(chosen.late,) if chosen.late and waits else (),
        needs=("troponin_second_sample",) if waits else (),
        rows=(("troponin_pathways", "observe_zone"),),
        reviews=(rule.third_below.review,),
    )


def _possible(case: TroponinCase, rule: RuleObserveZone, chosen: Pair) -> tuple[Category, ...]:
    if chosen.second is None:
        return (Category.NEED_SECOND,)
    first = case.series.first.interval
    limits = (rule.change_out_below.value, rule.change_in_from.value)
    found: set[Category] = set()
    for t3 in split(chosen.second.interval, below=(rule.third_below.value,)):
        for change in split(first.absolute_difference(t3), below=limits):
            if change.compare("ge", rule.change_in_from.value):
                found.add(Category.RULE_IN)
            elif t3.compare("lt", rule.third_below.value) and change.compare(
                "lt", rule.change_out_below.value
            ):
                found.add(Category.RULE_OUT)
            else:
                found.add(Category.OBSERVE)
    threat = any_of(
        first.absolute_difference(s.interval).compare("ge", rule.change_in_from.value)
        for s in chosen.others
    )
    return ordered(without_rule_out(found, threat))
