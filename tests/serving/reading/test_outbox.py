"""A released reading is in the archive once, beside its images, also after the archive was away."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from knowledge.errors import InputError, UnavailableError
from serving.reading import outbox as module
from serving.reading.outbox import Outbox
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.reading.test_reading import ANNA, BEN, FILM, Desk, stated
from tests.tools.imaging.view.made import CR, image, ramp
from tools.readings.sr_in import reading_from_sr


class Archive:
    """What a test's archive was given, and what it answers with."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.error: Exception | None = None

    def __call__(self, objects: dict[str, bytes], settings: Any) -> None:
        if self.error is not None:
            raise self.error
        self.taken += objects.values()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    told = {"dicom_results": "stow", "dicom_web_url": "http://127.0.0.1:1/dicom-web"}
    with fresh(tmp_path_factory.mktemp("outbox"), **told) as found:
        yield found


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Archive:
    found = Archive()
    monkeypatch.setattr(module, "deliver", found)
    return found


@pytest.fixture
def desk(made: Fresh) -> Iterator[Desk]:
    found = Desk(made)
    yield found
    for one in found.rounds():  # what a test left waiting is not sent in another
        waiting = Outbox(made.services).of_round(one["id"])
        if waiting is not None and waiting.state == "waiting":
            made.clock.later(hours=2)
            Outbox(made.services).look()


def released(desk: Desk, **given: str) -> None:
    desk.read(by=ANNA, **given)
    desk.done("start", by=BEN)
    desk.done("sign", by=BEN)
    desk.done("release", by=BEN)


def test_the_report_lies_in_the_study_of_the_patient_that_was_read(
    desk: Desk, archive: Archive
) -> None:
    released(desk, abnormal="absent", impression_text="Unremarkable.")
    assert desk.seen()["delivery"]["state"] == "waiting"
    assert Outbox(desk.made.services).look() == 1
    (content,) = archive.taken
    film, report = dcmread(io.BytesIO(FILM)), dcmread(io.BytesIO(content))
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID"):
        assert report[keyword].value == film[keyword].value, keyword
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    (one,) = series.ReferencedSOPSequence
    assert one.ReferencedSOPInstanceUID == film.SOPInstanceUID
    read = reading_from_sr(content)
    assert read.items["impression_text"].text == "Unremarkable."
    assert read.signed is not None
    assert read.signed.who == "Dr Ben"
    seen = desk.seen()
    assert (seen["delivery"]["state"], seen["delivery"]["tries"]) == ("sent", 1)
    assert seen["log"][-1]["what"] == "written out"
    assert Outbox(desk.made.services).look() == 0
    assert "is in the archive already" in desk.refused("send", by=BEN)


def test_an_archive_that_is_away_gets_it_later_and_the_page_says_why_not_yet(
    desk: Desk, archive: Archive
) -> None:
    archive.error = UnavailableError("the archive", "STOW-RS: ConnectionError")
    released(desk, impression_text="Seen.")
    outbox = Outbox(desk.made.services)
    assert outbox.look() == 1
    assert outbox.look() == 0, "not at once again"
    seen = desk.seen()["delivery"]
    assert (seen["state"], seen["tries"]) == ("waiting", 1)
    assert "ConnectionError" in seen["problem"]
    page = desk.http.get(
        f"/cases/{desk.case}/readings/{desk.first}", headers={"accept": "text/html"}
    ).text
    assert "on its way to the archive" in page
    assert "ConnectionError" in page
    archive.error = InputError("results", "reading: refused by the archive A700")
    desk.made.clock.later(minutes=1, seconds=1)
    assert Outbox(desk.made.services).look() == 1, "another process goes on"
    assert "A700" in desk.seen()["delivery"]["problem"]
    archive.error = None
    desk.made.clock.later(minutes=1)
    assert outbox.look() == 0, "the second pause is longer"
    desk.made.clock.later(minutes=2)
    assert outbox.look() == 1
    assert (desk.seen()["delivery"]["state"], len(archive.taken)) == ("sent", 1)


def test_a_process_that_dies_while_sending_leaves_it_to_the_next(
    desk: Desk, archive: Archive
) -> None:
    released(desk, impression_text="Seen.")
    archive.error = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        Outbox(desk.made.services).look()
    assert desk.seen()["delivery"]["state"] == "waiting"
    archive.error = None
    assert Outbox(desk.made.services).look() == 0, "another process may still be sending it"
    desk.made.clock.later(minutes=11)
    assert Outbox(desk.made.services).look() == 1
    assert desk.seen()["delivery"]["state"] == "sent"


def test_what_cannot_be_placed_is_refused_and_not_sent_to_a_guess(
    made: Fresh, archive: Archive
) -> None:
    nobody = image(
        ramp(), sop_class=CR, Modality="CR", SOPInstanceUID="1.2.3.4.5.9", PatientID="",
        StudyInstanceUID="1.2.3.99",
    )  # fmt: skip
    desk = Desk(made, film=nobody)
    released(desk, impression_text="Seen.")
    Outbox(made.services).look()
    seen = desk.seen()["delivery"]
    assert seen["state"] == "refused"
    assert "do not state the patient" in seen["problem"]
    assert archive.taken == []
    answer = desk.do("send", by=BEN)
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    Outbox(made.services).look()
    assert desk.seen()["delivery"]["state"] == "refused"


def test_a_correction_is_a_report_of_its_own_and_the_first_stays(
    desk: Desk, archive: Archive
) -> None:
    released(desk, impression_text="First words.")
    Outbox(desk.made.services).look()
    again = desk.done("corrections", {"words": "the other side"}, by=ANNA)["id"]
    desk.done("start", by=ANNA, of=again)
    desk.done("content", {"changes": stated(impression_text="Other words.")}, by=ANNA, of=again)
    desk.done("sign", by=ANNA, of=again)
    desk.done("start", by=BEN, of=again)
    desk.done("sign", by=BEN, of=again)
    desk.done("release", by=BEN, of=again)
    Outbox(desk.made.services).look()
    first, second = (dcmread(io.BytesIO(one)) for one in archive.taken)
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.StudyInstanceUID == second.StudyInstanceUID
    assert reading_from_sr(archive.taken[1]).items["impression_text"].text == "Other words."


def test_without_an_archive_nothing_waits_and_that_is_said(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        desk = Desk(made)
        released(desk, impression_text="Seen.")
        assert "delivery" not in desk.seen()
        assert "EPICRISIS_DICOM_RESULTS" in desk.refused("send", by=BEN)
        page = desk.http.get(
            f"/cases/{desk.case}/readings/{desk.first}", headers={"accept": "text/html"}
        ).text
        assert "Neither an archive nor a FHIR server is set: nothing is sent." in page


def test_nothing_unsigned_is_sent(desk: Desk, archive: Archive) -> None:
    desk.read(by=ANNA, impression_text="Seen.")
    assert "nothing unsigned leaves" in desk.refused("send", by=ANNA)
    assert Outbox(desk.made.services).look() == 0
