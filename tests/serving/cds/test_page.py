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
HINT = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "x"}]}
RECENT = [observation(1), observation(30)]
OLD = [observation(1), observation(30), observation(100)]


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
        ("observations", searchset([*RECENT, HINT]), "whole"),
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
    page = read_page(value, PREFETCH[key], now=NOW)
    assert page.kind == kind
    assert bool(page.reason) == (kind in ("error", "partial"))


def test_the_words_of_an_error_of_the_ehr_are_not_repeated() -> None:
    said = {"resourceType": "OperationOutcome"} | {
        "issue": [{"severity": "error", "code": "exception", "diagnostics": "Muster, Clara 1955"}]
    }
    assert "Muster" not in read_page(said, PREFETCH["reports"], now=NOW).reason


def test_what_was_included_beside_is_left_out() -> None:
    beside = {"resourceType": "Practitioner", "id": "d"}
    page = read_page(searchset([observation(1), beside]), PREFETCH["observations"], now=NOW)
    assert [r["resourceType"] for r in page.resources] == ["Observation"]


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
