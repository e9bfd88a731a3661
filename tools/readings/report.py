# ruff: noqa: RUF001
"""The report of a reading, in reading order: what is stated, by whom, and what follows from it."""

from collections.abc import Iterator, Sequence

from knowledge.finding import State, Why
from knowledge.model import Frozen
from knowledge.quantity import Interval
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.reading_items import Item, Section
from knowledge.reading_words import reading_words
from knowledge.words import Language
from tools.readings.answers import asked, facts_of
from tools.readings.category import category_of, contradictions, headline, outcomes
from tools.readings.compare import Comparison
from tools.readings.model import NOBODY, Entry, Reading, Stated
from tools.readings.names import path_name
from tools.readings.outcome import Outcome
from tools.readings.report_changes import Change, change_rows, edits, folds
from tools.readings.sentences import not_assessed, sentence, speaker
from tools.readings.summary import summary
from tools.readings.versions import open_clashes


class Row(Frozen):
    """One sentence.

    Args:
        path: Of the item; of several items in one sentence, with spaces between.
        text: The sentence.
        state: Of the item.
        by: Who says it; empty for nobody.
        unconfirmed: No reader has confirmed it.
    """

    path: str
    text: str
    state: State
    by: str
    unconfirmed: bool


class Block(Frozen):
    """Sentences under one heading; those of entries in blocks below.

    Args:
        heading: To show.
        rows: In reading order.
        not_looked_at: Names of items that nobody has touched.
        entries: Of lists.
    """

    heading: str
    rows: tuple[Row, ...] = ()
    not_looked_at: tuple[str, ...] = ()
    entries: tuple["Block", ...] = ()


class CategoryLine(Frozen):
    """What one table says.

    Args:
        label: Of the table, with the entry.
        text: The category; or the range, and that it is not determined.
        determined: Whether it is one category.
        total: Points; empty where there are none.
        because: Of the row.
        rests_on, missing, unconfirmed: Names of items.
        management: What the source advises; empty where the category is not determined.
        review: How sure the row of the table is.
    """

    label: str
    text: str
    determined: bool
    total: str = ""
    because: str = ""
    rests_on: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    management: str = ""
    review: str = ""


class Cited(Frozen):
    """A source: title with year, DOI, and how sure the rows are that rest on it."""

    label: str
    doi: str | None
    review: str


class ReadingReport(Frozen):
    """Everything that the report shows, in one language.

    Args:
        language: Of every text.
        title, banner, status: At the top.
        facts: Label and value.
        headline: The categories in short; empty unless all are determined.
        summary: What it comes to, what is not determined, and what is to be looked at again;
            never empty.
        present: Signs that are present, in reading order.
        categories: Of the whole, then of entries.
        blocks: In reading order.
        comparison: With the prior reading; empty without one.
        folded: What is absent on both readings, or was not looked at on one: why, and names.
        notes, citations, edits: At the end.
    """

    language: Language
    title: str
    banner: str
    status: str
    facts: tuple[tuple[str, str], ...]
    headline: str
    summary: tuple[str, ...]
    present: tuple[Row, ...]
    categories: tuple[CategoryLine, ...]
    blocks: tuple[Block, ...]
    comparison: tuple[Change, ...] = ()
    folded: tuple[tuple[str, tuple[str, ...]], ...] = ()
    notes: tuple[str, ...] = ()
    citations: tuple[Cited, ...] = ()
    edits: tuple[str, ...] = ()


def reading_report(
    reading: Reading, *, language: Language = "en", comparison: Comparison | None = None
) -> ReadingReport:
    """Return the report of a reading.

    Args:
        reading: That fits its form.
        language: English or Chinese.
        comparison: With a prior reading.
    """
    form = reading_form(reading.form)
    found, against = outcomes(form, reading.items), contradictions(reading)
    open_ones = frozenset(clash.key for clash in open_clashes(reading))
    changes = comparison.rows if comparison is not None else ()
    blocks = tuple(_block(form, section, reading, language) for section in form.sections)
    return ReadingReport(
        language=language,
        title=form.name.read(language),
        banner=_head("research", language),
        status=_status(reading, language),
        facts=tuple(_facts(reading, language, comparison)),
        headline=headline(form, found),
        summary=summary(reading, form, found, against, language),
        categories=tuple(_category(form, o, open_ones, language) for o in _shown(found)),
        present=tuple(_present(form, blocks)),
        blocks=blocks,
        comparison=tuple(change_rows(form, changes, language)),
        folded=tuple(folds(form, changes, language)),
        notes=tuple(note.text.read(language) for note in form.notes),
        citations=tuple(_citations(form, language)),
        edits=tuple(edits(form, reading, language)),
    )


def _status(reading: Reading, language: Language) -> str:
    if reading.signed is None:
        return _head("preliminary", language)
    when = reading.signed.at.strftime("%Y-%m-%d %H:%M %Z")
    return f"{_head('final', language)}: {reading.signed.who}, {when}"


def _facts(
    reading: Reading, language: Language, comparison: Comparison | None
) -> Iterator[tuple[str, str]]:
    yield _head("patient", language), reading.subject.id
    done = reading.study.done
    when = done.strftime("%Y-%m-%d %H:%M %Z") if done is not None else ""
    named = reading.study.accession or reading.study.study_uid
    study = ", ".join(t for t in (reading.study.modality, when, named) if t)
    yield _head("study", language), study
    yield _head("report", language), f"{reading.id}, {_head('version', language)} {reading.version}"
    if comparison is not None:
        yield _head("prior_reading", language), comparison.prior


def _category(
    form: ReadingForm, outcome: Outcome, open_ones: frozenset[str], language: Language
) -> CategoryLine:
    table = form.table(outcome.table)
    label = table.label.read(language)
    if (
        outcome.entry is None
        and table.of is not None
        and (outcome.possible or outcome.contradictions)
    ):
        label += " · " + _head("worst", language)
    elif outcome.entry is not None:
        label += " · " + path_name(form, f"{table.of}/{outcome.entry}", language)
    category = category_of(form, outcome)

    def names(paths: Sequence[str]) -> tuple[str, ...]:
        return tuple(path_name(form, path, language) for path in paths)

    return CategoryLine(
        label=label,
        text=_category_text(form, outcome, language),
        determined=category is not None,
        total=_total(form, outcome, language),
        because=_because(outcome, language),
        rests_on=names(outcome.rests_on),
        missing=names(outcome.missing),
        unconfirmed=names(outcome.unconfirmed),
        management=category.management.read(language)
        if category is not None
        and category.management is not None
        and not open_ones & set(outcome.look_again)
        else "",
        review=reading_words().review(category.review, language) if category is not None else "",
    )


def _because(outcome: Outcome, language: Language) -> str:
    """Return the reasons; of rows that lead to one category either may hold."""
    said = dict.fromkeys(words.read(language) for words in outcome.because)
    either = outcome.category is not None and language == "en"
    between = f" {_head('or', language)} " if either else " "
    if outcome.category is not None and language == "zh":
        between = _head("or", language)
    return between.join(said)


def _shown(found: Sequence[Outcome]) -> Iterator[Outcome]:
    """Yield every outcome but that of a whole which is one entry."""
    for outcome in found:
        entries = [o for o in found if o.table == outcome.table and o.entry is not None]
        if outcome.entry is not None or len(entries) != 1:
            yield outcome


def _category_text(form: ReadingForm, outcome: Outcome, language: Language) -> str:
    table = form.table(outcome.table)
    labels = [table.category(c).label.read(language) for c in outcome.possible]
    if outcome.contradictions:
        return _head("contradiction", language)
    if outcome.no_entries:
        return _head("no_entries", language)
    if not labels:
        return _head("not_stated", language)
    if len(labels) == 1:
        return labels[0]
    joined = ("；" if language == "zh" else "; ").join(dict.fromkeys(labels))
    return reading_words().headings["undetermined"].filled(range=joined).read(language)


def _total(form: ReadingForm, outcome: Outcome, language: Language) -> str:
    table = form.table(outcome.table)
    if outcome.total is None or table.total is None:
        return ""
    return f"{_span(outcome.total)} {table.total.label.read(language)}"


def _span(total: Interval) -> str:
    if total.low is None or total.high is None or total.low == total.high:
        return str(total)
    return f"{total.low:g} – {total.high:g}"


def _block(form: ReadingForm, section: Section, reading: Reading, language: Language) -> Block:
    answers = facts_of(form.items.values(), reading.items, ()).answers
    items = [item for item in section.items if asked(item, answers) is not False]
    rows, untouched, entries = [], [], []
    for item in items:
        given = reading.items.get(item.id, NOBODY)
        if given.nobody_looked:
            untouched.append(item.label.read(language))
            continue
        rows.append(_row(item, given, item.id, language))
        entries += [_entry(form, reading, item, entry, language) for entry in given.entries]
    return Block(
        heading=section.label.read(language),
        rows=tuple(_without_model(form, rows, reading, language)),
        not_looked_at=tuple(untouched),
        entries=tuple(entries),
    )


def _without_model(
    form: ReadingForm, rows: Sequence[Row], reading: Reading, language: Language
) -> Iterator[Row]:
    """Yield the rows; last, one for all signs without a model to look for them, by their reason."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for row in rows:
        item, why = form.item(row.path), reading.items[row.path].not_assessed
        if item.kind != "sign" or why is None or why.why is not Why.NO_MODEL:
            yield row
        else:
            groups.setdefault((why.detail, row.by), []).append(item)
    for (_, by), items in groups.items():
        first = reading.items[items[0].id]
        yield Row(
            path=" ".join(item.id for item in items),
            text=not_assessed(items, first, language),
            state=State.NOT_ASSESSED,
            by=by,
            unconfirmed=False,
        )


def _present(form: ReadingForm, blocks: Sequence[Block]) -> Iterator[Row]:
    """Yield the sentences of signs that are present."""
    signs = {item.id for item in form.items.values() if item.kind == "sign"}
    rows = [row for block in blocks for row in block.rows]
    yield from (row for row in rows if row.path in signs and row.state is State.PRESENT)


def _entry(
    form: ReadingForm, reading: Reading, item: Item, entry: Entry, language: Language
) -> Block:
    beside = facts_of(
        [*form.items.values(), *item.items], {**reading.items, **entry.items}, ()
    ).answers
    rows, untouched = [], []
    for part in item.items:
        given = entry.items.get(part.id, NOBODY)
        if asked(part, beside) is False:
            continue
        if given.nobody_looked:
            untouched.append(part.label.read(language))
        else:
            rows.append(_row(part, given, f"{item.id}/{entry.id}/{part.id}", language))
    return Block(
        heading=path_name(form, f"{item.id}/{entry.id}", language),
        rows=tuple(rows),
        not_looked_at=tuple(untouched),
    )


def _row(item: Item, given: Stated, path: str, language: Language) -> Row:
    return Row(
        path=path,
        text=sentence(item, given, language),
        state=given.state,
        by=speaker(given.said, language),
        unconfirmed=given.unconfirmed,
    )


def _citations(form: ReadingForm, language: Language) -> Iterator[Cited]:
    reviews: dict[str, str] = {}
    for section in form.sections:
        reviews.setdefault(section.source, section.review)
    for table in form.tables:
        for category in table.categories:
            reviews.setdefault(category.source, category.review)
        for row in table.rows:
            reviews.setdefault(row.source, row.review)
    for rule in form.contradictions:
        reviews.setdefault(rule.source, rule.review)
    for derived in form.derived:
        reviews.setdefault(derived.source, derived.review)
    for note in form.notes:
        reviews.setdefault(note.source, note.review)
    for source, review in reviews.items():
        cited = form.cite(f"readings/{form.id}", source, review)
        words = reading_words().review(review, language)
        yield Cited(label=cited.label, doi=cited.doi, review=words)


def _head(key: str, language: Language) -> str:
    return reading_words().headings[key].read(language)
