"""The laboratory's part of an assessment as facts: each sentence whole."""

from collections.abc import Iterator

from agent.assessment import Assessment
from agent.facts import Fact
from agent.laboratory.view import MARK, Line, Part, laboratory_view
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
            yield _fact(part.key, 0, part, Line(text=part.none), language)
        for place, line in enumerate(part.lines):
            yield _fact(part.key, place, part, line, language)


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
