"""The whole view: its parts in their order, and the rows of the table."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from agent.laboratory.model import LaboratoryReport
from agent.laboratory.view import findings, not_used, patterns, table
from agent.laboratory.view.model import MARK, LaboratoryView, Line, Part, Row
from agent.laboratory.view.teller import Teller
from agent.laboratory.view.values import is_troponin
from knowledge.passages import Language

_NOT_URGENT = "No result is known to reach a critical limit."
_NOT_URGENT_OF_READ = (
    "No result that was read is known to reach a critical limit; not everything was read, see "
    "above."
)
_NOT_URGENT_OF_USED = (
    "No result that is used is known to reach a critical limit; results of documents are not used, "
    "see above."
)
_TROPONIN = "Troponin has no critical limit here: see the troponin rules for what its results mean."
_NOT_CHANGED = "No change beyond noise is known."
_PROVIDED = "if both were measured by the same method in the same kind of specimen (not stated)"


def laboratory_view(
    report: LaboratoryReport, language: Language, *, time_zone: str | None
) -> LaboratoryView:
    """Return the laboratory's part for a reader.

    Args:
        report: The part of the assessment.
        language: Of the report; what is held only in English stays so.
        time_zone: IANA zone of the case.
    """
    tell = Teller(report, language, time_zone=time_zone)
    say = tell.say
    intro = say("Results of the last %d h, and those of unknown time: %d.")
    return LaboratoryView(
        title=say("Laboratory"),
        intro=intro % (tell.report.hours, len(tell.report.results)),
        parts=(
            *_beside(tell),
            _part(tell, "urgent", "Urgent", findings.urgent(tell), none=_not_urgent(tell)),
            _part(tell, "changed", "Changed", findings.changed(tell), none=_NOT_CHANGED),
            _part(tell, "pattern", "Patterns supported", patterns.patterns(tell, "supported")),
            _part(tell, "marker", "Serial markers", patterns.markers(tell)),
            _part(tell, "reflex", "To add", patterns.suggestions(tell), cite_once=False),
            _part(tell, "artefact", "May be an artefact", findings.artefacts(tell)),
            _part(tell, "replaced", "Replaced by a later version", not_used.replaced(tell)),
            _part(tell, "conflict", "Sources disagree", findings.conflicts(tell)),
            _part(tell, "later", "Later than the moment of assessment", not_used.later(tell)),
        ),
        columns=tuple(
            say(text)
            for text in (
                "test",
                "result",
                "collected",
                "flag",
                "compared with",
                "before",
            )
        ),
        panels=tuple(table.panels(tell)),
        after=(
            _part(
                tell,
                "pattern-against",
                "Patterns argued against",
                patterns.patterns(tell, "argued against"),
            ),
            _part(tell, "pattern-open", "Patterns not assessed", patterns.patterns_open(tell)),
            _part(tell, "pattern-none", "Patterns not looked at", patterns.not_looked_at(tell)),
            _part(tell, "index", "Derived indices", findings.indices(tell), cite_once=False),
            _part(tell, "blood-group", "Blood group", findings.blood_group(tell)),
            _part(tell, "older", "Only older results", not_used.older(tell)),
            _part(tell, "not-known", "Not known of these samples", not_used.not_known(tell)),
            _part(tell, "interval", "Intervals by", findings.sources(tell)),
        ),
    )


def result_rows(
    report: LaboratoryReport, language: Language, *, time_zone: str | None
) -> Iterator[tuple[str | None, Row]]:
    """Yield the key of the test and the row of every result, in the order of the report."""
    tell = Teller(report, language, time_zone=time_zone)
    for result in report.results:
        yield result.test, table.row(tell, result)


def _part(
    tell: Teller,
    key: str,
    title: str,
    lines: Iterable[Line],
    *,
    none: str = "",
    cite_once: bool = True,
) -> Part:
    """Return a part; sources that its lines share are named once."""
    found = tuple(tell.told(line) for line in lines)
    cited = {(c.label, c.review): c for line in found for c in line.citations}
    marked = any(line.text.endswith(MARK) for line in found)
    return Part(
        key=key,
        title=tell.say(title),
        lines=tuple(replace(line, citations=()) for line in found) if cite_once else found,
        none=" ".join(tell.say(one) for one in none.split("\n")) if none else "",
        note=f"{MARK} {tell.say(_PROVIDED)}" if marked else "",
        citations=tuple(cited.values()) if cite_once else (),
    )


def _not_urgent(tell: Teller) -> str:
    """Return that nothing is critical; a troponin has no such limit, so its rules are named."""
    said = _nothing_critical(tell)
    return f"{said}\n{_TROPONIN}" if any(map(is_troponin, tell.report.results)) else said


def _nothing_critical(tell: Teller) -> str:
    if tell.report.not_read:
        return _NOT_URGENT_OF_READ
    return _NOT_URGENT_OF_USED if tell.report.documented else _NOT_URGENT


def _beside(tell: Teller) -> Iterator[Part]:
    """Yield what must be known before the results: what was not read, what is not used."""
    if tell.report.not_read:
        yield _part(tell, "not-read", "Not read", not_used.not_read(tell))
    if tell.report.documented:
        title = "Read from documents, not used until confirmed"
        yield _part(tell, "documented", title, not_used.documented(tell))
    if tell.report.cancelled:
        yield _part(
            tell, "cancelled", "Cancelled or taken back: no result", not_used.cancelled(tell)
        )
