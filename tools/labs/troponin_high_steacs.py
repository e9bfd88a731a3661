"""The High-STEACS pathway: one low sample, else 3 h against the sex-specific 99th percentile.

The first-sample limit holds only for the assays it was published for. Where the sex is not known
the answers of both limits are kept.
"""

from collections.abc import Iterator

from knowledge.finding import Why
from knowledge.quantity import Interval
from knowledge.troponin import pathways
from knowledge.troponin_rules import Cell
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
from tools.labs.troponin_onset import ANY, Onset, is_early
from tools.labs.troponin_veto import moved
from tools.labs.troponin_wording import basis

_KEY = "troponin_high_steacs"


def evaluate(case: TroponinCase) -> Verdict:
    """Return the verdict of the High-STEACS pathway."""
    single = pathways().high_steacs.single_below.get(case.assay_id)
    both = (case.assay.percentile_99.female, case.assay.percentile_99.male)
    cells = tuple(cell for cell in both if cell is not None)
    if single is None or len(cells) < len(both):
        detail = "not available for this assay: no first-sample limit was published for it"
        return refuse(Why.NOT_AVAILABLE_FOR_ASSAY, detail)
    chosen = pair(case, _KEY)
    limits = cells if case.sex is None else (cells[0 if case.sex == "female" else 1],)
    found = _possible(case, single, limits, chosen, case.onset)
    if None in found and chosen.refused is not None:
        return Verdict(refused=chosen.refused, needs=("troponin_second_sample",))
    answers = ordered(Category.NEED_SECOND if f is None else f for f in found)
    window = pathways().algorithms[_KEY].window
    waits = Category.NEED_SECOND in answers
    sex_open = len({_one(case, single, cell, chosen) for cell in limits}) > 1
    texts = pathways().caveats
    caveats = [texts["sex_open"].show()] if sex_open else []
    threats = {_threat(case, cell.value, chosen) for cell in limits}
    if threats != {False} and Category.OBSERVE in answers:
        caveats.append(texts["later_change"].show())
    needs = ["sex"] if sex_open else []
    if case.onset.minutes is None and not case.onset.conflicting:
        needs += ["onset"] if _possible(case, single, limits, chosen, ANY) != found else []
    return Verdict(
        categories=answers,
        second=chosen.second,
        due_minutes=window.nominal if waits else None,
        tolerance=window.tolerance if waits else 0.0,
        basis=f"{basis(case, chosen.second)}, limit {_show(limits)} ng/L",
        caveats=tuple(caveats + ([chosen.late] if chosen.late and waits else [])),
        needs=tuple(needs + (["troponin_second_sample"] if waits else [])),
        rows=(
            ("troponin_pathways", f"high_steacs.single_below.{case.assay_id}"),
            ("troponin_assays", f"assays.{case.assay_id}.percentile_99"),
        ),
        reviews=(single.review, *(cell.review for cell in limits)),
    )


def _one(case: TroponinCase, single: Cell, cell: Cell, chosen: Pair) -> frozenset[Category | None]:
    return frozenset(_possible(case, single, (cell,), chosen, case.onset))


def _possible(
    case: TroponinCase, single: Cell, limits: tuple[Cell, ...], chosen: Pair, onset: Onset
) -> set[Category | None]:
    found: set[Category | None] = set()
    for limit in limits:
        answers = set(_answers(case, single.value, limit.value, chosen, onset))
        decided = {a for a in answers if a is not None}
        found |= without_rule_out(decided, _threat(case, limit.value, chosen))
        found |= {None} & answers
    return found


def _answers(
    case: TroponinCase, single: float, limit: float, chosen: Pair, onset: Onset
) -> Iterator[Category | None]:
    change_limit = pathways().high_steacs.change_below.value
    for t0 in split(case.series.first.interval, below=(single,)):
        if chosen.second is not None:
            yield from _pair(t0, chosen.second.interval, limit, change_limit)
            continue
        low = t0.compare("lt", single)
        for part in onset.parts():
            yield Category.RULE_OUT if low and not is_early(part) else None


def _pair(t0: Interval, t3: Interval, limit: float, change_limit: float) -> Iterator[Category]:
    for part in split(t3, up_to=(limit,)):
        if part.compare("gt", limit):
            yield Category.RULE_IN
            continue
        flat = t0.absolute_difference(part).compare("lt", change_limit)
        if flat is not False:
            yield Category.RULE_OUT
        if flat is not True:
            yield Category.OBSERVE


def _threat(case: TroponinCase, limit: float, chosen: Pair) -> bool | None:
    """Return whether a sample outside the pair is above the limit or changes too much."""
    first, change = case.series.first.interval, pathways().high_steacs.change_below.value
    return any_of(
        truth
        for s in chosen.others
        for truth in (
            s.interval.compare("gt", limit),
            first.absolute_difference(s.interval).compare("ge", change),
            moved(case, first, s),
        )
    )


def _show(limits: tuple[Cell, ...]) -> str:
    return " or ".join(f"{cell.value:g}" for cell in limits)
