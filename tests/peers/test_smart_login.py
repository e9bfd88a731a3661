"""Login and launch on a certified OpenID provider, as a browser goes through them."""

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from serving.access.authentication import access_of
from serving.access.sessions import Login
from serving.sandbox.servers import FhirServer, SmartServer
from tests.peers.running import RunningService

SESSION = "epicrisis_session"
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def smart_accounts() -> Mapping[str, Mapping[str, Any]]:
    return {
        "dr-1": {"name": "Dr. Ada Example", "roles": ["cardiology", "admin"]},
        "porter": {"name": "Porter", "roles": ["porter"]},
    }


@pytest.fixture(scope="module")
def service_settings(
    fhir_server: FhirServer, authorization_server: SmartServer
) -> Mapping[str, Any]:
    """The hospital's login and its EHR; "admin" there is nothing here."""
    return {
        "oidc_issuer": authorization_server.issuer,
        "oidc_scope": "openid profile roles",
        "oidc_role_map": {"cardiology": "clinician"},
        "smart_issuers": {fhir_server.base: "epicrisis"},
        "outbound_private_hosts": (urlsplit(authorization_server.issuer).netloc,),
    }


@pytest.fixture
def browser(epicrisis_service: RunningService) -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=False, timeout=30) as client:
        yield client


@pytest.fixture(autouse=True)
def the_doctor_logs_in(authorization_server: SmartServer) -> None:
    authorization_server.log_in_as("dr-1")


def follow(browser: httpx.Client, url: str, *, until: str = "/callback") -> str:
    """Return the first address with this path at its end; everything before it is fetched."""
    for _ in range(12):
        if urlsplit(url).path.endswith(until):
            return url
        answer = browser.get(url, headers=PAGE)
        assert answer.is_redirect, f"{answer.status_code} {answer.text[:300]}"
        url = str(httpx.URL(url).join(answer.headers["location"]))
    raise AssertionError("too many redirects")


def logged_in(browser: httpx.Client, service: RunningService) -> httpx.Response:
    return browser.get(follow(browser, f"{service.url}/login/start?next=/worklist"))


def launched(
    browser: httpx.Client, service: RunningService, fhir: FhirServer, smart: SmartServer
) -> httpx.Response:
    launch = smart.launch(patient="pt-1", encounter="enc-1")
    url = httpx.URL(f"{service.url}/smart/launch", params={"iss": fhir.base, "launch": launch})
    return browser.get(follow(browser, str(url)))


def session_of(browser: httpx.Client, service: RunningService) -> Login:
    found = access_of(service.services).sessions.find(browser.cookies[SESSION])
    assert found is not None
    return found


def test_a_person_logs_in_and_has_the_role_of_the_map(
    browser: httpx.Client, epicrisis_service: RunningService
) -> None:
    answer = logged_in(browser, epicrisis_service)
    assert (answer.status_code, answer.headers["location"]) == (303, "/worklist")
    me = browser.get(f"{epicrisis_service.url}/v1/me").json()
    assert (me["name"], me["roles"], me["via"]) == ("Dr. Ada Example", ["clinician"], "oidc")
    assert me["patient"] is None
    assert me["until"] is not None


def test_the_cookie_is_for_no_script_and_no_other_site(
    browser: httpx.Client, epicrisis_service: RunningService
) -> None:
    cookies = logged_in(browser, epicrisis_service).headers.get_list("set-cookie")
    (given,) = [cookie for cookie in cookies if cookie.startswith(f"{SESSION}=")]
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given
    assert "Path=/" in given
    assert "Secure" not in given, "the test runs on plain http of this machine"
    (taken,) = [cookie for cookie in cookies if cookie.startswith("epicrisis_login=")]
    assert "Max-Age=0" in taken


def test_nobody_is_let_in_without_a_role(
    browser: httpx.Client, epicrisis_service: RunningService, authorization_server: SmartServer
) -> None:
    authorization_server.log_in_as("porter")
    answer = logged_in(browser, epicrisis_service)
    assert answer.status_code == 401
    assert "no role here" in answer.text
    assert SESSION not in browser.cookies


def test_without_a_login_pages_lead_to_it_and_the_api_refuses(
    browser: httpx.Client, epicrisis_service: RunningService
) -> None:
    page = browser.get(f"{epicrisis_service.url}/cases/case-1?a=b", headers=PAGE)
    assert page.headers["location"] == "/login?next=%2Fcases%2Fcase-1%3Fa%3Db"
    assert browser.get(f"{epicrisis_service.url}/v1/me").status_code == 401
    login = browser.get(f"{epicrisis_service.url}/login?next=//evil.example").text
    assert "/login/start?next=/" in login
    assert "evil" not in login


def test_logging_in_again_gives_a_new_session_and_ends_the_old_one(
    browser: httpx.Client, epicrisis_service: RunningService
) -> None:
    logged_in(browser, epicrisis_service)
    first = browser.cookies[SESSION]
    logged_in(browser, epicrisis_service)
    second = browser.cookies[SESSION]
    sessions = access_of(epicrisis_service.services).sessions
    assert first != second
    assert sessions.find(first) is None
    assert sessions.find(second) is not None


def test_logging_out_needs_the_token_of_the_form_and_ends_the_session(
    browser: httpx.Client, epicrisis_service: RunningService
) -> None:
    logged_in(browser, epicrisis_service)
    address = f"{epicrisis_service.url}/logout"
    cookie = browser.cookies[SESSION]
    assert browser.post(address).status_code == 403
    csrf = session_of(browser, epicrisis_service).csrf
    answer = browser.post(address, data={"csrf": csrf}, headers=PAGE)
    assert answer.status_code == 200
    assert "/session/end?client_id=epicrisis" in answer.text
    browser.cookies.set(SESSION, cookie)
    assert browser.get(f"{epicrisis_service.url}/v1/me").status_code == 401


@pytest.mark.parametrize(
    "change",
    [{"state": "guess"}, {"code": "guess"}, {"iss": "https://evil.example"}, {"code": ""}],
    ids=str,
)
def test_a_return_that_is_not_the_one_begun_is_refused(
    change: dict[str, str], browser: httpx.Client, epicrisis_service: RunningService
) -> None:
    back = httpx.URL(follow(browser, f"{epicrisis_service.url}/login/start"))
    answer = browser.get(back.copy_merge_params(change))
    assert answer.status_code == 401
    assert SESSION not in browser.cookies


def test_a_return_in_another_browser_is_refused_and_spends_the_login(
    browser: httpx.Client, epicrisis_service: RunningService
) -> None:
    """Login CSRF: somebody is made to finish a login that an attacker began."""
    back = follow(browser, f"{epicrisis_service.url}/login/start")
    assert httpx.get(back).status_code == 401
    assert browser.get(back).status_code == 401


def test_a_return_works_once(browser: httpx.Client, epicrisis_service: RunningService) -> None:
    back = follow(browser, f"{epicrisis_service.url}/login/start")
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 401


def test_a_launch_gives_a_login_for_its_patient_alone(
    browser: httpx.Client,
    epicrisis_service: RunningService,
    fhir_server: FhirServer,
    authorization_server: SmartServer,
) -> None:
    answer = launched(browser, epicrisis_service, fhir_server, authorization_server)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sidebar")
    me = browser.get(f"{epicrisis_service.url}/v1/me").json()
    assert (me["via"], me["roles"]) == ("smart", ["clinician"])
    assert me["patient"] == f"{fhir_server.base}|Patient/pt-1"
    assert "case.read" in me["permissions"]
    assert "audit.read" not in me["permissions"]
    login = session_of(browser, epicrisis_service)
    assert login.context is not None
    assert login.context["encounter"] == "enc-1"
    assert login.context["fhir_user"] == "Practitioner/dr-1"
    assert login.token is not None


def test_the_access_token_opens_the_server_and_is_nowhere_in_the_database(
    browser: httpx.Client,
    epicrisis_service: RunningService,
    fhir_server: FhirServer,
    authorization_server: SmartServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    launched(browser, epicrisis_service, fhir_server, authorization_server)
    token = session_of(browser, epicrisis_service).token
    assert token is not None
    secret = token.get_secret_value()
    checked = httpx.post(f"{authorization_server.issuer}/sandbox/token", json={"token": secret})
    assert checked.json()["patient"] == "pt-1"
    file = epicrisis_service.services.database.engine.url.database
    assert file is not None
    with sqlite3.connect(file) as connection:
        dump = "\n".join(connection.iterdump())
    cookie = browser.cookies[SESSION]
    for hidden in (secret, secret.encode().hex(), cookie):
        assert hidden not in dump
        assert hidden not in caplog.text.replace(f"{SESSION}={cookie}", "")


def test_a_launch_from_here_asks_for_the_patient(
    browser: httpx.Client,
    epicrisis_service: RunningService,
    fhir_server: FhirServer,
    authorization_server: SmartServer,
) -> None:
    authorization_server.standalone(patient="pt-2")
    url = httpx.URL(f"{epicrisis_service.url}/smart/start", params={"iss": f"{fhir_server.base}/"})
    assert browser.get(follow(browser, str(url))).status_code == 303
    me = browser.get(f"{epicrisis_service.url}/v1/me").json()
    assert me["patient"] == f"{fhir_server.base}|Patient/pt-2"


def test_without_a_patient_in_context_nobody_is_let_in(
    browser: httpx.Client,
    epicrisis_service: RunningService,
    fhir_server: FhirServer,
    authorization_server: SmartServer,
) -> None:
    authorization_server.standalone()
    url = httpx.URL(f"{epicrisis_service.url}/smart/start", params={"iss": fhir_server.base})
    answer = browser.get(follow(browser, str(url)))
    assert answer.status_code == 401
    assert "no patient" in answer.text


@pytest.mark.parametrize(
    "iss", ["https://evil.example/fhir", "http://127.0.0.1:1", "http://169.254.169.254/latest", ""]
)
def test_an_ehr_that_is_not_on_the_list_is_not_even_called(
    iss: str, browser: httpx.Client, epicrisis_service: RunningService
) -> None:
    answer = browser.get(
        f"{epicrisis_service.url}/smart/launch", params={"iss": iss, "launch": "x"}
    )
    assert answer.status_code == 403
    assert "location" not in answer.headers


def test_the_request_names_the_server_and_is_bound_to_this_browser(
    browser: httpx.Client, epicrisis_service: RunningService, fhir_server: FhirServer
) -> None:
    answer = browser.get(
        f"{epicrisis_service.url}/smart/launch",
        params={"iss": fhir_server.base, "launch": "L1"},
    )
    asked = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert asked["aud"] == fhir_server.base
    assert asked["launch"] == "L1"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{epicrisis_service.url}/smart/callback"
    assert asked["scope"].startswith("launch openid fhirUser")
    assert ".c" not in asked["scope"], "no write is asked for by default"
    assert len(asked["state"]) >= 43
    assert "epicrisis_login=" in answer.headers["set-cookie"]


def test_a_launch_takes_the_place_of_a_login(
    browser: httpx.Client,
    epicrisis_service: RunningService,
    fhir_server: FhirServer,
    authorization_server: SmartServer,
) -> None:
    """One browser is one person with one reach: never the wider of two."""
    logged_in(browser, epicrisis_service)
    before = browser.cookies[SESSION]
    launched(browser, epicrisis_service, fhir_server, authorization_server)
    sessions = access_of(epicrisis_service.services).sessions
    assert sessions.find(before) is None
    assert browser.get(f"{epicrisis_service.url}/v1/me").json()["patient"] is not None


def test_the_moment_a_token_ends_is_known(
    browser: httpx.Client,
    epicrisis_service: RunningService,
    fhir_server: FhirServer,
    authorization_server: SmartServer,
) -> None:
    launched(browser, epicrisis_service, fhir_server, authorization_server)
    context = session_of(browser, epicrisis_service).context
    assert context is not None
    left = datetime.fromisoformat(context["token_expires_at"]) - datetime.now(UTC)
    assert 200 < left.total_seconds() <= 300
