"""Remote reading from arrival to release: who may what, what is refused, what is kept."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from serving.access.principal import Principal, Role
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.images.test_layers import chest
from tests.serving.storage.databases import KINDS
from tests.tools.imaging.view.made import CR, image, ramp


def doctor(name: str) -> Principal:
    roles = frozenset({Role.CLINICIAN})
    return Principal(subject=name.lower(), name=f"Dr {name}", roles=roles, via="oidc")


ANNA, BEN, CLARA, DAN = map(doctor, ("Anna", "Ben", "Clara", "Dan"))
FILM = image(ramp(), sop_class=CR, Modality="CR", SOPInstanceUID="1.2.3.4.5.1", RescaleSlope=1)


class Desk:
    """One case with one film, and whoever acts on its readings."""

    def __init__(self, made: Fresh, *, film: bytes = FILM) -> None:
        self.made, self.http = made, made.client()
        made.who[0] = ANNA
        answer = self.http.post(
            "/v1/cases", data={"label": "film"}, files=[("files", ("film.dcm", film))]
        )
        assert answer.status_code == 201, answer.text
        self.case = str(answer.json()["id"])
        self.first = self.rounds()[0]["id"]

    def call(self, method: str, path: str, body: Any = None, *, by: Principal = ANNA) -> Any:
        self.made.who[0] = by
        return self.http.request(method, f"/v1/cases/{self.case}/readings{path}", json=body)

    def rounds(self) -> Any:
        return self.call("GET", "").json()["rounds"]

    def do(self, what: str, body: Any = None, *, by: Principal, of: str = "") -> Any:
        method = "PUT" if what == "content" else "POST"
        return self.call(method, f"/{of or self.first}/{what}", body or {}, by=by)

    def seen(self, of: str = "") -> Any:
        return self.call("GET", f"/{of or self.first}").json()

    def done(self, what: str, body: Any = None, *, by: Principal, of: str = "") -> Any:
        answer = self.do(what, body, by=by, of=of)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def refused(self, what: str, body: Any = None, *, by: Principal, of: str = "") -> str:
        answer = self.do(what, body, by=by, of=of)
        assert answer.status_code in (403, 409, 422), answer.text
        return str(answer.json()["detail"])

    def read(self, *, by: Principal, of: str = "", **given: Any) -> None:
        self.done("start", {"form": "general_imaging"}, by=by, of=of)
        self.done("content", {"changes": stated(**given)}, by=by, of=of)
        self.done("sign", by=by, of=of)


def stated(**given: str) -> dict[str, Any]:
    """Return changes: a state for a sign, words for a text."""
    found: dict[str, Any] = {}
    for path, value in given.items():
        if value in ("present", "absent"):
            found[path] = {"state": value, "said": SAID}
        else:
            found[path] = {"state": "present", "text": value, "said": SAID}
    return found


SAID = {"by": "model", "who": "somebody else", "at": "2020-01-01T00:00:00Z"}
"""Whatever a client claims, it is the reader who saves."""


@pytest.fixture(scope="module", params=KINDS)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fresh]:
    with fresh(tmp_path_factory.mktemp("reading"), request.param) as found:
        yield found


@pytest.fixture
def desk(made: Fresh) -> Desk:
    return Desk(made)


def test_a_study_arrives_and_the_tools_say_what_they_do_not_know(desk: Desk) -> None:
    seen = desk.seen()
    assert seen["round"]["state"] == "to read"
    assert [one["what"] for one in seen["log"]] == ["arrived", "pre-read"]
    assert seen["log"][1]["detail"]["not_assessed"] == "no validated model configured"
    assert (
        "no pixel spacing is stated: no length, area or volume in mm; only ratios"
        in (seen["log"][1]["detail"]["quality"])
    )
    desk.http.post(f"/v1/cases/{desk.case}/assessments")
    assert len(desk.rounds()) == 1


def test_from_first_reader_to_release_with_who_and_how_long(desk: Desk) -> None:
    clock = desk.made.clock
    clock.later(minutes=10)
    desk.done("start", {"form": "general_imaging"}, by=ANNA)
    clock.later(minutes=7)
    changes = stated(abnormal="absent", impression_text="Unremarkable.")
    desk.done("content", {"changes": changes}, by=ANNA)
    desk.done("sign", by=ANNA)
    clock.later(minutes=20)
    desk.done("start", by=BEN)
    clock.later(minutes=3)
    desk.done("sign", by=BEN)
    assert desk.seen()["differences"] == []
    clock.later(minutes=1)
    release = desk.done("release", by=BEN)
    assert (release["number"], release["by"]["name"]) == (1, "Dr Ben")
    assert release["reading"]["status"] == "final"
    assert release["reading"]["items"]["abnormal"]["said"]["who"] == "Dr Anna"
    took = {one["what"]: (one["by"], one["minutes"]) for one in desk.seen()["spans"]}
    assert took == {
        "waiting": ("", 10.0),
        "reading": ("Dr Anna", 7.0),
        "reviewing": ("Dr Ben", 3.0),
        "whole": ("", 41.0),
    }
    assert [one["what"] for one in desk.seen()["log"]] == [
        "arrived", "pre-read", "started", "saved", "signed", "started", "signed", "released",
    ]  # fmt: skip


def test_one_person_is_never_both_readers(desk: Desk) -> None:
    desk.read(by=ANNA, abnormal="absent")
    assert "second reader is another person" in desk.refused("start", by=ANNA)
    desk.done("start", by=BEN)
    desk.done("give-back", by=BEN)
    assert desk.seen()["round"]["state"] == "to review"


def test_who_wrote_part_of_the_first_reading_does_not_review_it(desk: Desk) -> None:
    desk.done("start", {"form": "general_imaging"}, by=ANNA)
    desk.done("content", {"changes": stated(abnormal="absent")}, by=ANNA)
    desk.done("give-back", by=ANNA)
    desk.done("start", by=BEN)
    desk.done("sign", by=BEN)
    assert "another person" in desk.refused("start", by=ANNA)


def test_a_study_is_locked_while_it_is_read_and_a_forgotten_lock_lapses(desk: Desk) -> None:
    desk.done("start", {"form": "general_imaging"}, by=ANNA)
    assert "is being read by Dr Anna" in desk.refused("start", by=BEN)
    for what in ("sign", "give-back"):
        assert "is being read by Dr Anna" in desk.refused(what, by=BEN)
    changes = {"changes": stated(abnormal="present")}
    assert "is being read by Dr Anna" in desk.refused("content", changes, by=BEN)
    desk.made.clock.later(minutes=31)
    assert desk.done("start", by=BEN)["locked"]["name"] == "Dr Ben"
    assert desk.seen()["log"][-1]["what"] == "taken over"
    assert "is being read by Dr Ben" in desk.refused("content", changes, by=ANNA)


def test_nothing_is_released_or_given_out_unsigned(desk: Desk) -> None:
    assert "not signed by its readers" in desk.refused("release", by=BEN)
    desk.read(by=ANNA, abnormal="absent")
    assert "not signed by its readers" in desk.refused("release", by=BEN)
    for form in ("json", "fhir", "sr"):
        answer = desk.call("GET", f"/{desk.first}/release?form={form}")
        assert answer.status_code == 409
        assert "nothing unsigned leaves" in answer.text


def test_a_disagreement_is_kept_item_by_item_with_both_words(desk: Desk) -> None:
    desk.read(by=ANNA, abnormal="absent", impression_text="Normal.", limited="absent")
    desk.done("start", by=BEN)
    changes = stated(abnormal="present", impression_text="A shadow in the right apex.")
    desk.done("content", {"changes": changes}, by=BEN)
    desk.done("sign", by=BEN)
    found = {one["path"]: one for one in desk.seen()["differences"]}
    assert set(found) == {"abnormal", "impression_text"}
    assert (found["abnormal"]["first"]["state"], found["abnormal"]["second"]["state"]) == (
        "absent",
        "present",
    )
    assert "abnormal, impression_text" in desk.refused("release", by=BEN)
    one = {"path": "abnormal", "choice": "second", "reason": "seen on both films"}
    assert "impression_text" in desk.refused("release", {"decisions": [one]}, by=BEN)
    strange = {"path": "limited", "choice": "first", "reason": "x"}
    assert "is on no difference" in desk.refused("release", {"decisions": [strange]}, by=BEN)
    other = {"path": "impression_text", "choice": "first", "reason": "kept short"}
    decided = {"decisions": [one, other]}
    assert "was first read by you" in desk.refused("release", decided, by=ANNA)
    release = desk.done("release", decided, by=CLARA)
    items = release["reading"]["items"]
    assert items["abnormal"]["state"] == "present"
    assert items["impression_text"]["text"] == "Normal."
    kept = {d["path"]: d for d in release["differences"]}
    assert kept["impression_text"]["second"]["text"] == "A shadow in the right apex."
    assert kept["impression_text"]["choice"] == "first"
    assert kept["abnormal"]["reason"] == "seen on both films"


def test_a_release_is_never_changed_and_its_correction_is_a_version_of_its_own(desk: Desk) -> None:
    desk.read(by=ANNA, abnormal="absent")
    desk.read(by=BEN, abnormal="absent")
    before = desk.done("release", by=BEN)
    for what in ("start", "content", "sign", "release", "give-back"):
        body = {"changes": stated(abnormal="present")} if what == "content" else None
        assert desk.refused(what, body, by=CLARA)
    again = desk.done("corrections", {"words": "Side exchanged."}, by=ANNA)
    assert "is being corrected" in desk.refused("corrections", {"words": "twice"}, by=BEN)
    desk.read(by=CLARA, of=again["id"], abnormal="present")
    desk.read(by=DAN, of=again["id"], abnormal="present")
    after = desk.done("release", by=DAN, of=again["id"])
    assert (after["number"], after["follows"]) == (2, before["id"])
    assert desk.seen()["release"] == before
    fhir = desk.call("GET", f"/{again['id']}/release?form=fhir").json()
    report = fhir["entry"][0]["resource"]
    assert (report["resourceType"], report["status"]) == ("DiagnosticReport", "corrected")


def test_a_second_opinion_is_of_somebody_else_and_replaces_nothing(desk: Desk) -> None:
    desk.read(by=ANNA, abnormal="absent")
    assert "was not released" in desk.refused("opinions", {"words": "Really?"}, by=CLARA)
    desk.read(by=BEN, abnormal="absent")
    before = desk.done("release", by=BEN)
    asked = desk.done("opinions", {"words": "Is there a nodule?"}, by=ANNA)
    for reader in (ANNA, BEN):
        form = {"form": "general_imaging"}
        assert "let another read" in desk.refused("start", form, by=reader, of=asked["id"])
    desk.read(by=CLARA, of=asked["id"], abnormal="present")
    assert "let its reader release it" in desk.refused("release", by=DAN, of=asked["id"])
    opinion = desk.done("release", by=CLARA, of=asked["id"])
    (kept,) = opinion["differences"]
    assert (kept["path"], kept["first"]["state"], kept["second"]["state"]) == (
        "abnormal",
        "absent",
        "present",
    )
    assert "choice" not in kept or kept["choice"] is None
    assert desk.seen()["release"] == before


def test_what_a_client_claims_of_its_author_does_not_count(desk: Desk) -> None:
    desk.done("start", {"form": "general_imaging"}, by=ANNA)
    desk.done("content", {"changes": stated(abnormal="present")}, by=ANNA)
    said = desk.seen()["content"]["items"]["abnormal"]["said"]
    assert (said["by"], said["who"]) == ("reader", "Dr Anna")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"nothing_like_this": {"state": "absent", "said": SAID}}, "no such item"),
        ({"abnormal": {"state": "perhaps", "said": SAID}}, "state"),
        ({"abnormal": {"state": "not_assessed", "said": SAID}}, "reason"),
        ({"abnormal": {"state": "present", "said": SAID, "number": 3, "unit": "mm"}}, "abnormal"),
    ],
    ids=["item", "state", "no-reason", "number-of-a-sign"],
)
def test_what_is_no_answer_is_refused_and_not_kept(
    desk: Desk, changes: dict[str, Any], told: str
) -> None:
    desk.done("start", {"form": "general_imaging"}, by=ANNA)
    assert told in desk.refused("content", {"changes": changes}, by=ANNA)
    assert [one["what"] for one in desk.seen()["log"]] == ["arrived", "pre-read", "started"]


def test_a_form_that_is_not_for_the_study_is_refused(desk: Desk) -> None:
    assert "several fit this study" in desk.refused("start", by=ANNA)
    assert "is not for this study" in desk.refused("start", {"form": "fundus_icdr"}, by=ANNA)
    assert desk.seen()["round"]["state"] == "to read"


def test_a_system_reads_and_signs_nothing(desk: Desk) -> None:
    system = Principal(
        subject="pacs", name="PACS", roles=frozenset({Role.CLINICIAN}), via="service"
    )
    assert "a person reads" in desk.refused("start", {"form": "general_imaging"}, by=system)


def test_a_release_leaves_as_fhir_and_as_a_dicom_report(desk: Desk) -> None:
    desk.read(by=ANNA, abnormal="present", impression_text="A shadow.")
    desk.read(by=BEN, abnormal="present")
    desk.done("release", by=BEN)
    fhir = desk.call("GET", f"/{desk.first}/release?form=fhir")
    assert fhir.headers["content-type"] == "application/fhir+json"
    report = fhir.json()["entry"][0]["resource"]
    assert (report["resourceType"], report["status"]) == ("DiagnosticReport", "final")
    assert report["resultsInterpreter"] == [{"display": "Dr Ben"}]
    sr = desk.call("GET", f"/{desk.first}/release?form=sr")
    assert sr.headers["content-type"] == "application/dicom"
    ds = dcmread(io.BytesIO(sr.content))
    assert (ds.Modality, ds.StudyInstanceUID) == ("SR", "1.2.3")


def test_the_worklist_shows_what_waits_and_only_to_who_may_see_it(desk: Desk) -> None:
    desk.made.who[0] = BEN
    found = desk.http.get("/v1/readings").json()["rounds"]
    assert desk.first in [one["id"] for one in found]
    desk.made.who[0] = Principal(
        subject="x", name="X", roles=frozenset({Role.CLINICIAN}), patient="other", via="smart"
    )
    assert desk.http.get("/v1/readings").json()["rounds"] == []


def test_further_images_of_a_study_are_noted_and_make_no_second_reading(desk: Desk) -> None:
    more = image(ramp() + 1, sop_class=CR, Modality="CR", SOPInstanceUID="1.2.3.4.5.2")
    desk.made.who[0] = ANNA
    answer = desk.http.post(f"/v1/cases/{desk.case}/files", files=[("files", ("second.dcm", more))])
    assert answer.status_code in (200, 201), answer.text
    assert len(desk.rounds()) == 1
    last = desk.seen()["log"][-1]
    assert (last["what"], last["detail"]["added"]) == ("images changed", ["second.dcm"])


@pytest.mark.parametrize("table", ["reading_versions", "reading_releases", "reading_log"])
def test_the_database_itself_refuses_to_change_what_was_kept(desk: Desk, table: str) -> None:
    desk.read(by=ANNA, abnormal="absent")
    desk.read(by=BEN, abnormal="absent")
    desk.done("release", by=BEN)
    for statement in (f"UPDATE {table} SET name = 'x'", f"DELETE FROM {table}"):  # noqa: S608
        with pytest.raises(DBAPIError), desk.made.services.database.transaction() as session:
            session.execute(text(statement))


def test_a_deleted_case_takes_its_readings_with_it(desk: Desk) -> None:
    from serving.storage.deletion import delete_case

    desk.read(by=ANNA, abnormal="absent")
    services = desk.made.services
    gone = delete_case(services.database, services.files, desk.case, clock=services.clock)
    assert {"reading_rounds", "reading_versions", "reading_log"} <= set(gone.rows)


def test_an_altered_version_is_told_and_not_shown(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        desk = Desk(made)
        desk.read(by=ANNA, abnormal="absent")
        with made.services.database.transaction() as session:
            session.execute(text("DROP TRIGGER reading_versions_no_update"))
            body = json.dumps({"items": {}})
            session.execute(text("UPDATE reading_versions SET body = :b"), {"b": body})
        answer = desk.call("GET", f"/{desk.first}")
        assert answer.status_code == 500
        assert "is not what was kept" in answer.text


def test_the_tools_fill_in_what_they_measure_and_a_reader_confirms_it(made: Fresh) -> None:
    desk = Desk(made, film=chest("00003689_010.png"))
    desk.done("start", {"form": "chest_film"}, by=ANNA)
    seen = desk.seen()
    told = [one for one in seen["log"] if one["what"] == "pre-read"][-1]["detail"]
    machine = [
        path
        for path, one in seen["content"]["items"].items()
        if (one["said"] or {}).get("by") == "measurement" and one["state"] != "not_assessed"
    ]
    if "not_assessed" in told:
        assert not machine
        return
    assert machine
    assert "no reader has confirmed" in desk.refused("sign", by=ANNA)
    items = seen["content"]["items"]
    desk.done("content", {"changes": {path: items[path] for path in machine}}, by=ANNA)
    desk.done("sign", by=ANNA)


def test_a_film_that_is_not_measured_says_why_in_the_log(made: Fresh) -> None:
    desk = Desk(made, film=chest("00003689_010.png", ViewPosition="LL"))
    desk.done("start", {"form": "chest_film"}, by=ANNA)
    told = [one for one in desk.seen()["log"] if one["what"] == "pre-read"][-1]["detail"]
    assert "lateral" in told["not_assessed"].lower()
