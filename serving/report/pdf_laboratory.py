"""The laboratory's part of the PDF."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.assessment import Assessment
from agent.laboratory.view import Line, Part, laboratory_view
from knowledge.passages import Language
from serving.report.pdf_style import Style

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

_WIDTHS_MM = (38, 26, 26, 26, 30, 32)


def laboratory_flowables(a: Assessment, language: Language, style: Style) -> Iterator["Flowable"]:
    """Yield what is urgent, changed and doubtful, every result of now, and what was derived."""
    if a.laboratory is None:
        return
    view = laboratory_view(a.laboratory, language, time_zone=a.time_zone)
    yield style.paragraph(view.title, "heading")
    yield style.paragraph(view.intro, "small")
    for part in view.parts:
        yield from _part(part, style)
    for panel in view.panels:
        yield from style.table_heading(panel.name)
        rows = [list(view.columns)]
        rows += [
            [
                row.name,
                f"{row.value} (= {row.converted})" if row.converted else row.value,
                row.time,
                f"{row.sign} {row.flag}".strip(),
                row.interval,
                row.before,
            ]
            for row in panel.rows
        ]
        yield style.table(rows, widths_mm=_WIDTHS_MM)
    for part in view.after:
        yield from _part(part, style)


def _part(part: Part, style: Style) -> Iterator["Flowable"]:
    if not part.lines and not part.none:
        return
    yield from style.table_heading(part.title)
    for line in part.lines:
        yield style.bullet(_words(line))
        for detail in line.details:
            yield style.paragraph(detail, "small", indent=True)
    if not part.lines:
        yield style.paragraph(part.none, "small")
    for text in (part.note, *(f"{c.label}; {c.review}." for c in part.citations)):
        if text:
            yield style.paragraph(text, "small")


def _words(line: Line) -> str:
    cited = "".join(f" [{c.label}; {c.review}]" for c in line.citations[:1])
    return " ".join(text for text in (line.text, line.english) if text) + cited
