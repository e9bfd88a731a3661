"""On the web a score is asked for by name, its arithmetic is one click away, and so is the form."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.chat.router import router
from serving.services import Services
from tests.serving.chat.chat_app import as_user, client, example_case, make_services
from tests.serving.chat.test_conversation import ask


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def http(services: Services) -> Iterator[TestClient]:
    with client(services, router) as opened:
        yield opened


def test_a_score_is_answered_with_its_arithmetic_and_its_sources(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    answer = ask(http, case.id, "What is the CURB-65?")["answer"]
    first = answer["sentences"][0]
    assert first["text"].startswith("CURB-65 between 1 and 3: not determined")
    assert first["sources"]
    tool = next(one for one in first["evidence"] if one["kind"] == "tool")
    page = http.get(f"/v1{tool['href']}", headers=as_user("anna"))
    assert page.status_code == 200
    rows = {row["name"]: row["value"] for row in page.json()["shown"]["rows"]}
    assert rows["Age at least 65"] == "71 years → 1"
    assert rows["New confusion"].endswith("→ 0 to 1")


def test_what_is_missing_for_a_score_is_a_form_of_the_case_page(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    answer = ask(http, case.id, "What is the CURB-65?")["answer"]
    links = {one["input"]: one["href"] for one in answer["would_answer"]}
    assert links["confusion_new"] == f"/cases/{case.id}?ask=confusion_new#ask-confusion_new"
    page = http.get(links["confusion_new"].partition("#")[0], headers=as_user("anna"))
    assert page.status_code == 200
    assert 'id="ask-confusion_new"' in page.text
    plain = http.get(f"/cases/{case.id}", headers=as_user("anna"))
    assert 'id="ask-confusion_new"' not in plain.text


def test_an_answer_to_a_question_of_a_score_counts_in_the_next_answer(
    services: Services, http: TestClient
) -> None:
    case = example_case(services)
    for given in (
        {"input": "confusion_new", "value": "no"},
        {"input": "urea", "value": 8, "unit": "mmol/L"},
    ):
        sent = http.post(f"/v1/cases/{case.id}/answers", json=given, headers=as_user("anna"))
        assert sent.status_code < 300, sent.text
    answer = ask(http, case.id, "What is the CURB-65?")["answer"]
    text = answer["sentences"][0]["text"]
    assert text == "CURB-65 2: intermediate (30-day mortality 9.2 %)."  # age 1, urea 1
    assert answer["would_answer"] == []
