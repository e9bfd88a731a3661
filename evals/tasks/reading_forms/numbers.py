"""The numbers of a report: each is one that was stated, or a word of the form."""

import re
from collections.abc import Iterator, Mapping

from knowledge.reading_form import ReadingForm
from knowledge.reading_items import Item
from knowledge.words import Language
from tools.readings.model import Reading, Stated
from tools.readings.report import Block, ReadingReport, Row, reading_report

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Given = Mapping[str, tuple[Item, Stated]]


def number_checks(form: ReadingForm, reading: Reading) -> Iterator[tuple[bool, str]]:
    """Yield for each number whether it is right, with what is wrong in words.

    A number of the report must be one of the reading, and a stated number must be in the report.
    """
    given = dict(_given(form, reading))
    for language in LANGUAGES:
        report = reading_report(reading, language=language)
        rows = list(_rows(report.blocks))
        for row in rows:
            yield from _row(row, given)
        for path, (_, one) in given.items():
            if one.number is None:
                continue
            said = [r.text for r in rows if path in r.path.split()]
            there = any(_has(text, one.number) for text in said)
            yield there, "" if there else f"{language}: {path} is {one.number:g} and is not said"
        yield from _totals(report, language)


def _row(row: Row, given: Given) -> Iterator[tuple[bool, str]]:
    allowed: set[float] = set()
    for path in row.path.split():
        if path in given:
            allowed |= _known(*given[path])
    for number in _numbers(row.text):
        right = number in allowed
        yield right, "" if right else f"{row.path}: {number:g} is said and was not stated"


def _totals(report: ReadingReport, language: Language) -> Iterator[tuple[bool, str]]:
    """Yield that a category which is not determined is shown without management."""
    for line in report.categories:
        right = line.determined or not line.management
        yield right, "" if right else f"{language}: {line.label}: management of a range"


def _known(item: Item, given: Stated) -> set[float]:
    words = [item.label, item.present, item.absent, item.entry, *item.fixed.values()]
    texts = [text for w in words if w is not None for text in (w.en, w.zh)]
    texts += [text for a in item.answers.values() for text in (a.en, a.zh)]
    texts += [item.unit or "", given.unit or "", given.text or "", *given.zones]
    numbers = {number for text in texts for number in _numbers(text)}
    for value in (given.number, given.size_mm, given.certainty):
        if value is not None:
            numbers |= {*_shown(value), float(f"{100 * value:g}")}
    return numbers


def _numbers(text: str) -> Iterator[float]:
    for found in _NUMBER.findall(text):
        yield float(found)


def _has(text: str, number: float) -> bool:
    return bool(_shown(abs(number)) & set(_numbers(text)))


def _shown(value: float) -> set[float]:
    """Return a number as a report may show it: as it is kept, or rounded to one decimal."""
    return {float(f"{value:g}"), float(value), float(f"{value:.1f}")}


def _rows(blocks: tuple[Block, ...]) -> Iterator[Row]:
    for block in blocks:
        yield from block.rows
        yield from _rows(block.entries)


def _given(form: ReadingForm, reading: Reading) -> Iterator[tuple[str, tuple[Item, Stated]]]:
    for key, one in reading.items.items():
        item = form.items[key]
        yield key, (item, one)
        parts = {part.id: part for part in item.items}
        for entry in one.entries:
            for part, held in entry.items.items():
                yield f"{key}/{entry.id}/{part}", (parts[part], held)
