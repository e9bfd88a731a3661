"""A question about one laboratory test is answered with its result, in either language."""

import asyncio
from pathlib import Path

import pytest

from agent.chat import answer
from agent.chat.answer import ChatAnswer
from agent.fact_sheet import fact_sheet
from knowledge.passages import Language
from tests.agent.laboratory.chart import assessed


def asked(folder: Path, question: str, language: Language = "en") -> ChatAnswer:
    sheet = fact_sheet(assessed(folder), language=language)
    return asyncio.run(answer(None, question, sheet=sheet, searcher=None, language=language))


@pytest.mark.parametrize(
    ("question", "language", "name"),
    [
        ("What is the sodium?", "en", "Sodium"),
        ("血钠是多少", "zh", "钠"),
    ],
)
def test_a_result_that_is_there_is_told_with_its_flag(
    tmp_path: Path, question: str, language: Language, name: str
) -> None:
    found = asked(tmp_path, question, language)
    assert found.kind == "facts"
    assert not found.outside_record
    assert found.sentences[0].text.startswith(name)


def test_a_test_that_nobody_measured_is_not_in_the_record(tmp_path: Path) -> None:
    found = asked(tmp_path, "What is the procalcitonin?")
    assert found.kind == "not_in_record"
