# ruff: noqa: RUF001
"""What changed: against the prior reading, and from version to version."""

from collections.abc import Iterator, Sequence

from knowledge.model import Frozen
from knowledge.reading_form import ReadingForm
from knowledge.reading_words import reading_words
from knowledge.words import Language
from tools.readings.compare import Compared
from tools.readings.model import Edit, Reading, Stated
from tools.readings.names import path_name
from tools.readings.sentences import value


class Change(Frozen):
    """One row of the comparison."""

    name: str
    before: str
    now: str
    verdict: str
    kind: str
    why: str


def change_rows(
    form: ReadingForm, changes: Sequence[Compared], language: Language
) -> Iterator[Change]:
    """Yield a row for every change that says more than that nothing was there, or looked at."""
    yield from (_change(form, row, language) for row in changes if not _folded(row))


def _change(form: ReadingForm, row: Compared, language: Language) -> Change:
    words = reading_words()
    if row.categories is not None:
        table = form.table(row.path)
        before, now = (
            " – ".join(table.category(c).label.read(language) for c in ends)
            for ends in row.categories
        )
    else:
        before, now = _seen(form, row, row.before, language), _seen(form, row, row.now, language)
    return Change(
        name=path_name(form, row.path, language),
        before=before,
        now=now,
        verdict=words.verdicts[row.verdict].read(language),
        kind=row.verdict,
        why=row.why.read(language) if row.why is not None else "",
    )


def _folded(row: Compared) -> bool:
    """Return whether a row says only that it is absent on both, or not looked at on one."""
    one_sided = [s for s in (row.before, row.now) if s is not None and s.nobody_looked]
    return row.verdict == "none" or bool(one_sided)


def folds(
    form: ReadingForm, changes: Sequence[Compared], language: Language
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what the rows leave out: why, and the names."""
    words = reading_words()
    groups: dict[str, list[str]] = {}
    for row in changes:
        if _folded(row):
            why = row.why if row.why is not None else words.verdicts["none"]
            groups.setdefault(why.read(language), []).append(path_name(form, row.path, language))
    yield from ((why, tuple(names)) for why, names in groups.items())


def _seen(form: ReadingForm, row: Compared, given: Stated | None, language: Language) -> str:
    return "" if given is None else value(form.item(row.path), given, language)


def edits(form: ReadingForm, reading: Reading, language: Language) -> Iterator[str]:
    """Yield what was changed; items that were stated for the first time are only counted."""
    for version in sorted({edit.version for edit in reading.edits}):
        own = [(i, e) for i, e in enumerate(reading.edits) if e.version == version]
        first = [e for _, e in own if e.before.nobody_looked]
        if first:
            key = "first_stated_one" if len(first) == 1 else "first_stated"
            words = reading_words().headings[key].filled(count=str(len(first)))
            yield f"{_edit_head(first[0], language)}: {words.read(language)}"
        for index, edit in own:
            if not edit.before.nobody_looked:
                yield _edit(form, reading, index, language)


def _edit_head(edit: Edit, language: Language) -> str:
    version = reading_words().headings["version"].read(language)
    return f"{version} {edit.version}, {edit.at:%Y-%m-%d %H:%M %Z}, {edit.by}"


def _edit(form: ReadingForm, reading: Reading, index: int, language: Language) -> str:
    edit = reading.edits[index]
    later = [e for e in reading.edits[index + 1 :] if e.path == edit.path]
    after = later[0].before if later else reading.at(edit.path)
    item = form.item(edit.path)
    head = _edit_head(edit, language)
    change = f"{value(item, edit.before, language)} → {value(item, after, language)}"
    return f"{head}: {path_name(form, edit.path, language)}: {change}"
