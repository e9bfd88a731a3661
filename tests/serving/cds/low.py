"""A patient the assessment calls low: every answer given, an ECG, and low samples hours apart."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from tests.serving.cds.hooks import EXAMPLES, Hooks, chart, workspace

MOMENT = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)


def low_case(client: Hooks) -> str:
    """Make the case as a clinician has it, at its moment; return its id."""
    case = workspace(client, "early_presenter")
    low_risk(client, case)
    return case


def two_low_samples() -> list[dict[str, Any]]:
    """Return the early presenter's chart with two more low samples, the last three hours later."""
    found = chart("early_presenter")
    first = next(r for r in found if r["id"].startswith("hs-ctni"))
    second = copy.deepcopy(first) | {"id": "hs-ctni-2"}
    taken = datetime.fromisoformat(first["effectiveDateTime"])
    second["effectiveDateTime"] = (taken + timedelta(hours=1, minutes=2)).isoformat()
    third = copy.deepcopy(first) | {"id": "hs-ctni-3"}
    third["effectiveDateTime"] = (taken + timedelta(hours=3, minutes=5)).isoformat()
    return [*found, second, third]


def high_sample(minutes_ago: float = 5, **changed: Any) -> dict[str, Any]:
    """Return a troponin of 900 ng/L, above any limit of any assay; None leaves out an element."""
    found = copy.deepcopy(two_low_samples()[-1]) | {"id": "hs-ctni-high"}
    found["effectiveDateTime"] = (MOMENT - timedelta(minutes=minutes_ago)).isoformat()
    found["valueQuantity"]["value"] = 900
    found |= changed
    return {name: value for name, value in found.items() if value is not None}


def low_risk(client: Hooks, case: str) -> None:
    """Answer what discharge still asks for, two hours later."""
    stated = yaml.safe_load((EXAMPLES / "early_presenter" / "case.yaml").read_text("utf-8"))
    stated["at"] = "2026-11-20T22:30:00+01:00"
    stated["facts"] |= {"pain_ongoing": "no"}
    text = yaml.safe_dump(stated).replace("'yes'", "yes").replace("'no'", "no")
    client.services.cases.add_file(case, "case.yaml", text.encode(), by="anna")
    client.clock.now = MOMENT
