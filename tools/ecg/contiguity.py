"""Which leads decide together: a rule needs several contiguous leads that say the same.

Groups and neighbours are data (`StElevation` of the ECG criteria). Each lead says yes, no or not
known; two leads say yes together only if both do.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from knowledge.ecg_criteria import StElevation
from knowledge.finding import NotAssessed
from tools.ecg.verdict import every, some


@dataclass(frozen=True, kw_only=True)
class Call:
    """What one lead says.

    Args:
        lead: Name of the lead.
        holds: Whether the limit is met; None where not known.
        words: The value and the limit.
        margin_mv: How far the value is beyond the limit, mV; negative where it is not met.
        why: The reason where `holds` is None.
    """

    lead: str
    holds: bool | None
    words: str
    margin_mv: float = 0.0
    why: NotAssessed | None = None


def contiguous(calls: Mapping[str, Call], sets: Iterable[tuple[str, ...]]) -> bool | None:
    """Return whether all leads of any set say yes; a lead without a call is not known."""
    return some(every(_holds(calls, lead) for lead in leads) for leads in sets)


def deciding(calls: Mapping[str, Call], sets: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the leads of every set whose leads all say yes, in the order of `calls`."""
    found = {
        lead
        for leads in sets
        if every(_holds(calls, lead) for lead in leads) is True
        for lead in leads
    }
    return tuple(lead for lead in calls if lead in found)


def region_names(rule: StElevation, leads: Collection[str]) -> tuple[str, ...]:
    """Return the names of the groups that two of the leads share, else of the neighbours."""
    groups = tuple(g for g in rule.groups if len(set(rule.groups[g]) & set(leads)) > 1)
    return groups or tuple(n for n, pair in rule.neighbours.items() if set(pair) <= set(leads))


def nearest(calls: Mapping[str, Call], leads: Collection[str], number: int) -> tuple[str, ...]:
    """Return the assessed leads nearest to their limit, nearest first."""
    known = [call for lead, call in calls.items() if lead in leads and call.holds is not None]
    return tuple(call.lead for call in sorted(known, key=lambda c: -c.margin_mv)[:number])


def words(calls: Mapping[str, Call], leads: Iterable[str]) -> str:
    """Return the values and limits of these leads."""
    return "; ".join(calls[lead].words for lead in leads)


def open_call(calls: Mapping[str, Call], sets: Iterable[tuple[str, ...]]) -> Call | None:
    """Return a call that keeps a set unknown, where one does."""
    for leads in sets:
        if every(_holds(calls, lead) for lead in leads) is None:
            for lead in leads:
                if lead in calls and calls[lead].holds is None:
                    return calls[lead]
    return None


def group_sets(rule: StElevation, group: str) -> tuple[tuple[str, ...], ...]:
    """Return every set of contiguous leads of one group."""
    return tuple(combinations(rule.groups[group], rule.leads_needed))


def all_sets(rule: StElevation, leads: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return every set of contiguous leads, of groups and neighbours, among the leads given."""
    among = set(leads)
    return tuple(s for s in _sets(rule) if set(s) <= among)


def _sets(rule: StElevation) -> Iterator[tuple[str, ...]]:
    for group in rule.groups:
        yield from group_sets(rule, group)
    yield from rule.neighbours.values()


def _holds(calls: Mapping[str, Call], lead: str) -> bool | None:
    call = calls.get(lead)
    return None if call is None else call.holds
