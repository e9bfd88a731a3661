"""Readings as pages: a form filled in by hand, and what it must not turn into."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from knowledge.finding import NotAssessed, State, Why
from knowledge.reading_form import reading_form
from serving.reading.content import forms_for
from serving.reading.differences import differences
from serving.web.reading_fields import parts
from serving.web.reading_sent import changes
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.reading.test_reading import ANNA, BEN, CLARA, Desk
from tools.readings.model import NOBODY, Entry, Reading, Said, Stated, Study, Subject
from tools.readings.versions import new_reading

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
ME = Said(by="reader", who="Dr Anna", at=NOW)
MACHINE = Said(by="measurement", who="tool 1", at=NOW)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    with fresh(tmp_path_factory.mktemp("pages")) as found:
        yield found


@pytest.fixture
def desk(made: Fresh) -> Desk:
    return Desk(made)


def page(desk: Desk, path: str = "") -> str:
    address = path or f"/cases/{desk.case}/readings/{desk.first}"
    return str(desk.http.get(address, headers={"accept": "text/html"}).text)


def post(desk: Desk, action: str, fields: Any = None, *, by: Any = ANNA) -> Any:
    desk.made.who[0] = by
    return desk.http.post(
        f"/cases/{desk.case}/readings/{desk.first}/{action}",
        data=fields or {},
        follow_redirects=False,
    )


def untouched(form: str = "general_imaging", modality: str = "CT") -> Reading:
    return new_reading(
        form,
        reading_id="r1",
        subject=Subject(id="p1"),
        study=Study(study_uid="1.2.3", modality=modality),
        started=ME,
    )


def as_shown(reading: Reading) -> dict[str, list[str]]:
    """Return what a browser sends back where nobody has touched the page."""
    found: dict[str, list[str]] = {}

    def take(field: Any) -> None:
        chosen = [o.value for o in field.states if o.chosen]
        found[f"{field.path}:state"] = [""] if field.kind in ("text", "number") else chosen
        found[f"{field.path}:choice"] = [o.value for o in field.answers if o.chosen]
        found[f"{field.path}:side"] = [o.value for o in field.sides if o.chosen]
        found[f"{field.path}:zone"] = [o.value for o in field.zones if o.chosen]
        found[f"{field.path}:number"] = [field.number]
        found[f"{field.path}:size"] = [field.size]
        found[f"{field.path}:text"] = [field.text]
        for entry in field.entries:
            for one in entry.fields:
                take(one)

    for part in parts(reading_form(reading.form), reading, "en"):
        for field in part.fields:
            take(field)
    return found


def sent(reading: Reading, **fields: str) -> dict[str, Stated]:
    given = as_shown(reading) | {key.replace("__", ":"): [value] for key, value in fields.items()}
    return changes(reading_form(reading.form), reading, given, by=ME)


@pytest.mark.parametrize("form", [form.id for form in forms_for("CT")])
def test_a_page_that_nobody_touched_changes_nothing(form: str) -> None:
    assert sent(untouched(form)) == {}


def test_every_modality_of_images_has_a_form() -> None:
    for modality in ("CR", "DX", "CT", "MR", "US", "MG", "SM", "OT", "XA", "PT"):
        assert forms_for(modality), modality
    assert forms_for("CR", "radiograph (digital), chest, PA")[0].id == "chest_film"
    assert forms_for("CR", "radiograph (digital), extremity")[0].id == "general_imaging"


def test_what_is_left_open_is_never_absent() -> None:
    found = sent(untouched(), abnormal__state="present")
    assert list(found) == ["abnormal"]
    assert found["abnormal"].said == ME


def test_not_assessed_keeps_its_reason() -> None:
    (found,) = sent(untouched(), abnormal__state="na:quality", abnormal__text="motion").values()
    assert found.not_assessed == NotAssessed(why=Why.QUALITY, detail="motion")


def test_an_answer_can_be_withdrawn() -> None:
    first = Stated(state=State.PRESENT, said=ME, text="a shadow")
    reading = untouched().model_copy(
        update={"items": {**untouched().items, "impression_text": first}}
    )
    assert sent(reading) == {}
    assert sent(reading, impression_text__text="") == {"impression_text": NOBODY}


def test_a_new_entry_of_a_list_has_an_id_of_its_own_and_the_others_stay() -> None:
    length = Stated(state=State.PRESENT, said=ME, number=12.0, unit="mm")
    listed = Stated(
        state=State.PRESENT, said=ME, entries=(Entry(id="1", items={"measured_mm": length}),)
    )
    reading = untouched().model_copy(update={"items": {**untouched().items, "measures": listed}})
    assert sent(reading) == {}
    given = as_shown(reading) | {
        "measures/new/measured_mm:number": ["7.5"],
        "measures/new/measured_mm:state": [""],
    }
    found = changes(reading_form("general_imaging"), reading, given, by=ME)
    entries = found["measures"].entries
    assert [(e.id, e.items["measured_mm"].number) for e in entries] == [("1", 12.0), ("2", 7.5)]


def test_what_a_machine_said_is_only_taken_over_where_it_is_confirmed() -> None:
    machine = Stated(state=State.PRESENT, said=MACHINE, certainty=0.7)
    reading = untouched().model_copy(update={"items": {**untouched().items, "abnormal": machine}})
    assert sent(reading) == {}
    (found,) = sent(reading, abnormal__confirm="yes").values()
    assert (found.state, found.said) == (State.PRESENT, ME)


@pytest.mark.parametrize("modality", ["CT", "CR", "MG", "US", "OP"])
def test_every_form_can_be_shown_in_both_languages(modality: str) -> None:
    for form in forms_for(modality):
        reading = untouched(form.id, modality)
        for language in ("en", "zh"):
            assert parts(form, reading, language)


def test_entries_of_a_list_differ_by_their_items() -> None:
    def one(number: float) -> Stated:
        length = Stated(state=State.PRESENT, said=ME, number=number, unit="mm")
        return Stated(
            state=State.PRESENT, said=ME, entries=(Entry(id="1", items={"measured_mm": length}),)
        )

    first = untouched().model_copy(update={"items": {**untouched().items, "measures": one(12)}})
    second = untouched().model_copy(update={"items": {**untouched().items, "measures": one(9)}})
    (found,) = differences(first, second)
    assert found.path == "measures/1/measured_mm"
    assert differences(first, first) == ()


def test_a_reading_goes_from_page_to_page_to_its_release(desk: Desk) -> None:
    assert "Read as first reader" in page(desk)
    assert desk.first in page(desk, "/readings")
    assert post(desk, "start", {"form": "general_imaging"}).status_code == 303
    form = page(desk)
    assert "What is left at" in form
    assert re.search(r'name="abnormal:state"', form)
    fields = {"abnormal:state": "absent", "impression_text:state": "",
              "impression_text:text": "Unremarkable."}  # fmt: skip
    assert post(desk, "sign", fields).status_code == 303
    assert "another person reviews it" in page(desk)
    desk.made.who[0] = BEN
    assert "Review as second reader" in page(desk)
    post(desk, "start", by=BEN)
    assert post(desk, "sign", {"abnormal:state": "present"}, by=BEN).status_code == 303
    shown = page(desk)
    assert "Where the two readers differ" in shown
    assert post(desk, "release", {"difference": "abnormal"}, by=BEN).status_code == 409
    decided = {
        "difference": "abnormal",
        "abnormal:choice": "second",
        "abnormal:reason": "seen again",
    }
    assert post(desk, "release", decided, by=BEN).status_code == 303
    out = page(desk)
    assert "There is an abnormal finding." in out
    assert "seen again" in out
    assert "Research use only" in out
    asked = post(desk, "opinion", {"words": "Is it new?"}, by=CLARA)
    assert "Is it new?" in page(desk, asked.headers["location"])


def test_the_page_of_a_reading_is_in_chinese(desk: Desk) -> None:
    answer = desk.http.get(
        f"/cases/{desk.case}/readings/{desk.first}", headers={"accept-language": "zh"}
    )
    assert "作为第一阅片者阅片" in answer.text
    assert "操作记录" in answer.text


@pytest.mark.parametrize("why", [Why.QUALITY, Why.NO_MODEL, Why.OUTSIDE_CONTRACT])
@pytest.mark.parametrize("path", ["abnormal", "impression_text"])
def test_what_the_tools_could_not_assess_stays_theirs_until_a_reader_speaks(
    path: str, why: Why
) -> None:
    told = NotAssessed(why=why, detail="as the tool said")
    machine = Stated(state=State.NOT_ASSESSED, not_assessed=told, said=MACHINE)
    reading = untouched().model_copy(update={"items": {**untouched().items, path: machine}})
    assert sent(reading) == {}
