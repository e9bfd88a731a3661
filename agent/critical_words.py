"""Critical laboratory results as headline and actions name them: test, value, and every doubt.

Which results are critical is the laboratory's part (`LaboratoryReport.urgent`); those that the
pathway asks for by itself are named from its inputs where that part does not hold them.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from agent.laboratory.model import LaboratoryReport, LaboratoryResult
from agent.state import State
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.finding import Finding
from knowledge.pathways import Pathway
from knowledge.rules import Answer, Condition, holds
from knowledge.shown import value_shown

CONDITION = "critical_laboratory"
"""The pathway's own condition about critical values."""

COLLECTED = "collected "
NEWEST = ", newest "
OF = " of "
NO_VALUE = "without a usable value"

OTHER = "laboratory.critical"
"""Answer: whether a result is critical beside those of the pathway's own condition."""

MARKED = "marked critical by the laboratory"
MAY_BE = "may be critical"
FALSIFIED = "may be falsified by"
UNKNOWN_TEST = "a test that is not held here, see the laboratory part"

BETWEEN = "; "
"""Between two results."""

_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "{critical}": "laboratory.critical-all",
        "{critical_first}": "laboratory.critical-first",
        "{critical_other}": "laboratory.critical-other",
        "{doubt}": "laboratory.doubt-all",
        "{doubt_first}": "laboratory.doubt-first",
        "{doubt_other}": "laboratory.doubt-other",
    }
)


def with_critical(
    state: State,
    pathway: Pathway,
    report: LaboratoryReport | None,
    *,
    time_zone: str | None = None,
) -> State:
    """Return a state that knows the critical results by name.

    Args:
        state: What is known.
        pathway: With its own condition about critical values.
        report: The laboratory's part; None where there is none: then only inputs are named.
        time_zone: IANA zone for times in the wording.
    """
    urgent = () if report is None else report.urgent

    def words(result: LaboratoryResult) -> str:
        newer = None if report is None else report.newer(result)
        return result_words(result, newer, time_zone=time_zone)

    leaves = tuple(_holding(state, pathway))
    own = [r for r in urgent if any(_is_of(r, leaf) for leaf in leaves)]
    other = [r for r in urgent if not any(r is one for one in own)]
    inputs = [leaf for leaf in leaves if not any(_is_of(r, leaf) for r in own)]
    stated = [_stated(state, leaf, time_zone) for leaf in inputs]
    first = (*(words(r) for r in own), *(text for text in stated if text))
    extra: dict[str, Answer] = {
        "laboratory.critical-all": _listed((*first, *map(words, other))),
        "laboratory.critical-first": _listed(first),
        "laboratory.critical-other": _listed(map(words, other)),
        "laboratory.doubt-all": _listed(_doubted(urgent)),
        "laboratory.doubt-first": _listed(_doubted(own)),
        "laboratory.doubt-other": _listed(_doubted(other)),
    }
    if report is not None:
        extra[OTHER] = bool(other)
    basis: dict[str, tuple[Evidence, ...]] = {
        OTHER: tuple(dict.fromkeys(e for r in other for e in r.evidence))
    }
    return state.with_extra(extra, basis)


def critical_said(text: str, state: State) -> str:
    """Return a text with the results it names; a sentence with nothing to name is left out."""
    if not any(place in text for place in _PLACES):
        return text
    kept = []
    for sentence in text.removesuffix(".").split(". "):
        said = sentence
        for place, key in _PLACES.items():
            named = str(state.extra.get(key) or "")
            if place in said:
                said = said.replace(place, named) if named else ""
        if said:
            kept.append(said)
    return ". ".join(kept) + "."


def result_words(
    result: LaboratoryResult, newer: LaboratoryResult | None, *, time_zone: str | None
) -> str:
    """Return a critical result with its value and unit, and what leaves it in doubt.

    One that is not the newest of its test is told as that: when it was collected, and the newest.
    Words of outside (a name that we do not hold, an answer in words) are not repeated here.
    """
    name = result.name if result.test is not None else UNKNOWN_TEST
    value = f" {_value(result)}" if result.quantity is not None and result.value else ""
    said = [
        *([] if newer is None else [_past(result, newer, time_zone)]),
        *([MAY_BE] if _uncertain(result) else []),
        *([MARKED] if result.marked_critical else []),
        *([f"{FALSIFIED}: {', '.join(result.falsified_by)}"] if result.falsified_by else []),
    ]
    return f"{name}{value}" + (f" ({' / '.join(said)})" if said else "")


def _value(result: LaboratoryResult) -> str:
    return value_shown(result.value)


def _past(result: LaboratoryResult, newer: LaboratoryResult, zone: str | None) -> str:
    known = newer.quantity is not None and bool(newer.value)
    value = _value(newer) if known else NO_VALUE
    return collected(result.time, value, newer.time, zone)


def collected(
    time: ClinicalTime | None, newest: str, newest_time: ClinicalTime | None, zone: str | None
) -> str:
    """Return when a result that is not the newest was collected, and the newest with its time."""
    of = "" if newest_time is None else f"{OF}{newest_time.show(zone)}"
    when = "time not stated" if time is None else time.show(zone)
    return f"{COLLECTED}{when}{NEWEST}{newest}{of}"


def _uncertain(result: LaboratoryResult) -> bool:
    limits = result.flag.critical
    return result.may_be_critical or (bool(limits) and not any(one.certain for one in limits))


def _doubted(results: Iterable[LaboratoryResult]) -> Iterator[str]:
    for result in results:
        if result.falsified_by:
            yield result.name if result.test is not None else UNKNOWN_TEST


def _listed(texts: Iterable[str]) -> str:
    return BETWEEN.join(dict.fromkeys(texts))


def _holding(state: State, pathway: Pathway) -> Iterator[Condition]:
    """Yield the parts of the pathway's own condition that hold."""
    row = pathway.conditions.get(CONDITION)
    answers = state.answers()
    for leaf in row.when.leaves() if row is not None else ():
        if leaf.input is not None and holds(leaf, answers) is True:
            yield leaf


def _is_of(result: LaboratoryResult, leaf: Condition) -> bool:
    entry = catalogue().inputs.get(_input(leaf))
    side = "high" if leaf.ge is not None or leaf.gt is not None else "low"
    reached = any(limit.side == side and limit.certain for limit in result.flag.critical)
    return entry is not None and entry.analyte == result.test and reached


def _stated(state: State, leaf: Condition, zone: str | None) -> str:
    key = leaf.input or ""
    found: Finding | None = state.series.get(key) or state.findings.get(_input(leaf))
    if found is None or found.value is None:
        return ""
    said = f"{catalogue().inputs[_input(leaf)].label} {value_shown(str(found.value))}"
    newest = state.findings.get(_input(leaf))
    if newest is None or newest.value is None or newest.time in (None, found.time):
        return said
    past = collected(found.time, value_shown(str(newest.value)), newest.time, zone)
    return f"{said} ({past})"


def _input(leaf: Condition) -> str:
    return (leaf.input or "").partition(".")[2] or (leaf.input or "")
