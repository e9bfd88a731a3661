"""A sentence that was accepted is no longer accepted once a number or its polarity is changed."""

import re

from hypothesis import given
from hypothesis import strategies as st

from agent.facts import Fact
from agent.verify import verify
from agent.verify.pieces import pieces_of
from agent.verify.tokens import neutral_keys, tokens
from tests.agent.verify.sentences import HONEST
from tests.agent.verify.sheets import every_id, sheet

ACCEPTED = [
    (case, text, verify(text, every_id(sheet(case)), sheet(case)).used)
    for case, text in HONEST
    if verify(text, every_id(sheet(case)), sheet(case)).ok
]
NUMBER = re.compile(r"(?<![\dA-Za-z.:-])\d+(?:\.\d+)?(?![\d:]|-\d|\.\d)")
WITH_NUMBER = [row for row in ACCEPTED if NUMBER.search(row[1])]


@given(row=st.sampled_from(WITH_NUMBER), data=st.data())
def test_another_number_makes_an_accepted_sentence_fail(
    row: tuple[str, str, tuple[str, ...]], data: st.DataObject
) -> None:
    case, text, used = row
    match = data.draw(st.sampled_from(list(NUMBER.finditer(text))))
    shift = data.draw(st.integers(1, 5000))
    changed = f"{text[: match.start()]}{float(match.group()) + shift:g}{text[match.end() :]}"
    assert not verify(changed, used, sheet(case)).ok


@given(row=st.sampled_from(ACCEPTED), data=st.data())
def test_a_negation_anywhere_makes_an_accepted_sentence_fail(
    row: tuple[str, str, tuple[str, ...]], data: st.DataObject
) -> None:
    case, text, used = row
    words = text.split(" ")
    at = data.draw(st.integers(0, len(words)))
    word = data.draw(st.sampled_from(["no", "not", "never", "without", "denies", "neither"]))
    if word in ("no", "without") and any(
        fact.state == "absent" for fact in sheet(case).cited(used)
    ):
        return  # "no" before an absent finding is true
    assert not verify(" ".join([*words[:at], word, *words[at:]]), used, sheet(case)).ok


@given(row=st.sampled_from(ACCEPTED), word=st.from_regex(r"[a-z]{4,12}", fullmatch=True))
def test_a_word_from_nowhere_makes_an_accepted_sentence_fail(
    row: tuple[str, str, tuple[str, ...]], word: str
) -> None:
    case, text, used = row
    key = tokens(word, "en")[0].key
    told = (key for fact in sheet(case).cited(used) for key in _keys_of(fact))
    if key not in neutral_keys("en") | set(told):
        assert not verify(f"{text.rstrip('.')} {word}.", used, sheet(case)).ok


def _keys_of(fact: Fact) -> set[str]:
    return {k for piece in pieces_of(fact, "en") for wording in piece.wordings for k in wording}


@given(text=st.text(max_size=200))
def test_any_text_is_checked_without_an_error(text: str) -> None:
    facts = sheet("nstemi")
    checked = verify(text, ("F1", "F2", "F3"), facts)
    assert checked.ok == (not checked.failures)
