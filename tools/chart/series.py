"""A number that changes: its first, lowest and highest value of this presentation.

The latest blood pressure says how the patient is now; what was measured before still happened. A
rule about danger reads the worst value, GRACE the one on admission.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations

from knowledge.clinical_inputs import ClinicalInput, SideDifference, catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.finding import Finding, State
from knowledge.timeline import Timeline
from tools.chart.from_chart import chart_values
from tools.chart.from_statements import Statement, is_settled
from tools.chart.same_time import holding, same_minute, spanned

_NAMES = ("first", "lowest", "highest")


def series_findings(
    timeline: Timeline, stated: Mapping[str, tuple[Statement, ...]], *, at: ClinicalTime
) -> dict[str, Finding]:
    """Return ``first.<id>``, ``lowest.<id>`` and ``highest.<id>`` of every number that is charted.

    A value stated by hand counts as one of the values; an explicit answer stands for all of them.
    """
    found: dict[str, Finding] = {}
    for input_id, entry in catalogue().inputs.items():
        if entry.kind != "quantity" or entry.observation is None:
            continue
        every = _values(input_id, entry, timeline, stated.get(input_id, ()), at)
        values = list(holding(every))
        if values:
            found[f"first.{input_id}"] = spanned(_first(values), entry)
            found[f"lowest.{input_id}"] = min(values, key=_low)
            found[f"highest.{input_id}"] = max(values, key=_high)
    return found


def joined(
    series: Mapping[str, Finding],
    input_id: str,
    values: Iterable[Finding],
    stated: Finding,
) -> dict[str, Finding]:
    """Return the series with more values of one number, from a source beside the chart.

    Args:
        series: As `series_findings` gives it.
        input_id: The number.
        values: Of the other source, in the input's unit, for example the rate of each ECG.
        stated: The input's finding; an explicit answer stands for all values and stays.
    """
    more = [value for value in values if value.interval is not None]
    if not more or is_settled(stated):
        return dict(series)
    entry = catalogue().get(input_id)
    of = {name: [series[k]] if (k := f"{name}.{input_id}") in series else [] for name in _NAMES}
    return {
        **series,
        f"first.{input_id}": spanned(_first([*of["first"], *more]), entry),
        f"lowest.{input_id}": min([*of["lowest"], *more], key=_low),
        f"highest.{input_id}": max([*of["highest"], *more], key=_high),
    }


def arm_difference(
    input_id: str, rule: SideDifference, timeline: Timeline, *, at: ClinicalTime
) -> Finding | None:
    """Return `present` where the two arms differ by more than the rule allows, else None.

    Two equal arms are not `absent`: a pulse deficit is more than a pressure.
    """
    other = catalogue().get(rule.of)
    values = chart_values(rule.of, other, timeline, at=at)
    for one, two in combinations(values, 2):
        if {_side(one, rule), _side(two, rule)} != {"left", "right"}:
            continue
        apart = elapsed(one.time, two.time).minutes
        if apart is None or apart.high is None or abs(apart.high) > rule.within_minutes:
            continue
        if one.interval is None or two.interval is None:
            continue
        if one.interval.absolute_difference(two.interval).compare("gt", rule.above):
            return Finding(
                concept=catalogue().concept(input_id),
                state=State.PRESENT,
                time=two.time,
                flags=("derived",),
                reported="; ".join(f"{v.body_site} {v.value}" for v in (one, two)),
                evidence=one.evidence + two.evidence,
            )
    return None


def _values(
    input_id: str,
    entry: ClinicalInput,
    timeline: Timeline,
    said: Iterable[Statement],
    at: ClinicalTime,
) -> list[Finding]:
    stated = [s for s in said if s.finding.state is State.PRESENT and s.finding.interval]
    settled = [s.finding for s in stated if s.settles]
    if settled:
        return settled[-1:]
    return [*(s.finding for s in stated), *chart_values(input_id, entry, timeline, at=at)]


def _first(values: list[Finding]) -> list[Finding]:
    timed = [v for v in values if v.time is not None]
    if not timed:
        return values[-1:]
    earliest = min(timed, key=lambda v: v.time.sort_key if v.time else "")
    return [v for v in timed if same_minute(v, earliest)]


def _side(value: Finding, rule: SideDifference) -> str | None:
    site = (value.body_site or "").casefold()
    if not any(word in site for word in rule.arm):
        return None
    left = any(word in site for word in rule.left)
    right = any(word in site for word in rule.right)
    return None if left == right else "left" if left else "right"


def _low(value: Finding) -> float:
    low = value.interval.low if value.interval is not None else None
    return float("-inf") if low is None else low


def _high(value: Finding) -> float:
    high = value.interval.high if value.interval is not None else None
    return float("inf") if high is None else high
