"""The independent checker on sentences written by hand, wrong ones and honest ones.

The first and the second set were worked with; the third was written after them and the checker was
not changed for it, so only the third says what to expect of wording nobody thought of.
"""

from collections.abc import Mapping

import pytest

from evals.checker.check import check_sentence
from evals.tasks.checker.task import sentences
from tests.evals.test_checker import truth

WORKED_WITH = ("first", "second")


def rows(name: str, *parts: str) -> list[Mapping[str, str]]:
    return [row for row in sentences(name) if row["part"] in parts]


@pytest.mark.parametrize("row", rows("wrong", *WORKED_WITH), ids=lambda row: row["id"])
def test_a_wrong_sentence_written_by_hand_is_seen(row: Mapping[str, str]) -> None:
    assert check_sentence(row["text"], truth(row["example"])).wrong, row["text"]


@pytest.mark.parametrize("row", rows("honest", *WORKED_WITH), ids=lambda row: row["id"])
def test_an_honest_paraphrase_is_left_alone(row: Mapping[str, str]) -> None:
    assert check_sentence(row["text"], truth(row["example"])).wrong == (), row["text"]


def test_of_wrong_sentences_it_was_not_made_for_at_least_half_are_seen() -> None:
    unseen = rows("wrong", "third")
    caught = [row for row in unseen if check_sentence(row["text"], truth(row["example"])).wrong]
    assert len(unseen) >= 36
    assert len(caught) >= len(unseen) / 2


def test_of_honest_sentences_it_was_not_made_for_at_most_a_quarter_are_flagged() -> None:
    unseen = rows("honest", "third")
    flagged = [row for row in unseen if check_sentence(row["text"], truth(row["example"])).wrong]
    assert len(unseen) >= 24
    assert len(flagged) <= len(unseen) / 4


def test_no_sentence_written_by_hand_is_twice_in_the_tables() -> None:
    every = [*sentences("wrong"), *sentences("honest")]
    assert len({row["text"] for row in every}) == len(every)
    assert len({row["id"] for row in every}) == len(every)


TURNS = [
    # true sentence, the same with the one thing turned round, what is wrong with the second
    (
        "nstemi",
        "Troponin T rose from 24 ng/L to 43 ng/L.",
        "Troponin T fell from 24 ng/L to 43 ng/L.",
        "direction",
    ),
    (
        "nstemi",
        "肌钙蛋白T由24 ng/L升至43 ng/L。",
        "肌钙蛋白T由24 ng/L降至43 ng/L。",
        "direction",
    ),
    (
        "early_presenter",
        "ESC 0/1 h: not decided; a second sample is needed.",
        "ESC 0/1 h: not. Decided; a second sample is needed.",
        "polarity",
    ),
    (
        "early_presenter",
        "Absent: haemoptysis; diabetes.",
        "Absent: haemoptysis; pain with inspiration.",
        "polarity",
    ),
    (
        "nstemi",
        "Coronary angiography is recommended.",
        "Coronary angiography was performed.",
        "event",
    ),
    (
        "nstemi",
        "HEART score 8: expected rate of 6-week MACE 50.1 %.",
        "HEART score 8: 6-week MACE occurred, 50.1 %.",
        "event",
    ),
]


@pytest.mark.parametrize(("name", "honest", "turned", "kind"), TURNS, ids=[r[2] for r in TURNS])
def test_only_what_is_turned_round_makes_a_sentence_wrong(
    name: str, honest: str, turned: str, kind: str
) -> None:
    assert check_sentence(honest, truth(name)).wrong == ()
    assert kind in {wrong.kind for wrong in check_sentence(turned, truth(name)).wrong}


def test_a_second_ecg_and_a_second_sample_may_be_told_only_where_they_are_on_record() -> None:
    taken = "A second troponin sample was taken at 14:32."
    assert check_sentence(taken, truth("nstemi")).wrong == ()
    assert check_sentence("A second troponin sample was taken.", truth("stemi")).wrong
    assert check_sentence("The ECG has been repeated.", truth("nstemi")).wrong
