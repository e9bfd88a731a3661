"""One patient: whatever is of another, or does not say whose it is, refuses the whole call."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from knowledge.errors import IdentityConflictError
from serving.cds.compartment import check_patient
from tests.serving.cds.hooks import MOMENTS, Clock, Hooks, example, hooks, imaging, order, searchset

SERVER = "https://ehr.example/fhir"


def observation(**changed: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "subject": {"reference": "Patient/1"}} | changed


OTHER = {"subject": {"reference": "Patient/2"}}


@pytest.mark.parametrize(
    ("resource", "belongs"),
    [
        ({"resourceType": "Patient", "id": "1"}, True),
        ({"resourceType": "Patient", "id": "2"}, False),
        ({"resourceType": "Patient"}, False),
        (observation(), True),
        (observation(subject={"reference": f"{SERVER}/Patient/1"}), True),
        (observation(subject={"reference": f"{SERVER}/Patient/1/_history/3"}), True),
        (observation(subject={"reference": "https://other.example/fhir/Patient/1"}), False),
        (observation(**OTHER), False),
        (observation(subject={"reference": "Patient/11"}), False),
        (observation(subject={"identifier": {"value": "7"}}), False),
        (observation(subject={"display": "Clara Muster"}), False),
        (observation(subject="Patient/1"), False),
        ({"resourceType": "Observation"}, False),
        ({"resourceType": "Procedure", "patient": {"reference": "Patient/2"}}, False),
        (observation(contained=[observation(**OTHER)]), False),
        (observation(contained=[{"resourceType": "Specimen"}]), True),
        ({"resourceType": "ServiceRequest", **OTHER}, False),
        ({"resourceType": "ServiceRequest"}, False),
        ({"subject": {"reference": "Patient/1"}}, False),
        ({"resourceType": 7}, False),
    ],
    ids=str,
)
def test_whose_a_resource_is(resource: dict[str, Any], belongs: bool) -> None:
    if belongs:
        check_patient([resource], "1", SERVER)
        return
    with pytest.raises(IdentityConflictError) as error:
        check_patient([resource], "1", SERVER)
    assert "Muster" not in str(error.value)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    with hooks(tmp_path_factory.mktemp("patients"), clock=Clock(MOMENTS["nstemi"])) as made:
        yield made


@pytest.mark.parametrize("place", range(5))
def test_one_observation_of_another_patient_refuses_everything(client: Hooks, place: int) -> None:
    sent = copy.deepcopy(example("nstemi"))
    entries = sent["observations"]["entry"]
    entries[place]["resource"]["subject"]["reference"] = "Patient/another"
    (card,) = client.view(sent)
    assert card["summary"] == "Refused: data of another patient were sent. Nothing was assessed."
    assert card["source"]["topic"]["code"] == "identity"
    assert "suggestions" not in card
    assert client.services.cases.list() == ()


def test_the_record_of_another_patient_is_refused(client: Hooks) -> None:
    sent = example("nstemi")
    sent["patient"]["id"] = "another"
    (card,) = client.view(sent)
    assert card["summary"].startswith("Refused")


def test_an_order_for_another_patient_is_refused(client: Hooks) -> None:
    wrong = imaging("CT pulmonary angiography", patient="another")
    (card,) = client.cards("chest-pain-order-sign", order(example("nstemi"), wrong))
    assert card["summary"].startswith("Refused")


def test_without_the_patients_record_nothing_is_assessed(client: Hooks) -> None:
    for nobody in (None, searchset([])):
        (card,) = client.view(example("nstemi") | {"patient": nobody})
        assert card["summary"].startswith("Not assessable: the patient could not be read.")


def test_two_patients_with_one_id_on_two_servers_are_two_cases(client: Hooks) -> None:
    assert client.view(example("nstemi"), server="https://one.example/fhir")
    assert client.view(example("nstemi"), server="https://two.example/fhir")
    kept = {case.patient for case in client.services.cases.list()}
    assert kept == {f"https://{name}.example/fhir|Patient/patient" for name in ("one", "two")}


def test_a_slash_at_the_end_of_the_server_makes_no_second_patient(client: Hooks) -> None:
    before = len(client.services.cases.list())
    client.view(example("nstemi"), server="https://one.example/fhir/", user="Practitioner/b")
    assert len(client.services.cases.list()) == before
