"""What changed between two readings of one patient: by sizes and order, never by guess."""

from collections.abc import Iterator
from typing import Literal

from knowledge.errors import ContractError, IdentityConflictError
from knowledge.finding import State
from knowledge.model import Frozen
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.reading_items import Item
from knowledge.reading_words import reading_words
from knowledge.words import Words
from tools.readings.category import outcomes
from tools.readings.model import NOBODY, Reading, Stated
from tools.readings.outcome import Outcome
from tools.readings.sentences import with_unit

Verdict = Literal["new", "larger", "stable", "smaller", "gone", "not-comparable", "none"]


class Compared(Frozen):
    """One item on two readings.

    Args:
        path: ``item``, ``list/entry``, ``list/entry/item``, or the id of a table.
        verdict: What changed; ``none`` where it is absent on both.
        why: What the verdict rests on, or why there is none.
        before, now: As stated; None for a category.
        categories: Least and most before, and now, where a category is compared.
    """

    path: str
    verdict: Verdict
    why: Words | None = None
    before: Stated | None = None
    now: Stated | None = None
    categories: tuple[tuple[str, ...], tuple[str, ...]] | None = None


class Comparison(Frozen):
    """Two readings.

    Args:
        prior, current: Their ids.
        days: Between the examinations; None where a time is not known.
        rows: In reading order.
    """

    prior: str
    current: str
    days: float | None
    rows: tuple[Compared, ...]


def compared(current: Reading, prior: Reading) -> Comparison:
    """Return what changed from `prior` to `current`, item by item.

    Raises:
        IdentityConflictError: They are not of one patient, or it cannot be told.
        ContractError: Of different forms, or the prior is the later one.
    """
    _one_patient(current, prior)
    if current.form != prior.form:
        raise ContractError(
            f"reading {prior.id}",
            f"is a {prior.form}, not a {current.form}",
            "compare readings of one form",
        )
    days = None
    if current.study.done is not None and prior.study.done is not None:
        days = (current.study.done - prior.study.done).total_seconds() / 86400
        if days < 0:
            raise ContractError(
                f"reading {prior.id}", "is of a later examination", "exchange the two"
            )
    form = reading_form(current.form)
    rows = [*_items(form, current, prior), *_categories(form, current, prior)]
    return Comparison(prior=prior.id, current=current.id, days=days, rows=tuple(rows))


def _one_patient(current: Reading, prior: Reading) -> None:
    a, b = current.subject, prior.subject
    if (a.id, a.issuer) == (b.id, b.issuer):
        return
    raise IdentityConflictError(
        f"readings {current.id} and {prior.id}",
        "are not shown to be of one patient",
        "check the identifiers and who gave them",
    )


def _items(form: ReadingForm, current: Reading, prior: Reading) -> Iterator[Compared]:
    for item in form.items.values():
        before, now = prior.items.get(item.id, NOBODY), current.items.get(item.id, NOBODY)
        if before.nobody_looked and now.nobody_looked:
            continue
        if item.kind == "list":
            yield from _entries(item, before, now)
        elif item.kind != "text":
            yield _item(item, item.id, before, now)


def _entries(item: Item, before: Stated, now: Stated) -> Iterator[Compared]:
    """Yield every entry, matched by its id."""
    unlike = _unlike(before, now)
    if unlike is not None:
        yield _row(item.id, "not-comparable", unlike, before, now)
        return
    if before.state is now.state is State.ABSENT:
        yield _row(item.id, "none", None, before, now)
    old, new = ({e.id: e.items for e in stated.entries} for stated in (before, now))
    for key in dict.fromkeys([*old, *new]):
        path = f"{item.id}/{key}"
        if key not in new:
            yield Compared(path=path, verdict="gone")
        elif key not in old:
            yield Compared(path=path, verdict="new")
        else:
            for part in item.items:
                a, b = old[key].get(part.id, NOBODY), new[key].get(part.id, NOBODY)
                if part.kind != "text" and not (a.nobody_looked and b.nobody_looked):
                    yield _item(part, f"{path}/{part.id}", a, b)


def _item(item: Item, path: str, before: Stated, now: Stated) -> Compared:
    unlike = _unlike(before, now)
    if unlike is not None:
        return _row(path, "not-comparable", unlike, before, now)
    if before.state is not State.PRESENT:
        verdict: Verdict = "new" if now.state is State.PRESENT else "none"
        return _row(path, verdict, None, before, now)
    if now.state is not State.PRESENT:
        return _row(path, "gone", None, before, now)
    verdict, why = _both(item, before, now)
    return _row(path, verdict, why, before, now)


def _unlike(before: Stated, now: Stated) -> Words | None:
    if before.state is State.NOT_ASSESSED:
        return _word("prior-not-assessed")
    return _word("now-not-assessed") if now.state is State.NOT_ASSESSED else None


def _both(item: Item, before: Stated, now: Stated) -> tuple[Verdict, Words | None]:
    match item.kind:
        case "number":
            return _numbers(before.number, now.number, item.least_change, now.unit or "1")
        case "choice":
            return _answers(item, before, now)
        case "choices":
            same = set(before.choices) == set(now.choices)
            return ("stable", None) if same else ("not-comparable", _word("no-order"))
        case _:
            return _signs(item, before, now)


def _signs(item: Item, before: Stated, now: Stated) -> tuple[Verdict, Words | None]:
    sides = {before.side, now.side}
    if {"left", "right"} <= sides:
        return "not-comparable", _word("sides")
    if now.change == "new":
        return "not-comparable", _word("said-new")
    if before.size_mm is None or now.size_mm is None:
        if now.change is not None:
            return now.change, _word("stated")
        return "not-comparable", _word("no-size")
    verdict, why = _numbers(before.size_mm, now.size_mm, item.least_change, "mm")
    if now.change is None or now.change == verdict:
        return verdict, why
    if verdict == "not-comparable":
        return now.change, _word("stated")
    return "not-comparable", _word("disagree")


def _numbers(
    before: float | None, now: float | None, least: float | None, unit: str
) -> tuple[Verdict, Words | None]:
    if before is None or now is None:
        return "not-comparable", _word("no-size")
    if before == now:
        return "stable", None
    if least is None:
        return "not-comparable", _word("no-least")
    shown = with_unit(least, unit)
    # a difference of decimals: 4.1 - 2.6 must reach 1.5
    if round(abs(now - before), 9) < least:
        return "stable", _word("within").filled(least=shown)
    return ("larger" if now > before else "smaller"), _word("beyond").filled(least=shown)


def _answers(item: Item, before: Stated, now: Stated) -> tuple[Verdict, Words | None]:
    if before.choices == now.choices:
        return "stable", None
    if not item.ordered:
        return "not-comparable", _word("no-order")
    order = list(item.answers)
    up = order.index(now.choices[0]) > order.index(before.choices[0])
    return ("larger" if up else "smaller"), None


def _categories(form: ReadingForm, current: Reading, prior: Reading) -> Iterator[Compared]:
    """Yield the categories of the whole, where both readings have them."""
    old = [o for o in outcomes(form, prior.items) if o.entry is None]
    new = [o for o in outcomes(form, current.items) if o.entry is None]
    for before, now in zip(old, new, strict=True):
        if not before.possible or not now.possible:
            continue
        verdict, why = _category(form, before, now)
        ends = (_ends(before), _ends(now))
        yield Compared(path=now.table, verdict=verdict, why=why, categories=ends)


def _category(form: ReadingForm, before: Outcome, now: Outcome) -> tuple[Verdict, Words | None]:
    if before.category is None or now.category is None:
        return "not-comparable", _word("ranges")
    if before.category == now.category:
        return "stable", None
    order = [category.id for category in form.table(now.table).categories]
    up = order.index(now.category) > order.index(before.category)
    return ("larger" if up else "smaller"), None


def _ends(outcome: Outcome) -> tuple[str, ...]:
    return tuple(dict.fromkeys((outcome.possible[0], outcome.possible[-1])))


def _row(path: str, verdict: Verdict, why: Words | None, before: Stated, now: Stated) -> Compared:
    return Compared(path=path, verdict=verdict, why=why, before=before, now=now)


def _word(key: str) -> Words:
    return reading_words().comparisons[key]
