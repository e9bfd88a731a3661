"""Roles x endpoints x patients, over every endpoint that the application has."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from serving.access.authentication import access_of
from serving.access.browser import CSRF_HEADER
from serving.access.principal import Permission, Principal, Role
from serving.access.scopes import LAUNCHED, parse_scopes
from serving.access.secret import derived
from serving.app import create_app
from serving.services import Services
from tests.serving.access.made import EC, Clock, public, services, signed
from tests.serving.access.matrix import FURTHER, NEEDS, Need

EHR = "https://ehr.example/fhir"
MINE, OTHER = f"{EHR}|Patient/pt-1", f"{EHR}|Patient/pt-2"
HIDDEN_LABEL = "Bed 99 of somebody else"
NOWHERE = "case-" + "0" * 32
ENOUGH = "patient/Patient.r patient/Observation.rs"
JWT = signed({"aud": "http://127.0.0.1:8080/cds-services"})


@dataclass(kw_only=True)
class World:
    """The application with two patients' cases, and a session for anybody who is asked for."""

    services: Services
    app: FastAPI
    client: TestClient
    clock: Clock
    mine: str
    other: str
    unknown: str

    def call(
        self, endpoint: str, case: str, *, cookie: str | None = None, token: str | None = None
    ) -> Any:
        """Call an endpoint about a case with the least that it takes to reach its guard."""
        method, path = endpoint.split(" ", 1)
        path = path.replace("{case_id}", case).replace("{version}", "1")
        path = path.replace("{language}", "en").replace("{service_id}", "chest-pain-patient-view")
        path = re.sub(r"\{(\w+)[^}]*\}", r"no-\1", path)
        headers = {} if token is None else {"Authorization": token}
        if cookie is not None:
            headers |= {
                "Cookie": f"__Host-epicrisis_session={cookie}",
                CSRF_HEADER: derived(cookie, "csrf"),
            }
        body: Any = {}
        if endpoint == "POST /v1/chat/completions":
            messages = [{"role": "user", "content": "What is missing?"}]
            body = {"model": f"epicrisis/{case}", "messages": messages}
        if endpoint == "POST /v1/fhir/pulls":
            body = {"server": EHR, "patient": "pt-1"}
        self.client.cookies.clear()
        if method == "GET":
            return self.client.get(path, headers=headers)
        return self.client.request(method, path, headers=headers, json=body)

    def login(self, principal: Principal) -> str:
        return access_of(self.services).sessions.begin(principal)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("matrix")
    clients = folder / "clients.yaml"
    entry = {"client_id": "ehr", "jwks": public(EC), "roles": ["integrator"], "cds": True}
    clients.write_text(json.dumps({"clients": [entry]}), "utf-8")
    clock = Clock()
    made = services(
        folder,
        clock,
        oidc_issuer="https://login.example",
        public_url="https://epicrisis.example",
        clients_file=clients,
        requests_per_minute=100_000,
        failures_per_minute=100_000,
    )

    def case(patient: str | None, label: str) -> str:
        return made.cases.create(label=label, source="fhir", by="test", patient=patient).id

    app = create_app(made)
    with TestClient(
        app,
        base_url="https://epicrisis.example",
        client=("10.0.0.9", 5000),
        follow_redirects=False,
        raise_server_exceptions=False,
    ) as client:
        yield World(
            services=made,
            app=app,
            client=client,
            clock=clock,
            mine=case(MINE, "Bed 1"),
            other=case(OTHER, HIDDEN_LABEL),
            unknown=case(None, HIDDEN_LABEL),
        )
    made.database.close()


def endpoints(app: FastAPI) -> set[str]:
    """Every method and path there is, of whatever kind the route is."""
    return {
        f"{method} {context.path}"
        for context in iter_route_contexts(app.routes)
        for method in context.methods or {"ANY"}
        if method != "HEAD"
    }


def needing(kind: type[Permission] | str) -> list[tuple[str, Need]]:
    if isinstance(kind, str):
        return [(name, need) for name, need in NEEDS.items() if need == kind]
    return [(name, need) for name, need in NEEDS.items() if isinstance(need, Permission)]


@pytest.fixture
def there(world: World) -> set[str]:
    return endpoints(world.app)


def of_case(endpoint: str) -> bool:
    return "{case_id}" in endpoint or endpoint == "POST /v1/chat/completions"


def told_apart(headers: Any) -> dict[str, str]:
    """Return the headers but for the id that every request has of its own."""
    return {name: value for name, value in headers.items() if name != "x-request-id"}


def refused(endpoint: str, answer: Any) -> bool:
    """Return whether the guard refused; what comes after it may refuse for reasons of its own."""
    if endpoint in FURTHER and answer.status_code == 403:
        return str(NEEDS[endpoint]) in answer.text
    return answer.status_code in (401, 403)


def person(role: Role | None, **more: Any) -> Principal:
    roles = frozenset() if role is None else frozenset({role})
    return Principal(subject=f"p-{role}", name="Somebody", roles=roles, via="oidc", **more)


def launched(scope: str = ENOUGH) -> Principal:
    return Principal(
        subject="dr",
        name="Dr",
        roles=frozenset({Role.CLINICIAN}),
        patient=MINE,
        scopes=parse_scopes(scope).permissions(contexts=LAUNCHED),
        via="smart",
    )


def test_every_endpoint_is_classified(there: set[str]) -> None:
    assert sorted(there - set(NEEDS)) == []


def test_no_entry_has_outlived_its_endpoint(there: set[str]) -> None:
    assert sorted(set(NEEDS) - there) == []


def test_only_what_must_be_is_public() -> None:
    of_a_patient = re.compile("case|sign|audit|feedback|worklist|report|chat|pull")
    assert [name for name, _ in needing("public") if of_a_patient.search(name)] == []


@pytest.mark.parametrize(
    "token",
    [
        None,
        "Bearer",
        "Bearer guess",
        "Bearer eps_guess",
        "Basic YWRtaW46YWRtaW4=",
        f"Bearer {JWT}",
        "bearer null",
    ],
)
def test_without_a_valid_proof_nothing_but_the_public_is_answered(
    token: str | None, world: World, there: set[str]
) -> None:
    answered = {}
    for name in sorted(there):
        if NEEDS[name] == "public":
            continue
        answer = world.call(name, world.mine, token=token)
        if answer.status_code != 401 or HIDDEN_LABEL in answer.text:
            answered[name] = answer.status_code
    assert answered == {}


def test_an_expired_login_opens_nothing(world: World, there: set[str]) -> None:
    idle = world.login(person(Role.CLINICIAN))
    before = world.clock.now
    world.clock.pass_(minutes=30)
    answered = {
        name: status
        for name in sorted(there)
        if NEEDS[name] != "public"
        and (status := world.call(name, world.mine, cookie=idle).status_code) != 401
    }
    world.clock.now = before
    assert answered == {}


def test_an_expired_token_of_a_system_opens_nothing(world: World, there: set[str]) -> None:
    token = access_of(world.services).tokens.issue("ehr", "system/*.cruds")
    assert world.call("GET /v1/me", "", token=f"Bearer {token}").status_code == 200
    before = world.clock.now
    world.clock.pass_(seconds=300)
    answered = {
        name: status
        for name in sorted(there)
        if NEEDS[name] != "public"
        and (status := world.call(name, world.mine, token=f"Bearer {token}").status_code) != 401
    }
    world.clock.now = before
    assert answered == {}


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_a_role_may_what_it_is_granted_and_nothing_else(role: Role | None, world: World) -> None:
    somebody = person(role)
    cookie = world.login(somebody)
    wrong = {}
    for name, need in needing(Permission):
        assert isinstance(need, Permission)
        answer = world.call(name, world.mine, cookie=cookie)
        granted = somebody.grants(need)
        if granted != (not refused(name, answer)):
            wrong[name] = (need.value, "granted" if granted else "refused", answer.status_code)
    assert wrong == {}


@pytest.mark.parametrize("name", [name for name, _ in needing(Permission) if of_case(name)])
def test_another_patients_case_is_answered_as_one_that_does_not_exist(
    name: str, world: World
) -> None:
    cookie = world.login(launched())
    need = NEEDS[name]
    assert isinstance(need, Permission)
    nowhere = world.call(name, NOWHERE, cookie=cookie)
    assert nowhere.status_code == (404 if launched().grants(need) else 403)
    for hidden in (world.other, world.unknown):
        answer = world.call(name, hidden, cookie=cookie)
        assert answer.status_code == nowhere.status_code
        assert answer.text.replace(hidden, NOWHERE) == nowhere.text
        assert told_apart(answer.headers) == told_apart(nowhere.headers)
    own = world.call(name, world.mine, cookie=cookie)
    assert not refused(name, own)
    unknown = own.text.replace(f"assessment of case {world.mine}", "its assessment")
    assert f"case {world.mine}: is not known" not in unknown


def test_no_list_tells_of_another_patients_case(world: World, there: set[str]) -> None:
    system = Principal(
        subject="lab",
        name="Lab",
        roles=frozenset(Role),
        tenants=frozenset({"https://other.example/fhir"}),
        via="oidc",
    )
    told = {}
    for somebody, hidden in ((launched(), (world.other, world.unknown)), (system, (world.mine,))):
        cookie = world.login(somebody)
        for name in sorted(there):
            if not name.startswith("GET ") or "{case_id}" in name:
                continue
            text = world.call(name, "", cookie=cookie).text
            found = [one for one in (*hidden, HIDDEN_LABEL) if one in text]
            if found:
                told[name, somebody.subject] = found
    assert told == {}


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "openid fhirUser launch",
        "patient/Observation.rs",
        "patient/Patient.r",
        "patient/Patient.r patient/Observation.r",
        "patient/Patient.r patient/Observation.rs?category=laboratory",
        "system/Patient.r system/Observation.rs",
        "patient/patient.r patient/observation.rs",
        "patient/Foo.rs",
    ],
)
def test_a_token_that_was_granted_too_little_opens_no_case(scope: str, world: World) -> None:
    cookie = world.login(launched(scope))
    opened = {
        name: status
        for name, _ in needing(Permission)
        if of_case(name)
        and (status := world.call(name, world.mine, cookie=cookie).status_code) != 403
    }
    assert opened == {}


def test_a_change_without_the_token_of_its_form_is_refused(world: World, there: set[str]) -> None:
    cookie = world.login(person(Role.CLINICIAN))
    changed = {}
    for name in sorted(there):
        method, path = name.split(" ", 1)
        if method == "GET" or NEEDS[name] in ("public", "signed"):
            continue
        world.client.cookies.clear()
        answer = world.client.request(
            method,
            path.replace("{case_id}", world.mine),
            headers={"Cookie": f"__Host-epicrisis_session={cookie}"},
            json={},
        )
        if answer.status_code != 403:
            changed[name] = answer.status_code
    assert changed == {}


def test_every_use_and_every_refusal_is_in_the_audit(world: World) -> None:
    from sqlalchemy import func, select

    from serving.audit.tables import AuditRow

    def count() -> int:
        # work that an earlier call began may still be written down by the service itself
        mine = AuditRow.subject == launched().subject
        with world.services.database.reading() as session:
            return session.scalar(select(func.count()).select_from(AuditRow).where(mine)) or 0

    cookie = world.login(launched())
    for case in (world.mine, world.other, NOWHERE):
        before = count()
        world.call("GET /v1/cases/{case_id}", case, cookie=cookie)
        assert count() == before + 1


def test_a_folder_for_the_matrix_needs_no_more_than_it_says(tmp_path: Path) -> None:
    """A second application over an empty folder has the same endpoints: none depends on data."""
    made = services(tmp_path, Clock())
    assert endpoints(create_app(made)) <= set(NEEDS)
    made.database.close()
