"""What is missing is fetched with the token of the call, or the call ends with 412."""

import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from serving.cds.prefetch import unusable
from serving.cds.protocol import HookCall
from tests.serving.cds.fhir_server import FhirServer, fhir_server
from tests.serving.cds.hooks import (
    MOMENTS,
    Clock,
    Hooks,
    chart,
    example,
    hooks,
    searchset,
    view,
)

SECRET = "Tok3n-that-must-not-stay"  # noqa: S105 - of a test
SCOPES = (
    "patient/Patient.read patient/Encounter.rs patient/Condition.rs patient/Observation.rs "
    "patient/MedicationRequest.read patient/Procedure.rs patient/DiagnosticReport.rs"
)


def granted(**changed: Any) -> dict[str, Any]:
    return {
        "access_token": SECRET,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": SCOPES,
        "subject": "epicrisis",
        "patient": "patient",
    } | changed


def with_token(server: FhirServer, prefetch: Any, **changed: Any) -> dict[str, Any]:
    return view(prefetch, server=server.base, fhirAuthorization=granted(**changed))


def open_to(folder: Path, server: FhirServer, **more: Any) -> Any:
    host = server.base.split("/")[2]
    return hooks(folder, clock=Clock(MOMENTS["nstemi"]), outbound_private_hosts=(host,), **more)


def outcome(hooks: Hooks, body: dict[str, Any]) -> tuple[int, str]:
    answer = hooks.call("chest-pain-patient-view", body)
    return answer.status_code, answer.text


@pytest.mark.parametrize("missing", ["patient", "observations", "reports"])
def test_without_a_key_and_without_a_token_nothing_is_assumed(tmp_path: Path, missing: str) -> None:
    sent = example("nstemi")
    del sent[missing]
    with hooks(tmp_path) as client:
        answer = client.call("chest-pain-patient-view", view(sent))
        assert answer.status_code == 412
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert missing in answer.json()["issue"][0]["diagnostics"]
        assert client.services.cases.list() == ()


def test_without_any_prefetch_and_token_it_is_412(tmp_path: Path) -> None:
    with hooks(tmp_path) as client:
        assert client.call("chest-pain-patient-view", view(None)).status_code == 412


def test_everything_is_fetched_with_the_token_and_the_result_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with fhir_server(chart("nstemi")) as server:
        with open_to(tmp_path / "a", server) as client:
            fetched = client.cards("chest-pain-patient-view", with_token(server, None))
        with hooks(tmp_path / "b", clock=Clock(MOMENTS["nstemi"])) as client:
            sent = client.view(example("nstemi"))
    assert [card["detail"] for card in fetched] == [card["detail"] for card in sent]
    assert len(server.asked) == 7
    assert server.tokens == {f"Bearer {SECRET}"}


def test_null_means_no_data_and_is_not_fetched(tmp_path: Path) -> None:
    with fhir_server(chart("nstemi")) as server, open_to(tmp_path, server) as client:
        sent = example("nstemi") | {"medications": None, "procedures": None, "reports": None}
        assert client.cards("chest-pain-patient-view", with_token(server, sent))
        assert server.asked == []


def test_only_what_is_missing_is_fetched(tmp_path: Path) -> None:
    with fhir_server(chart("nstemi")) as server, open_to(tmp_path, server) as client:
        sent = example("nstemi")
        del sent["conditions"]
        assert client.cards("chest-pain-patient-view", with_token(server, sent))
        assert [path.split("?")[0] for path in server.asked] == ["/fhir/Condition"]


def test_an_error_of_the_client_is_fetched_once_more(tmp_path: Path) -> None:
    failed = {"resourceType": "OperationOutcome"} | {
        "issue": [{"severity": "error", "code": "timeout"}]
    }
    with fhir_server(chart("nstemi")) as server, open_to(tmp_path, server) as client:
        sent = example("nstemi") | {"observations": failed}
        (card,) = client.cards("chest-pain-patient-view", with_token(server, sent))
        assert "could not be read" not in card["summary"]
        assert len(server.asked) == 1


def test_an_error_of_the_client_without_a_token_is_no_empty_laboratory(tmp_path: Path) -> None:
    failed = {"resourceType": "OperationOutcome"} | {
        "issue": [{"severity": "error", "code": "timeout"}]
    }
    with hooks(tmp_path, clock=Clock(MOMENTS["nstemi"])) as client:
        (card,) = client.view(example("nstemi") | {"observations": failed})
        assert card["summary"].startswith("Not assessable: ")
        assert "observations" in card["detail"]
        assert client.services.cases.list() == ()


def test_further_pages_are_followed_on_the_same_server(tmp_path: Path) -> None:
    with fhir_server(chart("nstemi")) as server, open_to(tmp_path, server) as client:
        server.page_size = 3
        (card,) = client.cards("chest-pain-patient-view", with_token(server, None))
        assert "43 ng/L" in card["detail"]
        assert sum("Observation" in path for path in server.asked) == 4


def test_a_token_is_never_sent_to_another_server(tmp_path: Path) -> None:
    with fhir_server([]) as thief, fhir_server(chart("nstemi")) as server:
        hosts = tuple(one.base.split("/")[2] for one in (thief, server))
        with hooks(
            tmp_path, clock=Clock(MOMENTS["nstemi"]), outbound_private_hosts=hosts
        ) as client:
            sent = example("nstemi")
            recent = [r for r in chart("nstemi") if r["resourceType"] == "Condition"]
            sent["conditions"] = searchset(recent, following=f"{thief.base}/Condition?p=2")
            (card,) = client.cards("chest-pain-patient-view", with_token(server, sent))
            assert card["summary"].startswith("Not assessable: conditions")
            assert thief.asked == []


@pytest.mark.parametrize(
    "broken",
    [(500, {"resourceType": "OperationOutcome"}), (200, b"<html>"), (302, b""), (200, b"")],
)
def test_a_server_that_breaks_gives_a_card_that_says_so(tmp_path: Path, broken: Any) -> None:
    with fhir_server(chart("nstemi")) as server, open_to(tmp_path, server) as client:
        server.override = lambda kind, query: broken if kind == "Observation" else (0, None)
        (card,) = client.cards("chest-pain-patient-view", with_token(server, None))
        assert card["summary"].startswith("Not assessable: observations")
        assert card["indicator"] == "warning"
        assert client.services.cases.list() == ()


def test_a_slow_server_gives_a_card_that_says_so(tmp_path: Path) -> None:
    with (
        fhir_server(chart("nstemi")) as server,
        open_to(tmp_path, server, outbound_timeout_s=0.3) as client,
    ):
        server.delay_s = 1.0
        (card,) = client.cards("chest-pain-patient-view", with_token(server, None))
        assert card["summary"].startswith("Not assessable: ")


def test_a_server_with_the_wrong_patient_is_refused(tmp_path: Path) -> None:
    others = [
        r | {"id": "someone-else"} if r["resourceType"] == "Patient" else r for r in chart("nstemi")
    ]
    with fhir_server(others) as server, open_to(tmp_path, server) as client:
        server.override = lambda kind, query: (200, others[0]) if kind == "Patient" else (0, None)
        (card,) = client.cards("chest-pain-patient-view", with_token(server, None))
        assert card["summary"].startswith("Refused")
        assert client.services.cases.list() == ()


def test_a_server_that_is_not_on_the_list_is_not_called(tmp_path: Path) -> None:
    with fhir_server(chart("nstemi")) as server, hooks(tmp_path) as client:
        (card,) = client.cards("chest-pain-patient-view", with_token(server, None))
        assert card["summary"].startswith("Not assessable")
        assert server.asked == []


@pytest.mark.parametrize(
    "changed",
    [
        {"patient": "another"},
        {"patient": None},
        {"expires_in": 0},
        {"scope": "patient/Patient.read"},
        {
            "scope": SCOPES.replace(
                "patient/Observation.rs", "patient/Observation.rs?category=vital-signs"
            )
        },
        {"scope": SCOPES.replace("patient/Observation.rs", "patient/Observation.r")},
        {"scope": "openid fhirUser"},
    ],
    ids=str,
)
def test_a_token_that_does_not_open_the_chart_is_as_none(
    tmp_path: Path, changed: dict[str, Any]
) -> None:
    with fhir_server(chart("nstemi")) as server, open_to(tmp_path, server) as client:
        body = with_token(server, None, **changed)
        if changed.get("patient", "x") is None:
            del body["fhirAuthorization"]["patient"]
        assert client.call("chest-pain-patient-view", body).status_code == 412
        assert server.asked == []


@pytest.mark.parametrize(
    "scope",
    [
        "patient/*.read",
        "patient/*.rs",
        "user/*.cruds",
        "system/*.*",
        SCOPES,
        SCOPES.replace("patient/", "user/"),
    ],
)
def test_scopes_of_version_1_and_2_are_understood(scope: str) -> None:
    body = view(None, fhirAuthorization=granted(scope=scope))
    assert unusable(HookCall.model_validate(body), "patient") == ""


def test_the_token_stays_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with fhir_server(chart("nstemi")) as server, open_to(tmp_path, server) as client:
        assert client.cards("chest-pain-patient-view", with_token(server, None))
        server.override = lambda kind, query: (500, {})
        client.cards("chest-pain-patient-view", with_token(server, None, patient="patient"))
        bad = with_token(server, None) | {"context": {"patientId": "!"}}
        assert SECRET not in client.call("chest-pain-patient-view", bad).text
    assert SECRET not in caplog.text
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    with sqlite3.connect(tmp_path / "data" / "epicrisis.sqlite3") as database:
        assert SECRET not in json.dumps(list(database.iterdump()))
