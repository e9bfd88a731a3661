"""Whatever turns out later, its category was among those that were possible before."""

import random
from collections.abc import Mapping

import pytest

from knowledge.finding import State
from knowledge.reading_form import ReadingForm, reading_form, reading_form_ids
from knowledge.reading_items import Item
from tests.tools.readings.made import NOBODY_YET, READER
from tools.readings import category
from tools.readings.answers import asked, facts_of
from tools.readings.category import outcomes_as_stated
from tools.readings.model import Entry, Stated

FORMS = [form_id for form_id in reading_form_ids() if reading_form(form_id).tables]


def answered(item: Item, chance: random.Random, form: ReadingForm) -> Stated:
    """Return one possible answer."""
    match item.kind:
        case "sign":
            size = chance.uniform(1, 60) if item.sized else None
            there = Stated(state=State.PRESENT, said=READER, size_mm=size)
            return chance.choice([there, Stated(state=State.ABSENT, said=READER)])
        case "choice":
            answer = chance.choice(list(item.answers))
            return Stated(state=State.PRESENT, said=READER, choices=(answer,))
        case "choices":
            free = [key for key, a in item.answers.items() if not a.alone]
            some = tuple(chance.sample(free, chance.randint(1, len(free))))
            alone = [(key,) for key, a in item.answers.items() if a.alone]
            return Stated(state=State.PRESENT, said=READER, choices=chance.choice([some, *alone]))
        case "number":
            low, high = item.low or 0.0, item.high or 1.0
            cuts = [c for t in form.tables for w in t.conditions() for c in w.breakpoints(item.id)]
            number = chance.choice([*cuts, chance.uniform(low, high)])
            return Stated(state=State.PRESENT, said=READER, number=number, unit=item.unit)
        case "text":
            return NOBODY_YET
        case "list":
            names = list(item.fixed) or ["n1", "n2"]
            entries = tuple(
                Entry(id=name, items={p.id: answered(p, chance, form) for p in item.items})
                for name in names
            )
            return Stated(state=State.PRESENT, said=READER, entries=entries)


def consistent(items: list[Item], held: dict[str, Stated], beside: list[Item]) -> dict[str, Stated]:
    """Return the answers without those to questions that do not arise."""
    for item in items:
        answers = facts_of([*beside, *items], held, ()).answers
        if asked(item, answers) is not True:
            held[item.id] = NOBODY_YET
    return held


def complete(form: ReadingForm, chance: random.Random) -> dict[str, Stated]:
    every = list(form.items.values())
    held = {item.id: answered(item, chance, form) for item in every}
    held = consistent(every, held, [])
    for item in every:
        given = held[item.id]
        entries = tuple(
            Entry(id=e.id, items=consistent(list(item.items), dict(e.items), every))
            for e in given.entries
        )
        held[item.id] = given.model_copy(update={"entries": entries}) if entries else given
    return held


def hidden(held: Mapping[str, Stated], chance: random.Random) -> dict[str, Stated]:
    """Return the same with some items not looked at."""
    found = {}
    for key, given in held.items():
        entries = tuple(
            Entry(id=e.id, items={k: s for k, s in e.items.items() if chance.random() < 0.6})
            for e in given.entries
        )
        kept = given.model_copy(update={"entries": entries}) if entries else given
        if entries or chance.random() < 0.6:
            found[key] = kept
    return found


@pytest.mark.parametrize("most", [4096, 0], ids=["every completion", "three-valued logic"])
@pytest.mark.parametrize("form_id", FORMS)
def test_what_turns_out_was_possible(
    form_id: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(category, "_MOST_COMPLETIONS", most)
    form, chance = reading_form(form_id), random.Random(20260301)  # noqa: S311 - a fixed sequence
    for _ in range(12):
        held = complete(form, chance)
        later = {(o.table, o.entry): o for o in outcomes_as_stated(form, held)}
        for before in outcomes_as_stated(form, hidden(held, chance)):
            after = later[before.table, before.entry]
            assert set(after.possible) <= set(before.possible), (before, after)
            if before.total is not None and after.total is not None:
                low, high = after.total.low, after.total.high
                assert low is not None
                assert high is not None
                assert before.total.contains(low)
                assert before.total.contains(high)


@pytest.mark.parametrize("form_id", FORMS)
def test_every_completion_says_no_more_than_three_valued_logic(
    form_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, chance = reading_form(form_id), random.Random(7)  # noqa: S311 - a fixed sequence
    for _ in range(6):
        held = hidden(complete(form, chance), chance)
        exact = outcomes_as_stated(form, held)
        with monkeypatch.context() as patch:
            patch.setattr(category, "_MOST_COMPLETIONS", 0)
            wide = outcomes_as_stated(form, held)
        for one, other in zip(exact, wide, strict=True):
            assert set(one.possible) <= set(other.possible)
            assert set(one.missing) <= set(other.missing) or len(one.possible) == 1
