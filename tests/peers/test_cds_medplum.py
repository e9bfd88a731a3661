"""Our CDS Hooks services called by @medplum/core, with data of a real FHIR server."""

import json
import subprocess
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from joserfc import jwt
from joserfc.jwk import ECKey

from serving.sandbox.install import Peers
from serving.sandbox.servers import FhirServer
from tests.peers.running import RunningService
from tests.serving.cds.hooks import MOMENTS, chart, imaging

SCRIPT = Path(__file__).with_name("cds_client.mjs")
NOW = MOMENTS["nstemi"]
KEY = ECKey.generate_key("P-384", parameters={"kid": "ehr"})
ISSUER = "https://ehr.example"
VIEW, SIGN = "chest-pain-patient-view", "chest-pain-order-sign"


@pytest.fixture(scope="module")
def service_clock() -> Callable[[], datetime]:
    """The moment of the example."""
    return lambda: NOW


@pytest.fixture(scope="module")
def service_settings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """A client that signs its calls."""
    known = tmp_path_factory.mktemp("clients") / "clients.yaml"
    client = {
        "client_id": ISSUER,
        "name": "Medplum client",
        "jwks": {"keys": [KEY.as_dict(private=False)]},
        "cds": True,
    }
    known.write_text(yaml.safe_dump({"clients": [client]}), "utf-8")
    return {"clients_file": known, "cds_budget_ms": 20_000}


@pytest.fixture(scope="module")
def patient(fhir_server: FhirServer) -> str:
    """The example's chart on the FHIR server, with the complaint as a condition."""
    for resource in chart("nstemi"):
        fhir_server.put(resource)
    fhir_server.put(
        {
            "resourceType": "Condition",
            "id": "complaint",
            "clinicalStatus": _coded("condition-clinical", "active"),
            "verificationStatus": _coded("condition-ver-status", "confirmed"),
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "R07.4"}]},
            "subject": {"reference": "Patient/patient"},
            "recordedDate": "2026-11-20T13:25:00+01:00",
        }
    )
    return "patient"


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def token(audience: str) -> str:
    seconds = int(NOW.timestamp())
    claims = {"iss": ISSUER, "aud": audience, "iat": seconds, "exp": seconds + 240}
    header = {"alg": "ES384", "kid": "ehr", "typ": "JWT"}
    return jwt.encode(header, claims | {"jti": str(uuid.uuid4())}, KEY, algorithms=["ES384"])


def run(
    peers: Peers, fhir: FhirServer, service: RunningService, calls: list[dict[str, Any]]
) -> dict[str, Any]:
    """Let the client discover the services and make these calls."""
    base = f"{service.url}/cds-services"
    tokens: dict[str, list[str]] = {base: [token(base)]}
    for call in calls:
        address = f"{base}/{call['service']}"
        if not call.get("unsigned"):
            tokens.setdefault(address, []).append(token(address))
    job = {"fhirRoot": f"{fhir.root}/", "services": base, "tokens": tokens, "calls": calls}
    done = subprocess.run(  # noqa: S603 - our own script
        [
            *peers.node.command,
            "--input-type=module",
            "-",
            json.dumps(job),
        ],
        input=SCRIPT.read_text("utf-8"),
        cwd=peers.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def context(patient: str, **more: Any) -> dict[str, Any]:
    return {"userId": "Practitioner/dr-1", "patientId": patient, "encounterId": "encounter"} | more


def test_a_real_client_discovers_prefetches_calls_and_gets_cards(
    peers: Peers, fhir_server: FhirServer, epicrisis_service: RunningService, patient: str
) -> None:
    orders = {
        "resourceType": "Bundle",
        "entry": [{"resource": imaging("CT pulmonary angiography")}],
    }
    found = run(
        peers,
        fhir_server,
        epicrisis_service,
        [
            {"service": VIEW, "context": context(patient)},
            {"service": VIEW, "context": context(patient)},
            {"service": SIGN, "context": context(patient, draftOrders=orders)},
        ],
    )
    assert {one["hook"] for one in found["services"]} == {
        "patient-view",
        "encounter-start",
        "order-select",
        "order-sign",
    }
    first, again, order = found["answers"]
    assert set(first["prefetch"]) == set(found["services"][0]["prefetch"])
    (card,) = first["cards"]
    assert card["summary"].startswith("Not assessable: No ECG in the case")
    assert "24 ng/L, 43 ng/L" in card["detail"]
    assert [s["label"] for s in card["suggestions"]] == ["Record a 12-lead ECG now"]
    assert again["cards"] == []
    (about,) = order["cards"]
    assert about["summary"].startswith("CT pulmonary angiography: ")
    (case,) = epicrisis_service.services.cases.list()
    assert case.source == "cds"
    assert (case.patient or "").endswith("|Patient/patient")


def test_a_real_client_without_a_token_gets_an_outcome(
    peers: Peers, fhir_server: FhirServer, epicrisis_service: RunningService, patient: str
) -> None:
    def one(**more: Any) -> dict[str, Any]:
        call = {"service": VIEW, "context": context(patient)} | more
        answer: dict[str, Any] = run(peers, fhir_server, epicrisis_service, [call])["answers"][0]
        return answer

    assert one(unsigned=True)["error"]["issue"][0]["code"] == "login"
    (issue,) = one(without=["observations"])["error"]["issue"]
    assert issue["code"] == "required"
    assert "observations" in issue["diagnostics"]
