"""A report as Markdown or as plain text for the terminal."""

import re
from collections.abc import Iterator
from typing import Literal

from knowledge.plain_text import visible
from knowledge.reading_words import reading_words
from knowledge.words import Language
from tools.readings.report import Block, CategoryLine, ReadingReport, Row
from tools.readings.sentences import listed

Kind = Literal["title", "heading", "below", "paragraph", "item", "detail", "gap"]
Line = tuple[Kind, str]

_MARKDOWN: dict[Kind, str] = {
    "title": "# ",
    "heading": "\n## ",
    "below": "\n### ",
    "paragraph": "\n",
    "item": "- ",
    "detail": "  - ",
    "gap": "",
}
_PLAIN: dict[Kind, str] = {
    "title": "",
    "heading": "\n",
    "below": "  ",
    "paragraph": "",
    "item": "  ",
    "detail": "    ",
    "gap": "",
}
_MARKUP = re.compile(r"([\\`*_<>|#]|\](?=[(\[:]))")
"""What would be read as markup."""


def markdown(report: ReadingReport) -> str:
    """Return the report as Markdown; text from outside is escaped."""
    lines = [_MARKDOWN[kind] + _MARKUP.sub(r"\\\1", visible(text)) for kind, text in _lines(report)]
    return "\n".join(lines) + "\n"


def plain(report: ReadingReport) -> str:
    """Return the report as plain text."""
    return "\n".join(_PLAIN[kind] + visible(text) for kind, text in _lines(report)) + "\n"


def _lines(report: ReadingReport) -> Iterator[Line]:
    language = report.language
    yield "title", report.title
    yield "paragraph", report.banner
    yield "paragraph", report.status
    yield "gap", ""
    yield from (("item", _pair(label, text, language)) for label, text in report.facts)
    said = ("\uff1b" if language == "zh" else "; ").join(report.summary)
    yield "item", _pair(_head("summary", language), said, language)
    if report.present:
        yield "heading", _head("present", language)
        yield from (("item", _said(row, language)) for row in report.present)
    if report.categories:
        yield "heading", _head("category", language)
        for line in report.categories:
            yield from _category(line, language)
    for block in report.blocks:
        yield from _block(block, "heading", language)
    yield from _comparison(report)
    yield from _end(report)


def _category(line: CategoryLine, language: Language) -> Iterator[Line]:
    total = f" ({line.total})" if line.total else ""
    yield "item", _pair(line.label, line.text + total, language)
    further = (
        ("because", line.because),
        ("management", line.management),
        ("missing", listed(line.missing, language)),
        ("unconfirmed", listed(line.unconfirmed, language)),
    )
    for key, text in further:
        if text:
            yield "detail", _pair(_head(key, language), text, language)


def _block(block: Block, kind: Kind, language: Language) -> Iterator[Line]:
    yield kind, block.heading
    yield from (("item", _said(row, language)) for row in block.rows)
    if block.not_looked_at:
        names = listed(block.not_looked_at, language)
        yield "item", _pair(_head("not_looked_at", language), names, language)
    for entry in block.entries:
        yield from _block(entry, "below", language)


def _said(row: Row, language: Language) -> str:
    mark = f"; {_head('unconfirmed', language)}" if row.unconfirmed else ""
    return f"{row.text} [{row.by}{mark}]" if row.by else row.text


def _comparison(report: ReadingReport) -> Iterator[Line]:
    language = report.language
    if not report.comparison and not report.folded:
        return
    yield "heading", _head("comparison", language)
    for change in report.comparison:
        seen = f" ({change.before} → {change.now})" if change.before or change.now else ""
        why = f"; {change.why}" if change.why else ""
        yield "item", _pair(change.name, f"{change.verdict}{seen}{why}", language)
    for why, names in report.folded:
        yield "item", _pair(why, listed(names, language), language)


def _end(report: ReadingReport) -> Iterator[Line]:
    language = report.language
    if report.notes:
        yield "heading", _head("notes", language)
        yield from (("item", note) for note in report.notes)
    if report.edits:
        yield "heading", _head("edits", language)
        yield from (("item", edit) for edit in report.edits)
    yield "heading", _head("sources", language)
    said_once = reading_words().reviews["unreviewed"].read(language)
    for cited in report.citations:
        doi = f", doi {cited.doi}" if cited.doi else ""
        yield "item", f"{cited.label}{doi} ({cited.review.removesuffix(said_once)})"
    if any(cited.review.endswith(said_once) for cited in report.citations):
        yield "item", said_once.lstrip("; \uff1b")


def _pair(label: str, text: str, language: Language) -> str:
    colon = "\uff1a" if language == "zh" else ": "
    return f"{label}{colon}{text}"


def _head(key: str, language: Language) -> str:
    return reading_words().headings[key].read(language)
