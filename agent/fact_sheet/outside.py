# ruff: noqa: RUF001
"""Texts of other systems inside our own sentences: never a model's, shown quoted and short.

A reason may repeat what a laboratory, a chart or a device wrote: the unit that is not recognised,
the word for why a value is absent. What it repeats may say anything, so a fact that holds it is
marked `outside`, and the text stands in it as a short quotation.
"""

from collections.abc import Sequence

from agent.assessment import Assessment
from agent.fact_sheet.conclusions import HEADLINE
from agent.facts import Fact
from agent.untrusted import LONGEST, one_line, quotation
from knowledge.finding import NotAssessed, Why

_REPEATING = frozenset(
    {
        Why.UNIT_NOT_RECOGNISED,
        Why.VALUE_IMPOSSIBLE,
        Why.UNREADABLE,
        Why.UNCONFIRMED,
        Why.CONFLICTING,
        Why.FAILED,
        Why.QUALITY,
    }
)
"""Reasons whose words may be those of the source."""
_HEADS = ("unit not recognised", "data absent", "charted as", "gain", "value impossible")
"""Our own words before what is repeated."""
_NOTES = ("Chart items not understood", "Not used")
"""Sentences of the narrative that list items by the names their sources give them."""


def is_outside(reason: NotAssessed) -> bool:
    """Return whether a reason may repeat what a source wrote."""
    if reason.why in _REPEATING or reason.detail.startswith(_HEADS):
        return True
    return any(mark in reason.detail for mark in "'\"“”‘")


def quoted(detail: str) -> str:
    """Return a reason with what it repeats as a short quotation.

    Examples:
        >>> quoted("unit not recognised: 'stone' for Weight")
        'unit not recognised: “stone for Weight”'
    """
    head, mark, said = detail.partition(": ")
    if not mark or not head.startswith(_HEADS):
        return quotation(detail)
    return f"{one_line(head, limit=LONGEST)}: {quotation(said)}"


def outside_texts(assessment: Assessment) -> tuple[str, ...]:
    """Return the reasons of a case that may repeat a source, the longest first."""
    reasons = [f.not_assessed for f in assessment.findings if f.not_assessed is not None]
    reasons += [item.reason for item in assessment.missing]
    found = {reason.detail for reason in reasons if reason.detail and is_outside(reason)}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def guarded(fact: Fact, texts: Sequence[str]) -> Fact:
    """Return a fact marked as from outside, and shown as a quotation, where it repeats one."""
    if fact.kind == "note" and fact.key != HEADLINE:
        return _note(fact)
    if fact.kind == "guideline":
        return fact
    held = [text for text in texts if text in fact.text]
    if not held:
        return fact
    shown = fact.text
    for index, text in enumerate(held):
        shown = shown.replace(text, f"\x00{index}\x00")
    for index, text in enumerate(held):
        shown = shown.replace(f"\x00{index}\x00", quoted(text))
    return fact.model_copy(update={"text": shown, "outside": True})


def _note(fact: Fact) -> Fact:
    head, mark, said = fact.text.partition(": ")
    if not mark or not head.startswith(_NOTES):
        return fact
    listed = "; ".join(quotation(item) for item in said.split("; "))
    return fact.model_copy(update={"text": f"{head}: {listed}."})
