"""Which statements say the same, and which rest on one another: by the outputs they name.

A result stands in a report several times: as the statement of its rule, in the summary, in the
verdicts, in what is advised because of it, and in the headline. Whoever changes it in one place is
shown the other places, so that a signed report does not contradict itself.
"""

from collections.abc import Iterable, Mapping, Sequence

from agent.assessment import Assessment, DifferentialEntry, Verdict
from agent.narrative import score_sentence
from knowledge.evidence import Evidence, ToolEvidence
from knowledge.model import Frozen
from knowledge.risk import Risk
from serving.signing.model import Statement

Key = tuple[str, ...]


class _Told(Frozen):
    """What one statement is about.

    Args:
        own: Results it is the telling of: what rests on these rests on the statement.
        states: Results it says something of.
        rests: Results it rests on.
    """

    own: frozenset[Key] = frozenset()
    states: frozenset[Key] = frozenset()
    rests: frozenset[Key] = frozenset()


def related(
    assessment: Assessment, statements: Sequence[Statement]
) -> Mapping[str, tuple[str, ...]]:
    """Return for each statement the others that say the same or rest on it, by id, in order.

    Args:
        assessment: The version.
        statements: Everything it says.
    """
    results = _Results(assessment)
    told = {one.id: _told(one, results) for one in statements}
    return {
        one.id: tuple(
            other.id
            for other in statements
            if other.id != one.id and _touches(one, other, told[one.id], told[other.id])
        )
        for one in statements
    }


def names_of(assessment: Assessment, evidence: Iterable[Evidence], text: str) -> tuple[str, ...]:
    """Return the names of the scores and rules that a sentence tells, in the order of the risks."""
    results = _Results(assessment)
    keys = results.told_by(text) or results.named(tuple(evidence))
    return tuple(r.name for r in assessment.risks if _risk_key(r) in keys)


def listed(assessment: Assessment, text: str) -> tuple[DifferentialEntry, ...]:
    """Return the diagnoses that a sentence of the summary lists under one verdict."""
    for verdict in Verdict:
        head = f"{verdict.value.capitalize()}: "
        if text.startswith(head):
            named = text.removeprefix(head)
            having = (e for e in assessment.differential if e.verdict is verdict)
            return tuple(entry for entry in having if entry.diagnosis in named)
    return ()


def risk_of(assessment: Assessment, statement: Statement) -> Risk | None:
    """Return the risk that a statement of kind ``risk`` states."""
    subjects = {f"risk:{risk.tool}:{risk.name}": risk for risk in assessment.risks}
    return subjects.get(statement.subject)


def _touches(one: Statement, other: Statement, told: _Told, its: _Told) -> bool:
    if one.kind == "recommendation" and other.kind != "headline":
        return False  # what is not done does not make a result another one
    return bool(told.states & its.states or told.own & its.rests)


class _Results:
    """The results of one assessment, and which of them some evidence names.

    A version that was kept before results named themselves is read by what they rest on: a
    statement that rests on all of it rests on the result.
    """

    def __init__(self, assessment: Assessment) -> None:
        self.assessment = assessment
        self._by_tool: dict[str, list[Risk]] = {}
        for risk in assessment.risks:
            self._by_tool.setdefault(risk.tool, []).append(risk)
        self._unnamed = [r for r in assessment.risks if len(r.evidence) > 1 and not _is_named(r)]

    def named(self, evidence: Sequence[Evidence]) -> frozenset[Key]:
        """Return the scores and rules that some evidence names."""
        keys = {key for key in self.outputs(evidence) if key[0] == "risk"}
        return frozenset(keys)

    def outputs(self, evidence: Sequence[Evidence]) -> frozenset[Key]:
        """Return every computed result that some evidence names."""
        found = {self._key(e) for e in evidence if isinstance(e, ToolEvidence)}
        if self._unnamed:
            every = set(evidence)
            found |= {_risk_key(r) for r in self._unnamed if every.issuperset(r.evidence)}
        return frozenset(found)

    def told_by(self, text: str) -> frozenset[Key]:
        """Return the scores and rules whose own sentence this is."""
        return frozenset(
            _risk_key(risk)
            for risk in self.assessment.risks
            if text in (f"{risk.name}: {risk.statement or risk.category}", score_sentence(risk))
        )

    def _key(self, evidence: ToolEvidence) -> Key:
        own = self._by_tool.get(evidence.tool, [])
        named = [risk for risk in own if risk.name == evidence.output]
        if named or len(own) == 1:
            return _risk_key((named or own)[0])
        return ("tool", evidence.tool, evidence.output)


def _told(one: Statement, results: _Results) -> _Told:
    outputs = results.outputs(one.evidence)
    match one.kind:
        case "risk":
            risk = risk_of(results.assessment, one)
            own = frozenset({_risk_key(risk)} if risk is not None else ())
            return _Told(own=own, states=own, rests=outputs | own)
        case "sentence":
            return _sentence(one, results, outputs)
        case "differential":
            entries = [
                e for e in results.assessment.differential if _entry_subject(e) == one.subject
            ]
            return _verdicts(entries, results, outputs)
        case "headline" if not one.evidence:
            entries = [e for e in results.assessment.differential if e.verdict is Verdict.SUPPORTED]
            return _verdicts(entries, results, outputs)
        case "headline" | "recommendation":
            return _Told(states=outputs, rests=outputs)


def _sentence(one: Statement, results: _Results, outputs: frozenset[Key]) -> _Told:
    """Return what a sentence tells: verdicts, the scores it names, else every result it names."""
    entries = listed(results.assessment, one.text)
    if entries:
        return _verdicts(entries, results, outputs)
    scores = results.told_by(one.text) or results.named(one.evidence)
    own = scores or outputs
    return _Told(own=own, states=own, rests=outputs | own)


def _verdicts(
    entries: Iterable[DifferentialEntry], results: _Results, outputs: frozenset[Key]
) -> _Told:
    """Return what verdicts say: themselves, and what each of their arguments states."""
    own: set[Key] = set()
    said: set[Key] = set()
    for entry in entries:
        own.add(("verdict", entry.id))
        for reason in (*entry.supporting, *entry.against):
            said |= results.named(reason.evidence) or results.outputs(reason.evidence)
    return _Told(own=frozenset(own), states=frozenset(own | said), rests=outputs | own)


def _entry_subject(entry: DifferentialEntry) -> str:
    return f"differential:{entry.id}"


def _risk_key(risk: Risk) -> Key:
    return ("risk", risk.tool, risk.name)


def _is_named(risk: Risk) -> bool:
    return any(
        isinstance(e, ToolEvidence) and (e.tool, e.output) == (risk.tool, risk.name)
        for e in risk.evidence
    )
