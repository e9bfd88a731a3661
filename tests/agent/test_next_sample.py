"""The action names the rule, and the sample of it, that the time it gives is of."""

import json
from pathlib import Path

import pytest

from agent.assess import assess_paths
from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.settings import Settings
from tests.data_folder import ROOT

EXAMPLES = ROOT / "serving" / "examples"


def assessed(folder: Path, values: dict[str, float | None], at: str) -> Assessment:
    """Return the example with a troponin at 13:30 (and 14:32) local, assessed for a moment.

    Args:
        folder: To write to.
        values: Observation id to its value, ng/L; None leaves the sample out.
        at: The moment the case states.
    """
    source = EXAMPLES / "nstemi"
    chart = json.loads((source / "chart.json").read_text())
    kept = []
    for entry in chart["entry"]:
        resource = entry["resource"]
        value = values.get(resource.get("id"), 0.0)
        if value is None:
            continue
        if value:
            resource["valueQuantity"]["value"] = value
        kept.append(entry)
    (folder / "chart.json").write_text(json.dumps({**chart, "entry": kept}))
    stated = (source / "case.yaml").read_text()
    (folder / "case.yaml").write_text(stated.replace("2026-11-20T14:40:00+01:00", at))
    (folder / "ecg.dcm").write_bytes((source / "ecg.dcm").read_bytes())
    now = ClinicalTime(at=parse_fhir(at, clock="test").at)
    return assess_paths([folder], at=None, now=now, settings=Settings()).assessment


@pytest.mark.parametrize(
    ("values", "at", "due", "name"),
    [
        (
            {"hs-ctnt-1": 24, "hs-ctnt-2": 23},
            "2026-11-20T14:40:00+01:00",
            "2026-11-20 16:30",
            "ESC 0/1 h, third sample of the observe zone",
        ),
        (
            {"hs-ctnt-1": 24, "hs-ctnt-2": None},
            "2026-11-20T13:45:00+01:00",
            "2026-11-20 14:30",
            "ESC 0/1 h",
        ),
        (
            {"hs-ctnt-1": 24, "hs-ctnt-2": None},
            "2026-11-20T15:00:00+01:00",
            "2026-11-20 15:30",
            "ESC 0/2 h",
        ),
    ],
    ids=["observe zone: 13:30 and 3 h", "in time: 13:30 and 1 h", "1 h missed: 13:30 and 2 h"],
)
def test_the_rule_that_is_named_is_the_one_whose_time_it_is(
    tmp_path: Path, values: dict[str, float | None], at: str, due: str, name: str
) -> None:
    """hs-cTnT: 24 ng/L is neither below 12 nor from 52, a change of 1 is below 3 but 24 is not low:
    observe (ESC 2023), and its third sample is 3 h after the first."""
    found = assessed(tmp_path, values, at)
    (row,) = (r for r in found.recommendations if r.due is not None)
    assert row.due is not None
    assert row.due.show("Europe/Berlin") == due
    assert row.text.startswith(
        f"The next high-sensitivity troponin sample is due at {due} ({name})."
    )
