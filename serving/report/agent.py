"""What the agent did, as a reader sees it: in words, shared by every kind of report."""

from collections.abc import Iterator

from agent.record import AgentRecord
from knowledge.evidence import describe
from knowledge.finding import State


def lines(record: AgentRecord) -> Iterator[tuple[str, str]]:
    """Yield ``(what, words)`` for each step that has something to tell."""
    yield "mode", _mode(record)
    for notice in record.model_notices:
        yield "language model", notice
    yield "red flags before the model", "; ".join(record.red_flags) or "none that is certain"
    yield from _plan(record)
    yield from _coverage(record)
    yield from _notes(record)
    for answer in record.answers:
        yield "answers", answer
    yield "guideline passages", _passages(record)
    yield from _writing(record)
    for risk in record.extra:
        yield "beyond the pathway", f"{risk.name}: {risk.statement or risk.category}"
    yield "cost of the model", _cost(record)
    yield "signature", record.signed or "not signed: a draft for a clinician"


def _mode(record: AgentRecord) -> str:
    if not record.reason:
        return f"{record.mode}: {record.model}"
    return f"{record.mode}: {record.reason}"


def _plan(record: AgentRecord) -> Iterator[tuple[str, str]]:
    plan = record.plan
    added = ", ".join(plan.added_by_floor)
    if record.mode == "without language model":
        yield "the pathway required", added
    else:
        yield "the model asked for", ", ".join(call.tool for call in plan.asked) or "nothing"
        yield "the pathway added", added or "nothing: all of it was asked for"
    for refused in plan.refused:
        yield "refused", f"{refused.tool}: {refused.reason}"


def _coverage(record: AgentRecord) -> Iterator[tuple[str, str]]:
    if record.coverage.unused:
        yield "fits but was not run", ", ".join(record.coverage.unused)
    wanted: dict[str, list[str]] = {}
    for unlock in record.coverage.unlock:
        wanted.setdefault(unlock.label, []).append(unlock.tool)
    for label, tools in wanted.items():
        yield "would be unlocked", f"{', '.join(tools)} by: {label}"


def _notes(record: AgentRecord) -> Iterator[tuple[str, str]]:
    for fact in record.notes.facts:
        state = "yes" if fact.finding.state is State.PRESENT else "no"
        said = fact.finding.choice or state
        where = "; ".join(describe(e) for e in fact.finding.evidence)
        yield (
            "from a note, unconfirmed",
            f"{fact.finding.concept.text}: {said} "
            f"(the note says “{fact.quote}”; {fact.standing}; {where})",
        )
    for risk in record.notes.changes:
        yield "if the notes are confirmed", f"{risk.name}: {risk.statement or risk.category}"
    if record.notes.dropped:
        yield "not taken from notes", "; ".join(record.notes.dropped)


def _passages(record: AgentRecord) -> str:
    if not record.passages:
        return f"none ({record.search})"
    return f"{len(record.passages)} ({record.search})"


def _writing(record: AgentRecord) -> Iterator[tuple[str, str]]:
    writing = record.writing
    if not writing.written:
        return
    yield (
        "the model's sentences",
        f"{writing.written} written, {writing.survived_first} verified at once, "
        f"{writing.revised} rewritten, {writing.survived} shown",
    )
    for reason in writing.dropped:
        yield "dropped, not shown", reason


def _cost(record: AgentRecord) -> str:
    use = record.use
    if not use.calls:
        return "no call"
    return (
        f"{use.calls} calls, {use.prompt_tokens} + {use.completion_tokens} tokens, "
        f"{use.seconds:.1f} s"
    )
