"""A released reading reaches the FHIR server once, at the right patient, or is refused with why."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydicom import dcmread

from knowledge.errors import ContractError
from knowledge.settings import Settings
from serving.access.outbound import OutboundClient, OutboundError
from serving.reading import fhir_way as module
from serving.reading.fhir_way import RELEASE, FhirWay
from serving.reading.outbox import Outbox
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.reading.test_outbox import released
from tests.serving.reading.test_reading import ANNA, BEN, FILM, Desk, stated
from tests.tools.imaging.view.made import CR, image, ramp

BASE = "http://127.0.0.1:1/fhir"
WHO = dcmread(io.BytesIO(FILM))


def patient(**more: Any) -> dict[str, Any]:
    """Return the patient of the film as an EHR has them."""
    name = WHO.PatientName
    born = str(WHO.PatientBirthDate)
    found = {
        "resourceType": "Patient",
        "id": "anna",
        "identifier": [{"system": "urn:oid:1.2.3", "value": str(WHO.PatientID)}],
        "name": [{"family": str(name.family_name), "given": str(name.given_name).split()}],
        "birthDate": f"{born[:4]}-{born[4:6]}-{born[6:]}",
    }
    return {**found, **more}


class Ehr:
    """A FHIR server in memory: searches by identifier, creates once, updates by version."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.writes: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.lost = False

    def get_json(self, url: str, **_: Any) -> Any:
        if self.error is not None:
            raise self.error
        parts = urlsplit(url)
        kind = parts.path.rsplit("/", 1)[-1]
        told = parse_qs(parts.query)["identifier"][0]
        found = [one for one in self.kept if one["resourceType"] == kind and _has(one, told)]
        entries = [{"resource": one} for one in found]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    def send_json(self, url: str, body: Any, *, method: str, headers: Any, **_: Any) -> Any:
        if self.error is not None:
            raise self.error
        self.writes.append((method, url.removeprefix(f"{BASE}/")))
        if method == "POST":
            told = parse_qs(headers["If-None-Exist"])["identifier"][0]
            assert not [one for one in self.kept if _has(one, told)]
            kept = {**body, "id": f"r{len(self.kept)}", "meta": {"versionId": "1"}}
            self.kept.append(kept)
        else:
            (old,) = [one for one in self.kept if url.endswith(f"/{one['id']}")]
            assert headers["If-Match"] == f'W/"{old["meta"]["versionId"]}"'
            kept = {**body, "meta": {"versionId": "2"}}
            self.kept[self.kept.index(old)] = kept
        if self.lost:
            self.lost = False
            raise OutboundError("FHIR write", "no answer in 1 s")
        return kept

    def reports(self) -> list[dict[str, Any]]:
        return [one for one in self.kept if one["resourceType"] == "DiagnosticReport"]


def _has(resource: dict[str, Any], told: str) -> bool:
    system, bar, value = told.rpartition("|")
    return any(
        one.get("value") == value and (not bar or one.get("system", "") == system)
        for one in resource.get("identifier", ())
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    with fresh(tmp_path_factory.mktemp("fhir-way"), reading_fhir_url=BASE) as found:
        yield found


@pytest.fixture
def ehr(monkeypatch: pytest.MonkeyPatch) -> Ehr:
    found = Ehr()
    monkeypatch.setattr(module, "OutboundClient", lambda settings: found)
    return found


@pytest.fixture
def desk(made: Fresh) -> Desk:
    return Desk(made)


def _state(desk: Desk, of: str = "") -> tuple[str, str]:
    seen = desk.seen(of)["fhir_delivery"]
    return seen["state"], seen["problem"]


def test_the_report_is_of_the_patient_there_and_says_what_was_released(
    desk: Desk, ehr: Ehr
) -> None:
    ehr.kept.append(patient())
    released(desk, abnormal="absent", impression_text="Unremarkable.")
    assert _state(desk)[0] == "waiting"
    assert Outbox(desk.made.services).look() == 1
    assert _state(desk) == ("sent", "")
    (report,) = ehr.reports()
    assert report["subject"] == {"reference": "Patient/anna"}
    assert report["status"] == "final"
    (study,) = report["imagingStudy"]
    assert study["identifier"]["value"] == f"urn:oid:{WHO.StudyInstanceUID}"
    assert "reference" not in study, "the server has no such study, and none is created"
    assert {one["resourceType"] for one in ehr.kept} == {"Patient", "DiagnosticReport"}
    items = {one["id"]: one for one in report["contained"]}
    assert all(one["subject"] == {"reference": "Patient/anna"} for one in items.values())
    assert {one["reference"] for one in report["result"]} <= {f"#{name}" for name in items}
    by_code = {one["code"]["coding"][0]["code"]: one for one in items.values()}
    assert by_code["impression_text"]["valueString"] == "Unremarkable."
    unseen = [one for one in items.values() if "dataAbsentReason" in one]
    assert unseen, "what nobody looked at says so"
    assert all(not any(key.startswith("value") for key in one) for one in unseen)
    assert "urn:uuid:" not in str(report), "every reference leads somewhere"
    assert "Research use" in str(report["extension"])
    assert desk.seen()["log"][-1]["detail"]["way"] == "FHIR"


def test_an_answer_that_was_lost_makes_no_second_report(desk: Desk, ehr: Ehr) -> None:
    ehr.kept.append(patient())
    ehr.lost = True
    released(desk, impression_text="Seen.")
    outbox = Outbox(desk.made.services)
    outbox.look()
    assert _state(desk) == ("waiting", "FHIR write: no answer in 1 s")
    desk.made.clock.later(minutes=2)
    assert outbox.look() == 1
    assert _state(desk)[0] == "sent"
    assert len(ehr.reports()) == 1


def test_a_correction_takes_the_place_of_what_it_corrects(desk: Desk, ehr: Ehr) -> None:
    ehr.kept.append(patient())
    released(desk, impression_text="First words.")
    again = desk.done("corrections", {"words": "the other side"}, by=ANNA)["id"]
    desk.done("start", by=ANNA, of=again)
    desk.done("content", {"changes": stated(impression_text="Other words.")}, by=ANNA, of=again)
    desk.done("sign", by=ANNA, of=again)
    desk.done("start", by=BEN, of=again)
    desk.done("sign", by=BEN, of=again)
    second = desk.done("release", by=BEN, of=again)["id"]
    Outbox(desk.made.services).look()
    desk.made.clock.later(minutes=2)
    Outbox(desk.made.services).look()
    assert _state(desk, again)[0] == "sent"
    (report,) = ehr.reports()
    assert report["status"] == "corrected"
    assert {"system": RELEASE, "value": second} in report["identifier"]
    assert len([one for one in report["identifier"] if one["system"] == RELEASE]) == 2
    assert "Other words." in str(report["contained"])
    assert "First words." not in str(report["contained"])


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ([], "has none of it"),
        ([patient(), patient(id="twice")], "has 2 of it"),
        ([patient(birthDate="1931-01-01")], "differs in birth date"),
        ([patient(name=[], birthDate=None)], "not shown to be the one who was read"),
    ],
    ids=["nobody", "two", "another birth date", "a number alone"],
)
def test_a_report_is_never_sent_to_a_guess(
    desk: Desk, ehr: Ehr, there: list[dict[str, Any]], why: str
) -> None:
    ehr.kept += [{key: v for key, v in one.items() if v is not None} for one in there]
    released(desk, impression_text="Seen.")
    Outbox(desk.made.services).look()
    state, problem = _state(desk)
    assert (state, ehr.reports()) == ("refused", [])
    assert why in problem
    page = desk.http.get(
        f"/cases/{desk.case}/readings/{desk.first}", headers={"accept": "text/html"}
    ).text
    assert "not sent to the FHIR server" in page
    assert "Send it now" in page


def test_a_server_that_refuses_the_report_waits_for_a_person_and_one_that_is_away_does_not(
    desk: Desk, ehr: Ehr
) -> None:
    ehr.error = OutboundError("FHIR search", "the other server answered 503", status=503)
    released(desk, impression_text="Seen.")
    outbox = Outbox(desk.made.services)
    outbox.look()
    assert _state(desk)[0] == "waiting"
    ehr.error, ehr.kept = None, [patient()]
    refusing = OutboundError("FHIR write", "the other server answered 422", status=422)
    sent = ehr.send_json
    ehr.send_json = lambda *_, **__: (_ for _ in ()).throw(refusing)  # type: ignore[method-assign]
    desk.made.clock.later(minutes=2)
    outbox.look()
    assert _state(desk) == ("refused", "report: the FHIR server refused it with 422 (see its log)")
    ehr.send_json = sent  # type: ignore[method-assign]
    assert desk.do("send", by=BEN).json()["way"] == "fhir"
    outbox.look()
    assert _state(desk)[0] == "sent"
    assert "is at the FHIR server already" in desk.refused("send", by=BEN)


def test_each_way_has_its_own_tries(tmp_path: Path, ehr: Ehr) -> None:
    told = {"dicom_results": "stow", "dicom_web_url": "http://127.0.0.1:1/dicom-web"}
    with fresh(tmp_path, reading_fhir_url=BASE, **told) as made:
        ehr.kept.append(patient())
        desk = Desk(made)
        released(desk, impression_text="Seen.")
        assert Outbox(made.services).look() == 2
        seen = desk.seen()
        assert seen["fhir_delivery"]["state"] == "sent"
        assert seen["delivery"]["state"] == "waiting", "nothing listens there"
        assert seen["delivery"]["way"] == "archive"


def test_the_host_may_be_called_and_no_other() -> None:
    client = OutboundClient(Settings(reading_fhir_url="https://ehr.internal/fhir"))
    client.check("https://ehr.internal/fhir/Patient?identifier=1")
    with pytest.raises(Exception, match="not on the list"):
        client.check("https://elsewhere.example/fhir/Patient")
    with pytest.raises(ContractError, match="READING_FHIR_URL"):
        FhirWay(Settings())


def test_images_that_state_nobody_are_not_sent(made: Fresh, ehr: Ehr) -> None:
    nobody = image(
        ramp(), sop_class=CR, Modality="CR", SOPInstanceUID="1.2.3.4.5.10", PatientID="",
        StudyInstanceUID="1.2.3.98",
    )  # fmt: skip
    desk = Desk(made, film=nobody)
    ehr.kept.append(patient())
    released(desk, impression_text="Seen.")
    Outbox(made.services).look()
    assert _state(desk)[0] == "refused"
    assert ehr.reports() == []
