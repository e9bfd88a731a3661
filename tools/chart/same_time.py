"""Values of one input at one minute: one of them is right, and which one is not known."""

from collections.abc import Iterable, Iterator, Sequence

from knowledge.clinical_inputs import ClinicalInput
from knowledge.clinical_time import elapsed
from knowledge.evidence import Evidence
from knowledge.finding import Finding
from knowledge.quantity import Interval, measured
from knowledge.timeline import SUPERSEDED

DIFFER = "values-differ"
"""Flag of a value that spans several values of one minute which contradict each other."""
FROM_DDU = "converted-ddu-to-feu"
"""Flag of a D-dimer that was reported in DDU."""


def holding(values: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the values without those that a later version replaced."""
    return tuple(v for v in values if SUPERSEDED not in v.flags) or tuple(values)


def latest(values: Sequence[Finding], entry: ClinicalInput) -> Finding:
    """Return the last value; where the last minute has several that differ, their span.

    Args:
        values: In order of time, at least one.
        entry: The input, for its unit and tolerance.
    """
    values = holding(values)
    last = values[-1]
    return spanned([v for v in values if same_minute(v, last)], entry)


def differing(values: Sequence[Finding], entry: ClinicalInput) -> tuple[Finding, ...]:
    """Return the values of the last minute where they contradict each other, else none."""
    values = holding(values)
    last = values[-1]
    group = [v for v in values if same_minute(v, last)]
    return tuple(group) if _contradict(group, entry) else ()


def spanned(group: Sequence[Finding], entry: ClinicalInput) -> Finding:
    """Return one finding for all values of a minute: their span where they contradict."""
    group = holding(group)
    if not _contradict(group, entry):
        return group[-1]
    lows = [v.interval.low for v in group if v.interval is not None]
    highs = [v.interval.high for v in group if v.interval is not None]
    span = Interval(
        low=None if None in lows else min(low for low in lows if low is not None),
        high=None if None in highs else max(high for high in highs if high is not None),
    )
    return group[-1].model_copy(
        update={
            "value": measured(span, entry.unit or ""),
            "reported": " and ".join(dict.fromkeys(shown(v) for v in group)),
            "flags": tuple(dict.fromkeys((*group[-1].flags, DIFFER))),
            "evidence": tuple(_once(e for v in group for e in v.evidence)),
            "body_site": None,
        }
    )


def shown(value: Finding) -> str:
    """Return a value in words as it was reported, with the place it was measured at."""
    return reported(value) + (f" ({value.body_site})" if value.body_site else "")


def reported(value: Finding) -> str:
    """Return a value as it was reported, and beside it as converted; a D-dimer in DDU says so."""
    held = f"{value.value}"
    said = (value.reported or held).partition(" (laboratory's range")[0]
    if FROM_DDU in value.flags:
        return f"{said}{'' if 'DDU' in said else ' DDU'} (= {held} FEU)"
    return held if said == held or not said[:1].isdigit() else f"{said} (= {held})"


def two_forms(group: Sequence[Finding]) -> bool:
    """Return whether values were measured by two assays that count two things: FEU and DDU.

    Two assays of one sample are no two versions of one result: neither is taken for the other, and
    nobody has to say which one holds.
    """
    return len({FROM_DDU in value.flags for value in group}) > 1


def _contradict(group: Sequence[Finding], entry: ClinicalInput) -> bool:
    limit = entry.observation.tolerance if entry.observation is not None else 0.0
    spans = [v.interval for v in group if v.interval is not None]
    lows = [s.low for s in spans if s.low is not None]
    highs = [s.high for s in spans if s.high is not None]
    return bool(lows and highs) and max(lows) - min(highs) > limit


def same_minute(one: Finding, two: Finding) -> bool:
    """Return whether two values were surely taken less than a minute apart."""
    if one is two:
        return True
    apart = elapsed(one.time, two.time).minutes
    return apart is not None and apart.low is not None and apart.low > -1 and _under_one(apart)


def _under_one(apart: Interval) -> bool:
    return apart.high is not None and apart.high < 1


def _once(evidence: Iterable[Evidence]) -> Iterator[Evidence]:
    yield from dict.fromkeys(evidence)
