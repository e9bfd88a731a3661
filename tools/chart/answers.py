"""Resolve every clinical input of the catalogue from one patient's timeline.

A chart that does not mention a condition has not denied it: without an entry the input is not
assessed. Where two sources disagree the input is not assessed either, and the conflict is shown;
only an explicit later answer (``answers`` in ``case.yaml``) settles it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.conflict import Conflict, Side
from knowledge.evidence import describe
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.rules import answer_of, holds
from knowledge.timeline import Timeline
from tools.chart.from_chart import from_conditions, from_observations
from tools.chart.from_demographics import from_demographics
from tools.chart.from_statements import Statement, statements


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One finding for every clinical input, and the conflicts met on the way.

    Args:
        findings: Clinical-input id to its finding; every id of the catalogue is there.
        conflicts: Disagreements between sources.
        claimed: Inputs that at least one source says are present, settled or not.
    """

    findings: Mapping[str, Finding]
    conflicts: tuple[Conflict, ...]
    claimed: frozenset[str]


def resolve(
    timeline: Timeline, *, at: ClinicalTime, from_tools: Mapping[str, Finding] | None = None
) -> Answers:
    """Return what is known of every clinical input at a moment.

    Args:
        timeline: The patient's facts.
        at: The moment of assessment; later facts are not used.
        from_tools: Findings of tools, by clinical-input id.
    """
    stated = statements(timeline, at=at)
    tools = from_tools or {}
    findings: dict[str, Finding] = {}
    conflicts: list[Conflict] = []
    claimed: set[str] = set()
    for input_id, entry in catalogue().inputs.items():
        candidates = _candidates(input_id, entry, timeline, at, stated, tools)
        finding, conflict = _settle(input_id, entry, candidates)
        findings[input_id] = finding
        if conflict is not None:
            conflicts.append(conflict)
        if any(c.state is State.PRESENT for c in candidates):
            claimed.add(input_id)
    _derive(findings)
    return Answers(
        findings=MappingProxyType(findings),
        conflicts=tuple(conflicts),
        claimed=frozenset(claimed),
    )


def _candidates(
    input_id: str,
    entry: ClinicalInput,
    timeline: Timeline,
    at: ClinicalTime,
    stated: Mapping[str, tuple[Statement, ...]],
    tools: Mapping[str, Finding],
) -> list[Finding]:
    """Return one finding of each source that says anything, the strongest source first."""
    said = stated.get(input_id, ())
    settled = [s.finding for s in said if s.settles]
    if settled:
        return [settled[-1]]
    found = [s.finding for s in said[-1:]]
    demographic = from_demographics(input_id, timeline.patient, at=at)
    chart = (
        demographic,
        from_observations(input_id, entry, timeline, at=at),
        from_conditions(input_id, entry, timeline, at=at),
    )
    found += [finding for finding in chart if finding is not None]
    if input_id in tools and not (entry.kind == "quantity" and _any_known(found)):
        found.append(tools[input_id])
    return found


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
    finding = not_assessed(
        catalogue().concept(input_id),
        Why.CONFLICTING,
        "sources disagree: " + " against ".join(_says(c) for c in known),
        evidence=tuple(e for c in known for e in c.evidence),
    )
    conflict = Conflict(
        what=entry.label,
        input=input_id,
        sides=tuple(
            Side(who=describe(c.evidence[0]), says=_says(c), evidence=c.evidence) for c in known
        ),
        consequence=f"not used; settle it with `answers: {{{input_id}: ...}}` in case.yaml",
    )
    return finding, conflict


def _disagree(input_id: str, entry: ClinicalInput, known: list[Finding]) -> bool:
    if entry.kind == "quantity":
        if input_id != "age_years":
            return False  # values change with time: the strongest source's latest one is used
        spans = [c.interval for c in known if c.interval is not None]
        lows = [s.low for s in spans if s.low is not None]
        highs = [s.high for s in spans if s.high is not None]
        return bool(lows and highs) and max(lows) > min(highs)
    return len({(c.state, c.choice) for c in known}) > 1


def _derive(findings: dict[str, Finding]) -> None:
    """Answer inputs from other inputs, where the catalogue says how and nothing else answered."""
    answers = {key: answer_of(finding) for key, finding in findings.items()}
    for input_id, entry in catalogue().inputs.items():
        rule = entry.derive
        if rule is None or findings[input_id].state is not State.NOT_ASSESSED:
            continue
        if findings[input_id].not_assessed and (
            findings[input_id].not_assessed.why is Why.CONFLICTING  # type: ignore[union-attr]
        ):
            continue
        for state, condition in (
            (State.PRESENT, rule.present_when),
            (State.ABSENT, rule.absent_when),
        ):
            if condition is None or not holds(condition, answers):
                continue
            sources = [findings[i] for i in condition.inputs()]
            findings[input_id] = Finding(
                concept=catalogue().concept(input_id),
                state=state,
                time=next((s.time for s in sources if s.time), None),
                flags=("derived",),
                evidence=tuple(e for s in sources for e in s.evidence),
            )


def _any_known(findings: Iterable[Finding]) -> bool:
    return any(f.state is not State.NOT_ASSESSED for f in findings)


def _says(finding: Finding) -> str:
    return str(finding.value) if finding.value is not None else finding.state.value


def _missing(input_id: str) -> Finding:
    return not_assessed(catalogue().concept(input_id), Why.MISSING, "not in the case")
