"""Resolve every clinical input of the catalogue from one patient's timeline.

A chart that does not mention a condition has not denied it: without an entry the input is not
assessed. Where two sources disagree the input is not assessed either, and the conflict is shown;
only an explicit later answer (``answers`` in ``case.yaml``) settles it. An answer does not settle
who the patient is: age and sex that the record states stay beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.conflict import Conflict, Side
from knowledge.evidence import describe
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.rules import Answer, answer_of, holds
from knowledge.timeline import Timeline
from tools.chart.from_chart import (
    chart_values,
    from_conditions,
    from_medications,
    from_observations,
)
from tools.chart.from_demographics import from_demographics, recorded
from tools.chart.from_readings import from_readings
from tools.chart.from_statements import Statement, is_settled, statements
from tools.chart.same_time import DIFFER, differing, shown, two_forms
from tools.chart.series import arm_difference, series_findings


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One finding for every clinical input, and the conflicts met on the way.

    Args:
        findings: Clinical-input id to its finding; every id that was asked is there.
        conflicts: Disagreements between sources.
        claimed: Inputs that at least one source says are present, settled or not.
        series: ``first.<id>``, ``lowest.<id>`` and ``highest.<id>`` of what was measured.
    """

    findings: Mapping[str, Finding]
    conflicts: tuple[Conflict, ...]
    claimed: frozenset[str]
    series: Mapping[str, Finding] = field(default_factory=lambda: MappingProxyType({}))


def resolve(
    timeline: Timeline,
    *,
    at: ClinicalTime,
    from_tools: Mapping[str, Finding] | None = None,
    entries: Mapping[str, ClinicalInput] | None = None,
) -> Answers:
    """Return what is known of every clinical input at a moment.

    Args:
        timeline: The patient's facts.
        at: The moment of assessment; later facts are not used.
        from_tools: Findings of tools, by clinical-input id.
        entries: The questions; the default is those of the pathway, without those on request.
    """
    asked = catalogue().inputs if entries is None else entries
    charted = _charted(timeline, at, asked)
    tools = from_tools or {}
    findings: dict[str, Finding] = {}
    conflicts: list[Conflict] = []
    claimed: set[str] = set()
    for input_id, entry in asked.items():
        candidates = _candidates(input_id, entry, charted, tools)
        finding, conflict = _settle(input_id, entry, candidates)
        findings[input_id] = finding
        if conflict is not None:
            conflicts.append(conflict)
        if any(c.state is State.PRESENT for c in candidates):
            claimed.add(input_id)
        conflicts += _of_one_minute(input_id, entry, finding, timeline, at)
    series = dict(charted.series)
    conflicts += _derive(findings, series, timeline, at, asked)
    claimed |= {c.input for c in conflicts if c.input is not None}
    return Answers(
        findings=MappingProxyType(findings),
        conflicts=tuple(conflicts),
        claimed=frozenset(claimed),
        series=MappingProxyType(series),
    )


def _of_one_minute(
    input_id: str, entry: ClinicalInput, finding: Finding, timeline: Timeline, at: ClinicalTime
) -> list[Conflict]:
    """Return the contradiction between values of one minute that `finding` spans, if any."""
    if DIFFER not in finding.flags:
        return []
    sides = differing(chart_values(input_id, entry, timeline, at=at), entry)
    if two_forms(sides):
        return []
    return [
        Conflict(
            what=entry.label,
            input=input_id,
            sides=tuple(
                Side(who=describe(s.evidence[0]), says=shown(s), evidence=s.evidence) for s in sides
            ),
            consequence="taken at one time: rules are given the whole span, rules about danger "
            f"the worst value; settle it with `answers: {{{input_id}: ...}}` in case.yaml",
        )
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Charted:
    """What the record says by itself, whatever tools find: read once for each moment.

    Args:
        stated: Statements by hand, by input.
        candidates: One finding of each source of the record, the strongest first.
        recorded: What the patient's identity says, by input.
        series: First, lowest and highest values.
    """

    stated: Mapping[str, tuple[Statement, ...]]
    candidates: Mapping[str, tuple[Finding, ...]]
    recorded: Mapping[str, Finding]
    series: Mapping[str, Finding]


def _charted(timeline: Timeline, at: ClinicalTime, asked: Mapping[str, ClinicalInput]) -> _Charted:
    key = ("charted", at, tuple(asked))
    if key not in timeline.memo:
        stated = statements(timeline, at=at)
        timeline.memo[key] = _Charted(
            stated=stated,
            candidates={
                input_id: _of_record(input_id, entry, timeline, at, stated)
                for input_id, entry in asked.items()
            },
            recorded={
                input_id: said
                for input_id in catalogue().inputs
                if (said := recorded(input_id, timeline.patient, at=at)) is not None
            },
            series=series_findings(timeline, stated, at=at),
        )
    found: _Charted = timeline.memo[key]
    return found


def _of_record(
    input_id: str,
    entry: ClinicalInput,
    timeline: Timeline,
    at: ClinicalTime,
    stated: Mapping[str, tuple[Statement, ...]],
) -> tuple[Finding, ...]:
    said = stated.get(input_id, ())
    chart = (
        from_demographics(input_id, timeline.patient, at=at),
        from_observations(input_id, entry, timeline, at=at),
        from_conditions(input_id, entry, timeline, at=at),
        from_medications(input_id, entry, timeline, at=at),
    )
    read = from_readings(input_id, timeline, at=at)
    return (*(s.finding for s in said[-1:]), *(f for f in chart if f is not None), *read)


def _candidates(
    input_id: str, entry: ClinicalInput, charted: _Charted, tools: Mapping[str, Finding]
) -> list[Finding]:
    """Return one finding of each source that says anything, the strongest source first."""
    settled = [s.finding for s in charted.stated.get(input_id, ()) if s.settles]
    if settled:
        return [settled[-1], *_identity(input_id, settled[-1], charted)]
    found = list(charted.candidates[input_id])
    if input_id in tools and not (entry.kind == "quantity" and _any_known(found)):
        found.append(tools[input_id])
    return found


def _identity(input_id: str, answer: Finding, charted: _Charted) -> list[Finding]:
    """Return what the record says of the patient's identity, beside an answer that differs or not.

    Where the answer is "unknown" the record does not count either: somebody doubts it.
    """
    said = charted.recorded.get(input_id)
    return [] if said is None or answer.state is State.NOT_ASSESSED else [said]


def _settle(
    input_id: str, entry: ClinicalInput, candidates: list[Finding]
) -> tuple[Finding, Conflict | None]:
    known = [c for c in candidates if c.state is not State.NOT_ASSESSED]
    if not known:
        if candidates:
            return candidates[0], None
        return _missing(input_id), None
    if entry.kind == "time" or not _disagree(input_id, entry, known):
        return known[0], None
    return _disagreement(input_id, known), _conflict(input_id, entry, known)


def _disagree(input_id: str, entry: ClinicalInput, known: list[Finding]) -> bool:
    if entry.kind == "quantity":
        if input_id != "age_years":
            return False  # values change with time: the strongest source's latest one is used
        spans = [c.interval for c in known if c.interval is not None]
        lows = [s.low for s in spans if s.low is not None]
        highs = [s.high for s in spans if s.high is not None]
        return bool(lows and highs) and max(lows) > min(highs)
    return len({(c.state, c.choice) for c in known}) > 1


def _derive(
    findings: dict[str, Finding],
    series: Mapping[str, Finding],
    timeline: Timeline,
    at: ClinicalTime,
    asked: Mapping[str, ClinicalInput],
) -> list[Conflict]:
    """Answer inputs from other inputs as the catalogue says, and return what contradicts.

    A systolic pressure of 70 beside "no shock" is a disagreement between two sources, not a reason
    to believe the second.
    """
    known = {**findings, **series}
    answers = {key: answer_of(finding) for key, finding in known.items()}
    conflicts: list[Conflict] = []
    for input_id, entry in asked.items():
        derived = _derived(input_id, entry, known, answers)
        if entry.sides is not None and derived is None:
            derived = arm_difference(input_id, entry.sides, timeline, at=at)
        given = findings[input_id]
        if derived is None or given.state is derived.state:
            continue
        if _is_conflict(given) or is_settled(given):
            continue
        if given.state is State.NOT_ASSESSED:
            findings[input_id] = derived
        else:
            findings[input_id] = _disagreement(input_id, [given, derived])
            conflicts.append(_conflict(input_id, entry, [given, derived]))
        known[input_id] = findings[input_id]
        answers[input_id] = answer_of(findings[input_id])
    return conflicts


def _derived(
    input_id: str,
    entry: ClinicalInput,
    findings: Mapping[str, Finding],
    answers: Mapping[str, Answer],
) -> Finding | None:
    rule = entry.derive
    if rule is None:
        return None
    for state, condition in (
        (State.PRESENT, rule.present_when),
        (State.ABSENT, rule.absent_when),
    ):
        if condition is None or not holds(condition, answers):
            continue
        sources = [findings[i] for i in dict.fromkeys(condition.inputs()) if i in findings]
        known = [s for s in sources if s.state is not State.NOT_ASSESSED]
        return Finding(
            concept=catalogue().concept(input_id),
            state=state,
            time=next((s.time for s in known if s.time), None),
            flags=("derived",),
            reported="; ".join(f"{s.concept.text} {_says(s)}" for s in known),
            evidence=tuple(e for s in known for e in s.evidence),
        )
    return None


def _is_conflict(finding: Finding) -> bool:
    return finding.not_assessed is not None and finding.not_assessed.why is Why.CONFLICTING


def _disagreement(input_id: str, known: list[Finding]) -> Finding:
    return not_assessed(
        catalogue().concept(input_id),
        Why.CONFLICTING,
        "sources disagree: " + " against ".join(_says(c) for c in known),
        evidence=tuple(e for c in known for e in c.evidence),
    )


def _conflict(input_id: str, entry: ClinicalInput, known: list[Finding]) -> Conflict:
    return Conflict(
        what=entry.label,
        input=input_id,
        sides=tuple(
            Side(
                who=describe(c.evidence[0]),
                says=f"{_says(c)} (from {c.reported})" if "derived" in c.flags else _says(c),
                evidence=c.evidence,
            )
            for c in known
        ),
        consequence=_way_out(input_id, known),
    )


def _way_out(input_id: str, known: list[Finding]) -> str:
    if any(is_settled(c) for c in known):
        return (
            "not used: an answer does not change what the record says of who the patient is; "
            "answer as the record says, or correct the record"
        )
    return f"not used; settle it with `answers: {{{input_id}: ...}}` in case.yaml"


def _any_known(findings: Iterable[Finding]) -> bool:
    return any(f.state is not State.NOT_ASSESSED for f in findings)


def _says(finding: Finding) -> str:
    return str(finding.value) if finding.value is not None else finding.state.value


def _missing(input_id: str) -> Finding:
    return not_assessed(catalogue().concept(input_id), Why.MISSING, "not in the case")
