"""What failed never takes the place of what an earlier pull has read."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from serving.fhir_in.earlier import with_earlier
from serving.fhir_in.pull import Pulled, bundle_of
from serving.fhir_in.service import FILE, Done, PullService
from tests.serving.access.peers import Answer, as_json
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.fhir_in.fhir_peer import FhirPeer, bundle, fhir_peer
from tests.serving.fhir_in.test_service import NOTHING, launched, nurse

BASE = "https://ehr.example/fhir"


def entry(name: str, **more: Any) -> dict[str, Any]:
    kind, _, key = name.partition("/")
    return {"fullUrl": f"{BASE}/{name}", "resource": {"resourceType": kind, "id": key} | more}


def pulled(*entries: dict[str, Any], unread: set[str] | None = None, **more: Any) -> Pulled:
    problems = [f"{kind} could not be read: x" for kind in sorted(unread or ())]
    return Pulled(
        bundle=bundle_of(entries, problems, more.get("not_offered", ())),
        counts={},
        problems=tuple(problems),
        unread=frozenset(unread or ()),
        **more,
    )


def names(found: Pulled) -> list[str]:
    return sorted(
        f"{e['resource']['resourceType']}/{e['resource']['id']}"
        for e in found.bundle["entry"]
        if "fullUrl" in e
    )


BEFORE = orjson.dumps(
    bundle_of([entry("Observation/1"), entry("Observation/2"), entry("Condition/1")], [], [])
)


def test_a_type_that_could_not_be_read_keeps_what_was_read_before() -> None:
    found = with_earlier(pulled(entry("Condition/2"), unread={"Observation"}), BEFORE)
    assert names(found) == ["Condition/2", "Observation/1", "Observation/2"]
    assert found.counts == {"Condition": 1, "Observation": 2}
    assert any("what was read before (2) is kept" in problem for problem in found.problems)


def test_what_came_now_counts_more_than_the_same_of_before() -> None:
    now = entry("Observation/1", status="amended")
    found = with_earlier(pulled(now, unread={"Observation"}), BEFORE)
    assert names(found) == ["Observation/1", "Observation/2"]
    assert now in found.bundle["entry"]


def test_what_was_read_to_the_end_is_as_it_is_now() -> None:
    found = with_earlier(pulled(entry("Observation/3")), BEFORE)
    assert names(found) == ["Observation/3"]
    assert found.problems == ()


def test_a_type_that_was_offered_before_and_is_not_now_could_not_be_read() -> None:
    before = orjson.dumps(bundle_of([entry("ImagingStudy/1")], [], []))
    found = with_earlier(pulled(not_offered=("ImagingStudy", "DocumentReference")), before)
    assert names(found) == ["ImagingStudy/1"]
    assert found.not_offered == ("DocumentReference",)
    assert any("ImagingStudy" in p and "did before" in p for p in found.problems)


def test_the_words_of_an_earlier_failure_are_not_those_of_this_one() -> None:
    before = orjson.dumps(bundle_of([entry("Observation/1")], ["Procedure could not be read"], []))
    found = with_earlier(pulled(unread={"Observation"}), before)
    assert "Procedure" not in json.dumps(found.bundle)


@pytest.mark.parametrize(
    "content", [b"", b"no JSON", b"[]", b'{"entry": {}}', b'{"entry": [1, {"fullUrl": "x"}]}']
)
def test_a_file_of_that_name_that_is_no_pull_is_nothing(content: bytes) -> None:
    now = pulled(unread={"Observation"})
    assert with_earlier(now, content) == now


@pytest.fixture
def ehr() -> Iterator[FhirPeer]:
    """A server with the chart of a bundled example, and a troponin of 900 ng/L."""
    chart = json.loads((files("serving") / "examples/nstemi/chart.json").read_text())
    with fhir_peer() as peer:
        peer.held = {}
        for one in chart["entry"]:
            resource = one["resource"]
            if resource["id"].startswith("hs-ctnt"):
                resource["valueQuantity"]["value"] = 900
            peer.held.setdefault(resource["resourceType"], []).append(resource)
        yield peer


@pytest.fixture
def made(ehr: FhirPeer, tmp_path: Path) -> Iterator[Fresh]:
    with fresh(tmp_path, outbound_private_hosts=[urlsplit(ehr.url).netloc]) as found:
        yield found


def pull(ehr: FhirPeer, made: Fresh) -> Done:
    return PullService(made.services).pull(NOTHING, principal=nurse(ehr), smart=launched(ehr))


HINT = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "warning", "code": "suppressed"}],
}
FAILURES: dict[str, Answer] = {
    "not there": as_json({"resourceType": "OperationOutcome"}, 404),
    "broken": as_json({"resourceType": "OperationOutcome"}, 500),
    "no JSON": (200, {"Content-Type": "text/html"}, b"<html>login</html>"),
    "elsewhere": (302, {"Location": "/login"}, b""),
    "suppressed": as_json(bundle([HINT], total=0)),
    "links that are no list": as_json(bundle([], link={"relation": "next", "url": "x"})),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_pull_does_not_overwrite_good_data(ehr: FhirPeer, made: Fresh, name: str) -> None:
    first = pull(ehr, made)
    assert first.pulled.problems == ()
    assert _highest(first) == 900
    observations = first.pulled.counts["Observation"]
    ehr.instead("Observation", FAILURES[name])
    again = pull(ehr, made)
    assert any(p.startswith("Observation could not be read: ") for p in again.pulled.problems)
    assert again.pulled.counts["Observation"] == observations
    assert _highest(again) == 900
    assert again.stored.status != "complete"
    assert _verdict(again, "acs") == _verdict(first, "acs")
    (kept,) = [f for f in made.services.cases.files(first.case.id) if f.name == FILE]
    assert b"hs-ctnt" in made.services.cases.content(kept)
    del ehr.answers["Observation"]
    assert pull(ehr, made).pulled.problems == ()


def _highest(done: Done) -> float:
    """Return the highest concentration in ng/L that an assessment has."""
    values = [finding.get("value") or {} for finding in done.stored.body["findings"]]
    return max(float(v["value"]) for v in values if v.get("unit") == "ng/L")


def _verdict(done: Done, diagnosis: str) -> str:
    return next(str(e["verdict"]) for e in done.stored.body["differential"] if e["id"] == diagnosis)
