"""Bundles of every type, several versions of one resource, and what was taken back."""

import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import UnreadableError, UnsupportedError
from knowledge.finding import State, Why
from knowledge.quantity import Quantity
from knowledge.timeline import Fact
from tests.tools.intake.samples import AT, bundle, chart, observation, patient
from tools.intake.fhir.bundle import parse
from tools.intake.fhir.chart import Chart, read_chart


def versions(*made: dict[str, Any]) -> Chart:
    """The same versions, each in a file of its own."""
    files = [parse(orjson.dumps(one), f"{i}.json") for i, one in enumerate(made)]
    return read_chart(files, at=AT)


def values(found: Chart) -> list[Any]:
    return [f.finding.value for f in found.facts if f.finding.value is not None]


@pytest.mark.parametrize(
    "kind",
    [
        "document",
        "message",
        "transaction",
        "transaction-response",
        "batch",
        "batch-response",
        "history",
        "searchset",
        "collection",
    ],
)
def test_a_bundle_of_any_type_is_read(kind: str) -> None:
    content = orjson.dumps(bundle(patient(), observation(), kind=kind))
    assert len(read_chart([parse(content, "b.json")], at=AT).facts) == 1


def test_ndjson_is_read_line_by_line_and_a_bad_line_is_told() -> None:
    lines = [orjson.dumps(patient()), b"{oops", orjson.dumps(observation())]
    found = parse(b"\n".join(lines), "all.ndjson")
    assert [e.name for e in found.entries] == ["Patient/p1", "Observation/o1"]
    assert found.problems[0].startswith("line 2: not JSON")


def test_a_bundle_in_a_bundle_is_read_and_a_deep_nest_is_told() -> None:
    nested = bundle(bundle(observation()))
    assert len(parse(orjson.dumps(nested), "b.json").entries) == 1
    for _ in range(10):
        nested = bundle(nested)
    found = parse(orjson.dumps(nested), "b.json")
    assert found.entries == ()
    assert "nested too deep" in found.problems[0]


@pytest.mark.parametrize("entry", [7, None, {"resource": 7}, {"resource": {"id": "x"}}])
def test_an_entry_that_is_no_resource_is_told(entry: Any) -> None:
    content = orjson.dumps(
        {"resourceType": "Bundle", "entry": [entry, {"resource": observation()}]}
    )
    found = parse(content, "b.json")
    assert len(found.entries) == 1
    assert "Bundle.entry[0]" in found.problems[0]


@pytest.mark.parametrize("content", [b"{}", b"[]", b"7", b'{"resourceType": 7}'])
def test_json_that_is_not_fhir_is_not_taken(content: bytes) -> None:
    with pytest.raises(UnsupportedError, match="not a FHIR resource"):
        parse(content, "x.json")


def test_two_copies_of_one_resource_are_one_fact() -> None:
    found = versions(observation(), observation())
    assert len(found.facts) == 1
    assert found.retracted == ()


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (
            {"meta": {"lastUpdated": "2026-11-20T10:30:00Z"}},
            {"meta": {"lastUpdated": "2026-11-20T12:30:00+01:00"}},
        ),
        ({"meta": {"versionId": "9"}}, {"meta": {"versionId": "10"}}),
        ({"status": "preliminary"}, {"status": "final"}),
        ({"status": "final"}, {"status": "corrected"}),
    ],
    ids=["last updated", "version", "final", "corrected"],
)
@pytest.mark.parametrize("swapped", [False, True], ids=["in order", "swapped"])
def test_the_newest_version_counts(
    older: dict[str, Any], newer: dict[str, Any], swapped: bool
) -> None:
    pair = [observation(10.0, **older), observation(20.0, **newer)]
    found = versions(*(reversed(pair) if swapped else pair))
    assert values(found) == [Quantity(value=20, unit="ng/L")]
    assert [r.reason for r in found.retracted] == ["replaced by another version"]


def test_entered_in_error_retracts_the_earlier_result() -> None:
    found = versions(observation(), observation(status="entered-in-error"))
    assert found.facts == ()
    assert "entered-in-error" in [r.reason for r in found.retracted]


# FHIR R4 ObservationStatus: "cancelled: the observation is unavailable because the measurement was
# not started or not completed"; "registered: there is no result yet available"; "unknown: the
# authoring system does not know which of the status values currently applies".


@pytest.mark.parametrize("swapped", [False, True], ids=["in order", "swapped"])
@pytest.mark.parametrize(
    "later",
    [
        {"status": "cancelled"},
        {"status": "cancelled", "valueQuantity": None},
        {"status": "cancelled", "issued": "2026-11-20T11:00:00Z"},
        {"status": "cancelled", "issued": "2026-11-20T09:00:00Z"},
        {"status": "entered-in-error", "valueQuantity": None},
    ],
    ids=["with value", "without value", "issued later", "issued earlier", "in error"],
)
def test_a_result_that_was_taken_back_is_not_used_whatever_else_is_there(
    later: dict[str, Any], swapped: bool
) -> None:
    pair = [observation(2.4, issued="2026-11-20T10:00:00Z"), observation(2.4, **later)]
    found = versions(*(reversed(pair) if swapped else pair))
    assert found.facts == ()
    said = {r.reason.partition(" by ")[0] for r in found.retracted}
    assert said == {later["status"]}


def test_two_ways_of_taking_one_result_back_are_no_contradiction() -> None:
    found = versions(
        observation(2.4),
        observation(2.4, status="cancelled"),
        observation(None, status="entered-in-error", valueQuantity=None),
    )
    assert found.facts == ()


@pytest.mark.parametrize("swapped", [False, True], ids=["in order", "swapped"])
@pytest.mark.parametrize("status", ["registered", "unknown", "withdrawn", None])
@pytest.mark.parametrize("value", [2.4, None], ids=["value", "no value"])
def test_a_final_result_beside_a_status_without_a_place_is_not_used(
    status: str | None, value: float | None, swapped: bool
) -> None:
    other = observation(2.4, status=status)
    if value is None:
        del other["valueQuantity"]
    pair = [observation(2.4), other]
    found = versions(*(reversed(pair) if swapped else pair))
    assert all(f.finding.state is State.NOT_ASSESSED for f in found.facts)
    whys = [f.finding.not_assessed.why for f in found.facts if f.finding.not_assessed]
    assert Why.CONFLICTING in whys


@pytest.mark.parametrize(
    ("status", "used"),
    [("registered", ()), ("unknown", (Quantity(value=20, unit="ng/L"),))],
)
def test_the_version_issued_last_counts_where_the_status_has_no_place(
    status: str, used: tuple[Quantity, ...]
) -> None:
    # FHIR R4 Observation.issued: when "this version of the observation was made available"
    first = observation(10.0, issued="2026-11-20T10:00:00Z")
    later = observation(20.0, status=status, issued="2026-11-20T11:00:00Z")
    assert tuple(values(versions(first, later))) == used
    again = observation(30.0, issued="2026-11-20T11:30:00Z")
    assert values(versions(later, again)) == [Quantity(value=30, unit="ng/L")]


def test_a_status_that_goes_back_in_time_of_issue_is_a_contradiction() -> None:
    first = observation(10.0, status="corrected", issued="2026-11-20T10:00:00Z")
    later = observation(20.0, status="preliminary", issued="2026-11-20T11:00:00Z")
    whys = [
        f.finding.not_assessed.why for f in versions(first, later).facts if f.finding.not_assessed
    ]
    assert whys == [Why.CONFLICTING, Why.CONFLICTING]


def test_a_cancelled_report_takes_the_result_it_contains_with_it() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "code": {"text": "t"},
        "subject": {"reference": "Patient/p1"},
        "contained": [observation(id="c")],
    }
    found = versions({**report, "status": "final"}, {**report, "status": "cancelled"})
    assert found.facts == ()


def test_two_contents_without_a_version_are_not_used() -> None:
    found = versions(observation(10.0), observation(20.0))
    finding = found.facts[0].finding
    assert finding.state is State.NOT_ASSESSED
    assert finding.not_assessed is not None
    assert finding.not_assessed.why is Why.CONFLICTING


def test_a_deletion_takes_a_resource_back() -> None:
    deletion = {"request": {"method": "DELETE", "url": "Observation/o1"}}
    history = {"resourceType": "Bundle", "type": "history", "entry": [deletion]}
    found = versions(observation(), history)
    assert found.facts == ()
    assert found.retracted[0].reason == "deleted at its source"


def test_a_resource_written_again_after_its_deletion_counts() -> None:
    deletion = {
        "request": {"method": "DELETE", "url": "Observation/o1"},
        "response": {"status": "204", "lastModified": "2026-11-20T08:00:00Z"},
    }
    history = {"resourceType": "Bundle", "type": "history", "entry": [deletion]}
    again = observation(meta={"lastUpdated": "2026-11-20T09:00:00Z"})
    assert len(versions(again, history).facts) == 1


def test_resources_without_an_id_are_all_kept() -> None:
    first, second = observation(10.0), observation(20.0)
    del first["id"], second["id"]
    assert len(chart(first, second).facts) == 2


def test_one_id_on_two_servers_is_two_resources() -> None:
    entries = [
        {"fullUrl": f"https://{server}.example/fhir/Observation/o1", "resource": observation(value)}
        for server, value in (("a", 10.0), ("b", 20.0))
    ]
    content = orjson.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries})
    assert len(read_chart([parse(content, "b.json")], at=AT).facts) == 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "resourceType",
                        "entry",
                        "resource",
                        "id",
                        "code",
                        "status",
                        "valueQuantity",
                        "value",
                        "coding",
                        "component",
                        "subject",
                        "contained",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_makes_the_reader_fail_in_an_untyped_way(content: Any) -> None:
    with contextlib.suppress(UnreadableError, UnsupportedError):
        read_chart([parse(orjson.dumps(content), "x.json")], at=AT)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=3), st.just([]), st.just({}),
    st.just([{}]), st.just([None]), st.just({"coding": [None]}), st.just({"reference": 5}),
)  # fmt: skip


@given(
    st.sampled_from(
        [
            "Observation",
            "Condition",
            "Procedure",
            "Encounter",
            "DiagnosticReport",
            "MedicationRequest",
            "DocumentReference",
            "Patient",
            "Specimen",
        ]
    ),
    st.dictionaries(
        st.sampled_from(
            [
                "id",
                "meta",
                "status",
                "code",
                "category",
                "subject",
                "patient",
                "valueQuantity",
                "valueString",
                "component",
                "effectiveDateTime",
                "effectivePeriod",
                "interpretation",
                "referenceRange",
                "device",
                "specimen",
                "method",
                "contained",
                "class",
                "period",
                "content",
                "presentedForm",
                "name",
                "identifier",
                "birthDate",
                "clinicalStatus",
                "verificationStatus",
                "modifierExtension",
                "focus",
                "note",
            ]
        ),
        ANYTHING,
    ),
)
def test_no_element_of_a_wrong_type_makes_the_reader_fail(
    kind: str, elements: dict[str, Any]
) -> None:
    content = orjson.dumps(bundle({**elements, "resourceType": kind}, observation(id="good")))
    found = read_chart([parse(content, "x.json")], at=AT)
    assert any(f.finding.value == Quantity(value=12, unit="ng/L") for f in found.facts)
    for fact in found.facts:  # built without pydantic's checks, so they are made here
        assert Fact.model_validate_json(fact.model_dump_json(exclude_none=True)) == fact
