"""Whether a reading fits its form: every fault named with the way out."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from knowledge.errors import EpicrisisError, InvalidValueError
from knowledge.finding import State
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.reading_items import Item
from knowledge.words import Words
from tools.readings.answers import asked, facts_of
from tools.readings.model import NOBODY, Reading, Stated
from tools.readings.sentences import with_unit
from tools.readings.versions import form_hash


class ImpossibleRelationError(InvalidValueError):
    """Two numbers of a reading that cannot go together; the item names both.

    Args:
        item, reason, way_out: As of every error.
        because: Why they cannot, in both languages.
    """

    def __init__(self, item: str, reason: str, way_out: str, *, because: Words) -> None:
        super().__init__(item, reason, way_out)
        self.because = because


def faults(reading: Reading, *, any_version: bool = False) -> Iterator[EpicrisisError]:
    """Yield everything by which a reading does not fit its form.

    Args:
        reading: The reading.
        any_version: It may be of another version of the form, where it fits the one here too.
    """
    try:
        form = reading_form(reading.form)
    except InvalidValueError as error:
        yield error
        return
    version = (form.version, form_hash(form.id))
    if not any_version and (reading.form_version, reading.form_sha256) != version:
        yield InvalidValueError(
            f"reading {reading.id}: form_version",
            f"was made with version {reading.form_version} of {form.id}, here is {form.version}",
            "open it where that version is installed, or start a new reading",
        )
    for path in sorted(set(reading.items) - set(form.items)):
        yield InvalidValueError(path[:80], f"no such item in {form.id}", "remove or correct it")
    for item in form.items.values():
        yield from _item_faults(item, reading.items.get(item.id, NOBODY), item.id)
    yield from _gate_faults(form, reading)
    yield from _relation_faults(form, reading)
    if reading.study.modality not in form.modalities:
        yield InvalidValueError(
            "study.modality",
            f"{reading.study.modality} is not read with {form.id}",
            "modalities of this form: " + ", ".join(form.modalities),
        )


def _item_faults(item: Item, given: Stated, path: str) -> Iterator[EpicrisisError]:
    for reason, way_out in _problems(item, given):
        yield InvalidValueError(path, reason, way_out)
    if item.kind != "list":
        return
    parts: Mapping[str, Item] = {part.id: part for part in item.items}
    for entry in given.entries:
        if item.fixed and entry.id not in item.fixed:
            yield InvalidValueError(
                f"{path}/{entry.id}", "is none of its entries", ", ".join(item.fixed)
            )
        for key, stated in entry.items.items():
            if key not in parts:
                yield InvalidValueError(
                    f"{path}/{entry.id}/{key}"[:120],
                    "no such item in the list",
                    "known: " + ", ".join(parts),
                )
                continue
            yield from _item_faults(parts[key], stated, f"{path}/{entry.id}/{key}")


def _problems(item: Item, given: Stated) -> Iterator[tuple[str, str]]:
    yield from _foreign(item, given)
    if given.state is State.ABSENT and item.kind not in ("sign", "list"):
        yield f"a {item.kind} is given or not assessed, not absent", "state why it is not assessed"
    if given.state is not State.PRESENT:
        return
    match item.kind:
        case "choice" | "choices":
            yield from _choice_problems(item, given)
        case "number":
            yield from _number_problems(item, given)
        case "text" | "list":
            yield from _empty(item, given)
        case "sign":
            yield from _zone_problems(item, given)


def _empty(item: Item, given: Stated) -> Iterator[tuple[str, str]]:
    if item.kind == "text" and not given.text.strip():
        yield "the text is empty", "write it, or state that it is not assessed"
    if item.kind == "list" and not given.entries and not item.fixed:
        yield "is present without an entry", "add an entry, or state that there is none"


def _zone_problems(item: Item, given: Stated) -> Iterator[tuple[str, str]]:
    wrong = set(given.zones) - set(item.zones)
    if wrong:
        known = "zones: " + (", ".join(item.zones) or "none asked")
        yield f"has no zone {', '.join(sorted(wrong))}", known


def _foreign(item: Item, given: Stated) -> Iterator[tuple[str, str]]:
    """Yield what is given that the kind of item does not have."""
    if given.side is not None and not item.sided:
        yield "a side is given where none is asked", "remove it"
    if given.size_mm is not None and not item.sized:
        yield "a size is given where none is asked", "remove it"
    if given.choices and item.kind not in ("choice", "choices"):
        yield "an answer of a choice is given", "remove it"
    if given.number is not None and item.kind != "number":
        yield "a number is given where none is asked", "remove it"
    if given.entries and item.kind != "list":
        yield "entries are given where none are asked", "remove them"
    if given.change is not None and item.kind != "sign":
        yield "a change is given where none is asked", "remove it"


def _choice_problems(item: Item, given: Stated) -> Iterator[tuple[str, str]]:
    known = "answers: " + ", ".join(item.answers)
    unknown = [choice for choice in given.choices if choice not in item.answers]
    if unknown:
        yield f"has no answer {', '.join(unknown)[:80]}", known
    elif not given.choices:
        yield "no answer is given", known
    elif len(set(given.choices)) != len(given.choices):
        yield "an answer is given twice", "give it once"
    elif len(given.choices) > 1 and item.kind == "choice":
        yield "has one answer only", known
    elif len(given.choices) > 1 and any(item.answers[c].alone for c in given.choices):
        alone = next(c for c in given.choices if item.answers[c].alone)
        yield f"{alone} excludes every other answer", "give it alone, or leave it out"


def _number_problems(item: Item, given: Stated) -> Iterator[tuple[str, str]]:
    if given.number is None:
        yield "no number is given", f"in {item.unit}"
        return
    if given.unit != item.unit:
        yield f"is in {given.unit}", f"give it in {item.unit}"
    low, high = item.low, item.high
    if low is not None and high is not None and not low <= given.number <= high:
        unit = item.unit or "1"
        limits = f"from {with_unit(low, '1')} to {with_unit(high, unit)}"
        yield f"{with_unit(given.number, given.unit or '1')} cannot be", limits


def _relation_faults(form: ReadingForm, reading: Reading) -> Iterator[EpicrisisError]:
    """Yield numbers that cannot go together; where one is not known nothing is said."""
    for relation in form.relations:
        least = reading.items.get(relation.least, NOBODY)
        most = reading.items.get(relation.most, NOBODY)
        if least.state is not State.PRESENT or most.state is not State.PRESENT:
            continue
        if least.number is None or most.number is None or least.unit != most.unit:
            continue
        if least.number > most.number:
            yield ImpossibleRelationError(
                f"{relation.least}, {relation.most}",
                f"{least.number:g} and {most.number:g} cannot be: {relation.because.en}",
                "correct one of them",
                because=relation.because,
            )


def _gate_faults(form: ReadingForm, reading: Reading) -> Iterator[EpicrisisError]:
    """Yield answers to questions that do not arise."""
    answers = facts_of(form.items.values(), reading.items, ()).answers
    for item in form.items.values():
        given = reading.items.get(item.id, NOBODY)
        if given.state is State.PRESENT and asked(item, answers) is False:
            yield _not_asked(item.id)
        for entry in given.entries:
            beside = facts_of(
                [*form.items.values(), *item.items], {**reading.items, **entry.items}, ()
            )
            for part in item.items:
                stated = entry.items.get(part.id, NOBODY)
                if stated.state is State.PRESENT and asked(part, beside.answers) is False:
                    yield _not_asked(f"{item.id}/{entry.id}/{part.id}")


def _not_asked(path: str) -> InvalidValueError:
    return InvalidValueError(
        path, "is answered, but other answers say that it does not arise", "correct one of them"
    )


def as_stated(value: dict[str, Any], *, path: str) -> Stated:
    """Return one stated item from plain data.

    Raises:
        InvalidValueError: It is none.
    """
    try:
        return Stated.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidValueError(
            f"{path}: {where}"[:200], first["msg"], "see `epicrisis schema reading`"
        ) from error
