# ruff: noqa: RUF001
"""Indices, scores of one name, and scores that are not held: each is answered by its name."""

import asyncio

import pytest

from agent.assess import Outcome
from agent.chat import ChatAnswer, answer
from agent.chat.asked import asked_of
from agent.chat.question import indices_named, scores_named
from knowledge.passages import Language
from tests.agent.cases import example, outcome


@pytest.fixture(scope="module")
def nstemi(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return outcome(example("nstemi", tmp_path_factory.mktemp("names")))


def ask(case: Outcome, question: str, language: Language = "en") -> ChatAnswer:
    sheet = asked_of(case, question, language=language).sheet
    return asyncio.run(answer(None, question, sheet=sheet, searcher=None, language=language))


def said(found: ChatAnswer) -> str:
    return " ".join(sentence.text for sentence in found.sentences)


@pytest.mark.parametrize("question", ["MELD", "what is his MELD score?", "MELD 评分是多少？"])
def test_meld_is_answered_by_both_of_its_versions(nstemi: Outcome, question: str) -> None:
    assert indices_named(question) == ("meld_3", "meld_na")
    text = said(ask(nstemi, question))
    assert "MELD 3.0" in text
    assert "MELD-Na" in text
    assert "HEART" not in text
    assert "cirrhosis" in text


def test_two_names_are_both_answered(nstemi: Outcome) -> None:
    text = said(ask(nstemi, "child-pugh and MELD?"))
    assert "Child-Pugh" in text
    assert "MELD 3.0" in text


def test_timi_is_both_scores_of_that_name() -> None:
    assert set(scores_named("TIMI")) == {"timi_nstemi", "timi_stemi"}
    assert scores_named("TIMI risk index?") == ("timi_risk_index",)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Ranson score", "Glasgow-Imrie"),
        ("CHADS2?", "CHA2DS2-VASc"),
        ("What is the Apgar score?", "Apgar"),
        ("CURB65x score", "CURB-65"),
    ],
)
def test_a_score_that_is_not_held_is_said_to_be_so(
    nstemi: Outcome, question: str, word: str
) -> None:
    found = ask(nstemi, question)
    assert found.kind == "not_in_record"
    assert found.sentences == ()
    assert word in " ".join(found.notes)


def test_a_score_that_is_not_held_is_said_so_in_chinese(nstemi: Outcome) -> None:
    found = ask(nstemi, "Apgar 评分", "zh")
    assert found.sentences == ()
    assert "未收录" in found.notes[0]


def test_the_reason_of_perc_is_said_in_chinese(nstemi: Outcome) -> None:
    text = said(ask(nstemi, "计算 PERC 评分", "zh"))
    assert "肺栓塞临床概率低于15%未评估" in text


def test_a_score_whose_population_is_not_known_says_so_in_chinese(nstemi: Outcome) -> None:
    text = said(ask(nstemi, "Child-Pugh 评分", "zh"))
    assert "请确认该评分适用于本患者：肝硬化未评估" in text


def test_bands_of_sofa_are_in_chinese(nstemi: Outcome) -> None:
    text = said(ask(nstemi, "SOFA 评分", "zh"))
    assert "低于2分、至少2分" in text
