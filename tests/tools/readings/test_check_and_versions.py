"""What does not fit is named with a way out; what changes makes a new version."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from knowledge.errors import ContractError, InvalidValueError, TooLargeError, UnreadableError
from knowledge.finding import State
from knowledge.plain_text import has_chinese
from knowledge.reading_form import ReadingForm, reading_form, reading_form_ids
from tests.tools.readings.made import MODEL, NOON, READER, reading
from tools.readings import plain_json
from tools.readings.any_file import read_any
from tools.readings.check import ImpossibleRelationError, faults
from tools.readings.model import Entry, Reading, Said, Stated
from tools.readings.typed import typed_stated
from tools.readings.versions import confirmed, edited, signed, unconfirmed

LATER = Said(by="reader", who="Dr Two", at=NOON + timedelta(minutes=5))


def present(**given: Any) -> Stated:
    return Stated.model_validate({"state": "present", "said": READER, **given})


def only_fault(made: Reading) -> InvalidValueError:
    found = list(faults(made))
    assert len(found) == 1, [str(f) for f in found]
    assert isinstance(found[0], InvalidValueError)
    assert found[0].way_out
    return found[0]


def with_item(form: str, item: str, given: Stated) -> Reading:
    made = reading(form)
    return made.model_copy(update={"items": {**made.items, item: given}})


@pytest.mark.parametrize(
    ("form", "item", "given", "says"),
    [
        ("chest_film", "effusion", present(zones=["upper"]), "no zone upper"),
        ("chest_film", "cardiomegaly", present(side="left"), "a side is given"),
        ("chest_film", "kyphosis", present(size_mm=3), "a size is given"),
        ("chest_film", "projection", present(choices=["upside-down"]), "no answer upside-down"),
        ("chest_film", "projection", present(), "no answer is given"),
        ("chest_film", "projection", present(choices=["pa", "ap-supine"]), "one answer only"),
        ("chest_film", "projection", present(choices=["pa", "pa"]), "given twice"),
        ("chest_film", "ctr", present(number=5, unit="1"), "cannot be"),
        ("chest_film", "ctr", present(number=0.5, unit="%"), "is in %"),
        ("chest_film", "ctr", present(), "no number"),
        ("chest_film", "remarks", present(), "text is empty"),
        ("chest_film", "nodule", present(choices=["pa"]), "answer of a choice"),
        ("chest_film", "nodule", present(number=1, unit="mm"), "a number is given"),
        ("thyroid_tirads", "nodules", present(), "without an entry"),
        ("thyroid_tirads", "nodules", present(change="new"), "a change is given"),
        (
            "chest_film",
            "tracheal_tube_distance",
            Stated(state=State.ABSENT, said=READER),
            "not absent",
        ),
        (
            "fundus_icdr",
            "eyes",
            present(entries=[{"id": "third", "items": {}}]),
            "none of its entries",
        ),
        (
            "thyroid_tirads",
            "nodules",
            present(entries=[{"id": "n1", "items": {"colour": present()}}]),
            "no such item in the list",
        ),
        (
            "thyroid_tirads",
            "nodules",
            present(
                entries=[{"id": "n1", "items": {"foci": present(choices=["none-comet", "macro"])}}]
            ),
            "excludes every other",
        ),
    ],
)
def test_what_does_not_fit_is_named(form: str, item: str, given: Stated, says: str) -> None:
    made = with_item(form, item, given)
    found = [str(fault) for fault in faults(made)]
    assert any(says in text and item in text for text in found), found


def test_an_answer_to_a_question_that_does_not_arise() -> None:
    made = reading("chest_film", {"tracheal_tube": "absent", "tracheal_tube_distance": "50 mm"})
    assert "does not arise" in only_fault(made).reason


WITH_NODES = tuple(f for f in reading_form_ids() if "nodes_positive" in reading_form(f).items)


@pytest.mark.parametrize("form_id", WITH_NODES)
def test_more_positive_nodes_than_examined_cannot_be(form_id: str) -> None:
    fault = only_fault(reading(form_id, {"nodes_examined": "3", "nodes_positive": "5"}))
    assert isinstance(fault, ImpossibleRelationError)
    assert fault.item == "nodes_positive, nodes_examined"
    assert fault.reason.startswith("5 and 3 cannot be")
    assert has_chinese(fault.because.zh)
    for fits in ({"nodes_examined": "3", "nodes_positive": "3"}, {"nodes_positive": "5"}):
        assert not list(faults(reading(form_id, fits)))


def test_a_relation_is_of_two_numbers_of_one_unit() -> None:
    form = reading_form("pathology_breast")
    for most in ("procedure", "er_percent", "nothing", "nodes_positive"):
        wrong = form.relations[0].model_copy(update={"most": most})
        with pytest.raises(ValidationError, match="no two numbers alike"):
            ReadingForm.model_validate({**dict(form), "relations": (wrong,)})


def test_an_unknown_item_another_form_and_another_version() -> None:
    made = reading("bone_age")
    more = made.model_copy(update={"items": {**made.items, "colour": present()}})
    assert only_fault(more).item == "colour"
    assert "no such form" in str(next(faults(made.model_copy(update={"form": "horoscope"}))))
    older = made.model_copy(update={"form_version": "0"})
    assert "version 0" in only_fault(older).reason
    head = made.model_copy(update={"study": made.study.model_copy(update={"modality": "US"})})
    assert only_fault(head).item == "study.modality"


@pytest.mark.parametrize(
    "given",
    [
        {"state": "present"},
        {"state": "not_assessed", "said": READER},
        {"state": "absent", "said": READER, "side": "left"},
        {"state": "absent", "said": READER, "not_assessed": {"why": "quality", "detail": "x"}},
        {"state": "present", "said": READER, "number": 3},
        {"state": "present", "said": READER, "certainty": 1.5},
        {"state": "present", "said": READER, "size_mm": -1},
        {"state": "present", "said": READER, "entries": [{"id": "a"}, {"id": "a"}]},
    ],
)
def test_a_state_that_says_nothing_or_too_much_is_no_state(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Stated.model_validate(given)


def test_a_change_makes_a_version_and_keeps_what_stood_there() -> None:
    first = reading("chest_film", {"effusion": "absent"})
    second = edited(first, {"effusion": present(side="left")}, by=LATER)
    assert (first.version, second.version) == (1, 2)
    assert first.items["effusion"].state is State.ABSENT
    assert second.items["effusion"].side == "left"
    edit = second.edits[-1]
    assert (edit.path, edit.by, edit.at, edit.before) == (
        "effusion", "Dr Two", LATER.at, first.items["effusion"],
    )  # fmt: skip


def test_a_model_never_replaces_a_reader_and_time_never_runs_back() -> None:
    made = edited(reading("chest_film"), {"effusion": present()}, by=LATER)
    after = MODEL.model_copy(update={"at": LATER.at})
    with pytest.raises(ContractError, match="does not replace"):
        edited(made, {"effusion": Stated(state=State.ABSENT, said=after)}, by=after)
    with pytest.raises(InvalidValueError, match="before the last version"):
        edited(made, {"effusion": present()}, by=READER)
    with pytest.raises(InvalidValueError, match="no such item"):
        edited(made, {"colour": present()}, by=LATER)
    with pytest.raises(InvalidValueError, match="first name its entries: nodules='present;n9'"):
        edited(reading("thyroid_tirads"), {"nodules/n9/shape": present()}, by=LATER)


def test_only_a_reader_signs_and_only_what_readers_confirmed() -> None:
    machine = Stated(state=State.ABSENT, said=MODEL, certainty=0.9)
    wider = Stated(state=State.PRESENT, said=MODEL, choices=("wider",))
    entry = Entry(id="n1", items={"shape": wider})
    made = edited(reading("thyroid_tirads"), {"suspicious_nodes": machine}, by=MODEL)
    made = edited(made, {"nodules": present(entries=[entry])}, by=LATER)
    assert unconfirmed(made) == ("suspicious_nodes", "nodules/n1/shape")
    with pytest.raises(ContractError, match="no reader has confirmed"):
        signed(made, by=LATER)
    with pytest.raises(ContractError, match="by a reader"):
        signed(made, by=MODEL)
    changes = {path: confirmed(made.at(path), by=LATER) for path in unconfirmed(made)}
    final = signed(edited(made, changes, by=LATER), by=LATER)
    assert final.status == "final"
    with pytest.raises(ContractError, match="is signed"):
        edited(final, {"remarks": present(text="late")}, by=LATER)
    with pytest.raises(ContractError, match="signed already"):
        signed(final, by=LATER)


def test_files_that_are_no_readings() -> None:
    for content in (
        b"",
        b"{",
        b"[1]",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b"\xff\xfe",
        b"[" * 9999,
    ):
        with pytest.raises((UnreadableError, InvalidValueError, Exception)) as caught:
            read_any(content, name="f.json")
        assert type(caught.value).__module__ == "knowledge.errors", content[:20]


def test_a_file_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_json, "MAX_BYTES", 10)
    with pytest.raises(TooLargeError):
        read_any(b" " * 11, name="f.json")


def test_what_a_person_types() -> None:
    form = reading_form("chest_film")
    nobody = reading("chest_film").items["effusion"]

    def typed(item: str, text: str) -> Stated:
        return typed_stated(form.items[item], text, path=item, said=READER, before=nobody)

    found = typed("effusion", "present;side=left;zones=lower,costophrenic;size_mm=12;change=new")
    assert (found.side, found.zones, found.size_mm) == ("left", ("lower", "costophrenic"), 12.0)
    refused = typed("effusion", "not-assessed;why=quality;detail=clipped")
    assert refused.not_assessed is not None
    assert refused.not_assessed.detail == "clipped"
    assert typed("ctr", "0.52").number == 0.52
    assert typed("remarks", "one; two = three").text == "one; two = three"
    for item, text in (("effusion", "maybe"), ("effusion", "present;colour=red"), ("ctr", "big"),
                       ("effusion", "present;size_mm=wide")):  # fmt: skip
        with pytest.raises(InvalidValueError):
            typed(item, text)
