"""A CDS Hooks client of the real application: real database, audit, tokens; the test's clock."""

import copy
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.testclient import TestClient

from knowledge.settings import Settings
from serving import problem
from serving.access.authentication import authenticator
from serving.audit.log import AuditLog
from serving.cases.store import CaseStore
from serving.cds import cors
from serving.cds.discovery import PREFETCH
from serving.cds.router import router
from serving.jobs.seam import Job, JobEvent
from serving.services import Services
from serving.storage.opening import open_storage

EXAMPLES = Path(str(files("serving").joinpath("examples")))
SERVER = "https://ehr.example/fhir"
BASE = "http://127.0.0.1:8080"
KEY = ECKey.generate_key("P-384", parameters={"kid": "k1"})
NOW = datetime(2026, 11, 20, 13, 45, tzinfo=UTC)
USER = "Practitioner/doctor"
ISSUER = "https://ehr.example"
MOMENTS = {
    "nstemi": datetime(2026, 11, 20, 13, 40, tzinfo=UTC),
    "stemi": datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
    "half_missing": datetime(2026, 11, 20, 20, 40, tzinfo=UTC),
    "early_presenter": datetime(2026, 11, 20, 18, 5, tzinfo=UTC),
}
"""Moments that the bundled examples state."""

TABLE: Mapping[str, str] = {
    "Patient": "patient",
    "Encounter": "encounters",
    "Condition": "conditions",
    "Observation": "observations",
    "MedicationRequest": "medications",
    "Procedure": "procedures",
    "DiagnosticReport": "reports",
}


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **much: float) -> None:
        self.now += timedelta(**much)


class Hooks:
    """A client.

    Args:
        http: Talks to the application.
        services: Of the application.
        clock: Its clock.
        key: Signs; None sends no token.
    """

    def __init__(
        self, http: TestClient, services: Services, clock: Clock, key: ECKey | None
    ) -> None:
        self.http, self.services, self.clock, self.key = http, services, clock, key

    def token(self, path: str, **claims: Any) -> str:
        """Return a signed token for an address; a claim of None is left out."""
        return sign(self.key or KEY, f"{BASE}{path}", self.clock.now, **claims)

    def headers(self, path: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(path)}"} if self.key else {}

    def discovery(self) -> Any:
        return self.http.get("/cds-services", headers=self.headers("/cds-services"))

    def post(self, path: str, body: Any, **more: Any) -> Any:
        return self.http.post(path, json=body, headers=self.headers(path), **more)

    def call(self, service: str, body: Mapping[str, Any]) -> Any:
        return self.post(f"/cds-services/{service}", dict(body))

    def cards(self, service: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        answer = self.call(service, body)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["cards"]
        return found

    def view(self, prefetch: Mapping[str, Any] | None, **more: Any) -> list[dict[str, Any]]:
        return self.cards("chest-pain-patient-view", view(prefetch, **more))


class NoJobs:
    """A hook asks for no job: any that were asked for here would be a mistake."""

    def submit(self, *_: Any, **__: Any) -> Job:
        raise AssertionError("a hook must not start the agent")

    def get(self, job: str) -> Job | None:
        return None

    def of_case(self, case: str) -> tuple[Job, ...]:
        return ()

    def events(self, job: str, *, after: int = -1) -> tuple[JobEvent, ...]:
        return ()

    def cancel(self, job: str) -> bool:
        return False

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


def assembled(settings: Settings, clock: Clock) -> Services:
    """Return real services on a fresh database, without a queue of jobs."""
    database, files = open_storage(settings)
    return Services(
        settings=settings,
        database=database,
        files=files,
        cases=CaseStore(database, files, clock=clock),
        audit=AuditLog(database, clock),
        jobs=NoJobs(),
        authenticate=authenticator(settings, database, clock),
        clock=clock,
    )


def application(services: Services) -> FastAPI:
    """Return an application with the addresses of CDS Hooks and the errors of the service."""
    app = FastAPI()
    app.state.services = services
    problem.install(app)
    cors.install(app, services.settings)
    app.include_router(router)
    return app


@contextmanager
def hooks(
    folder: Path,
    *,
    key: ECKey | None = KEY,
    clock: Clock | None = None,
    tenants: list[str] | None = None,
    **settings: Any,
) -> Iterator[Hooks]:
    """Give a client of a fresh application.

    Args:
        folder: For its data.
        key: The client's key; None for the mode without signed calls.
        clock: The application's clock.
        tenants: The client's.
        settings: Of the application.
    """
    when = clock or Clock()
    if key is not None:
        client = {
            "client_id": ISSUER,
            "name": "EHR",
            "jwks": {"keys": [key.as_dict(private=False)]},
            "cds": True,
        } | ({"tenants": tenants} if tenants else {})
        known = folder / "clients.yaml"
        known.write_text(yaml.safe_dump({"clients": [client]}), "utf-8")
        settings["clients_file"] = known
    services = assembled(
        Settings(
            data_dir=folder / "data",
            **{"cds_budget_ms": 30_000, "cds_fetch_ms": 30_000, **settings},
        ),
        when,
    )
    http = TestClient(
        application(services),
        base_url=BASE,
        client=("127.0.0.1", 5000),
        raise_server_exceptions=False,
    )
    try:
        yield Hooks(http, services, when, key)
    finally:
        services.cds.close()
        http.close()
        services.database.close()


def sign(key: ECKey, audience: str, at: datetime, **claims: Any) -> str:
    """Return a token; a claim of None is left out."""
    seconds = int(at.timestamp())
    full = {
        "iss": ISSUER,
        "aud": audience,
        "iat": seconds,
        "exp": seconds + 240,
        "jti": str(uuid.uuid4()),
    } | claims
    header = {"alg": "ES384", "kid": key.kid, "typ": "JWT"}
    body = {name: value for name, value in full.items() if value is not None}
    return jwt.encode(header, body, key, algorithms=["ES384"])


def view(
    prefetch: Mapping[str, Any] | None,
    *,
    patient: str = "patient",
    encounter: str | None = "encounter",
    user: str = USER,
    server: str | None = SERVER,
    **more: Any,
) -> dict[str, Any]:
    """Return a call of patient-view."""
    context = {"userId": user, "patientId": patient}
    if encounter is not None:
        context["encounterId"] = encounter
    body: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": context,
    }
    if server is not None:
        body["fhirServer"] = server
    if prefetch is not None:
        body["prefetch"] = dict(prefetch)
    return body | more


def order(prefetch: Mapping[str, Any], *orders: Mapping[str, Any], hook: str = "order-sign") -> Any:
    """Return a call of order-sign or order-select with these orders."""
    body = view(prefetch)
    body["hook"] = hook
    body["context"]["draftOrders"] = {
        "resourceType": "Bundle",
        "entry": [{"resource": dict(one)} for one in orders],
    }
    if hook == "order-select":
        body["context"]["selections"] = [f"ServiceRequest/{one['id']}" for one in orders]
    return body


def imaging(text: str, *, patient: str = "patient", key: str = "order-1", **more: Any) -> Any:
    """Return a draft order."""
    return {
        "resourceType": "ServiceRequest",
        "id": key,
        "status": "draft",
        "intent": "order",
        "code": {"text": text},
        "subject": {"reference": f"Patient/{patient}"},
    } | more


def chart(name: str) -> list[dict[str, Any]]:
    """Return the resources of a bundled example."""
    bundle = json.loads((EXAMPLES / name / "chart.json").read_text("utf-8"))
    return [copy.deepcopy(entry["resource"]) for entry in bundle["entry"]]


def prefetch_of(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Return resources as a client sends them: every key, empty searches where there is nothing."""
    found: dict[str, Any] = {}
    for kind, key in TABLE.items():
        of_kind = [r for r in resources if r["resourceType"] == kind]
        found[key] = of_kind[0] if kind == "Patient" else searchset(of_kind)
    assert set(found) == set(PREFETCH)
    return found


def searchset(resources: list[dict[str, Any]], *, following: str | None = None) -> dict[str, Any]:
    """Return a page of a search."""
    links = [{"relation": "next", "url": following}] if following else []
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        "entry": [{"resource": r, "search": {"mode": "match"}} for r in resources],
    } | ({"link": links} if links else {})


def example(name: str) -> dict[str, Any]:
    """Return a bundled example as a prefetch."""
    return prefetch_of(chart(name))


def workspace(hooks: Hooks, name: str) -> str:
    """Make the case of an example as a clinician has it, its ECG and answers too; return its id."""
    store = hooks.services.cases
    made = store.create(
        label=name,
        source="fhir",
        by="anna",
        patient=f"{SERVER}|Patient/patient",
        encounter=f"{SERVER}|Encounter/encounter",
    )
    for path in sorted((EXAMPLES / name).iterdir()):
        if path.name != "chart.json":
            store.add_file(made.id, path.name, path.read_bytes(), by="anna")
    return made.id
