# ruff: noqa: RUF001
"""The summary of a reading: its categories in short, or what is present, and what is open."""

from collections.abc import Iterator, Sequence

from knowledge.finding import State
from knowledge.reading_form import ReadingForm
from knowledge.reading_words import reading_words
from knowledge.words import Language
from tools.readings.category import category_of
from tools.readings.contradictions import Clash
from tools.readings.model import Reading
from tools.readings.names import path_name
from tools.readings.outcome import Outcome, outcome_of
from tools.readings.sentences import listed, value


def summary(
    reading: Reading,
    form: ReadingForm,
    found: Sequence[Outcome],
    against: Sequence[Clash],
    language: Language,
) -> tuple[str, ...]:
    """Return the lines of the summary; never none.

    Args:
        reading: The reading.
        form: Its form.
        found: What its tables say.
        against: What cannot stand together in it.
        language: English or Chinese.
    """
    if not said_by_anyone(reading):
        return (_head("nothing_looked_at", language),)
    lines = list(_categories(form, found, language))
    if not form.headline:
        lines = list(_present(reading, form, language))
    lines += [clash_line(form, reading, clash, language) for clash in against]
    return tuple(lines) or (_head("none_present", language),)


def clash_line(form: ReadingForm, reading: Reading, clash: Clash, language: Language) -> str:
    """Return one sentence on what cannot stand together: where, what, and whether it is settled."""
    where = _where(form, clash, language)
    text = clash.because.read(language)
    if not clash.look_again:
        return _joined(_head("contradiction", language), f"{where}{text}", language)
    named = [one.said.who for one in reading.accepted if one.key == clash.key]
    settled = reading_words().headings["look_again_confirmed"].filled(who="; ".join(named))
    end = settled.read(language) if named else _head("look_again_open", language)
    brackets = "（{}）" if language == "zh" else " ({})"
    said = f"{where}{text}{brackets.format(end)}"
    return _joined(_head("look_again", language), said, language)


def said_by_anyone(reading: Reading) -> bool:
    """Return whether anything at all was looked at."""
    return any(not stated.nobody_looked for stated in reading.items.values())


def _where(form: ReadingForm, clash: Clash, language: Language) -> str:
    entry = clash.key.partition("/")[2]
    rule = next((one for one in form.contradictions if one.id == clash.key.partition("/")[0]), None)
    if not entry or rule is None or rule.of is None:
        return ""
    colon = "：" if language == "zh" else ": "
    return path_name(form, f"{rule.of}/{entry}", language) + colon


def _categories(form: ReadingForm, found: Sequence[Outcome], language: Language) -> Iterator[str]:
    outcomes = [outcome_of(found, table) for table in form.headline]
    named = [category_of(form, outcome) for outcome in outcomes]
    short = "/".join(category.short for category in named if category and category.short)
    if short:
        yield short
    settled = [o.category is not None or o.no_entries for o in outcomes]
    plain = [category.label.read(language) for category in named if category and not category.short]
    if plain and not short:
        yield listed(plain, language)
    for outcome in outcomes:
        if outcome.no_entries:
            label = form.table(outcome.table).label.read(language)
            yield _joined(label, _head("no_entries", language), language)
    open_ones = [o for o, done in zip(outcomes, settled, strict=True) if not done]
    if open_ones:
        labels = [form.table(outcome.table).label.read(language) for outcome in open_ones]
        yield _joined(_head("undetermined_short", language), listed(labels, language), language)


def _present(reading: Reading, form: ReadingForm, language: Language) -> Iterator[str]:
    impression = reading.at("impression_text")
    if impression.state is State.PRESENT:
        yield impression.text
    said = []
    for item in form.items.values():
        given = reading.at(item.id)
        if item.kind not in ("sign", "list") or given.state is not State.PRESENT:
            continue
        shown = value(item, given, language).removeprefix(_state(State.PRESENT, language)).strip()
        gap = " " if shown and language == "en" else ""
        said.append(f"{item.label.read(language)}{gap}{shown}")
    if said:
        yield _joined(_head("present", language), listed(said, language), language)
    elif impression.state is not State.PRESENT:
        yield _head("none_present", language)
    untouched = sum(1 for item in form.items if reading.at(item).nobody_looked)
    if untouched:
        words = reading_words().headings["not_looked_at_count"]
        yield words.filled(count=str(untouched), all=str(len(form.items))).read(language)


def _joined(label: str, text: str, language: Language) -> str:
    return f"{label}：{text}" if language == "zh" else f"{label}: {text}"


def _state(state: State, language: Language) -> str:
    return reading_words().states[state.value].read(language)


def _head(key: str, language: Language) -> str:
    return reading_words().headings[key].read(language)
