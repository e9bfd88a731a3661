"""A version replaces what it was made from, and nothing that only has the same name."""

from datetime import timedelta
from typing import Any

import pytest

from evals.phantoms.readings import NOON, READER, one, reading
from knowledge.reading_form import reading_form
from tools.intake.readings import reading_file
from tools.readings.in_case import corrects, standing
from tools.readings.model import Reading, Said, Study, Subject
from tools.readings.versions import edited, signed

LATER = Said(by="reader", who="dr reader ", at=NOON + timedelta(hours=1))
OTHER = Said(by="reader", who="Dr Other", at=NOON + timedelta(hours=1))
DRAFT = reading("chest_film", {"projection": "pa", "pneumothorax": "present"})


def changed(draft: Reading) -> Reading:
    item = reading_form("chest_film").items["pneumothorax"]
    return edited(draft, {"pneumothorax": one(item, "absent")}, by=READER)


def standings(*readings: Reading) -> list[str]:
    files = [reading_file(r, file=str(n), written_as="reading") for n, r in enumerate(readings)]
    return list(standing(files).values())


def test_a_signed_version_replaces_the_drafts_that_it_was_made_from() -> None:
    second = changed(DRAFT)
    assert standings(DRAFT, second, signed(second, by=LATER)) == [
        "superseded",
        "superseded",
        "signed",
    ]


@pytest.mark.parametrize(
    "update",
    [
        {"edits": ()},
        {"subject": Subject(id="P2", issuer="urn:hospital")},
        {"study": Study(study_uid="1.2.9", modality="DX")},
        {"id": "another"},
    ],
)
def test_a_version_with_another_history_or_of_something_else_replaces_nothing(
    update: dict[str, Any],
) -> None:
    forged = signed(changed(DRAFT), by=LATER).model_copy(update={"version": 9, **update})
    assert standings(DRAFT, forged) == ["unsigned", "signed"]


def test_a_later_reading_corrects_by_the_same_reader_or_as_an_addendum() -> None:
    first = signed(DRAFT, by=READER)
    new = changed(DRAFT).model_copy(update={"id": "two"})
    assert corrects(signed(new, by=LATER), first)
    assert not corrects(first, signed(new, by=LATER))
    assert not corrects(signed(new, by=OTHER), first)
    assert corrects(signed(new.model_copy(update={"prior": first.id}), by=OTHER), first)
    assert not corrects(new, first)
