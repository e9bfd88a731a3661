"""What clinicians see, case by case: the level, the words, and only what the assessment says."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from markdown_it import MarkdownIt

from agent.assessment import RESEARCH_USE
from knowledge.cds_cards import cds_cards
from knowledge.pathways import Urgency, pathway
from tests.serving.cds.hooks import (
    MOMENTS,
    SERVER,
    Clock,
    Hooks,
    chart,
    example,
    hooks,
    prefetch_of,
    view,
    workspace,
)
from tests.serving.cds.low import low_risk, two_low_samples

SIX = [
    "cds-not-applicable",
    "cds-suboptimal-context",
    "recipient-disagrees-evidence",
    "recipient-concerns-outcomes",
    "does-not-align-preferences",
    "not-convenient-feasible",
]
SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"

# What the bundled examples are is said in their own files: "inferior ST-elevation infarction",
# "non-ST-elevation infarction: troponin rises within the hour", "one low troponin: not yet ruled
# out", "no assay named, no onset, no history, no vital signs". Alone, a chart has no ECG.
GOLDEN = [
    ("stemi", True, "critical", "critical-finding", "Call the catheter laboratory now: "),
    ("nstemi", True, "warning", "acs-risk", "High: "),
    ("early_presenter", True, "warning", "acs-risk", "Intermediate: Not decided: another troponin"),
    ("half_missing", True, "warning", "data-gap", "Not assessable: "),
    ("stemi", False, "warning", "data-gap", "Not assessable: No ECG in the case"),
    ("nstemi", False, "warning", "data-gap", "Not assessable: No ECG in the case"),
    ("early_presenter", False, "warning", "data-gap", "Not assessable: No ECG in the case"),
    ("half_missing", False, "warning", "data-gap", "Not assessable: No ECG in the case"),
]


@pytest.fixture(scope="module", params=GOLDEN, ids=lambda g: f"{g[0]}{'' if g[1] else ' alone'}")
def golden(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any], Hooks]]:
    """Give a row of the table, the card of its case, and the client."""
    name, with_workspace, *_ = request.param
    with hooks(tmp_path_factory.mktemp(name), clock=Clock(MOMENTS[name])) as client:
        if with_workspace:
            workspace(client, name)
        (card,) = client.view(example(name))
        yield request.param, card, client


Golden = tuple[tuple[Any, ...], dict[str, Any], Hooks]


def test_each_case_has_its_own_honest_card(golden: Golden) -> None:
    (_, _, indicator, topic, summary), card, _ = golden
    assert card["indicator"] == indicator
    assert card["source"]["topic"]["code"] == topic
    assert card["summary"].startswith(summary)


def test_a_card_is_what_the_specification_asks_for(golden: Golden) -> None:
    """CDS Hooks 2.0, "CDS Service Response"; invariants cds-resp-1 to 7 of the 3.0 ballot."""
    _, card, _ = golden
    nothing_empty(card)
    assert 0 < len(card["summary"]) < 140
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["source"]["label"]
    assert UUID(card["uuid"]).version == 4
    reasons = card["overrideReasons"]
    assert [one["code"] for one in reasons] == SIX
    assert all(one["system"] == SYSTEM and one["display"] for one in reasons)
    for link in card["links"]:
        assert link["type"] == "absolute"
        assert link["url"].startswith("http://127.0.0.1:8080/cases/case-")
        assert set(link) == {"label", "url", "type"}
    assert ("suggestions" in card) == ("selectionBehavior" in card)
    for suggestion in card.get("suggestions", ()):
        assert UUID(suggestion["uuid"])
        for action in suggestion["actions"]:
            assert action["type"] == "create"
            assert action["description"]
            assert action["resource"]["status"] == "draft"
    assert not {"systemActions", "autolaunchable", "extension"} & set(card)


def test_the_detail_is_markdown_without_html_images_and_links(golden: Golden) -> None:
    _, card, _ = golden
    rendered = MarkdownIt("commonmark", {"html": True}).parse(card["detail"])
    kinds = {t.type for t in rendered} | {i.type for t in rendered for i in t.children or ()}
    assert not kinds & {"html_block", "html_inline", "image", "link_open", "fence", "code_block"}
    assert "strong_open" in kinds
    assert "://" not in card["detail"]


def test_it_says_research_use_and_that_it_is_not_verbatim(golden: Golden) -> None:
    _, card, _ = golden
    assert RESEARCH_USE in card["detail"]
    assert "not verbatim" in card["detail"]
    assert "research use" in card["source"]["label"]


def test_every_number_is_the_assessments(golden: Golden) -> None:
    _, card, client = golden
    (case,) = client.services.cases.list()
    stored = client.services.cases.assessment(case.id)
    known = json.dumps(stored.body if stored else {}) + RESEARCH_USE
    moment = client.clock.now
    known += f" {moment:%Y-%m-%d %H:%M} {moment + timedelta(hours=1):%H:%M}"
    shown = re.sub(r"&\w+;|\\", "", card["detail"] + card["summary"])
    for number in set(re.findall(r"\d+(?:\.\d+)?", shown)):
        assert re.search(rf"(?<!\d){re.escape(number)}(?!\d)", known), number


def test_what_is_missing_is_listed_and_not_taken_as_normal(golden: Golden) -> None:
    _, card, client = golden
    (case,) = client.services.cases.list()
    stored = client.services.cases.assessment(case.id)
    assert stored is not None
    for item in stored.body["missing"][:4]:
        assert item["label"] in card["detail"].replace("&gt;", ">")
    assert "Missing is not normal" in card["detail"]


def test_the_shown_card_is_audited_and_kept(golden: Golden) -> None:
    _, card, client = golden
    from sqlalchemy import select

    from serving.audit.tables import AuditRow

    with client.services.database.reading() as session:
        rows = list(session.scalars(select(AuditRow).where(AuditRow.action == "card.shown")))
    assert len(rows) == 1
    told = json.dumps(rows[0].body)
    assert card["uuid"] in told
    assert "Muster" not in told


def test_low_only_where_the_assessment_says_low(tmp_path: Path) -> None:
    with hooks(tmp_path, clock=Clock(MOMENTS["early_presenter"])) as client:
        case = workspace(client, "early_presenter")
        low_risk(client, case)
        (card,) = client.view(prefetch_of(two_low_samples()))
        assert card["indicator"] == "info", card["detail"]
        assert card["summary"].startswith("Low: ")
        assert "discharge" in card["detail"]


def test_every_immediate_recommendation_of_the_pathway_has_its_place() -> None:
    table = cds_cards()
    placed = [*table.critical.calls, *table.beside, *table.gaps]
    assert len(placed) == len(set(placed))
    immediate = {
        key
        for key, row in pathway("chest_pain").recommendations.items()
        if row.urgency is Urgency.IMMEDIATE
    }
    assert immediate <= set(placed)
    assert all(call.startswith("Call ") for call in table.critical.calls.values())


def test_a_smart_link_only_where_this_service_can_be_launched(tmp_path: Path) -> None:
    with hooks(
        tmp_path, clock=Clock(MOMENTS["nstemi"]), smart_issuers={SERVER: "epicrisis"}
    ) as client:
        token = {
            "access_token": "t",
            "token_type": "Bearer",
            "expires_in": 60,
            "scope": "user/*.rs",
            "subject": "epicrisis",
        }
        (card,) = client.cards(
            "chest-pain-patient-view", view(example("nstemi"), fhirAuthorization=token)
        )
        (link,) = card["links"]
        assert link["type"] == "smart"
        assert link["url"].startswith("http://127.0.0.1:8080/")
        assert json.loads(link["appContext"])["case"].startswith("case-")
        (card,) = client.view(example("nstemi"), user="Practitioner/other")
        assert card["links"][0]["type"] == "absolute"


def test_a_patient_without_chest_pain_gets_no_card_and_no_case(tmp_path: Path) -> None:
    with hooks(tmp_path) as client:
        others = [r for r in chart("nstemi") if "ctn" not in r["id"]]
        assert client.view(prefetch_of(others)) == []
        assert client.services.cases.list() == ()


def nothing_empty(node: Any) -> None:
    """Fail where a null, an empty text, list or object stands anywhere."""
    assert node not in (None, "", [], {})
    if isinstance(node, dict):
        for part in node.values():
            nothing_empty(part)
    elif isinstance(node, list):
        for part in node:
            nothing_empty(part)
