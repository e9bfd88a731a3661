"""One Type/id that comes by several ways: retracted, corrected, copied, or contradicted."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from knowledge.finding import State, Why
from knowledge.quantity import Quantity
from tests.tools.intake.samples import AT, bundle, chart, observation, patient, read, report, write
from tools.intake.fhir.bundle import parse
from tools.intake.fhir.chart import Chart, read_chart

TEN, TWENTY = Quantity(value=10, unit="ng/L"), Quantity(value=20, unit="ng/L")
IN_ERROR: dict[str, Any] = {"status": "entered-in-error"}


def entry(resource: dict[str, Any], url: str | None) -> dict[str, Any]:
    return {"resource": resource} | ({"fullUrl": url} if url else {})


def files(*made: tuple[dict[str, Any], str | None]) -> Chart:
    """Each resource with its fullUrl in a file of its own."""
    parsed = []
    for index, one in enumerate(made):
        whole = {"resourceType": "Bundle", "type": "collection", "entry": [entry(*one)]}
        parsed.append(parse(orjson.dumps(whole), f"{index}.json"))
    return read_chart(parsed, at=AT)


def updated(hour: int) -> dict[str, Any]:
    return {"meta": {"lastUpdated": f"2026-11-20T0{hour}:00:00Z"}}


URLS = {
    "no fullUrl": None,
    "urn:uuid": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
    "another server": "https://b.example/fhir/Observation/o1",
    "the same server": "https://a.example/fhir/Observation/o1",
    "history": "https://a.example/fhir/Observation/o1/_history/2",
}
FIRST = "https://a.example/fhir/Observation/o1"


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
@pytest.mark.parametrize("swapped", [False, True], ids=["in order", "swapped"])
def test_a_retraction_counts_whatever_way_it_comes(url: str | None, swapped: bool) -> None:
    pair = [(observation(400.0), FIRST), (observation(400.0, **IN_ERROR), url)]
    found = files(*(reversed(pair) if swapped else pair))
    assert found.facts == ()
    assert sorted((r.resource, r.reason.partition(" by ")[0]) for r in found.retracted) == [
        ("Observation/o1", "entered-in-error"),
        ("Observation/o1", "entered-in-error"),
    ]


def test_a_retraction_of_another_server_counts_although_it_is_older() -> None:
    old, new = updated(8), updated(9)
    found = files(
        (observation(10.0, **new), FIRST), (observation(10.0, **IN_ERROR, **old), URLS["urn:uuid"])
    )
    assert found.facts == ()


def test_an_ndjson_line_retracts_a_result_of_a_bundle() -> None:
    whole = {"resourceType": "Bundle", "entry": [entry(observation(), FIRST)]}
    lines = orjson.dumps(observation(**IN_ERROR)) + b"\n" + orjson.dumps(patient())
    parsed = [parse(orjson.dumps(whole), "a.json"), parse(lines, "b.ndjson")]
    assert read_chart(parsed, at=AT).facts == ()


def test_a_correction_with_an_absolute_url_replaces_the_first_result() -> None:
    found = files((observation(10.0), None), (observation(20.0, status="corrected"), FIRST))
    assert [f.finding.value for f in found.facts] == [TWENTY]
    assert [(r.file, r.reason) for r in found.retracted] == [
        ("0.json", "replaced by another version")
    ]


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_a_second_export_of_one_chart_doubles_nothing(url: str | None) -> None:
    again = observation(
        10.0,
        meta={"lastUpdated": "2026-11-20T11:00:00Z", "versionId": "3"},
        subject={"reference": "https://b.example/fhir/Patient/p1"},
    )
    found = files((observation(10.0), FIRST), (again, url))
    assert [f.finding.value for f in found.facts] == [TEN]
    assert found.retracted == ()
    assert found.copies == {"1.json": ("0.json",)}


def test_of_two_servers_the_newest_by_date_counts() -> None:
    old, new = updated(8), updated(9)
    found = files(
        (observation(10.0, **new), FIRST), (observation(20.0, **old), URLS["another server"])
    )
    assert [f.finding.value for f in found.facts] == [TEN]


@pytest.mark.parametrize("status", ["final", "corrected"])
def test_of_two_servers_without_dates_neither_is_used(status: str) -> None:
    found = files(
        (observation(10.0, meta={"versionId": "1"}), FIRST),
        (observation(20.0, status=status, meta={"versionId": "2"}), URLS["another server"]),
    )
    whys = [f.finding.not_assessed.why for f in found.facts if f.finding.not_assessed]
    assert whys == [Why.CONFLICTING, Why.CONFLICTING]


def test_two_servers_that_number_different_things_alike_do_not_conflict() -> None:
    other = observation(
        4.1, "mmol/L", "2823-3", effectiveDateTime="2026-11-20T08:00:00+01:00", id="o1"
    )
    found = files((observation(10.0), FIRST), (other, URLS["another server"]))
    assert [f.finding.state for f in found.facts] == [State.PRESENT, State.PRESENT]


def test_what_another_server_cancelled_is_cancelled() -> None:
    old, new = updated(8), updated(9)
    cancelled = observation(10.0, status="cancelled", **old)
    assert files((observation(10.0, **new), FIRST), (cancelled, URLS["urn:uuid"])).facts == ()


def test_a_cancelled_order_of_another_server_takes_no_other_result_of_that_number_back() -> None:
    other = observation(
        4.1, "mmol/L", "2823-3", effectiveDateTime="2026-11-20T08:00:00+01:00", status="cancelled"
    )
    found = files((observation(10.0), FIRST), (other, URLS["another server"]))
    assert [f.finding.value for f in found.facts] == [TEN]
    del other["code"]  # it does not say what it is of
    assert files((observation(10.0), FIRST), (other, URLS["another server"])).facts == ()


# ---- contained resources


def holding(inner: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "t"}}
    return {**made, "subject": {"reference": "Patient/p1"}, "contained": [inner], **changes}


def test_what_a_retracted_report_contains_is_retracted_with_it() -> None:
    found = chart(holding(observation(id="c"), **IN_ERROR))
    assert found.facts == ()
    assert [(r.resource, r.reason) for r in found.retracted] == [
        ("DiagnosticReport/r", "entered-in-error"),
        ("DiagnosticReport/r#c", "contained in DiagnosticReport/r, which is entered-in-error"),
    ]


def test_what_a_retracted_resource_of_an_unused_type_contains_is_retracted() -> None:
    found = chart(holding(observation(id="c"), resourceType="ServiceRequest", **IN_ERROR))
    assert found.facts == ()
    assert [r.resource for r in found.retracted] == ["ServiceRequest/r#c"]


def test_what_a_resource_with_an_unknown_modifier_contains_is_not_used() -> None:
    modifier = [{"url": "http://x.example/not", "valueBoolean": True}]
    found = chart(holding(observation(id="c"), modifierExtension=modifier))
    assert found.facts == ()
    assert found.problems["c.json"][1] == (
        "DiagnosticReport/r#c: contained in DiagnosticReport/r, which carries a modifier extension "
        "that is not understood"
    )


def test_what_a_report_in_force_contains_is_used() -> None:
    assert len(chart(holding(observation(id="c"))).facts) == 2


# ---- in a folder


def test_a_chart_written_twice_is_a_duplicate_of_the_one_named_as_json(tmp_path: Path) -> None:
    made = bundle(patient(), observation())
    write(tmp_path, "chart.dcm", orjson.dumps(made, option=orjson.OPT_INDENT_2))
    write(tmp_path, "chart.json", made)
    case = read(tmp_path)
    assert len(case.timeline.facts) == 1
    assert report(case, "chart.json").status == "read"
    item = report(case, "chart.dcm")
    assert (item.status, item.reason) == ("ignored", "duplicate of chart.json")


def test_every_retraction_of_a_case_is_listed_with_file_resource_and_reason(tmp_path: Path) -> None:
    write(tmp_path, "chart.json", bundle(patient(), observation(), observation(id="o2")))
    write(tmp_path, "update.json", bundle(patient(), observation(**IN_ERROR)))
    gone = {"request": {"method": "DELETE", "url": "Observation/o2"}}
    write(tmp_path, "z.json", {**bundle(patient()), "type": "history", "entry": [gone]})
    case = read(tmp_path)
    assert [(r.file, r.resource, r.reason) for r in case.retracted] == [
        ("chart.json", "Observation/o1", "entered-in-error by another version (update.json)"),
        ("chart.json", "Observation/o2", "deleted at its source"),
        ("update.json", "Observation/o1", "entered-in-error"),
    ]
