"""What people have answered to a case's questions, the newest answer to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from knowledge.clinical_inputs import catalogue
from serving.cases.model import StoredAnswer
from serving.web.missing_form import Ask, ask_again
from serving.web.values import clock, unit_shown
from serving.web.words import NO, UNKNOWN, YES, Say

_WORDS = {"yes": YES, "no": NO, "unknown": UNKNOWN, "true": YES, "false": NO}


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One answer as it stands.

    Args:
        ask: The question, to answer it again.
        value: The answer, as shown.
        author: Who gave it.
        time: When it was entered.
    """

    ask: Ask
    value: str
    author: str
    time: str


def answered(
    answers: Sequence[StoredAnswer], say: Say, *, time_zone: str | None, now: datetime
) -> tuple[Answered, ...]:
    """Return the newest answer to each question, in the order they were given.

    Args:
        answers: Every answer, oldest first.
        say: Of the page's language.
        time_zone: Of the page.
        now: The current moment.
    """
    newest = {one.input: one for one in answers}
    found = [(one, ask_again(one.input, say)) for one in newest.values()]
    return tuple(
        Answered(
            ask=ask,
            value=_value(one, say, time_zone),
            author=one.author,
            time=clock(one.entered_at, time_zone, beside=now),
        )
        for one, ask in found
        if ask is not None
    )


def _value(one: StoredAnswer, say: Say, time_zone: str | None) -> str:
    value, unit = one.answer.get("value"), one.answer.get("unit")
    entry = catalogue().inputs[one.input]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text in _WORDS:
        return say(_WORDS[text])
    if entry.kind == "time":
        return text.replace("T", " ")[:16]
    return f"{entry.choices.get(text, text)} {unit_shown(unit) if unit else ''}".strip()
