"""Missing items as questions with a form, and the form as an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent.assessment import Assessment, MissingItem
from agent.given import Question, questions
from knowledge.clinical_inputs import catalogue
from knowledge.errors import InvalidValueError
from knowledge.shown import unit_shown
from knowledge.typed_number import TypedNumber, typed_number
from serving.web.entered_sample import INPUT, code_of_samples, patient_of
from serving.web.values import zone_of
from serving.web.words import NO, UNKNOWN, WHY, YES, Say, word
from tools.intake.answer import Answer

SHOWN = 5
"""Questions that stand open; the rest is one click away, in order of what they unlock."""

_LONGEST = 200


@dataclass(frozen=True, kw_only=True)
class Option:
    """One answer to choose."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One missing item.

    Args:
        input: Clinical-input id.
        label: Short name.
        question: In words.
        why: Why it is not assessed, as a word, and `detail` in a sentence.
        kind: boolean, choice, quantity or time; ``sample`` for a further troponin result; ``file``
            where only the result of a device or a laboratory answers it.
        options: For yes/no and a choice, ``unknown`` last.
        units: For a number: accepted unit to its spelling on the page, the canonical one first.
        unlocks: What the answer could settle.
        how: How to give it, for what a form cannot take.
    """

    input: str
    label: str
    question: str
    why: str
    detail: str
    kind: str
    options: tuple[Option, ...]
    units: tuple[Option, ...]
    unlocks: tuple[str, ...]
    how: str


@dataclass(frozen=True, kw_only=True)
class Given:
    """An answer as a form sends it.

    Args:
        value: As `tools.intake.answer.Answer` takes it.
        unit: Of a number.
        observed_at: When it was observed, with an offset.
        typed: A number as it was typed.
    """

    value: str | float
    unit: str | None
    observed_at: str | None
    typed: str | None = None

    @property
    def answer(self) -> Answer:
        """Return it as the case keeps it."""
        return Answer(value=self.value, unit=self.unit, time=self.observed_at, typed=self.typed)


def asks(assessment: Assessment, say: Say) -> tuple[Ask, ...]:
    """Return every missing item, first what settles most."""
    answerable = {q.input: q for q in questions(assessment)}
    found = assessment.findings
    follows = code_of_samples(found) is not None and patient_of(found) is not None
    asked = (_ask(item, answerable.get(item.input), say) for item in assessment.missing)
    return tuple(replace(q, kind="sample") if q.input == INPUT and follows else q for q in asked)


def asked_by_name(names: Sequence[str], say: Say) -> tuple[Ask, ...]:
    """Return the questions that only scores on request ask, where a link of an answer asks them."""
    wanted = (ask_again(name, say) for name in names[:SHOWN] if name in catalogue().on_request)
    return tuple(ask for ask in wanted if ask is not None)


def ask_again(input_id: str, say: Say) -> Ask | None:
    """Return the question to one input, answered before or not; None for one no longer asked."""
    entry = catalogue().every.get(input_id)
    if entry is None:
        return None
    yes_no = {"yes": "yes", "no": "no"} if entry.kind == "boolean" else {}
    question = Question(
        input=input_id,
        label=entry.label,
        kind=entry.kind,
        question=entry.question,
        choices={**yes_no, **entry.choices},
        unit=next(iter(entry.units(input_id)), None),
        how=entry.how,
        unlocks=(),
    )
    return Ask(
        input=input_id,
        label=entry.label,
        question=entry.question,
        why="",
        detail="",
        kind=entry.kind,
        options=_options(question, say),
        units=_units(question),
        unlocks=(),
        how=entry.how,
    )


def _ask(item: MissingItem, question: Question | None, say: Say) -> Ask:
    return Ask(
        input=item.input,
        label=item.label,
        question=item.question or item.label,
        why=word(WHY, item.reason.why.value, say),
        detail=item.reason.detail,
        kind="file" if question is None else question.kind,
        options=() if question is None else _options(question, say),
        units=() if question is None else _units(question),
        unlocks=item.unlocks,
        how=item.how,
    )


def _options(question: Question, say: Say) -> tuple[Option, ...]:
    unknown = Option(value="unknown", label=say(UNKNOWN))
    match question.kind:
        case "boolean":
            return (
                Option(value="yes", label=say(YES)),
                Option(value="no", label=say(NO)),
                unknown,
            )
        case "choice":
            listed = (Option(value=k, label=v) for k, v in question.choices.items())
            return (*listed, unknown)
        case _:
            return ()


def _units(question: Question) -> tuple[Option, ...]:
    """Return the units in which a number may be given: the canonical one, then those we convert."""
    if question.kind != "quantity":
        return ()
    units = catalogue().every[question.input].units(question.input)
    return tuple(Option(value=unit, label=unit_shown(unit)) for unit in units)


def answer_from(form: Mapping[str, str], *, time_zone: str) -> tuple[str, Given]:
    """Return the input that a form answers, and the answer.

    Args:
        form: ``input``, ``value``, and where given ``unit`` and ``observed_at``.
        time_zone: Of the times that the form sends; the page names it beside them.

    Raises:
        InvalidValueError: Nothing was chosen, a number is none or can be read in two ways, or a
            time is none.
    """
    input_id = form.get("input", "")[:_LONGEST]
    value = form.get("value", "").strip()[:_LONGEST]
    entry = catalogue().every.get(input_id)
    if entry is None:
        raise InvalidValueError("answer", "is to no question of the catalogue", "reload the page")
    if not value:
        raise InvalidValueError(entry.label, "no answer was given", "choose or enter one")
    observed = form.get("observed_at", "").strip()
    number = None
    if entry.kind == "quantity" and value != "unknown":
        number = typed_number(entry.label, value)
    given = Given(
        value=_value(entry.kind, entry.label, value, time_zone)
        if number is None
        else _read(number),
        unit=None if number is None else form.get("unit") or None,
        observed_at=instant(observed, entry.label, time_zone) if observed else None,
        typed=None if number is None else number.text,
    )
    return input_id, given


def instant(text: str, label: str, time_zone: str) -> str:
    """Return a browser's local time with the offset of a zone.

    Raises:
        InvalidValueError: It is no date and time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValueError(label, "is not a date and time", "choose one") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_of(time_zone))
    return moment.isoformat()


def _value(kind: str, label: str, value: str, time_zone: str) -> str:
    return instant(value, label, time_zone) if kind == "time" and value != "unknown" else value


def _read(number: TypedNumber) -> str | float:
    """Return a number, or a bound as it is written with a decimal point."""
    return number.plain if number.exact is None else number.exact
