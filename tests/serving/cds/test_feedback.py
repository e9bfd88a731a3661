"""Feedback is kept as it is told, and what was overridden is silent, except a new critical."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.access.principal import Principal, Role
from serving.cds.feedback import FeedbackService
from tests.serving.cds.hooks import EXAMPLES, MOMENTS, Clock, Hooks, example, hooks, view, workspace

SERVICE = "chest-pain-patient-view"
SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
REVIEWER = Principal(subject="rev", name="Rev", roles=frozenset({Role.REVIEWER}), via="oidc")
ADMIN = Principal(subject="adm", name="Adm", roles=frozenset({Role.ADMIN}), via="oidc")


def tell(client: Hooks, card: str, outcome: str, **more: Any) -> Any:
    one = {"card": card, "outcome": outcome, "outcomeTimestamp": client.clock.now.isoformat()}
    body = {"feedback": [one | more]}
    return client.post(f"/cds-services/{SERVICE}/feedback", body)


def test_what_a_client_tells_is_kept_and_exported(tmp_path: Path) -> None:
    with hooks(tmp_path, clock=Clock(MOMENTS["nstemi"])) as client:
        (card,) = client.view(example("nstemi"))
        suggestion = card["suggestions"][0]["uuid"]
        taken = [{"id": suggestion}]
        assert tell(client, card["uuid"], "accepted", acceptedSuggestions=taken).json() == {
            "taken": 1,
            "unknown": 0,
        }
        # a real client sent the same card again, overridden, with a reason without what it shows
        why = {"reason": {"code": "cds-not-applicable", "system": SYSTEM}}
        why["userComment"] = "seen\u202e already"  # type: ignore[assignment]
        assert tell(client, card["uuid"], "overridden", overrideReason=why).status_code == 200
        found = FeedbackService(client.services).export(REVIEWER, since=None, limit=10)
        assert [row.outcome for row in found.feedback] == ["overridden", "accepted"]
        assert found.feedback[0].reason == f"{SYSTEM}|cds-not-applicable"
        assert found.feedback[0].comment == "seen already"
        assert found.feedback[1].suggestions == (suggestion,)
        assert {row.topic for row in found.feedback} == {"data-gap"}
        (rate,) = found.rates
        assert (rate.shown, rate.accepted, rate.overridden, rate.ignored) == (1, 0, 1, 0)
        assert rate.override_rate == 1.0


def test_a_card_that_was_never_shown_is_kept_as_unknown(tmp_path: Path) -> None:
    with hooks(tmp_path) as client:
        assert tell(client, str(uuid.uuid4()), "overridden").json()["unknown"] == 1
        found = FeedbackService(client.services).export(REVIEWER, since=None, limit=10)
        assert found.unknown == 1
        assert found.rates == ()


def test_a_card_of_another_service_is_unknown_to_this_one(tmp_path: Path) -> None:
    with hooks(tmp_path, clock=Clock(MOMENTS["nstemi"])) as client:
        (card,) = client.view(example("nstemi"))
        one = {"card": card["uuid"], "outcome": "overridden"}
        one["outcomeTimestamp"] = client.clock.now.isoformat()
        answer = client.post("/cds-services/chest-pain-order-sign/feedback", {"feedback": [one]})
        assert answer.json()["unknown"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "accepted"},
        {"outcome": "ignored"},
        {"card": "not-a-uuid"},
        {"outcomeTimestamp": "yesterday"},
        {"outcomeTimestamp": "2026-11-20T10:00:00"},
        {"overrideReason": {"userComment": "x" * 2001}},
    ],
    ids=str,
)
def test_feedback_that_is_none_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with hooks(tmp_path) as client:
        right = {"card": str(uuid.uuid4()), "outcome": "overridden"}
        right["outcomeTimestamp"] = client.clock.now.isoformat()
        body = {"feedback": [right | wrong]}
        answer = client.post(f"/cds-services/{SERVICE}/feedback", body)
        assert answer.status_code == 422
        assert answer.json()["resourceType"] == "OperationOutcome"


def test_comments_are_for_those_who_may_read_cases(tmp_path: Path) -> None:
    with hooks(tmp_path) as client:
        tell(client, str(uuid.uuid4()), "overridden", overrideReason={"userComment": "Mr X"})
        export = FeedbackService(client.services).export
        assert export(REVIEWER, since=None, limit=10).feedback[0].comment == "Mr X"
        assert export(ADMIN, since=None, limit=10).feedback[0].comment is None


def test_the_export_is_not_for_everybody(tmp_path: Path) -> None:
    for name in ("clinician", "reviewer"):
        (tmp_path / name).mkdir()
    with hooks(tmp_path / "clinician", key=None) as client:
        assert client.http.get("/v1/feedback").status_code == 403
    with hooks(tmp_path / "reviewer", key=None, local_roles=("reviewer",)) as client:
        answer = client.http.get("/v1/feedback")
        assert answer.status_code == 200
        assert answer.json()["rates"] == []


def test_silence_after_an_override_and_a_new_critical_finding(tmp_path: Path) -> None:
    with hooks(tmp_path, clock=Clock(MOMENTS["stemi"])) as client:
        (card,) = client.view(example("stemi"))
        assert card["indicator"] == "warning"
        tell(client, card["uuid"], "overridden")
        client.clock.pass_(minutes=90)
        assert client.view(example("stemi")) == []
        case = client.services.cases.list()[0]
        for name in ("ecg.dcm", "case.yaml"):
            content = (EXAMPLES / "stemi" / name).read_bytes()
            client.services.cases.add_file(case.id, name, content, by="anna")
        (critical,) = client.view(example("stemi"))
        assert critical["indicator"] == "critical"
        client.clock.pass_(minutes=1)
        assert client.view(example("stemi")) == []
        client.clock.pass_(minutes=2)
        (again,) = client.view(example("stemi"))
        assert again["summary"] == critical["summary"]
        tell(client, again["uuid"], "overridden")
        client.clock.pass_(hours=2)
        assert client.view(example("stemi")) == []
        client.clock.pass_(hours=9)
        assert [c["indicator"] for c in client.view(example("stemi"))] == ["critical"]


def test_the_same_is_shown_once_to_each_user_of_an_encounter(tmp_path: Path) -> None:
    with hooks(tmp_path, clock=Clock(MOMENTS["nstemi"])) as client:
        workspace(client, "nstemi")
        assert len(client.view(example("nstemi"))) == 1
        assert client.view(example("nstemi")) == []
        assert len(client.view(example("nstemi"), user="Practitioner/nurse")) == 1
        body = view(example("nstemi"))
        body["hook"] = "encounter-start"
        assert client.cards("chest-pain-encounter-start", body) == []
        client.clock.now += timedelta(minutes=61)
        assert len(client.view(example("nstemi"))) == 1


def test_every_occasion_has_ids_of_its_own(tmp_path: Path) -> None:
    with hooks(tmp_path, clock=Clock(MOMENTS["nstemi"])) as client:
        (one,) = client.view(example("nstemi"))
        (two,) = client.view(example("nstemi"), user="Practitioner/nurse")
        assert one["uuid"] != two["uuid"]
        assert one["suggestions"][0]["uuid"] != two["suggestions"][0]["uuid"]
