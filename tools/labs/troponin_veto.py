"""What a sample outside an algorithm's pair must not do, or nothing is ruled out.

The published rules look at two samples. A third that leaves the low zone, or that has moved from
the first by the change which rules in at 1 h, is not compatible with a rule-out in any of them.
"""

from knowledge.quantity import Interval
from knowledge.troponin import assays, pathways
from knowledge.troponin_rules import LimitSet
from tools.labs.troponin_case import TroponinCase
from tools.labs.troponin_category import any_of
from tools.labs.troponin_samples import SeriesSample


def low_zone(case: TroponinCase, name: LimitSet) -> float | None:
    """Return the limit a later sample must stay below in this algorithm, ng/L, if there is one."""
    veto = pathways().rule_out_veto
    return assays().low(case.assay_id, name, veto.change_of) if veto.leaves_low else None


def moved(case: TroponinCase, first: Interval, sample: SeriesSample) -> bool | None:
    """Return whether a sample differs from the first, up or down, by the 0/1 h rule-in change.

    Args:
        case: The case, for its assay.
        first: Possible first values.
        sample: A later sample.
    """
    limit = assays().rule_in_change(case.assay_id, pathways().rule_out_veto.change_of)
    if limit is None:
        return False
    return first.absolute_difference(sample.interval).compare("ge", limit)


def forbids(
    case: TroponinCase, first: Interval, sample: SeriesSample, *, low: float | None
) -> bool | None:
    """Return whether a sample has moved or has left the low zone.

    Args:
        case: The case, for its assay.
        first: Possible first values.
        sample: A later sample.
        low: Limit of the low zone, from `low_zone`; None where the algorithm has none.
    """
    left = False if low is None else sample.interval.compare("ge", low)
    return any_of((left, moved(case, first, sample)))
