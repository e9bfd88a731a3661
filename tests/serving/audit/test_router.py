"""The audit over HTTP: for who runs the service, page by page, and looking is an event too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.access.principal import Role
from serving.audit.export import entries
from tests.serving.audit.site import ADA, ADMIN, VIEWER, Site, person, site


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


def test_pages_follow_one_another_to_the_end(place: Site) -> None:
    for number in range(5):
        place.services.audit.used(ADA, "card.shown", case=None, detail={"number": number})
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = place.get("/v1/audit", ADMIN, after=after, limit=2, action="card.shown").json()
        seen += [entry["sequence"] for entry in page["entries"]]
        after = page.get("next")
    assert seen == [1, 2, 3, 4, 5]


def test_looking_at_the_audit_is_audited(place: Site) -> None:
    place.get("/v1/audit", ADMIN, case="case-1")
    (looked,) = entries(place.services.database, after=0, limit=9)
    assert "Y2FzZT1jYXNlLTE=" not in looked.event["entity"][0]["query"], "part of a longer text"
    assert looked.event["agent"][2]["name"] == "Dr root"


@pytest.mark.parametrize(
    "principal",
    [
        ADA,
        VIEWER,
        person("narrow", Role.ADMIN, patient="https://ehr.example|Patient/1"),
        person("tenant", Role.ADMIN, tenants=frozenset({"https://ehr.example"})),
    ],
    ids=["clinician", "viewer", "one-patient", "one-tenant"],
)
def test_whoever_may_not_is_refused_and_the_refusal_is_kept(place: Site, principal: object) -> None:
    from serving.access.principal import Principal

    assert isinstance(principal, Principal)
    assert place.get("/v1/audit", principal).status_code == 403
    (refusal,) = entries(place.services.database, after=0, limit=9)
    assert refusal.event["outcome"] == "4"
    assert refusal.event["agent"][2]["who"]["identifier"]["value"] == principal.subject


@pytest.mark.parametrize(
    "query",
    [{"after": -1}, {"limit": 0}, {"limit": 501}, {"after": "x"}, {"case": "x" * 81}],
)
def test_an_impossible_page_is_refused(place: Site, query: dict[str, object]) -> None:
    assert place.get("/v1/audit", ADMIN, **query).status_code == 422


def test_a_character_no_database_takes_finds_nothing(place: Site) -> None:
    assert place.get("/v1/audit", ADMIN, subject="\x00").json()["entries"] == []


def test_every_event_of_a_request_carries_its_id_and_where_it_came_from(place: Site) -> None:
    answer = place.client.get(
        "/v1/audit", headers={**place.as_(ADMIN), "X-Request-Id": "req-2026.7"}
    )
    assert answer.headers["x-request-id"] == "req-2026.7"
    (event,) = entries(place.services.database, after=0, limit=9)
    traces = [
        one["what"]["identifier"]["value"]
        for one in event.event["entity"]
        if one["type"]["code"] == "XrequestId"
    ]
    assert traces == ["req-2026.7"]
    assert event.event["agent"][0]["network"] == {"address": "testclient", "type": "2"}


def test_an_id_of_another_form_is_not_taken_over(place: Site) -> None:
    answer = place.client.get(
        "/v1/audit", headers={**place.as_(ADMIN), "X-Request-Id": "<script>" + "x" * 200}
    )
    assert len(answer.headers["x-request-id"]) == 32


def test_a_chain_over_http_is_whole(place: Site) -> None:
    from serving.audit.anchor import Anchor
    from serving.audit.verification import verify

    for _ in range(3):
        place.get("/v1/audit", ADMIN)
    anchor = Anchor(place.services.settings.data_dir / "audit.anchor")
    result = verify(place.services.database, anchor=anchor)
    assert (result.intact, result.events, result.anchored) == (True, 3, 3)
