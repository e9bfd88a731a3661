"""What people have answered to a case's questions: what counts, and what was said before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from knowledge.clinical_inputs import catalogue
from knowledge.plain_text import visible
from knowledge.quantity import format_number
from knowledge.shown import unit_shown
from serving.cases.model import StoredAnswer
from serving.web.missing_form import Ask, ask_again
from serving.web.values import clock
from serving.web.words import NO, UNKNOWN, YES, Say

_WORDS = {"yes": YES, "no": NO, "unknown": UNKNOWN, "true": YES, "false": NO}


@dataclass(frozen=True, kw_only=True)
class Said:
    """One answer as it was given.

    Args:
        value: The answer, as shown.
        typed: A number as it was typed, where it is written in another way.
        author: Who gave it.
        time: When it was entered.
    """

    value: str
    typed: str
    author: str
    time: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What was answered to one question.

    Args:
        ask: The question, to answer it again.
        now: The answer that counts.
        earlier: The answers that it took the place of, newest first.
    """

    ask: Ask
    now: Said
    earlier: tuple[Said, ...]


def answered(
    answers: Sequence[StoredAnswer], say: Say, *, time_zone: str | None, now: datetime
) -> tuple[Answered, ...]:
    """Return the answers to each question, in the order the questions were first answered.

    Args:
        answers: Every answer, oldest first.
        say: Of the page's language.
        time_zone: Of the page.
        now: The current moment.
    """
    given: dict[str, list[Said]] = {}
    for one in answers:
        if one.input in catalogue().inputs:
            given.setdefault(one.input, []).insert(0, _said(one, say, time_zone, now))
    found = [(ask_again(input_id, say), said) for input_id, said in given.items()]
    return tuple(
        Answered(ask=ask, now=said[0], earlier=tuple(said[1:]))
        for ask, said in found
        if ask is not None
    )


def _said(one: StoredAnswer, say: Say, time_zone: str | None, now: datetime) -> Said:
    typed = visible(str(one.answer.get("typed") or ""))
    value = one.answer.get("value")
    plain = format_number(value) if isinstance(value, float) else str(value)
    return Said(
        value=_value(one, say, time_zone),
        typed="" if typed == plain else typed,
        author=one.author,
        time=clock(one.entered_at, time_zone, beside=now),
    )


def _value(one: StoredAnswer, say: Say, time_zone: str | None) -> str:
    value, unit = one.answer.get("value"), one.answer.get("unit")
    entry = catalogue().inputs[one.input]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text in _WORDS:
        return say(_WORDS[text])
    if entry.kind == "time":
        return text.replace("T", " ")[:16]
    if isinstance(value, float):
        text = format_number(value)
    return f"{entry.choices.get(text, text)} {unit_shown(unit) if unit else ''}".strip()
