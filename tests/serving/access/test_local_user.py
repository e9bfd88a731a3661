"""The single local user: this machine alone, and no web page of anybody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.serving.access.made import Clock, browsing, services

ORIGIN = "http://127.0.0.1:8080"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TestClient]:
    with browsing(services(tmp_path, Clock())) as client:
        yield client


def test_the_local_user_is_a_clinician_and_says_that_there_was_no_login(here: TestClient) -> None:
    body = here.get("/v1/me").json()
    assert (body["via"], body["roles"], body["until"]) == ("local", ["clinician"], None)
    assert "case.sign" in body["permissions"]
    assert "audit.read" not in body["permissions"]


def test_the_page_says_that_there_is_no_login(here: TestClient) -> None:
    page = here.get("/login").text
    assert "Single-user mode" in page
    assert "Everybody with an account on this machine is the local user" in page


@pytest.mark.parametrize(
    "host",
    ["localhost:8080", "LOCALHOST", "127.0.0.1:8080", "127.0.0.1", "[::1]:8080", "127.1.2.3"],
)
def test_every_name_of_this_machine_is_served(host: str, here: TestClient) -> None:
    assert here.get("/v1/me", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.nip.io:8080",
        "localhost.evil.example",
        "localhost:8080@evil.example",
        "evil.example#localhost",
        "127.0.0.1@evil.example",
        "0.0.0.0:8080",
        "[::ffff:10.0.0.1]:8080",
        "[",
        "",
    ],
)
def test_a_name_that_somebody_pointed_here_is_refused(host: str, here: TestClient) -> None:
    """DNS rebinding: the page of evil.example resolves its own name to 127.0.0.1."""
    answer = here.get("/v1/me", headers={"Host": host})
    assert answer.status_code == 401
    assert "local user" not in answer.text


@pytest.mark.parametrize("peer", ["10.0.0.7", "192.168.1.2", "::ffff:10.0.0.7", "testclient"])
def test_another_machine_is_refused(peer: str, tmp_path: Path) -> None:
    with browsing(services(tmp_path, Clock()), peer=peer) as client:
        assert client.get("/v1/me").status_code == 401


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Via"]
)
def test_who_stands_behind_a_proxy_is_not_local(header: str, here: TestClient) -> None:
    assert here.get("/v1/me", headers={header: "127.0.0.1"}).status_code == 401


@pytest.mark.parametrize(
    "settings",
    [
        {"local_user": False},
        {"oidc_issuer": "https://login.example", "public_url": "https://epicrisis.example"},
        {"host": "0.0.0.0"},  # noqa: S104 - refused
        {"host": "10.0.0.5"},
        {"public_url": "https://epicrisis.example"},
    ],
    ids=str,
)
def test_there_is_no_local_user_where_others_can_come(
    settings: dict[str, object], tmp_path: Path
) -> None:
    with browsing(services(tmp_path, Clock(), **settings)) as client:
        assert client.get("/v1/me").status_code == 401


SYSTEMS: list[dict[str, object]] = [
    {"smart_issuers": {"https://ehr.example/fhir": "epicrisis"}},
    {"fhir_backends": {"https://ehr.example/fhir": "epicrisis"}},
    {"clients_file": "clients.yaml"},
]


def beside(tmp_path: Path, settings: dict[str, object]) -> dict[str, object]:
    if "clients_file" not in settings:
        return settings
    (tmp_path / "clients.yaml").write_text("clients: []", "utf-8")
    return {"clients_file": tmp_path / "clients.yaml"}


@pytest.mark.parametrize("settings", SYSTEMS, ids=str)
def test_beside_systems_with_patients_there_is_no_local_user_unless_asked_for(
    settings: dict[str, object], tmp_path: Path
) -> None:
    given = beside(tmp_path, settings)
    with browsing(services(tmp_path, Clock(), **given)) as client:
        assert client.get("/v1/me").status_code == 401
        assert client.get("/v1/cases").status_code == 401
    asked = services(tmp_path, Clock(), **given, local_user=True)
    with browsing(asked) as client:
        assert client.get("/v1/me").status_code == 200


def test_settings_widen_the_roles(tmp_path: Path) -> None:
    made = services(tmp_path, Clock(), local_roles=["clinician", "admin"])
    with browsing(made) as client:
        assert "audit.read" in client.get("/v1/me").json()["permissions"]


def test_a_program_needs_no_form_token(here: TestClient) -> None:
    assert here.post("/logout").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Origin": "null"},
        {"Referer": "https://evil.example/"},
        {"Cookie": "epicrisis_language=en"},
    ],
    ids=str,
)
def test_a_form_of_another_site_is_refused(headers: dict[str, str], here: TestClient) -> None:
    assert here.post("/logout", headers=headers).status_code == 403


def token_of(client: TestClient) -> str:
    page = client.get("/", headers={"Accept": "text/html"}).text
    return page.split('name="csrf" value="', 1)[1].split('"', 1)[0]


def test_our_own_forms_are_taken_with_their_token_alone(here: TestClient) -> None:
    ours = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    token = token_of(here)
    assert here.post("/logout", headers=ours).status_code == 403
    assert here.post("/logout", headers=ours, data={"csrf": "guess"}).status_code == 403
    assert here.post("/logout", headers=ours, data={"csrf": token}).status_code == 200
    assert here.post("/logout", headers=ours | {"X-CSRF-Token": token}).status_code == 200
    assert here.post("/logout", headers=ours, data={"csrf": "\xe9"}).status_code == 403
    foreign = {"Origin": "https://evil.example", "X-CSRF-Token": token}
    assert here.post("/logout", headers=foreign).status_code == 403


def test_the_token_of_the_forms_survives_a_restart(tmp_path: Path) -> None:
    with browsing(services(tmp_path, Clock())) as client:
        first = token_of(client)
    with browsing(services(tmp_path, Clock())) as client:
        assert token_of(client) == first


def test_another_site_may_open_a_page_but_not_read_one(here: TestClient) -> None:
    opened = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    fetched = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert here.get("/", headers=opened).status_code == 200
    assert here.get("/v1/me", headers=fetched).status_code == 403
