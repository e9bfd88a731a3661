"""For each result: which interference is present, absent, or not known, and what follows.

Nothing here corrects a value. Silence about a specimen is never "no interference": where nothing
tells, the interference is not assessed, and what would tell is named.
"""

from collections.abc import Iterable, Mapping

from pydantic import Field

from knowledge.codes import ANALYTE
from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.interference import Direction, Effect, Interference, interferences
from knowledge.laboratory_indices import IndexInputRow
from knowledge.model import Frozen
from knowledge.quantity import Interval
from knowledge.reference import Citation
from knowledge.rules import Answer, Condition, holds
from knowledge.troponin import assays
from tools.labs.indices.supplied import as_given

_TABLE = "interference"
_TROPONIN_SIGNAL = "troponin_haemolysis"
_TROPONINS = frozenset({"hs_ctnt", "hs_ctni"})


class InterferenceFinding(Frozen):
    """One interference on one result.

    Args:
        analyte: Key of the analyte table.
        interference: Key of the row.
        label: Name of the interference.
        state: Present, absent, or not assessed.
        not_assessed: The reason.
        suspected: Whether its cause is there while it is not known whether it reaches this result
            (method, specimen); the state itself then stays not assessed.
        would_tell: What would tell, where it is not assessed.
        direction: Of the error it makes.
        size: In words, where known.
        consequence: What the result may not be used for; empty where it is absent.
        statement: The result in one sentence.
        evidence: What it rests on.
        source: Where the rows come from.
    """

    analyte: str
    interference: str
    label: str
    state: State
    not_assessed: NotAssessed | None = None
    suspected: bool = Field(default=False, exclude_if=lambda found: not found)
    would_tell: tuple[str, ...] = ()
    direction: Direction
    size: str = ""
    consequence: str = ""
    statement: str
    evidence: tuple[Evidence, ...] = ()
    source: tuple[Citation, ...] = ()


def interference_on(
    analyte: str,
    answers: Mapping[str, Answer],
    *,
    troponin_assay: str | None = None,
    evidence: tuple[Evidence, ...] = (),
) -> tuple[InterferenceFinding, ...]:
    """Return every interference that can reach an analyte, those present first.

    Args:
        analyte: Key of the analyte table.
        answers: What is known of the signals of the table; one that is missing is not known.
        troponin_assay: Key or printed name of the assay, for a troponin.
        evidence: What the answers rest on.
    """
    known = dict(answers)
    if analyte in _TROPONINS and known.get(_TROPONIN_SIGNAL) is None:
        known[_TROPONIN_SIGNAL] = _troponin_answer(troponin_assay)
    found = [
        _judged(analyte, key, row, effects, known, evidence)
        for key, row in interferences().interferences.items()
        if (effects := row.on(analyte))
    ]
    order = {State.PRESENT: 0, State.NOT_ASSESSED: 1, State.ABSENT: 2}
    return tuple(sorted(found, key=lambda finding: order[finding.state]))


def answers_from(findings: Iterable[Finding]) -> dict[str, Answer]:
    """Return what the findings of one specimen say about the signals: results and flags.

    A flag says that an interference is there; no flag says nothing.
    """
    found: dict[str, Answer] = {}
    held = list(findings)
    for key, signal in interferences().signals.items():
        if any(flag in finding.flags for flag in signal.flags for finding in held):
            found[key] = True
        if signal.analyte is not None and signal.unit is not None:
            spec = IndexInputRow(label=signal.label, unit=signal.unit, analyte=signal.analyte)
            values = [as_given(spec, f) for f in held if f.concept.has(ANALYTE, signal.analyte)]
            numbers = [value for value in values if isinstance(value, Interval)]
            if len(numbers) == 1:
                found[key] = numbers[0]
    return found


def _judged(
    analyte: str,
    key: str,
    row: Interference,
    effects: tuple[Effect, ...],
    answers: Mapping[str, Answer],
    evidence: tuple[Evidence, ...],
) -> InterferenceFinding:
    """Return one interference on one analyte, with the effect that decides."""
    there = _there(row, answers)
    truth = [_and(there, _applies(effect, answers)) for effect in effects]
    present = [e for e, known in zip(effects, truth, strict=True) if known]
    possible = present or [e for e, known in zip(effects, truth, strict=True) if known is None]
    state = State.PRESENT if present else State.NOT_ASSESSED if possible else State.ABSENT
    shown = tuple(possible or effects)
    tells = () if state is not State.NOT_ASSESSED else _would_tell(row, shown, there, answers)
    reason = None if state is not State.NOT_ASSESSED else _reason(row, answers, tells)
    consequence = (
        "" if state is State.ABSENT else " ".join(dict.fromkeys(e.consequence for e in shown))
    )
    direction = _direction(shown)
    suspected = there is True and state is State.NOT_ASSESSED
    return InterferenceFinding(
        analyte=analyte,
        interference=key,
        label=row.label,
        state=state,
        not_assessed=reason,
        suspected=suspected,
        would_tell=tells,
        direction=direction,
        size="; ".join(dict.fromkeys(e.size for e in shown if e.size)),
        consequence=consequence,
        statement=_statement(row, state, direction, consequence, reason, suspected=suspected),
        evidence=(*evidence, ReferenceEvidence(table=_TABLE, row=f"interferences.{key}")),
        source=tuple(
            interferences().cite(_TABLE, *pair)
            for pair in dict.fromkeys((r.source, r.review) for r in (row, *shown))
        ),
    )


def _there(row: Interference, answers: Mapping[str, Answer]) -> bool | None:
    """Return whether the interference is there; None where not known or contradictory."""
    present, absent = holds(row.present_when, answers), holds(row.absent_when, answers)
    if present and absent:
        return None
    return True if present else False if absent else None


def _applies(effect: Effect, answers: Mapping[str, Answer]) -> bool | None:
    return True if effect.only_when is None else holds(effect.only_when, answers)


def _and(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _would_tell(
    row: Interference,
    effects: tuple[Effect, ...],
    there: bool | None,
    answers: Mapping[str, Answer],
) -> tuple[str, ...]:
    """Return the labels of the signals that are not known and could decide."""
    conditions: list[Condition] = [] if there else [row.present_when, row.absent_when]
    conditions += [
        effect.only_when
        for effect in effects
        if effect.only_when is not None and holds(effect.only_when, answers) is None
    ]
    asked = dict.fromkeys(i for condition in conditions for i in condition.inputs())
    signals = interferences().signals
    return tuple(signals[i].label for i in asked if not _is_number_or_word(answers.get(i)))


def _is_number_or_word(answer: Answer) -> bool:
    return answer is not None and (not isinstance(answer, Interval) or answer.is_exact)


def _reason(
    row: Interference, answers: Mapping[str, Answer], tells: tuple[str, ...]
) -> NotAssessed:
    if holds(row.present_when, answers) and holds(row.absent_when, answers):
        return NotAssessed(
            why=Why.CONFLICTING,
            detail="what is known says both that it is there and that it is not",
        )
    return NotAssessed(why=Why.MISSING, detail=f"not known; would tell: {', '.join(tells)}")


def _direction(effects: tuple[Effect, ...]) -> Direction:
    found = {effect.direction for effect in effects}
    return found.pop() if len(found) == 1 else "either"


def _statement(
    row: Interference,
    state: State,
    direction: Direction,
    consequence: str,
    reason: NotAssessed | None,
    *,
    suspected: bool,
) -> str:
    words = {"raises": "reads falsely high", "lowers": "reads falsely low", "either": "reads false"}
    if state is State.PRESENT:
        return f"{row.label}: present, the result {words[direction]}. {consequence}"
    if reason is not None and suspected:
        said = f"{row.label}: possible, {reason.detail}. With it the result {words[direction]}."
        return f"{said} {consequence}".strip()
    if reason is not None:
        return f"{row.label}: {reason.detail}. With it the result {words[direction]}."
    return f"{row.label}: absent, or of no effect on this result."


def _troponin_answer(assay: str | None) -> Answer:
    """Return what free haemoglobin does to a named assay; None where it is not in the table."""
    key = assay if assay in assays().assays else assays().named(assay)
    return None if key is None else assays().assays[key].haemolysis
