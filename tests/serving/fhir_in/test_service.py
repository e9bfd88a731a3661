import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from agent.assessment import Assessment
from knowledge.errors import IdentityConflictError, InvalidValueError
from serving.access.compartment import patient_compartment
from serving.access.errors import ForbiddenError, UnauthenticatedError
from serving.access.principal import Principal, Role
from serving.access.smart.protocol import SmartContext
from serving.fhir_in.protocol import PullIn
from serving.fhir_in.service import PullService
from tests.serving.access.peers import as_json
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.fhir_in.fhir_peer import FhirPeer, bundle, fhir_peer, of_patient

PATIENT = "patient"
NOTHING = PullIn()


@pytest.fixture
def ehr() -> Iterator[FhirPeer]:
    """A server that holds the chart of a bundled example."""
    chart = json.loads((files("serving") / "examples/nstemi/chart.json").read_text())
    with fhir_peer() as peer:
        peer.held = {}
        for entry in chart["entry"]:
            resource = entry["resource"]
            peer.held.setdefault(resource["resourceType"], []).append(resource)
        yield peer


@pytest.fixture
def made(ehr: FhirPeer, tmp_path: Path) -> Iterator[Fresh]:
    with fresh(tmp_path, outbound_private_hosts=[urlsplit(ehr.url).netloc]) as found:
        yield found


def launched(
    ehr: FhirPeer,
    *,
    token: str | None = "t-1",  # noqa: S107 - no secret: the server of the test takes any
    patient: str = PATIENT,
) -> SmartContext:
    return SmartContext(
        iss=ehr.base,
        patient=patient,
        scope="patient/*.rs",
        fhir_user="Practitioner/1",
        token_expires_at=datetime(2026, 11, 20, 16, 0, tzinfo=UTC),
        access_token=SecretStr(token) if token else None,
    )


def nurse(ehr: FhirPeer, patient: str = PATIENT) -> Principal:
    return Principal(
        subject="n-1",
        name="Dr One",
        roles=frozenset({Role.CLINICIAN}),
        patient=patient_compartment(ehr.base, patient),
        via="smart",
    )


def test_a_launch_s_patient_becomes_a_case_with_its_token(ehr: FhirPeer, made: Fresh) -> None:
    service = PullService(made.services)
    done = service.pull(NOTHING, principal=nurse(ehr), smart=launched(ehr))
    assert done.created
    assert done.case.patient == f"{ehr.base}|Patient/{PATIENT}"
    assert done.case.source == "fhir"
    assert done.pulled.problems == ()
    assert ehr.peer is not None
    assert {seen[2]["authorization"] for seen in ehr.peer.seen} == {"Bearer t-1"}
    again = service.pull(NOTHING, principal=nurse(ehr), smart=launched(ehr))
    assert (again.created, again.case.id) == (False, done.case.id)
    assert again.stored.id == done.stored.id


def test_after_three_days_it_is_another_visit(ehr: FhirPeer, made: Fresh) -> None:
    service = PullService(made.services)
    done = service.pull(NOTHING, principal=nurse(ehr), smart=launched(ehr))
    made.clock.later(hours=72)
    again = service.pull(NOTHING, principal=nurse(ehr), smart=launched(ehr))
    assert not again.created
    made.clock.later(minutes=1)
    later = service.pull(NOTHING, principal=nurse(ehr), smart=launched(ehr))
    assert later.created
    assert later.case.id != done.case.id


def test_what_could_not_be_read_is_a_failed_input_and_never_complete(
    ehr: FhirPeer, made: Fresh
) -> None:
    ehr.instead("Condition", as_json({"resourceType": "OperationOutcome"}, 500))
    done = PullService(made.services).pull(NOTHING, principal=nurse(ehr), smart=launched(ehr))
    assert any(p.startswith("Condition could not be read") for p in done.pulled.problems)
    assessment = Assessment.model_validate(done.stored.body)
    assert assessment.status.value != "complete"
    text = json.dumps(done.stored.body)
    assert "Condition could not be read" in text
    answers = {c.code: f.state.value for f in assessment.findings for c in f.concept.codings}
    assert answers.get("diabetes", "not_assessed") == "not_assessed"
    assert answers.get("hypertension", "not_assessed") == "not_assessed"


def test_another_patient_s_data_make_no_case(ehr: FhirPeer, made: Fresh) -> None:
    ehr.instead("Observation", as_json(bundle([of_patient("Observation", "x", "somebody-else")])))
    with pytest.raises(IdentityConflictError):
        PullService(made.services).pull(NOTHING, principal=nurse(ehr), smart=launched(ehr))
    assert made.services.cases.list() == ()


@pytest.mark.parametrize(
    "asked",
    [
        PullIn(patient="somebody-else"),
        PullIn(server="https://other.example/fhir"),
        PullIn(encounter="another"),
    ],
    ids=["patient", "server", "encounter"],
)
def test_a_launch_reaches_nothing_but_its_own_patient(
    ehr: FhirPeer, made: Fresh, asked: PullIn
) -> None:
    with pytest.raises(ForbiddenError):
        PullService(made.services).pull(asked, principal=nurse(ehr), smart=launched(ehr))
    assert ehr.asked == []


def test_a_principal_of_another_patient_reaches_nothing(ehr: FhirPeer, made: Fresh) -> None:
    other = nurse(ehr, "somebody-else")
    with pytest.raises(ForbiddenError):
        PullService(made.services).pull(NOTHING, principal=other, smart=launched(ehr))
    assert ehr.asked == []


def test_an_ended_token_is_said(ehr: FhirPeer, made: Fresh) -> None:
    ended = launched(ehr, token=None)
    with pytest.raises(UnauthenticatedError, match="launch again"):
        PullService(made.services).pull(NOTHING, principal=nurse(ehr), smart=ended)
    assert ehr.asked == []


def test_without_a_launch_server_and_patient_are_needed(ehr: FhirPeer, made: Fresh) -> None:
    with pytest.raises(InvalidValueError, match="give both"):
        PullService(made.services).pull(NOTHING, principal=made.who[0], smart=None)
