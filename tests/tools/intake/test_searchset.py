"""Every sign that a search result is not all there is, by the codes of the standard."""

from typing import Any

import pytest

from tests.tools.intake.samples import chart, observation
from tools.intake.fhir.searchset import fewer, names_of, reported, take_apart

# FHIR R4 IssueType (https://hl7.org/fhir/R4/valueset-issue-type.html), in its own groups
SECURITY = ["security", "login", "unknown", "expired", "forbidden", "suppressed"]
TRANSIENT = ["transient", "lock-error", "no-store", "exception", "timeout", "incomplete"]
LOST = [*SECURITY, *TRANSIENT, "throttled", "too-costly", "too-long", "no-such-code", ""]
INVALID = ["invalid", "structure", "required", "value", "invariant"]
KEPT = [*INVALID, "informational", "not-supported", "duplicate", "not-found", "processing"]


def issue(severity: Any, code: Any) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": "Muster, Clara"}],
    }


@pytest.mark.parametrize("severity", ["warning", "information"])
@pytest.mark.parametrize("code", LOST)
def test_a_hint_that_data_are_missing_is_told_whatever_its_severity(
    severity: str, code: str
) -> None:
    told = reported(issue(severity, code))
    assert told
    assert "Muster" not in told


@pytest.mark.parametrize("severity", ["warning", "information"])
@pytest.mark.parametrize("code", KEPT)
def test_a_hint_of_something_else_is_none(severity: str, code: str) -> None:
    assert reported(issue(severity, code)) == ""


@pytest.mark.parametrize("severity", ["error", "fatal", "severe", None, 3])
def test_an_error_is_told_whatever_its_code(severity: Any) -> None:
    assert "error" in reported(issue(severity, "informational"))


@pytest.mark.parametrize("outcome", [{}, {"issue": []}, {"issue": {}}, {"issue": ["x"]}], ids=str)
def test_an_outcome_that_says_nothing_readable_is_told(outcome: dict[str, Any]) -> None:
    assert reported(outcome)


def test_one_hint_among_others_is_enough() -> None:
    both = {"issue": [*issue("warning", "not-supported")["issue"], {"severity": "warning"}]}
    assert reported(both)


def searchset(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries)} | more


def test_included_entries_are_no_matches() -> None:
    one = {"resourceType": "Observation", "id": "1"}
    two = {"resourceType": "Observation", "id": "2"}
    page = take_apart(
        searchset(
            {"resource": one, "search": {"mode": "match"}},
            {"resource": two, "search": {"mode": "include"}},
        )
    )
    assert page.resources == (one, two)
    assert page.matches == (one,)
    assert page.problems == ()


@pytest.mark.parametrize(
    ("links", "following"),
    [
        (None, None),
        ([], None),
        ([{"relation": "self", "url": "a"}], None),
        ([{"relation": "self", "url": "a"}, {"relation": "next", "url": "b"}], "b"),
        ([{"relation": "NEXT", "url": "b"}], "b"),
    ],
)
def test_where_the_next_page_is(links: Any, following: str | None) -> None:
    page = take_apart(searchset(link=links))
    assert page.next == following
    assert page.problems == ()


@pytest.mark.parametrize(
    "links",
    [
        {"relation": "next", "url": "b"},
        "b",
        ["b"],
        [{"url": "b"}],
        [{"relation": "next"}],
        [{"relation": "next", "url": 7}],
        [{"relation": "next", "url": "a"}, {"relation": "next", "url": "b"}],
    ],
    ids=str,
)
def test_links_that_cannot_be_followed_are_told(links: Any) -> None:
    assert take_apart(searchset(link=links)).problems


@pytest.mark.parametrize("total", [-1, 1.5, "3", True, [3]], ids=str)
def test_a_total_that_is_no_number_is_told(total: Any) -> None:
    page = take_apart(searchset(total=total))
    assert page.total is None
    assert page.problems


def test_a_resource_that_comes_twice_is_one() -> None:
    one = {"resourceType": "Observation", "id": "1"}
    assert fewer(2, len({*names_of([one, dict(one)])}))
    assert not fewer(2, len({*names_of([one, one | {"id": "2"}])}))
    unnamed = {"resourceType": "Observation"}
    assert len({*names_of([unnamed, unnamed | {"status": "final"}])}) == 2


@pytest.mark.parametrize(
    ("severity", "code", "told"),
    [
        ("warning", "suppressed", True),
        ("information", "incomplete", True),
        ("error", "exception", True),
        ("warning", "not-supported", False),
    ],
)
def test_a_file_that_says_that_data_are_missing_is_told(
    severity: str, code: str, told: bool
) -> None:
    found = chart(issue(severity, code), observation())
    assert bool(found.problems["c.json"]) == told
