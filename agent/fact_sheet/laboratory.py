"""The laboratory's part of an assessment as facts: each sentence whole."""

from collections.abc import Iterator

from agent.assessment import Assessment
from agent.facts import Fact
from agent.laboratory.view import Line, laboratory_view
from knowledge.passages import Language

_PREFIX = "laboratory"


def laboratory_facts(assessment: Assessment, language: Language) -> Iterator[Fact]:
    """Yield what is urgent, changed, doubtful, suggested and derived, as the report says it.

    They are shown whole and by code: no model is given them to join with anything else.
    """
    if assessment.laboratory is None:
        return
    view = laboratory_view(assessment.laboratory, language, time_zone=assessment.time_zone)
    for part in (*view.parts, *view.after):
        if not part.lines and part.none:
            yield _fact(part.key, 0, part.title, Line(text=part.none), language)
        for place, line in enumerate(part.lines):
            yield _fact(part.key, place, part.title, line, language)


def _fact(key: str, place: int, title: str, line: Line, language: Language) -> Fact:
    said = " ".join(text for text in (line.text, line.english, *line.details) if text)
    return Fact(
        key=f"{_PREFIX}.{key}.{place:03d}",
        kind="laboratory",
        names=(title,),
        whole=True,
        outside=True,
        text=f"{title}: {said}" if language == "en" else f"{title}：{said}",  # noqa: RUF001
        language=language,
        evidence=line.evidence,
    )
