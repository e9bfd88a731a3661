"""The observe-zone rule: hs-cTnT at 3 h in a patient whom the ESC 0/1 h algorithm observes.

Rule-out: third sample below a limit and little change from the first. Rule-in: a larger change. All
else stays in the observe zone: imaging and clinical judgement. A sample beside the three that is
not itself below the limit with little change forbids the rule-out.
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
from tools.labs.troponin_samples import SeriesSample
from tools.labs.troponin_veto import moved
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
    extra = tuple(s for s in chosen.others if s is not esc_0_1h.second)
    threat = any_of(_forbids(case, rule, sample) for sample in extra)
    answers = _possible(case, rule, chosen, threat)
    window = pathways().algorithms[_KEY].window
    waits = Category.NEED_SECOND in answers
    return Verdict(
        categories=answers,
        second=chosen.second,
        due_minutes=window.nominal if waits else None,
        tolerance=window.tolerance if waits else 0.0,
        basis=basis(case, chosen.second),
        caveats=_caveats(chosen, answers, threat),
        needs=("troponin_second_sample",) if waits else (),
        rows=(("troponin_pathways", "observe_zone"),),
        reviews=(rule.third_below.review,),
    )


def _caveats(chosen: Pair, answers: tuple[Category, ...], threat: bool | None) -> tuple[str, ...]:
    late = (chosen.late,) if chosen.late and Category.NEED_SECOND in answers else ()
    if threat is False or Category.OBSERVE not in answers:
        return late
    return (*late, pathways().caveats["later_change"].show())


def _possible(
    case: TroponinCase, rule: RuleObserveZone, chosen: Pair, threat: bool | None
) -> tuple[Category, ...]:
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
    return ordered(without_rule_out(found, threat))


def _forbids(case: TroponinCase, rule: RuleObserveZone, sample: SeriesSample) -> bool | None:
    """Return whether a sample beside the three is not itself compatible with the rule-out."""
    first = case.series.first.interval
    change = first.absolute_difference(sample.interval)
    return any_of(
        (
            sample.interval.compare("ge", rule.third_below.value),
            change.compare("ge", rule.change_out_below.value),
            moved(case, first, sample),
        )
    )
