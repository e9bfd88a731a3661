"""A conversation is of one user and one case, and shows verified sentences only."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent.llm.errors import LLMDownError
from agent.llm.fake import FakeLLM
from agent.llm.seam import LLM, ChatRequest
from serving.chat.router import router
from serving.services import Services
from tests.serving.chat.chat_app import (
    KeptAudit,
    as_user,
    client,
    example_case,
    make_services,
    with_model,
)

LIE = "Respiratory rate was normal and the patient can go home."
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> [a](javascript:alert(3)) "
    "\u202epotassium\u2069 ![i](https://evil.example/x.png)?"
)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def http(services: Services) -> Iterator[TestClient]:
    with client(services, router) as opened:
        yield opened


def ask(http: TestClient, case: str, question: str, *, user: str = "anna") -> dict[str, Any]:
    answer = http.post(
        f"/v1/cases/{case}/conversation", json={"question": question}, headers=as_user(user)
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def citing(fact: str) -> LLM:
    """Return a model that cites the first fact it is given, with these words."""

    def reply(request: ChatRequest) -> dict[str, Any]:
        schema = request.json_schema or {}
        refs = schema["properties"]["sentences"]["items"]["properties"]["refs"]["items"]["enum"]
        return {"sentences": [{"refs": refs[:1], "text": fact}]}

    return FakeLLM(reply)


def test_without_a_model_the_facts_answer_and_the_reason_is_said(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    turn = ask(http, case.id, "What was the potassium?")
    answer = turn["answer"]
    assert turn["state"] == "answered"
    assert [s["text"] for s in answer["sentences"]] == [
        "Potassium 4.4 mmol/L (2026-11-20 13:30): within the interval; 3.5 to 5 mmol/L (of a table)"
    ]
    assert "EPICRISIS_LLM=none" in answer["without_llm"]
    assert answer["author"] == "facts"
    link = answer["sentences"][0]["evidence"][0]
    assert link["kind"] == "fhir"
    assert link["href"] == f"/cases/{case.id}/evidence/{link['id']}"


def test_a_conversation_is_never_another_users(services: Services, http: TestClient) -> None:
    case = example_case(services)
    turn = ask(http, case.id, "What was the potassium?")
    address = f"/v1/cases/{case.id}/conversation"
    own = http.get(address, headers=as_user("anna")).json()
    assert [one["id"] for one in own["turns"]] == [turn["id"]]
    assert http.get(address, headers=as_user("ben")).json()["turns"] == []
    assert http.get(f"{address}/{turn['id']}", headers=as_user("ben")).status_code == 404
    assert http.get(f"{address}/{turn['id']}", headers=as_user("anna")).status_code == 200


@pytest.mark.parametrize(
    ("user", "status"), [("vera", 403), ("smart", 404), ("nobody", 401)], ids=str
)
def test_who_may_not_chat_about_a_case_is_refused(
    services: Services, http: TestClient, user: str, status: int
) -> None:
    case = example_case(services)
    address = f"/v1/cases/{case.id}/conversation"
    asked = http.post(address, json={"question": "What was the potassium?"}, headers=as_user(user))
    assert asked.status_code == status
    assert http.get(address, headers=as_user(user)).status_code == status
    assert "4.4" not in asked.text


def test_a_lie_of_the_model_is_neither_returned_nor_streamed(tmp_path: Path) -> None:
    services = with_model(make_services(tmp_path), citing(LIE))
    with client(services, router) as http:
        case = example_case(services)
        turn = ask(http, case.id, "What was the respiratory rate?")
        assert LIE not in json.dumps(turn)
        assert turn["answer"]["dropped"] == 1
        assert "17/min" in turn["answer"]["sentences"][0]["text"]
        kinds = [step["kind"] for step in turn["steps"]]
        assert kinds == [
            "case.reading",
            "facts.found",
            "model.writing",
            "sentences.verified",
            "answer.from_facts",
        ]
        verified = turn["steps"][3]["data"]
        assert verified == {"shown": 0, "written": 1}


def test_steps_come_before_the_answer_and_the_answer_is_verified(tmp_path: Path) -> None:
    services = with_model(make_services(tmp_path), citing("Respiratory rate was 17/min."))
    with client(services, router) as http:
        case = example_case(services)
        answer = http.post(
            f"/v1/cases/{case.id}/conversation",
            json={"question": "What was the respiratory rate?"},
            headers={**as_user("anna"), "accept": "text/event-stream"},
        )
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [block.split("\n") for block in answer.text.strip().split("\n\n")]
    names = [lines[0].removeprefix("event: ") for lines in events]
    assert names == ["turn", "step", "step", "step", "step", "turn"]
    first, last = (json.loads(events[i][1].removeprefix("data: ")) for i in (0, -1))
    assert first["state"] == "asked"
    assert first["answer"] is None
    assert [s["text"] for s in last["answer"]["sentences"]] == ["Respiratory rate was 17/min."]
    assert last["answer"]["author"] == "fake, verified"


def test_an_endpoint_that_goes_down_leaves_the_facts_with_the_reason(tmp_path: Path) -> None:
    def down(request: ChatRequest) -> Exception:
        return LLMDownError("language model", "the connection was dropped")

    services = with_model(make_services(tmp_path), FakeLLM(down))
    with client(services, router) as http:
        case = example_case(services)
        answer = ask(http, case.id, "What was the respiratory rate?")["answer"]
    assert "17/min" in answer["sentences"][0]["text"]
    assert "the connection was dropped" in answer["without_llm"]


def test_what_is_missing_comes_with_the_form_that_answers_it(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    answer = ask(http, case.id, "Are the neck veins distended?")["answer"]
    assert answer["outside_record"]
    assert {
        "input": "distended_neck_veins",
        "label": "Distended neck veins",
        "href": f"/cases/{case.id}#ask-distended_neck_veins",
    } in answer["would_answer"]


def test_an_order_is_answered_with_guidelines_and_not_carried_out(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    before = len(services.cases.assessments(case.id))
    answer = ask(http, case.id, "Give aspirin 300 mg now")["answer"]
    assert answer["kind"] == "guideline"
    assert sum(bool(s["sources"]) for s in answer["sentences"]) >= 3, "each with its guideline"
    assert "aspirin 300" not in " ".join(s["text"] for s in answer["sentences"])
    assert len(services.cases.assessments(case.id)) == before
    assert services.cases.answers(case.id) == ()


def test_hostile_words_come_back_as_the_words_they_are(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    turn = ask(http, case.id, HOSTILE)
    assert "\u202e" not in turn["question"]
    assert "\u2069" not in turn["question"]
    assert turn["question"].startswith("<script>")  # JSON: a page escapes it, see web_conversation


@pytest.mark.parametrize("question", ["", "   ", "x" * 501])
def test_no_question_and_one_that_is_too_long_are_refused(
    services: Services, http: TestClient, question: str
) -> None:
    case = example_case(services)
    answer = http.post(
        f"/v1/cases/{case.id}/conversation", json={"question": question}, headers=as_user("anna")
    )
    assert answer.status_code == 422
    assert (
        http.get(f"/v1/cases/{case.id}/conversation", headers=as_user("anna")).json()["turns"] == []
    )


def test_an_answer_is_audited_with_ids_and_hashes_only(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    turn = ask(http, case.id, "What was the potassium?")
    audit = services.audit
    assert isinstance(audit, KeptAudit)
    answered = [e for e in audit.events if e[1] == "chat.answered"]
    assert len(answered) == 1
    assert answered[0][3]["turn"] == turn["id"]
    assert "potassium" not in json.dumps(answered[0][3]).lower()


def test_a_case_of_two_patients_is_refused_and_not_talked_about(
    services: Services, http: TestClient
) -> None:
    from tests.serving.chat.chat_app import EXAMPLES

    other = (EXAMPLES / "stemi" / "chart.json").read_bytes()
    case = example_case(services, extra={"other.json": other})
    answer = ask(http, case.id, "What was the potassium?")["answer"]
    assert answer["kind"] == "refused"
    assert answer["sentences"] == []
    assert "not of one patient" in answer["refused"] or answer["refused"]


def test_a_turn_that_was_cut_off_is_shown_as_not_answered(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    services.chat.store.begin("oidc:anna", case.id, "What was the potassium?", "en")
    turn = http.get(f"/v1/cases/{case.id}/conversation", headers=as_user("anna")).json()["turns"][0]
    assert (turn["state"], turn["running"], turn["answer"]) == ("asked", False, None)
