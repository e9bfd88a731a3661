"""Each event beside the profiles of IHE BALP, written out by hand from the standard."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from serving.access.principal import Principal, Role
from serving.audit.event import action_of, case_of, event, subject_of
from serving.audit.origin import Origin
from serving.cases.model import Case

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ADA = Principal(subject="ada-7", name="Dr Ada Lo", roles=frozenset({Role.CLINICIAN}), via="oidc")
CASE = Case(
    id="case-1",
    label="bed 7",
    patient="https://ehr.example/fhir|Patient/77",
    source="fhir",
    created_at=NOON,
    created_by="ada-7",
)
ORIGIN = Origin(trace="req-1", address="192.0.2.7", asked="GET /v1/worklist?show=all")
SITE = "https://epicrisis.example"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."


def made(action: str, case: Case | str | None = CASE, **more: Any) -> dict[str, Any]:
    return event(ADA, action, at=NOON, site=SITE, origin=ORIGIN, case=case, **more)


def roles(body: dict[str, Any]) -> list[str]:
    return [agent["type"]["coding"][0]["code"] for agent in body["agent"]]


def entity(body: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [e for e in body["entity"] if e["type"]["code"] == code]


@pytest.mark.parametrize(
    ("action", "profile", "subtype", "code", "client", "server", "user"),
    [
        ("case.read", "PatientRead", "read", "R", "110152", "110153", "IRCP"),
        ("card.shown", "PatientRead", "read", "R", "110152", "110153", "IRCP"),
        ("worklist.listed", "PatientQuery", "search", "E", "110153", "110152", "IRCP"),
        ("case.create", "PatientCreate", "create", "C", "110153", "110152", "AUT"),
        ("sign-off.signed", "PatientCreate", "create", "C", "110153", "110152", "AUT"),
        ("case.answer", "PatientUpdate", "update", "U", "110153", "110152", "AUT"),
        ("case.delete", "PatientDelete", "delete", "D", "110150", "custodian", "AUT"),
    ],
)
def test_restful_events_have_the_profiles_agents_which_a_read_and_a_query_have_reversed(
    action: str, profile: str, subtype: str, code: str, client: str, server: str, user: str
) -> None:
    body = made(action)
    assert body["meta"]["profile"] == [BALP + profile]
    assert body["type"]["code"] == "rest"
    assert body["subtype"][0] == {
        "system": "http://hl7.org/fhir/restful-interaction",
        "code": subtype,
        "display": subtype,
    }
    assert (body["action"], body["outcome"]) == (code, "0")
    assert roles(body) == [client, server, user]
    assert [agent["requestor"] for agent in body["agent"]] == [False, False, True]
    assert all("network" in agent for agent in body["agent"][:2])
    assert "network" not in body["agent"][2], "a person is no network device"


def test_an_export_is_a_disclosure_by_the_source() -> None:
    body = made("case.export")
    assert body["type"] == {"system": DCM, "code": "110106", "display": "Export"}
    assert body["subtype"][0]["code"] == "disclose"
    assert body["action"] == "R"
    client, server, _ = body["agent"]
    assert server["type"]["coding"][0]["code"] == "110153"
    assert server["who"] == body["source"]["observer"]
    assert client["type"]["coding"][0]["code"] == "110152"


def test_the_patient_is_named_by_reference_and_by_nothing_else() -> None:
    body = made("case.read")
    (patient,) = entity(body, "1")
    assert patient["what"] == {
        "reference": "https://ehr.example/fhir/Patient/77",
        "type": "Patient",
    }
    assert patient["role"]["code"] == "1"
    assert "bed 7" not in str(body)


def test_a_patient_known_from_files_alone_is_named_by_the_hash() -> None:
    body = made("case.read", CASE.model_copy(update={"patient": "upload|0f1e2d3c4b5a6978"}))
    (patient,) = entity(body, "1")
    assert patient["what"]["identifier"]["value"] == "upload|0f1e2d3c4b5a6978"
    assert "reference" not in patient["what"]


def test_without_a_known_patient_the_profile_is_that_without_one() -> None:
    body = made("case.read", CASE.model_copy(update={"patient": None}))
    assert body["meta"]["profile"] == [BALP + "Read"]
    assert entity(body, "1") == []


def test_a_query_carries_what_was_asked_in_base64_and_no_object_of_its_own() -> None:
    body = made("worklist.listed")
    (query,) = entity(body, "2")
    assert query["role"]["code"] == "24"
    assert base64.b64decode(query["query"]) == b"GET /v1/worklist?show=all"
    assert "what" not in query
    assert "detail" not in query


def test_the_request_is_named_by_its_id() -> None:
    (trace,) = entity(made("case.read"), "XrequestId")
    assert trace["type"]["system"].endswith("/BALP/CodeSystem/BasicAuditEntityType")
    assert trace["what"]["identifier"]["value"] == "req-1"


def test_a_deletion_has_the_two_entities_its_closed_profile_allows() -> None:
    assert [e["type"]["code"] for e in made("case.delete")["entity"]] == ["1", "2"]


def test_a_refusal_is_no_success_and_names_who_was_refused() -> None:
    body = event(
        ADA, "case.read", at=NOON, site=SITE, origin=ORIGIN, case="case-of-another", refused=True
    )
    assert body["outcome"] == "4"
    assert body["outcomeDesc"] == "refused"
    assert "meta" not in body
    assert subject_of(body) == "ada-7"
    assert case_of(body) == "case-of-another"
    assert entity(body, "1") == [], "whose case it is must not be told by a refusal"


def test_nobody_named_is_nobody() -> None:
    body = event(None, "case.read", at=NOON, site=SITE, origin=None, refused=True)
    assert len(body["agent"]) == 2
    assert subject_of(body) == ""
    assert case_of(body) is None


def test_details_are_short_visible_and_repeat_nothing_else() -> None:
    detail = {"sha256": "ab\u202e" * 300, "versions": (3, 1), "cards": [{"uuid": "c-1"}]}
    body = made("sign-off.signed", detail=detail)
    (found,) = entity(body, "2")
    assert found["detail"][0]["valueString"] == "ab" * 250
    assert found["detail"][1:] == [
        {"type": "versions", "valueString": "3"},
        {"type": "versions", "valueString": "1"},
        {"type": "cards", "valueString": '{"uuid":"c-1"}'},
    ]
    assert found["role"]["code"] == "3", "a signed report"
    assert action_of(body) == "sign-off.signed"


@pytest.mark.parametrize(
    "action",
    [
        "case.read",
        "worklist.listed",
        "case.create",
        "case.files",
        "case.delete",
        "case.export",
        "case.assess",
        "login",
        "service.operate",
    ],
)
def test_every_event_is_a_valid_r4b_resource(action: str) -> None:
    r4b = pytest.importorskip(
        "fhir.resources.R4B.auditevent", reason="fhir.resources is not installed here"
    )
    body = made(action, detail={"sha256": "ab"})
    assert r4b.AuditEvent.model_validate(body).resource_type == "AuditEvent"
