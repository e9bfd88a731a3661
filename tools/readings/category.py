"""The categories of a reading, with the rows and items they rest on.

Where something is not assessed, every completion of it is tried: what remains is the set of
categories that are still possible, and the items that decide between them. With too many unknowns
for that, the rows are read in three-valued logic, which gives the same set or a wider one.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from knowledge.finding import State
from knowledge.quantity import Interval, format_number
from knowledge.reading_form import Category, CategoryTable, ReadingForm, reading_form
from knowledge.reading_words import reading_words
from knowledge.rules import Answer, Condition, holds
from knowledge.words import Words
from tools.readings.answers import Facts, asked, facts_of, not_asked, points, span
from tools.readings.contradictions import Clash, clashes, withheld
from tools.readings.model import NOBODY, Reading, Stated
from tools.readings.outcome import Outcome, outcome_of
from tools.readings.subject import subject_clashes

_MOST_COMPLETIONS = 4096
"""Beyond, three-valued logic is used: some 0.2 s on one core."""

NO_ENTRY = "none"
"""What a table over a list says where the list is known to be empty."""


def outcomes(form: ReadingForm, stated: Mapping[str, Stated]) -> tuple[Outcome, ...]:
    """Return what every table says: of each entry, then of the whole.

    A category that rests on answers which cannot stand together is not determined.

    Args:
        form: The form.
        stated: State of its items; an item that is not there was not looked at.
    """
    found = outcomes_as_stated(form, stated)
    against = clashes(form, stated, found)
    return tuple(withheld(outcome, against) for outcome in found)


def contradictions(reading: Reading) -> tuple[Clash, ...]:
    """Return what cannot stand together in a reading, and what is to be looked at again."""
    form = reading_form(reading.form)
    found = clashes(form, reading.items, outcomes_as_stated(form, reading.items))
    return (*found, *subject_clashes(form, reading))


def outcomes_as_stated(form: ReadingForm, stated: Mapping[str, Stated]) -> tuple[Outcome, ...]:
    """Return what every table says by its rows alone, whether or not the answers go together."""
    found: list[Outcome] = []
    worst: dict[str, tuple[str, ...]] = {}
    for table in form.tables:
        if table.of is None:
            found.append(_judged(form, table, _facts(form, stated), worst))
            continue
        entries = list(_of_entries(form, table, stated, worst))
        whole = _whole(form, table, stated, entries)
        worst[table.id] = _as_read(table, whole)
        found += [*entries, whole]
    return tuple(found)


def category_of(form: ReadingForm, outcome: Outcome) -> Category | None:
    """Return the determined category with its management; None where it is a range."""
    return (
        None if outcome.category is None else form.table(outcome.table).category(outcome.category)
    )


def headline(form: ReadingForm, found: Sequence[Outcome]) -> str:
    """Return the determined categories in short; empty unless all of them are determined."""
    parts = [category_of(form, outcome_of(found, table)) for table in form.headline]
    if any(part is None for part in parts):
        return ""
    return "/".join(part.short for part in parts if part is not None and part.short)


def _facts(
    form: ReadingForm,
    stated: Mapping[str, Stated],
    table: CategoryTable | None = None,
    entry: Mapping[str, Stated] | None = None,
) -> Facts:
    items = list(form.items.values())
    if table is not None and table.of is not None:
        items += form.items[table.of].items
    conditions = [c for t in form.tables for c in t.conditions()]
    conditions += [item.asked_when for item in items if item.asked_when is not None]
    return facts_of(items, {**stated, **(entry or {})}, conditions)


def _of_entries(
    form: ReadingForm,
    table: CategoryTable,
    stated: Mapping[str, Stated],
    worst: Mapping[str, tuple[str, ...]],
) -> Iterator[Outcome]:
    held = stated.get(table.of or "", NOBODY)
    given = {entry.id: entry.items for entry in held.entries}
    if held.state is not State.ABSENT:
        given = {**{key: {} for key in form.items[table.of or ""].fixed}, **given}
    others = {t: p for t, p in worst.items() if form.table(t).of != table.of}
    for key, items in given.items():
        yield _judged(form, table, _facts(form, stated, table, items), others, entry=key)


def _whole(
    form: ReadingForm,
    table: CategoryTable,
    stated: Mapping[str, Stated],
    entries: Sequence[Outcome],
) -> Outcome:
    """Return the worst of the entries that is possible, or why there is none."""
    held = stated.get(table.of or "", NOBODY)
    if held.state is State.ABSENT:
        return Outcome(table=table.id, no_entries=True, rests_on=(table.of or "",))
    if not entries:
        return Outcome(table=table.id, missing=(table.of or "",))
    order = [category.id for category in table.categories]
    least = max(min(order.index(c) for c in entry.possible) for entry in entries)
    seen = {order.index(c) for entry in entries for c in entry.possible}
    ranks = sorted(rank for rank in seen if rank >= least)
    one = [e for e in entries if e.category == order[ranks[-1]]] if len(ranks) == 1 else []
    return Outcome(
        table=table.id,
        possible=tuple(order[rank] for rank in ranks),
        missing=_once(p for e in entries for p in e.missing) if len(ranks) > 1 else (),
        rests_on=_once(p for e in entries for p in e.rests_on),
        unconfirmed=_once(p for e in entries for p in e.unconfirmed),
        because=one[0].because if one else (),
    )


def _as_read(table: CategoryTable, whole: Outcome) -> tuple[str, ...]:
    if whole.no_entries:
        return (NO_ENTRY,)
    return whole.possible or (NO_ENTRY, *(c.id for c in table.categories))


@dataclass(frozen=True)
class _State:
    """What one completion leads to."""

    category: str
    row: int
    total: float | None


def _judged(
    form: ReadingForm,
    table: CategoryTable,
    facts: Facts,
    worst: Mapping[str, tuple[str, ...]],
    *,
    entry: str | None = None,
) -> Outcome:
    chain = _chain(form, table, worst)
    needed = _needed(chain, facts)
    near = replace(facts, items={i: item for i, item in facts.items.items() if i in needed})
    answers: dict[str, Answer] = dict(facts.answers)
    unknown = {k: v for k, v in facts.unknown.items() if k.partition(".")[0] in needed}
    for name, possible in worst.items():
        if len(possible) == 1:
            answers[name] = possible[0]
        elif name in needed:
            unknown[name] = tuple({name: category} for category in possible)
    if math.prod(len(values) for values in unknown.values()) <= _MOST_COMPLETIONS:
        states, missing = _completed(chain, near, answers, unknown)
    else:
        states, missing = _bounded(chain, near, answers, worst), tuple(unknown)
    order = [category.id for category in table.categories]
    possible_now = tuple(c for c in order if c in {state.category for state in states})
    rows = sorted({state.row for state in states})
    totals = [state.total for state in states if state.total is not None]
    read = _needed(chain, facts, rows[-1]) if len(possible_now) == 1 else needed
    rests = [i for i in facts.items if i in read and _rests(i, facts)]
    return Outcome(
        table=table.id,
        entry=entry,
        possible=possible_now,
        total=Interval(low=min(totals), high=max(totals)) if totals else None,
        missing=_paths(form, table, entry, _once(m.partition(".")[0] for m in missing))
        if len(possible_now) > 1
        else (),
        rests_on=_paths(form, table, entry, rests),
        unconfirmed=_paths(form, table, entry, [i for i in rests if facts.stated[i].unconfirmed]),
        because=tuple(table.rows[row].because for row in rows)
        if len(possible_now) == 1
        else tuple(_near_a_limit(missing, facts)),
    )


def _near_a_limit(missing: Iterable[str], facts: Facts) -> Iterator[Words]:
    """Yield which numbers are given and still on neither side of a limit."""
    for name in missing:
        given = facts.stated.get(name, NOBODY)
        if given.margin is not None and given.number is not None:
            words = reading_words().headings["within"]
            number, margin = format_number(given.number), format_number(given.margin)
            yield words.filled(of=facts.items[name].label, number=number, margin=margin)


def _rests(item_id: str, facts: Facts) -> bool:
    given = facts.stated.get(item_id, NOBODY)
    item = facts.items[item_id]
    return given.state is not State.NOT_ASSESSED and asked(item, facts.answers) is not False


def _chain(
    form: ReadingForm, table: CategoryTable, worst: Mapping[str, tuple[str, ...]]
) -> tuple[CategoryTable, ...]:
    """Return the table after the earlier ones it reads, in the form's order."""
    wanted = {table.id}
    for other in reversed(form.tables[: form.tables.index(table) + 1]):
        if other.id in wanted:
            names = {name.partition(".")[0] for name in other.reads()}
            wanted |= {t.id for t in form.tables if t.id in names and t.id not in worst}
    return tuple(t for t in form.tables if t.id in wanted)


def _needed(
    chain: Sequence[CategoryTable], facts: Facts, last_row: int | None = None
) -> frozenset[str]:
    """Return the items that the tables read, and those that decide whether they are asked.

    Args:
        chain: Tables; the last is the one in question.
        facts: Their items.
        last_row: Rows of the last table after this one are not read.
    """
    found: set[str] = set()
    for table in chain:
        cut = last_row if table is chain[-1] and last_row is not None else len(table.rows)
        found |= {n for row in table.rows[: cut + 1] if row.when for n in row.when.inputs()}
        if table.total is not None:
            found |= set(table.total.items)
            found |= set(table.total.zero_when.inputs()) if table.total.zero_when else set()
    left = {name.partition(".")[0] for name in found}
    done: set[str] = set()
    while left:
        done |= left
        gates = [facts.items[i].asked_when for i in left if i in facts.items]
        left = {n.partition(".")[0] for gate in gates if gate for n in gate.inputs()} - done
    return frozenset(done)


def _completed(
    chain: Sequence[CategoryTable],
    facts: Facts,
    answers: Mapping[str, Answer],
    unknown: Mapping[str, Sequence[Mapping[str, Answer]]],
) -> tuple[list[_State], tuple[str, ...]]:
    """Return the state of every completion, and the unknowns that alone change the category."""
    names, true = list(unknown), _Truth()
    reached: dict[tuple[int, ...], _State] = {}
    for picks in itertools.product(*(range(len(unknown[name])) for name in names)):
        chosen: dict[str, Answer] = dict(answers)
        for name, pick in zip(names, picks, strict=True):
            chosen.update(unknown[name][pick])
        state = _state(chain, facts, chosen, true)
        if state is not None:
            reached[picks] = state
    matter = []
    for position, name in enumerate(names):
        beside: dict[tuple[int, ...], set[str]] = {}
        for picks, state in reached.items():
            rest = picks[:position] + picks[position + 1 :]
            beside.setdefault(rest, set()).add(state.category)
        if any(len(categories) > 1 for categories in beside.values()):
            matter.append(name)
    return list(reached.values()), tuple(matter)


def _state(
    chain: Sequence[CategoryTable], facts: Facts, answers: Mapping[str, Answer], true: "_Truth"
) -> _State | None:
    """Return what a completion leads to; None where it contradicts what is stated.

    An answer that was given says that its question arises.
    """
    held = dict(answers)
    for item in facts.items.values():
        if item.asked_when is not None and not true(item.asked_when, held):
            if facts.stated.get(item.id, NOBODY).state is State.PRESENT:
                return None
            held.pop(item.id, None)
            held.update(not_asked(item))
    total: float | None = None
    state = _State("", 0, None)
    for table in chain:
        total = None
        if table.total is not None:
            total = _total(table, facts, held, true)
            held[f"{table.id}.total"] = Interval.exact(total)
        row = next(i for i, r in enumerate(table.rows) if r.when is None or true(r.when, held))
        held[table.id] = table.rows[row].category
        state = _State(table.rows[row].category, row, total)
    return state


class _Truth:
    """Tells whether conditions hold; the same answers are not tested twice.

    Most completions differ in what a row does not read.
    """

    def __init__(self) -> None:
        self._names: dict[int, tuple[str, ...]] = {}
        self._known: dict[tuple[int, tuple[Answer, ...]], bool] = {}

    def __call__(self, condition: Condition, answers: Mapping[str, Answer]) -> bool:
        """Return whether the condition is true; false where it is unknown."""
        key = id(condition)
        names = self._names.get(key)
        if names is None:
            names = self._names[key] = tuple(dict.fromkeys(condition.inputs()))
        read = (key, tuple([answers.get(name) for name in names]))
        known = self._known.get(read)
        if known is None:
            known = self._known[read] = holds(condition, answers) is True
        return known


def _total(
    table: CategoryTable, facts: Facts, answers: Mapping[str, Answer], true: _Truth
) -> float:
    rule = table.total
    if rule is None or (rule.zero_when is not None and true(rule.zero_when, answers)):
        return rule.start if rule is not None else 0.0
    each = [points(facts.items[i], answers) for i in rule.items]
    return rule.start + sum(p.low or 0.0 for p in each if p is not None)


def _bounded(
    chain: Sequence[CategoryTable],
    facts: Facts,
    answers: Mapping[str, Answer],
    worst: Mapping[str, tuple[str, ...]],
) -> list[_State]:
    """Return states that bound what is possible, by three-valued logic."""
    held: dict[str, Answer] = dict(answers)
    held.update({name: frozenset(p) for name, p in worst.items() if len(p) > 1})
    for item in facts.items.values():
        if item.asked_when is not None and holds(item.asked_when, held) is False:
            held.update(not_asked(item))
    states: list[_State] = []
    for table in chain:
        span_now = _bounds(table, facts, held)
        if span_now is not None:
            held[f"{table.id}.total"] = span_now
        rows: list[int] = []
        for index, row in enumerate(table.rows):
            verdict = True if row.when is None else holds(row.when, held)
            if verdict is not False:
                rows.append(index)
            if verdict is True:
                break
        categories = frozenset(table.rows[index].category for index in rows)
        held[table.id] = next(iter(categories)) if len(categories) == 1 else categories
        ends = [None] if span_now is None else [span_now.low, span_now.high]
        states = [_State(table.rows[i].category, i, end) for i in rows for end in ends]
    return states


def _bounds(table: CategoryTable, facts: Facts, answers: Mapping[str, Answer]) -> Interval | None:
    rule = table.total
    if rule is None:
        return None
    zero = None if rule.zero_when is None else holds(rule.zero_when, answers)
    if zero is True:
        return Interval.exact(rule.start)
    each = [points(facts.items[i], answers) or span(facts.items[i]) for i in rule.items]
    low = rule.start + sum(p.low or 0.0 for p in each)
    high = rule.start + sum(p.high or 0.0 for p in each)
    if rule.zero_when is not None and zero is None:
        low, high = min(low, rule.start), max(high, rule.start)
    return Interval(low=low, high=high)


def _paths(
    form: ReadingForm, table: CategoryTable, entry: str | None, items: Iterable[str]
) -> tuple[str, ...]:
    """Return paths from the reading's root, in the order of the form."""
    parts = {p.id for p in form.items[table.of].items} if table.of is not None else set()
    return tuple(f"{table.of}/{entry}/{i}" if i in parts else i for i in items)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
