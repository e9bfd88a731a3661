"""A table of lies, all of which fail, and of honest paraphrases, nearly all of which pass."""

import pytest

from agent.verify import verify
from tests.agent.verify.sentences import HONEST, HONEST_ZH, LIES, LIES_ZH
from tests.agent.verify.sheets import every_id, sheet
from tests.agent.verify.twisted import TWISTED, TWISTED_ZH


@pytest.mark.parametrize(("case", "what", "text"), LIES, ids=[f"{c}-{w}" for c, w, _ in LIES])
def test_a_lie_fails_although_it_cites_every_fact(case: str, what: str, text: str) -> None:
    facts = sheet(case)
    checked = verify(text, every_id(facts), facts)
    assert not checked.ok, what
    assert checked.failures


@pytest.mark.parametrize(("case", "what", "text"), LIES_ZH, ids=[f"{c}-{w}" for c, w, _ in LIES_ZH])
def test_a_lie_in_chinese_fails_although_it_cites_every_fact(
    case: str, what: str, text: str
) -> None:
    facts = sheet(case, "zh")
    assert not verify(text, every_id(facts), facts).ok, what


@pytest.mark.parametrize(("case", "text"), TWISTED)
def test_true_words_in_a_twisted_frame_fail(case: str, text: str) -> None:
    assert not verify(text, every_id(sheet(case)), sheet(case)).ok


@pytest.mark.parametrize(("case", "text"), TWISTED_ZH)
def test_true_words_in_a_twisted_frame_fail_in_chinese(case: str, text: str) -> None:
    facts = sheet(case, "zh")
    assert not verify(text, every_id(facts), facts).ok


def test_the_table_of_lies_is_long_enough_to_mean_something() -> None:
    assert len(LIES) + len(LIES_ZH) >= 150
    assert len(set(LIES)) == len(LIES)


def test_nearly_every_honest_paraphrase_passes() -> None:
    results = [verify(text, every_id(sheet(case)), sheet(case)).ok for case, text in HONEST]
    assert len(results) >= 40
    assert sum(results) / len(results) >= 0.9


def test_nearly_every_honest_paraphrase_in_chinese_passes() -> None:
    results = [
        verify(text, every_id(sheet(case, "zh")), sheet(case, "zh")).ok for case, text in HONEST_ZH
    ]
    assert sum(results) / len(results) >= 0.9


def test_an_honest_sentence_fails_where_it_does_not_cite_its_fact() -> None:
    facts = sheet("nstemi")
    for case, text in HONEST:
        if case == "nstemi":
            used = verify(text, every_id(facts), facts).used
            others = tuple(i for i in every_id(facts) if i not in used)
            assert not verify(text, others, facts).ok, text
