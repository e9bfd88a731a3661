"""Null, missing, an error and a page that is not the last are four different things."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.cds.discovery import PREFETCH
from serving.cds.page import read_page, time_of
from tests.serving.cds.hooks import searchset

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def observation(hours_ago: float, key: str = "o") -> dict[str, Any]:
    at = NOW - timedelta(hours=hours_ago)
    return {"resourceType": "Observation", "id": key, "effectiveDateTime": at.isoformat()}


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
RECENT = [observation(1, "a"), observation(30, "b")]
OLD = [observation(1, "a"), observation(30, "b"), observation(100, "c")]


def said(severity: str, code: str | None) -> dict[str, Any]:
    issue = {"severity": severity} | ({"code": code} if code else {})
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def page(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A page whose server says what the test wants of it."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": r} for r in resources],
    } | more


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("observations", None, "none"),
        ("observations", searchset([]), "whole"),
        ("observations", searchset(RECENT), "whole"),
        ("observations", searchset(RECENT, following="https://e/f?p=2"), "partial"),
        ("observations", searchset(OLD, following="https://e/f?p=2"), "whole"),
        ("observations", searchset(OLD[::-1], following="https://e/f?p=2"), "partial"),
        ("observations", searchset([{"resourceType": "Observation"}], following="x"), "partial"),
        ("conditions", searchset([], following="https://e/f?p=2"), "partial"),
        ("observations", OUTCOME, "error"),
        ("observations", searchset([*RECENT, OUTCOME]), "error"),
        ("observations", page(*RECENT, said("information", "informational")), "whole"),
        ("observations", {"resourceType": "Patient"}, "error"),
        ("observations", ["x"], "error"),
        ("observations", "Observation", "error"),
        ("observations", {"resourceType": "Bundle", "entry": {}}, "error"),
        ("observations", {"resourceType": "Bundle", "entry": [{"fullUrl": "x"}]}, "error"),
        ("patient", {"resourceType": "Patient", "id": "1"}, "whole"),
    ],
    ids=[
        "null",
        "empty search",
        "one page",
        "more pages of this presentation",
        "page reaches back before the presentation",
        "page is not sorted, so it does not tell",
        "a page without times does not tell",
        "history has to be whole",
        "error",
        "error within a bundle",
        "a hint within a bundle is no error",
        "of another type",
        "a list",
        "a text",
        "entries that are no list",
        "an entry without a resource",
        "a resource that was read",
    ],
)
def test_what_a_value_holds(key: str, value: Any, kind: str) -> None:
    found = read_page(value, PREFETCH[key], now=NOW)
    assert found.kind == kind
    assert bool(found.reason) == (kind in ("error", "partial"))


NEXT = {"relation": "next", "url": "https://e/f?p=2"}


@pytest.mark.parametrize(
    "value",
    [
        page(*RECENT, total=300),
        page(total=37),
        page(*RECENT, total="2"),
        page(*OLD, total=300),
        page(*RECENT, said("warning", "suppressed")),
        page(*RECENT, said("information", "incomplete")),
        page(*RECENT, said("information", "throttled")),
        page(*RECENT, said("warning", "too-costly")),
        page(*RECENT, said("warning", "not-a-code-of-fhir")),
        page(*RECENT, said("warning", None)),
        page(*RECENT, {"resourceType": "OperationOutcome"}),
        page(*RECENT, link=NEXT),
        page(*RECENT, link=[NEXT | {"relation": "NEXT"}]),
        page(*RECENT, link=[NEXT | {"relation": " Next "}]),
        page(*RECENT, link=[{"url": "https://e/f?p=2"}]),
        page(*RECENT, link=["https://e/f?p=2"]),
        page(*RECENT, link=[{"relation": "next"}]),
        page(*RECENT) | {"type": "history"},
        page(*RECENT) | {"type": "batch-response"},
        {"resourceType": "Bundle", "entry": []},
        page(*RECENT, {"resourceType": "CarePlan", "id": "c"}),
        RECENT[0],
    ],
    ids=[
        "total not reached",
        "total and nothing else",
        "total that is no number",
        "total not reached and no way to the rest",
        "suppressed",
        "incomplete",
        "throttled",
        "too costly",
        "an issue with a code nobody knows",
        "an issue without a code",
        "an outcome without an issue",
        "links that are no list",
        "NEXT",
        "next between blanks",
        "a link that does not say what it is",
        "a link that is a text",
        "a next page without an address",
        "a history",
        "a batch",
        "no type",
        "something that is not read here",
        "one resource where a search was asked for",
    ],
)
def test_what_says_that_it_is_cut_is_never_whole(value: Any) -> None:
    found = read_page(value, PREFETCH["observations"], now=NOW)
    assert found.kind in ("partial", "error")
    assert found.reason


def test_what_came_with_an_error_is_still_there() -> None:
    found = read_page(searchset([*RECENT, OUTCOME]), PREFETCH["observations"], now=NOW)
    assert [r["id"] for r in found.resources] == ["a", "b"]


def test_a_result_under_another_key_is_used() -> None:
    report = {"resourceType": "DiagnosticReport", "id": "r"}
    sent = page(report, observation(1), total=1)
    found = read_page(sent, PREFETCH["reports"], now=NOW)
    assert {r["resourceType"] for r in found.resources} == {"DiagnosticReport", "Observation"}
    # a total counts what matches the search, and not what was included (FHIR R4 3.1.1.5.1)
    assert read_page(page(observation(1), total=1), PREFETCH["reports"], now=NOW).kind == "partial"


def test_the_words_of_an_error_of_the_ehr_are_not_repeated() -> None:
    outcome = {"resourceType": "OperationOutcome"} | {
        "issue": [{"severity": "error", "code": "exception", "diagnostics": "Muster, Clara 1955"}]
    }
    assert "Muster" not in read_page(outcome, PREFETCH["reports"], now=NOW).reason


def test_what_was_included_beside_is_left_out() -> None:
    beside = {"resourceType": "Practitioner", "id": "d"}
    found = read_page(page(observation(1), beside, total=1), PREFETCH["observations"], now=NOW)
    assert found.kind == "whole"
    assert [r["resourceType"] for r in found.resources] == ["Observation"]
    assert found.beside == (beside,)


@pytest.mark.parametrize(
    ("resource", "known"),
    [
        ({"effectiveDateTime": "2026-11-20T10:00:00Z"}, True),
        ({"effectivePeriod": {"start": "2026-11-20T10:00:00+01:00"}}, True),
        ({"effectiveDateTime": "2026-11-20"}, False),
        ({"effectiveDateTime": "2026-11-20T10:00:00"}, False),
        ({"effectiveDateTime": "yesterday"}, False),
        ({}, False),
    ],
)
def test_a_time_without_its_zone_does_not_tell(resource: dict[str, Any], known: bool) -> None:
    assert (time_of(resource) is not None) == known
