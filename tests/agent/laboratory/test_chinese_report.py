"""The example's laboratory report in Chinese holds no English sentence of ours."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.assess import assess_paths
from agent.assessment import Assessment
from agent.fact_sheet.laboratory import laboratory_facts
from agent.laboratory.model import LaboratoryReport
from agent.laboratory.view import LaboratoryView, laboratory_view
from knowledge.clinical_time import ClinicalTime
from knowledge.settings import Settings
from tests.agent.laboratory.chart import assessed

_EXAMPLE = Path(__file__).parents[3] / "serving/examples/laboratory"
_ENGLISH = re.compile(r"[A-Za-z][A-Za-z'-]+(?:[ ,]+[A-Za-z][A-Za-z'-]+){2,}")
"""Three words of letters in a row."""
_ALLOWED = ("ABIM laboratory test reference ranges",)
"""Beside the titles of sources, which stay as published."""


@pytest.fixture(scope="module")
def example() -> Assessment:
    moment = ClinicalTime(at=datetime(2026, 11, 20, 9, 45, tzinfo=UTC))
    return assess_paths([_EXAMPLE], at=moment, now=moment, settings=Settings()).assessment


def _titles(view: LaboratoryView, report: LaboratoryReport) -> set[str]:
    """Return the titles of every source of the report."""
    parts = (*view.parts, *view.after)
    cited = {c.label for part in parts for c in part.citations}
    cited |= {c.label for part in parts for line in part.lines for c in line.citations}
    used = [one for result in report.results for one in result.flag.intervals]
    return cited | {one.citation.label for one in used if one.citation is not None}


def _english(text: str, titles: set[str]) -> list[str]:
    for title in sorted((*titles, *_ALLOWED), key=len, reverse=True):
        text = text.replace(title, "")
    return _ENGLISH.findall(text)


def test_the_page_of_the_example_has_no_english_sentence(example: Assessment) -> None:
    assert example.laboratory is not None
    view = laboratory_view(example.laboratory, "zh", time_zone=example.time_zone)
    titles = _titles(view, example.laboratory)
    said = [t for part in (*view.parts, *view.after) for t in (part.title, part.note, part.none)]
    for part in (*view.parts, *view.after):
        said += [t for line in part.lines for t in (line.text, line.english, *line.details)]
    for panel in view.panels:
        said.append(panel.name)
        for row in panel.rows:
            said += [row.name, row.flag, row.interval, row.before, row.time]
            notes = [t for note in row.notes for t in (note.text, note.english)]
            said += [text for text in notes if "\u201c" not in text]  # quoted from the laboratory
    assert not [text for text in said if _english(text, titles)]


def test_the_review_of_every_source_is_told_in_chinese(example: Assessment) -> None:
    assert example.laboratory is not None
    view = laboratory_view(example.laboratory, "zh", time_zone=example.time_zone)
    cited = [c for part in (*view.parts, *view.after) for c in part.citations]
    assert cited
    assert all("未经临床医生审阅" in one.review for one in cited)


def test_the_facts_of_a_chinese_answer_have_no_english_sentence(example: Assessment) -> None:
    assert example.laboratory is not None
    facts = list(laboratory_facts(example, "zh"))
    view = laboratory_view(example.laboratory, "zh", time_zone=example.time_zone)
    titles = _titles(view, example.laboratory)
    assert len(facts) > 20
    ours = [fact.text for fact in facts if "\u201c" not in fact.text]
    assert not [text for text in ours if _english(text, titles)]


def test_a_conflict_and_a_blood_group_are_told_in_chinese(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    found = assessed(tmp_path_factory.mktemp("chart"), flags={"Sodium": "N"})
    assert found.laboratory is not None
    view = laboratory_view(found.laboratory, "zh", time_zone=None)
    (part,) = [part for part in view.parts if part.key == "conflict"]
    assert part.lines
    assert all(not line.english for line in part.lines)
    (group,) = [part for part in view.after if part.key == "blood-group"]
    assert all(not line.english and "仅为记录核对" in line.text for line in group.lines)
