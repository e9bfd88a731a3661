"""A conversation over a pool: a change of the model is said with the answer."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent.llm.errors import LLMDownError
from agent.llm.fake import FakeLLM
from agent.llm.pool.pool import Pool
from agent.llm.pool.pooled import PooledLLM
from agent.llm.seam import ChatRequest
from serving.chat.router import router
from tests.agent.llm.pool.pools import pool_file, scripted
from tests.serving.chat.chat_app import as_user, client, example_case, make_services, with_model

QUESTION = "What was the respiratory rate?"


def citing(request: ChatRequest) -> dict[str, Any]:
    schema = request.json_schema or {}
    refs = schema["properties"]["sentences"]["items"]["properties"]["refs"]["items"]["enum"]
    return {"sentences": [{"refs": refs[:1], "text": "Respiratory rate was 17/min."}]}


class Dying:
    """Answers once, then is down."""

    def __init__(self) -> None:
        self.answered = False

    def __call__(self, request: ChatRequest) -> Any:
        if self.answered:
            return LLMDownError("moe", "answered with status 500")
        self.answered = True
        return citing(request)


@pytest.fixture
def answers(tmp_path: Path) -> list[dict[str, Any]]:
    """Give the answers to one question asked three times, the third of a pool made anew."""
    file = pool_file({"name": "moe-1"}, {"name": "cpu", "model": "small", "priority": 9})
    services = make_services(tmp_path)
    said: list[dict[str, Any]] = []

    def ask(http: TestClient, case: str) -> None:
        body = {"question": QUESTION}
        answer = http.post(f"/v1/cases/{case}/conversation", json=body, headers=as_user("anna"))
        assert answer.status_code == 200, answer.text
        said.append(answer.json())

    first = Pool(file, scripted({"moe-1": FakeLLM(Dying()), "cpu": FakeLLM(citing)}))
    with client(with_model(services, PooledLLM(first)), router) as http:
        case = example_case(services).id
        ask(http, case)
        ask(http, case)
        services.chat.close()
        again = Pool(file, scripted({"moe-1": FakeLLM(citing), "cpu": FakeLLM(citing)}))
        with_model(services, PooledLLM(again))
        ask(http, case)
    return said


def test_it_is_said_and_kept_who_answered(answers: list[dict[str, Any]]) -> None:
    first, second, third = (one["answer"] for one in answers)
    assert first["author"] == "moe, verified"
    assert second["author"] == "small, verified"
    assert not any("cannot be asked now" in note for note in first["notes"])
    assert any("small answers from here on" in note for note in second["notes"])
    assert third["author"] == "small, verified"  # as the kept conversation says, in a new process
