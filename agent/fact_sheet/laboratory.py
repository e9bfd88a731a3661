"""The laboratory's part of an assessment as facts: each sentence whole."""

from collections.abc import Iterator

from agent.assessment import Assessment
from agent.facts import Fact
from agent.laboratory.model import LaboratoryReport
from agent.laboratory.view import MARK, Line, Part, laboratory_view, result_rows
from knowledge.evidence import Evidence
from knowledge.passages import Language

_PREFIX = "laboratory"
RESULT = f"{_PREFIX}.result."
"""Before the key of the test in the key of a fact that tells one result."""


def laboratory_facts(assessment: Assessment, language: Language) -> Iterator[Fact]:
    """Yield what is urgent, changed, doubtful, suggested and derived, as the report says it.

    They are shown whole and by code: no model is given them to join with anything else.
    """
    if assessment.laboratory is None:
        return
    view = laboratory_view(assessment.laboratory, language, time_zone=assessment.time_zone)
    for part in (*view.parts, *view.after):
        if not part.lines and part.none:
            yield _fact(part.key, 0, part, Line(text=part.none), language)
        for place, line in enumerate(part.lines):
            yield _fact(part.key, place, part, line, language)
    yield from _result_facts(assessment.laboratory, language, assessment.time_zone)


def _result_facts(
    report: LaboratoryReport, language: Language, time_zone: str | None
) -> Iterator[Fact]:
    """Yield every result with its value, time and flag: what a question about one test is told."""
    for place, (test, row) in enumerate(result_rows(report, language, time_zone=time_zone)):
        if test is None:
            continue
        value = f"{row.value} (= {row.converted})" if row.converted else row.value
        said = f"{row.name} {value} ({row.time}): {row.sign} {row.flag}".replace(":  ", ": ")
        said = f"{said}; {row.interval}" if row.interval else said
        notes = [" ".join(filter(None, (note.text, note.english))) for note in row.notes]
        yield _result(
            test, f"{place:03d}", row.name, " | ".join((said, *notes)), language, row.evidence
        )
    shown = laboratory_view(report, language, time_zone=time_zone)
    for place, one in enumerate(report.cancelled):
        if one.test is not None:
            (told,) = [part for part in shown.parts if part.key == "cancelled"]
            said = f"{told.title}: {told.lines[place].text}"
            number = f"cancelled.{place:03d}"
            yield _result(one.test, number, one.name, said, language, one.evidence)
    known = {result.test for result in report.results}
    for place, old in enumerate(report.older):
        if old.test not in known:
            (older,) = [part for part in shown.after if part.key == "older"]
            said = f"{older.title}: {older.lines[place].text}"
            yield _result(old.test, "older", old.name, said, language, ())


def _result(
    test: str,
    place: str,
    name: str,
    text: str,
    language: Language,
    evidence: tuple[Evidence, ...],
) -> Fact:
    return Fact(
        key=f"{RESULT}{test}.{place}",
        kind="laboratory",
        names=(name,),
        whole=True,
        outside=True,
        text=text,
        language=language,
        evidence=evidence,
    )


def _fact(key: str, place: int, part: Part, line: Line, language: Language) -> Fact:
    text = line.text
    if part.note and text.endswith(MARK):
        text = f"{text.removesuffix(MARK)} ({part.note.removeprefix(MARK).strip()})"
    said = " ".join(filter(None, (text, line.english)))
    said = " | ".join((said, *line.details))
    return Fact(
        key=f"{_PREFIX}.{key}.{place:03d}",
        kind="laboratory",
        names=(part.title,),
        whole=True,
        outside=True,
        text=f"{part.title}: {said}" if language == "en" else f"{part.title}：{said}",  # noqa: RUF001
        language=language,
        evidence=line.evidence,
    )
