# ruff: noqa: RUF001
"""What nobody has read is never said to be not in the record."""

import asyncio
from pathlib import Path

import pytest

from agent.chat import ChatAnswer, answer
from agent.fact_sheet.sheet import fact_sheet
from knowledge.passages import Language
from tests.agent.cases import assessed, example
from tests.agent.verify.sheets import sheet


def ask(case: Path, question: str) -> ChatAnswer:
    language: Language = "en" if question.isascii() else "zh"
    told = fact_sheet(assessed(case), language=language)
    return asyncio.run(answer(None, question, sheet=told, searcher=None, language=language))


@pytest.mark.parametrize("question", ["Is the pain ongoing?", "还在痛吗？"])
def test_a_note_that_was_not_read_may_hold_it(tmp_path: Path, question: str) -> None:
    case = example("early_presenter", tmp_path)
    assert ask(case, question).outside_record
    (case / "note.txt").write_text("Pain is ongoing, 8/10.", "utf-8")
    with (case / "case.yaml").open("a", encoding="utf-8") as file:
        file.write("attach:\n  - {file: note.txt, patient: same}\n")
    found = ask(case, question)
    assert not found.outside_record
    assert any("note.txt" in note for note in found.notes)
    assert [item.input for item in found.would_answer] == ["pain_ongoing"]


def test_a_file_that_failed_may_hold_it(tmp_path: Path) -> None:
    case = example("early_presenter", tmp_path)
    (case / "more.json").write_text('{"resourceType": "Bundle", "entry": [', "utf-8")
    found = ask(case, "Is the pain ongoing?")
    assert not found.outside_record
    assert any("more.json" in note for note in found.notes)


def test_beside_facts_it_is_said_too(tmp_path: Path) -> None:
    case = example("early_presenter", tmp_path)
    assert "Not in the record: Body temperature" in " ".join(ask(case, "vital signs").notes)
    (case / "more.json").write_text("{", "utf-8")
    notes = " ".join(ask(case, "vital signs").notes)
    assert "Not in the record" not in notes
    assert "Not in what was read: Body temperature" in notes


@pytest.mark.parametrize("question", ["What is the dose of heparin?", "肝素剂量是多少？"])
def test_no_dose_is_told_and_that_is_said(question: str) -> None:
    language: Language = "en" if question.isascii() else "zh"
    told = sheet("nstemi", language)
    found = asyncio.run(answer(None, question, sheet=told, searcher=None, language=language))
    assert any("No dose" in note or "不提供" in note for note in found.notes)
