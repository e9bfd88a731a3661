"""Discovery says what CDS Hooks 2.0 asks for, and asks for no more than clients must support."""

import re
from typing import Any

import pytest

from serving.cds.discovery import PREFETCH, SERVICES, discovery

HOOKS = {"patient-view", "encounter-start", "order-select", "order-sign"}
# CDS Hooks 2.0, "Prefetch query restrictions": reads, and type searches by reference, token, date,
# with _count and _sort; tokens {{context.<name>}}.
READ = re.compile(r"[A-Z][A-Za-z]+/\{\{context\.[a-zA-Z]+\}\}")
PARAMETER = re.compile(
    r"patient=\{\{context\.patientId\}\}|_count=\d+|_sort=-?[a-z]+(-[a-z]+)*|category=[a-z-]+"
)
SORTS = {  # search parameters of FHIR R4 of type date, by resource
    "Encounter": "date",
    "Condition": "recorded-date",
    "Observation": "date",
    "MedicationRequest": "authoredon",
    "Procedure": "date",
    "DiagnosticReport": "date",
}


def test_every_hook_has_one_service_with_an_id_of_its_own() -> None:
    services = discovery(signed=True)["services"]
    assert {one["hook"] for one in services} == HOOKS
    assert len({one["id"] for one in services}) == len(services) == len(HOOKS)


@pytest.mark.parametrize("query", [w.query for w in PREFETCH.values()], ids=list(PREFETCH))
def test_prefetch_uses_only_what_clients_must_support(query: str) -> None:
    if "?" not in query:
        assert READ.fullmatch(query)
        return
    kind, _, parameters = query.partition("?")
    for parameter in parameters.split("&"):
        assert PARAMETER.fullmatch(parameter), parameter
    assert f"_sort=-{SORTS[kind]}" in parameters


def test_nothing_in_discovery_is_empty_or_null() -> None:
    def walk(node: Any) -> None:
        assert node not in (None, "", [], {})
        for part in node.values() if isinstance(node, dict) else node:
            if isinstance(part, dict | list):
                walk(part)
            else:
                assert part not in (None, "")

    walk(discovery(signed=True))


def test_discovery_says_research_use_and_whether_calls_are_signed() -> None:
    for one in discovery(signed=True)["services"]:
        assert "not a medical device" in one["usageRequirements"]
        assert "signed JWT" in one["usageRequirements"]
    for one in discovery(signed=False)["services"]:
        assert "only programs on this machine" in one["usageRequirements"]


def test_every_service_wants_the_same_data() -> None:
    wanted = [one["prefetch"] for one in discovery(signed=True)["services"]]
    assert all(one == wanted[0] for one in wanted)
    assert len(SERVICES) == 4
