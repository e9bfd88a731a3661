"""The fields of a structured reading on a page: what each asks, and what stands in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.finding import State
from knowledge.imaging_measures import measures_told
from knowledge.quantity import format_number
from knowledge.reading_form import ReadingForm
from knowledge.reading_items import Item
from knowledge.reading_words import reading_words
from knowledge.words import Language, Words
from serving.web.translation import translations
from tools.readings.model import NOBODY, Entry, Reading, Stated
from tools.readings.sentences import speaker

NOT_ASSESSED = ("quality", "outside-contract")
"""Reasons a reader may give in one click; what they add in words stands beside it."""

_UNITS = {"1": "", "[hnsf'U]": "HU", "mm2": "mm²", "mm3": "mm³"}
"""How units of UCUM are shown that nobody would read."""

NEW_ENTRY = "new"
"""Entry of a list that is not there yet."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One answer to choose."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Entered:
    """One entry of a list, or the place for a new one."""

    id: str
    label: str
    fields: tuple["Field", ...]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One item on the page.

    Args:
        path: Of the item; its inputs begin with it.
        label: Name to show.
        kind: As `knowledge.reading_items.Kind`.
        states: To choose: present, absent, not assessed.
        answers, sides, zones: To choose; empty where they are not asked.
        number, unit, size, text: As they stand; empty where nothing does.
        sized: Whether a size is asked.
        by: Who says it; empty for nobody.
        unconfirmed: No reader has said it.
        entries: Of a list.
    """

    path: str
    label: str
    kind: str
    states: tuple[Option, ...]
    answers: tuple[Option, ...] = ()
    sides: tuple[Option, ...] = ()
    zones: tuple[Option, ...] = ()
    number: str = ""
    unit: str = ""
    size: str = ""
    sized: bool = False
    text: str = ""
    by: str = ""
    unconfirmed: bool = False
    entries: tuple[Entered, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Part:
    """The fields under one heading."""

    label: str
    fields: tuple[Field, ...]


def parts(form: ReadingForm, reading: Reading, language: Language) -> tuple[Part, ...]:
    """Return the fields of a reading in reading order."""
    return tuple(
        Part(
            label=section.label.read(language),
            fields=tuple(
                field(item, item.id, reading.items.get(item.id, NOBODY), language)
                for item in section.items
            ),
        )
        for section in form.sections
    )


def field(item: Item, path: str, given: Stated, language: Language) -> Field:
    """Return one item with what stands in it."""
    words = reading_words()
    return Field(
        path=path,
        label=item.label.read(language),
        kind=item.kind,
        states=tuple(_states(item, given, language)),
        answers=tuple(
            Option(value=key, label=answer.read(language), chosen=key in given.choices)
            for key, answer in item.answers.items()
        ),
        sides=_options(words.sides, (given.side,), language) if item.sided else (),
        zones=_options({z: words.zones[z] for z in item.zones}, given.zones, language),
        number="" if given.number is None else format_number(given.number),
        unit=_UNITS.get(item.unit or "", item.unit or ""),
        size="" if given.size_mm is None else format_number(given.size_mm),
        sized=item.sized,
        text=given.text,
        by="" if given.said is None or given.not_assessed else speaker(given.said, language),
        unconfirmed=given.unconfirmed,
        entries=tuple(_entries(item, path, given, language)) if item.kind == "list" else (),
    )


def state_of(given: Stated) -> str:
    """Return the value of the choice of states that stands for what is given."""
    if given.nobody_looked:
        return ""
    if given.not_assessed is not None:
        why = given.not_assessed.why.value
        return f"na:{why}" if why in NOT_ASSESSED else "na:other"
    return given.state.value


def _in_chinese(detail: str) -> str:
    """Return the reason of a tool in Chinese, in English where it has no words there."""
    told = measures_told()(detail)
    return translations("zh").gettext(detail) if told == detail else told


def _states(item: Item, given: Stated, language: Language) -> Iterator[Option]:
    words, now = reading_words(), state_of(given)
    yield Option(value="", label=words.reasons["missing"].read(language), chosen=now == "")
    for state, sentence in ((State.PRESENT, item.present), (State.ABSENT, item.absent)):
        if item.kind not in ("sign", "list") and state is State.ABSENT:
            continue
        shown = sentence if sentence is not None else words.states[state.value]
        yield Option(value=state.value, label=shown.read(language), chosen=now == state.value)
    not_assessed = words.states["not_assessed"].read(language)
    for why in NOT_ASSESSED:
        reason = words.reasons[why].read(language)
        yield Option(
            value=f"na:{why}", label=f"{not_assessed}: {reason}", chosen=now == f"na:{why}"
        )
    if now == "na:other" and given.not_assessed is not None:
        detail = given.not_assessed.detail
        if language == "zh":
            detail = _in_chinese(detail)
        yield Option(value="na:other", label=f"{not_assessed}: {detail}", chosen=True)


def _options(
    words: Mapping[str, Words], chosen: Sequence[str | None], language: Language
) -> tuple[Option, ...]:
    return tuple(
        Option(value=key, label=word.read(language), chosen=key in chosen)
        for key, word in words.items()
    )


def _entries(item: Item, path: str, given: Stated, language: Language) -> Iterator[Entered]:
    known = {entry.id: entry for entry in given.entries}
    names = {key: label.read(language) for key, label in item.fixed.items()}
    one = item.entry.read(language) if item.entry is not None else ""
    if not item.fixed:
        names = {key: f"{one} {key}" for key in known}
        names[NEW_ENTRY] = f"{one} +"
    for key, label in names.items():
        entry = known.get(key, Entry(id=key))
        yield Entered(
            id=key,
            label=label,
            fields=tuple(
                field(part, f"{path}/{key}/{part.id}", entry.items.get(part.id, NOBODY), language)
                for part in item.items
            ),
        )
