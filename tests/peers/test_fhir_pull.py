"""A patient pulled from a real FHIR server behind a real SMART server, into our running service."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from serving.sandbox.servers import FhirServer, SmartServer, backend_client, public_client
from tests.peers.running import RunningService

KEY = ECKey.generate_key("P-384")
PATIENT = "patient"


@pytest.fixture(scope="module")
def smart_clients(service_url: str) -> Sequence[Mapping[str, Any]]:
    own = {**KEY.as_dict(private=False), "kid": KEY.thumbprint(), "alg": "ES384", "use": "sig"}
    return (
        public_client("epicrisis", f"{service_url}/smart/callback"),
        backend_client("epicrisis-backend", {"keys": [own]}),
    )


@pytest.fixture(scope="module")
def service_settings(
    fhir_server: FhirServer,
    authorization_server: SmartServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, Any]:
    key = tmp_path_factory.mktemp("key") / "backend.json"
    key.write_text(json.dumps(KEY.as_dict(private=True)))
    hosts = [
        address.removeprefix("http://")
        for address in (fhir_server.root, authorization_server.issuer)
    ]
    return {
        "local_user": True,
        "fhir_backends": {fhir_server.base: "epicrisis-backend"},
        "fhir_backend_key": key,
        "outbound_private_hosts": hosts,
    }


@pytest.fixture(scope="module")
def ward(fhir_server: FhirServer, authorization_server: SmartServer) -> FhirServer:
    """The server with the bundled example, 120 more results, and one other patient."""
    chart = json.loads((files("serving") / "examples/nstemi/chart.json").read_text())
    for entry in chart["entry"]:
        fhir_server.put(entry["resource"])
    older = [
        {
            "resourceType": "Observation",
            "id": f"old-potassium-{number}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
            "subject": {"reference": f"Patient/{PATIENT}"},
            "effectiveDateTime": f"2020-01-01T{number // 60:02}:{number % 60:02}:00Z",
            "valueQuantity": {
                "value": 4.1,
                "unit": "mmol/L",
                "system": "http://unitsofmeasure.org",
                "code": "mmol/L",
            },
        }
        for number in range(120)
    ]
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"Observation/{r['id']}"}}
        for r in older
    ]
    fhir_server.post({"resourceType": "Bundle", "type": "batch", "entry": entries})
    fhir_server.put({"resourceType": "Patient", "id": "other", "gender": "male"})
    return fhir_server.trust(authorization_server)


def test_a_patient_is_pulled_page_by_page_into_a_case(
    ward: FhirServer, epicrisis_service: RunningService
) -> None:
    with httpx.Client(base_url=epicrisis_service.url, timeout=60) as client:
        asked = {"server": ward.base, "patient": PATIENT, "label": "bed 4"}
        answer = client.post("/v1/fhir/pulls", json=asked)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        assert body["problems"] == []
        assert body["complete"]
        assert body["counts"]["Observation"] == 12 + 120
        case = client.get(f"/v1/cases/{body['case']}").json()
        assert case["patient"] == f"{ward.base}|Patient/{PATIENT}"
        again = client.post("/v1/fhir/pulls", json=asked)
        assert (again.status_code, again.json()["case"]) == (200, body["case"])


def test_the_public_key_is_published(epicrisis_service: RunningService) -> None:
    (key,) = httpx.get(f"{epicrisis_service.url}/v1/fhir/jwks.json").json()["keys"]
    assert key["x"] == KEY.as_dict()["x"]
    assert "d" not in key


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"patient": "nobody"}, 404),
        ({"server": "http://127.0.0.1:1/fhir"}, 422),
        ({"patient": "../Patient"}, 422),
    ],
    ids=["no-such-patient", "not-configured", "no-id"],
)
def test_what_cannot_be_pulled_makes_no_case(
    ward: FhirServer,
    epicrisis_service: RunningService,
    change: dict[str, str],
    status: int,
) -> None:
    before = len(epicrisis_service.services.cases.list())
    asked = {"server": ward.base, "patient": PATIENT, **change}
    answer = httpx.post(f"{epicrisis_service.url}/v1/fhir/pulls", json=asked, timeout=60)
    assert answer.status_code == status, answer.text
    assert len(epicrisis_service.services.cases.list()) == before
