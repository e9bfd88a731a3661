"""Small FHIR bundles that a laboratory sends after a case was signed."""

import json
from typing import Any

from tests.serving.audit.site import EXAMPLES

SECOND = "hs-ctnt-2"


def correction(example: str, identity: str, **changed: Any) -> tuple[str, bytes]:
    """Return a bundle with one Observation of an example, changed, and its patient."""
    chart = json.loads((EXAMPLES / example / "chart.json").read_text())
    resources = [entry["resource"] for entry in chart["entry"]]
    found = next(one for one in resources if one.get("id") == identity)
    patient = next(one for one in resources if one["resourceType"] == "Patient")
    value = changed.pop("value", None)
    made = {**found, **changed}
    if value is not None:
        made["valueQuantity"] = {**found["valueQuantity"], "value": value}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": patient}, {"resource": made}],
    }
    return f"{identity}-{changed.get('status', 'again')}.json", json.dumps(bundle).encode()
