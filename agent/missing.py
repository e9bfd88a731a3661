"""What is missing, what it would unlock, and how to give it."""

from collections.abc import Collection, Iterator, Sequence

from agent.assessment import DifferentialEntry, MissingItem, Verdict
from agent.complaint import COMPLAINT
from agent.state import State
from knowledge.clinical_inputs import catalogue
from knowledge.finding import NotAssessed, Why
from knowledge.pathways import Pathway
from knowledge.risk import MissingInput
from tools.chart.not_understood import NotUnderstood
from tools.chart.review import REVIEWED


def missing(
    state: State,
    entries: Sequence[DifferentialEntry],
    *,
    troponin: Collection[str],
    unread: NotUnderstood | None = None,
) -> tuple[MissingItem, ...]:
    """Return every missing input once, the most useful first.

    An input appears when a risk names it as able to change its result, when it would settle a
    must-not-miss diagnosis that is not assessed, or when discharge rests on it. While no acute
    coronary syndrome is shown, what discharge rests on comes first, in the order of the pathway
    (the next troponin sample before all else); then what unlocks most.

    Args:
        state: What is known.
        entries: The must-not-miss list.
        troponin: Risks of troponin, in the order of the pathway.
        unread: Chart items not understood; their list has a mark that an answer names.
    """
    unlocks: dict[str, list[str]] = {}
    first: dict[str, MissingInput] = {}
    decided = state.extra.get("troponin.decided") is True
    for key, risk in state.risks.items():
        if decided and key in troponin:
            continue  # another algorithm has settled it; a sample nobody needs is not asked for
        for item in risk.missing:
            unlocks.setdefault(item.input, []).append(risk.name)
            first.setdefault(item.input, item)
    for entry in entries:
        if entry.verdict is Verdict.NOT_ASSESSED:
            for input_id in entry.settle:
                unlocks.setdefault(input_id, []).append(entry.diagnosis)
                first.setdefault(input_id, as_missing(input_id, state))
    wanted = _for_discharge(state, entries)
    for input_id, requirement in wanted:
        if input_id in catalogue().inputs:
            first.setdefault(input_id, as_missing(input_id, state))
        if input_id in first:
            unlocks.setdefault(input_id, []).append(f"discharge: {requirement}")
    order = {input_id: place for place, (input_id, _) in reversed(list(enumerate(wanted)))}
    last = len(order) + len(wanted)
    ranked = sorted(unlocks, key=lambda key: (order.get(key, last), -len(unlocks[key]), key))
    return tuple(
        MissingItem(
            **_answerable(first[key], unread).model_dump(),
            unlocks=tuple(dict.fromkeys(unlocks[key])),
            priority=rank,
        )
        for rank, key in enumerate(ranked, start=1)
    )


def complaint_missing(
    pathway: Pathway, state: State, *, unread: NotUnderstood | None = None
) -> tuple[MissingItem, ...]:
    """Return what is asked for where no complaint is stated: whether there is one.

    Items of the chart that were not understood are asked about as always.

    Args:
        pathway: What the complaint starts.
        state: What is known.
        unread: Chart items not understood.
    """
    wanted = {COMPLAINT: (pathway.title,)} if state.answers()[COMPLAINT] is None else {}
    if unread is not None and unread.critical:
        wanted[REVIEWED] = (state.discharge["chart_items"].label,)
    return tuple(
        MissingItem(
            **_answerable(as_missing(input_id, state), unread).model_dump(),
            unlocks=unlocks,
            priority=rank,
        )
        for rank, (input_id, unlocks) in enumerate(wanted.items(), start=1)
    )


def _for_discharge(
    state: State, entries: Sequence[DifferentialEntry]
) -> tuple[tuple[str, str], ...]:
    """Return the inputs that discharge rests on and that are not known, with what they settle."""
    if any(e.id == "acs" and e.verdict is Verdict.SUPPORTED for e in entries):
        return ()
    answers = state.answers()
    return tuple(
        (input_id, row.label)
        for key, row in state.discharge.items()
        if answers[f"discharge.{key}"] is not True
        for input_id in row.asks
        if answers.get(input_id) is None or input_id == REVIEWED
    )


def how_to_settle(unread: NotUnderstood) -> Iterator[str]:
    """Yield how the items that were not understood are settled."""
    if unread.mark:
        yield (
            f"These items are list {unread.mark}. A clinician who has read them enters "
            f"{REVIEWED}: {{value: yes, items: {unread.mark}}} under answers in case.yaml, or a "
            "time instead of items, which covers what was recorded before it."
        )
    if unread.need_result:
        yield (
            "A cardiac marker among them is settled by nothing but its result, typed under results "
            "in case.yaml with its collection time."
        )


def _answerable(item: MissingInput, unread: NotUnderstood | None) -> MissingInput:
    """Return the item with how to give it in ``case.yaml``, where it is a catalogue input."""
    if item.input == REVIEWED:
        said = " ".join(how_to_settle(unread)) if unread is not None else ""
        how = said or f"answers: {{{REVIEWED}: {{value: yes, time: ...}}}} in case.yaml"
        return item.model_copy(update={"how": how})
    entry = catalogue().inputs.get(item.input)
    if entry is None:
        return item
    how = f"facts: {{{item.input}: ...}} in case.yaml; {entry.how}"
    return item.model_copy(update={"how": how})


def as_missing(input_id: str, state: State) -> MissingInput:
    """Return one input of the catalogue as missing, with why and how to give it."""
    entry = catalogue().get(input_id)
    finding = state.findings.get(input_id)
    reason = finding.not_assessed if finding is not None else None
    return MissingInput(
        input=input_id,
        label=entry.label,
        reason=reason or NotAssessed(why=Why.MISSING, detail="not in the case"),
        question=entry.question,
        how=entry.how,
    )
