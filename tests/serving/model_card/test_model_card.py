from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from agent.assessment import RESEARCH_USE
from knowledge.ecg_accuracy import ecg_accuracy
from serving.access.principal import Principal, Role
from serving.model_card.card import Attribute, model_card, prose, tool_cards
from tests.serving.cases.fresh import fresh
from tools.toolbox import discover

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with fresh(tmp_path_factory.mktemp("card")) as made, made.client() as opened:
        yield opened


def test_every_tool_has_a_card_with_a_regulatory_tag() -> None:
    cards = {card.name: card for card in tool_cards()}
    assert set(cards) == set(discover())
    assert {card.regulatory for card in cards.values()} == {"evidence-cds", "device-function"}
    assert cards["ecg_analysis"].regulatory == "device-function"
    assert {one.tag for one in prose().regulatory} == {"evidence-cds", "device-function"}


def test_the_measured_errors_of_the_ecg_are_those_of_the_data_file() -> None:
    (ecg,) = [card for card in tool_cards() if card.name == "ecg_analysis"]
    assert any(ecg_accuracy()["qrs"].words in line for line in ecg.accuracy)


def test_what_nobody_established_is_said_to_be_not_available() -> None:
    by_name = {(one.group, one.name): one for one in model_card().attributes}
    external = by_name["external-validation", "data source and setting"]
    assert external.not_available
    assert not external.answer
    with pytest.raises(ValueError, match="is known, or says why"):
        Attribute(group="update", name="both", answer="x", not_available="y")
    with pytest.raises(ValueError, match="is known, or says why"):
        Attribute(group="update", name="neither")


def test_all_source_attributes_of_the_rule_are_answered() -> None:
    # 45 CFR 170.315(b)(11)(iv)(B): nine groups of attributes of a predictive intervention
    assert len({one.group for one in prose().attributes}) == 9


def test_json_and_page_say_research_use(client: TestClient) -> None:
    body = client.get("/model-card").json()
    assert body["notice"] == RESEARCH_USE
    assert body["tools"]
    page = client.get("/model-card", headers=PAGE)
    assert page.headers["content-type"].startswith("text/html")
    assert RESEARCH_USE in page.text
    assert "Not available" in page.text


def test_a_tool_has_its_own_card(client: TestClient) -> None:
    assert client.get("/model-card/tools/heart").json()["title"] == "HEART score"
    page = client.get("/model-card/tools/ecg_analysis", headers=PAGE)
    assert "mean absolute error" in page.text
    assert "Not measured." in client.get("/model-card/tools/heart", headers=PAGE).text


def test_an_unknown_tool_is_not_known(client: TestClient) -> None:
    assert client.get("/model-card/tools/none_such").status_code == 404


def test_somebody_without_a_role_reads_no_card(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        made.who[0] = Principal(subject="n", name="N", roles=frozenset(), via="local")
        with made.client() as client:
            assert client.get("/model-card").status_code == 403


def test_an_administrator_reads_the_card(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        made.who[0] = Principal(subject="a", name="A", roles=frozenset({Role.ADMIN}), via="local")
        with made.client() as client:
            assert client.get("/model-card").status_code == 200
