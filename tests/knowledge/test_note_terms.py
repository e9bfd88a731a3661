"""The word lists of notes: every entry compiles, matches itself, and is of the catalogue."""

import pytest
from pydantic import ValidationError

from knowledge.clinical_inputs import catalogue
from knowledge.note_terms import NoteTerms, note_terms, pattern, spans
from knowledge.reference import raw

ROWS = note_terms().inputs


@pytest.mark.parametrize("key", ROWS)
def test_every_word_matches_itself(key: str) -> None:
    row = ROWS[key]
    words = [
        *row.terms,
        *row.denials,
        *row.for_absent,
        *(w for c in row.choices.values() for w in c),
    ]
    for word in words:
        said = word.replace("*", "").replace(" ... ", " the ").replace("...", "\u5de6")
        assert spans((word,), f"x {said}.") == [(2, 2 + len(said))]


def test_only_yes_no_and_choice_inputs_are_read_from_notes() -> None:
    assert {catalogue().get(key).kind for key in ROWS} <= {"boolean", "choice"}


def test_a_word_is_a_whole_word() -> None:
    assert spans(("CAD",), "CADASIL arcade") == []
    assert spans(("no",), "nothing known") == []
    assert spans(("Killip II",), "Killip III") == []
    assert spans(("Killip II",), "Killip II\u7ea7") == [(0, 9)]


def test_the_longer_entry_wins() -> None:
    text = "no history of diabetes"
    assert pattern(("no", "no history of")).search(text).group() == "no history of"  # type: ignore[union-attr]


def test_an_empty_list_matches_nothing() -> None:
    assert spans((), "anything") == []


def test_a_row_that_is_not_of_the_catalogue_is_refused() -> None:
    data = raw("note_terms")
    data["inputs"]["shoe_size"] = {"terms": ["shoe"]}
    with pytest.raises(ValidationError):
        NoteTerms.model_validate(data)
