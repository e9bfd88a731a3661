"""What an observation does not say in our words is never taken as present.

FHIR R4: `entered-in-error` is a status of an observation that must not be used.
"""

from collections.abc import Callable
from typing import Any

import pytest

from knowledge.errors import UnreadableError
from tests.tools.readings.made import reading
from tools.readings.fhir_in import reading_from_fhir
from tools.readings.fhir_out import fhir_bundle


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return a bundle of a film whose pneumothorax was changed."""
    bundle = fhir_bundle(reading("chest_film", {"projection": "pa", "pneumothorax": "present"}))
    found = [
        entry["resource"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Observation"
        and any(c["code"] == "pneumothorax" for c in entry["resource"]["code"]["coding"])
    ]
    assert len(found) == 1
    change(found[0])
    return bundle


def _answered(resource: dict[str, Any], value: object) -> None:
    del resource["valueCodeableConcept"]
    resource["valueBoolean"] = value


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: _answered(one, False), "a value that no reading"),
        (lambda one: _answered(one, True), "a value that no reading"),
        (lambda one: one.pop("valueCodeableConcept"), "neither present nor absent"),
        (lambda one: one.update(status="entered-in-error"), "entered-in-error"),
        (lambda one: one.pop("status"), "status None"),
    ],
    ids=["false", "true", "no value", "in error", "no status"],
)
def test_an_observation_that_is_not_understood_makes_the_reading_unreadable(
    change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    with pytest.raises(UnreadableError, match=reason):
        reading_from_fhir(changed(change))


def test_the_bundle_as_written_is_read() -> None:
    found = reading_from_fhir(changed(lambda one: None))
    assert found.items["pneumothorax"].state == "present"
