# ruff: noqa: RUF001
"""Answers of a reading that cannot stand together, and numbers that do not follow from others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import NormalDist

from knowledge.finding import State
from knowledge.model import Frozen
from knowledge.quantity import Interval
from knowledge.reading_contradictions import Contradiction, Derived
from knowledge.reading_form import ReadingForm
from knowledge.reading_words import reading_words
from knowledge.rules import Answer, holds
from knowledge.words import Words
from tools.readings.answers import ends, facts_of
from tools.readings.model import NOBODY, Stated
from tools.readings.outcome import Outcome
from tools.readings.sentences import with_unit


class Clash(Frozen):
    """One thing that cannot stand, or is to be looked at again.

    Args:
        key: Id of the form's contradiction, with the entry of its list: ``id`` or ``id/entry``;
            of a derived number its item.
        look_again: It may be confirmed; else an answer is corrected.
        because: What cannot stand together.
        paths: Of the items it rests on.
    """

    key: str
    look_again: bool
    because: Words
    paths: tuple[str, ...]


def clashes(
    form: ReadingForm, stated: Mapping[str, Stated], found: Sequence[Outcome]
) -> tuple[Clash, ...]:
    """Return what cannot stand together; only what is true for certain.

    Args:
        form: The form.
        stated: State of its items.
        found: What the tables say of them.
    """
    made: list[Clash] = []
    for rule in form.contradictions:
        entries = (e.id for e in stated.get(rule.of, NOBODY).entries) if rule.of else ("",)
        for entry in entries:
            answers = _answers(form, stated, found, rule.of, entry)
            if holds(rule.when, answers) is True:
                made.append(_clash(form, rule, entry, answers, found))
    return (*made, *_underived(form, stated))


def withheld(outcome: Outcome, found: Iterable[Clash]) -> Outcome:
    """Return an outcome without its category, where what it rests on contradicts itself."""
    touching = [clash for clash in found if set(clash.paths) & set(outcome.rests_on)]
    again = tuple(clash.key for clash in touching if clash.look_again)
    hard = [clash for clash in touching if not clash.look_again]
    if not hard:
        return outcome.model_copy(update={"look_again": again}) if again else outcome
    return outcome.model_copy(
        update={
            "possible": (),
            "total": None,
            "missing": (),
            "because": tuple(dict.fromkeys(clash.because for clash in hard)),
            "contradictions": tuple(clash.key for clash in hard),
            "look_again": again,
        }
    )


def _answers(
    form: ReadingForm,
    stated: Mapping[str, Stated],
    found: Sequence[Outcome],
    of: str | None,
    entry: str,
) -> Mapping[str, Answer]:
    """Return what is known, under the names that contradictions read."""
    items = list(form.items.values())
    held = dict(stated)
    if of is not None:
        items += form.items[of].items
        held |= next(e.items for e in stated[of].entries if e.id == entry)
    answers: dict[str, Answer] = dict(facts_of(items, held, ()).answers)
    for item in items:
        given = held.get(item.id, NOBODY)
        if given.side is not None:
            answers[f"{item.id}.side"] = given.side
        if given.number is not None and given.margin is not None:
            low, high = ends(item, given.number, given.margin)
            answers[item.id] = Interval(low=low, high=high)
    for item in form.items.values():
        for one in stated.get(item.id, NOBODY).entries if item.fixed else ():
            known = facts_of(item.items, one.items, ()).answers
            answers.update({f"{item.id}/{one.id}/{name}": value for name, value in known.items()})
    for outcome in found:
        own = of is not None and form.table(outcome.table).of == of and outcome.entry == entry
        whole = outcome.entry is None and outcome.table not in answers
        if outcome.category is not None and (own or whole):
            answers[outcome.table] = outcome.category
    return answers


def _clash(
    form: ReadingForm,
    rule: Contradiction,
    entry: str,
    answers: Mapping[str, Answer],
    found: Sequence[Outcome],
) -> Clash:
    parts = {part.id for part in form.items[rule.of].items} if rule.of else set()
    paths: list[str] = []
    for name in rule.when.inputs():
        base = name.partition(".")[0]
        if base in {table.id for table in form.tables}:
            own = [o for o in found if o.table == base and o.entry in (entry, None)]
            paths += own[0].rests_on if own else ()
        elif name in answers or any(key.startswith(f"{base}.") for key in answers):
            paths.append(f"{rule.of}/{entry}/{base}" if base in parts else base)
    return Clash(
        key=f"{rule.id}/{entry}" if entry else rule.id,
        look_again=rule.weight == "look-again",
        because=rule.because,
        paths=tuple(dict.fromkeys(paths)),
    )


def _underived(form: ReadingForm, stated: Mapping[str, Stated]) -> Iterator[Clash]:
    """Yield the numbers that differ from what they follow from."""
    rules = {rule.item: rule for rule in form.derived}
    for rule in form.derived:
        given = stated.get(rule.item, NOBODY)
        computed = _computed(rule, rules, stated)
        if given.number is None or computed is None:
            continue
        if abs(given.number - computed) <= rule.within + 1e-9:
            continue
        item = form.items[rule.item]
        unit = item.unit or "1"
        words = (
            reading_words()
            .headings["not_derived"]
            .filled(
                item=item.label,
                stated=_shown(given.number, unit),
                computed=_shown(round(computed, 2), unit),
                of=_joined([form.items[name].label for name in rule.reads]),
            )
        )
        yield Clash(key=rule.item, look_again=False, because=words, paths=(rule.item, *rule.reads))


def _shown(number: float, unit: str) -> Words:
    return Words(en=with_unit(number, unit), zh=with_unit(number, unit, language="zh"))


def _joined(labels: Sequence[Words]) -> Words:
    return Words(en="; ".join(w.en for w in labels), zh="；".join(w.zh for w in labels))


def _computed(
    rule: Derived, rules: Mapping[str, Derived], stated: Mapping[str, Stated]
) -> float | None:
    """Return what a number has to be; one that itself follows from others is computed first."""
    read: list[float] = []
    for name in rule.reads:
        number = _computed(rules[name], rules, stated) if name in rules else None
        given = stated.get(name, NOBODY)
        if number is None and given.state is State.PRESENT:
            number = given.number
        if number is None:
            return None
        read.append(number)
    if rule.percentile is not None:
        return 100 * NormalDist().cdf(read[0])
    if rule.minus is not None:
        return read[0] - read[1]
    return read[0] / read[1] if read[1] else None
