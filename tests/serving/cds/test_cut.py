"""Data that show themselves to be cut, dropped or not read never give a low card, nor overwrite."""

import copy
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serving.cds.hooks import (
    MOMENTS,
    SERVER,
    Clock,
    Hooks,
    chart,
    hooks,
    imaging,
    order,
    prefetch_of,
    searchset,
)
from tests.serving.cds.low import high_sample, low_case, two_low_samples

Change = Callable[[dict[str, Any]], Any]
NEXT = f"{SERVER}/Observation?page=2"
REPORT = {
    "resourceType": "DiagnosticReport",
    "id": "report",
    "status": "final",
    "code": {
        "coding": [{"system": "http://loinc.org", "code": "89579-7"}],
        "text": "Troponin I hs",
    },
    "subject": {"reference": "Patient/patient"},
    "effectiveDateTime": "2026-11-20T21:25:00Z",
}
"""LOINC 89579-7: troponin I.cardiac, high sensitivity."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    """A patient of whom a whole chart was read, and is low."""
    folder = tmp_path_factory.mktemp("cut")
    with hooks(folder, clock=Clock(MOMENTS["early_presenter"])) as made:
        low_case(made)
        assert summary(made, lambda sent: None).startswith("Low: ")
        yield made


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    """The same patient elsewhere: each whole chart takes the place of the one before."""
    folder = tmp_path_factory.mktemp("whole")
    with hooks(folder, clock=Clock(MOMENTS["early_presenter"])) as made:
        low_case(made)
        yield made


def cards(client: Hooks, change: Change) -> list[dict[str, Any]]:
    sent = copy.deepcopy(prefetch_of(two_low_samples()))
    change(sent)
    return client.view(sent, user=f"Practitioner/{uuid.uuid4()}")


def summary(client: Hooks, change: Change) -> str:
    (card,) = cards(client, change)
    return str(card["summary"])


def add(key: str, *resources: dict[str, Any]) -> Change:
    def change(sent: dict[str, Any]) -> None:
        sent[key]["entry"] += [{"resource": one} for one in resources]

    return change


def says(severity: str, code: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


CUT: dict[str, Change] = {
    "a total that was not reached": lambda sent: sent["observations"].update(total=300),
    "a total and no entries": lambda sent: sent.update(
        observations={"resourceType": "Bundle", "type": "searchset", "total": 37}
    ),
    "suppressed": add("observations", says("warning", "suppressed")),
    "incomplete": add("observations", says("information", "incomplete")),
    "throttled": add("observations", says("information", "throttled")),
    "links that are no list": lambda sent: sent["observations"].update(
        link={"relation": "next", "url": NEXT}
    ),
    "NEXT": lambda sent: sent["observations"].update(link=[{"relation": "NEXT", "url": NEXT}]),
    "a history": lambda sent: sent["observations"].update(type="history", entry=[]),
    "what is not read": add(
        "observations",
        {"resourceType": "RiskAssessment", "id": "x", "subject": {"reference": "Patient/patient"}},
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_what_says_that_it_is_cut_is_a_gap_and_replaces_nothing(client: Hooks, name: str) -> None:
    store = client.services.cases
    (case,) = store.list()
    before = (store.files(case.id), len(store.assessments(case.id)))
    (card,) = cards(client, CUT[name])
    assert card["summary"].startswith("Not assessable: observations could not be read")
    assert card["indicator"] == "warning"
    assert (store.files(case.id), len(store.assessments(case.id))) == before


def test_nothing_is_judged_of_an_order_from_a_cut_chart(client: Hooks) -> None:
    sent = prefetch_of(two_low_samples())
    sent["observations"]["total"] = 300
    body = order(sent, imaging("CT pulmonary angiography"))
    (card,) = client.cards("chest-pain-order-sign", body)
    assert "cannot be judged" in card["summary"]


def test_a_cut_chart_still_says_what_came(client: Hooks) -> None:
    def change(sent: dict[str, Any]) -> None:
        add("observations", high_sample())(sent)
        sent["observations"]["total"] = 300

    (card,) = cards(client, change)
    assert card["summary"].startswith("High: ")
    assert "900 ng/L" in card["detail"]
    assert "Not everything could be read" in card["detail"]
    assert summary(client, lambda sent: None).startswith("Low: ")  # nothing of it was kept


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("observations", "Condition"),
        ("observations", "RiskAssessment"),
        ("reports", "Observation"),
        ("encounters", "RelatedPerson"),
    ],
)
def test_an_entry_of_another_patient_refuses_the_call_wherever_it_stands(
    client: Hooks, key: str, resource: str
) -> None:
    owner = "patient" if resource == "RelatedPerson" else "subject"
    other = {"resourceType": resource, "id": "z", owner: {"reference": "Patient/other"}}
    assert summary(client, add(key, other)).startswith("Refused")


@pytest.mark.parametrize("key", ["observations", "reports", "conditions", "patient"])
def test_a_high_troponin_counts_under_whatever_key_it_was_sent(another: Hooks, key: str) -> None:
    def change(sent: dict[str, Any]) -> None:
        if key == "patient":
            sent[key] = searchset([sent[key]])
        add(key, high_sample())(sent)

    assert summary(another, lambda sent: None).startswith("Low: ")
    (card,) = cards(another, change)
    assert card["summary"].startswith("High: ")
    assert "900 ng/L" in card["detail"]


def test_a_cut_chart_does_not_take_the_place_of_a_high_one(tmp_path: Path) -> None:
    with hooks(tmp_path, clock=Clock(MOMENTS["early_presenter"])) as client:
        low_case(client)
        assert summary(client, add("observations", high_sample())).startswith("High: ")
        for name in ("a total and no entries", "suppressed", "a total that was not reached"):
            (card,) = cards(client, CUT[name])
            assert card["summary"].startswith("High: "), name
            assert "Not everything could be read" in card["detail"]


UNREAD: dict[str, Change] = {
    "a result that was not sent": add(
        "reports", REPORT | {"result": [{"reference": "Observation/not-sent"}]}
    ),
    "a result without a reference": add(
        "reports", REPORT | {"result": [{"display": "Troponin I hs"}]}
    ),
    "any report's result that was not sent": add(
        "reports",
        REPORT | {"code": {"text": "Panel 7"}, "result": [{"reference": "Observation/not-sent"}]},
    ),
    "a member that was not sent": add(
        "observations",
        high_sample(
            id="panel",
            code={"text": "Panel 7"},
            valueQuantity=None,
            hasMember=[{"reference": "Observation/not-sent"}],
        ),
    ),
    "a sample without a result yet": add(
        "observations", high_sample(status="registered", valueQuantity=None)
    ),
    "a report without a result yet": add("reports", REPORT | {"status": "registered"}),
    "a partial report": add("reports", REPORT | {"status": "partial"}),
    "a report that holds nothing": add("reports", REPORT),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_result_the_chart_speaks_of_and_does_not_hold_is_named_and_blocks_low(
    another: Hooks, name: str
) -> None:
    (card,) = cards(another, UNREAD[name])
    assert not card["summary"].startswith("Low")
    assert "ruled out" not in card["summary"].lower()
    assert ("Panel 7" in card["detail"]) or ("troponin I" in card["detail"])
    (case,) = another.services.cases.list()
    stored = another.services.cases.assessment(case.id)
    assert stored is not None
    assert stored.status == "partial"
    assert "not-understood" in str(stored.body["findings"])


WHOLE: dict[str, Change] = {
    "listed and sent": add(
        "reports", REPORT | {"result": [{"reference": "Observation/hs-ctni-3"}]}
    ),
    "listed by its address": add(
        "reports",
        REPORT | {"result": [{"reference": f"{SERVER}/Observation/hs-ctni-3/_history/2"}]},
    ),
    "contained": add(
        "reports",
        REPORT
        | {
            "result": [{"reference": "#low"}],
            "contained": [two_low_samples()[-1] | {"id": "low"}],
        },
    ),
    "of days ago": add(
        "reports",
        REPORT
        | {
            "effectiveDateTime": "2026-11-18T21:25:00Z",
            "result": [{"reference": "Observation/not-sent"}],
        },
    ),
    "a report of a sample whose result stands alone": add(
        "reports", REPORT | {"effectiveDateTime": two_low_samples()[-1]["effectiveDateTime"]}
    ),
    "not a cardiac marker": add(
        "observations",
        high_sample(status="registered", valueQuantity=None, code={"text": "Lipid panel"}),
    ),
    "planned for later": add(
        "observations", high_sample(-60, status="registered", valueQuantity=None)
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_there_or_of_no_concern_blocks_nothing(another: Hooks, name: str) -> None:
    assert summary(another, WHOLE[name]).startswith("Low: ")


def test_a_case_without_a_card_is_not_silent_about_a_cut_chart(tmp_path: Path) -> None:
    with hooks(tmp_path, clock=Clock(MOMENTS["nstemi"])) as client:
        sent = prefetch_of([r for r in chart("nstemi") if r["resourceType"] == "Patient"])
        assert client.view(sent) == []
        sent["observations"]["total"] = 37
        (card,) = client.view(sent)
        assert card["summary"].startswith("Not assessable: observations could not be read")
