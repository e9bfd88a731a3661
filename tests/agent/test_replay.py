"""Equal inputs give an equal result, whatever the order, spelling or notation they come in."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.assessment import Assessment
from tests.agent.cases import EXAMPLES, assessed, change_chart, example, resources, risk

NAMES = ["stemi", "nstemi", "early_presenter", "half_missing"]


def essence(found: Assessment) -> Any:
    """Return what a clinician reads: without evidence paths, hashes and spellings."""
    return [
        found.status,
        found.narrative.headline,
        [(r.name, r.category, r.value, r.range, [b.name for b in r.bands]) for r in found.risks],
        [(e.id, e.verdict) for e in found.differential],
        [(r.id, r.text) for r in found.recommendations],
        [(m.input, m.unlocks) for m in found.missing],
    ]


@pytest.mark.parametrize("name", NAMES)
def test_five_repeats_give_one_result_hash(name: str) -> None:
    hashes = {assessed(EXAMPLES / name).provenance.result_sha256 for _ in range(5)}
    assert len(hashes) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_result_survives_a_round_trip_through_json(name: str) -> None:
    found = assessed(EXAMPLES / name)
    again = Assessment.model_validate(json.loads(json.dumps(found.to_json())))
    assert again == found


def test_the_order_of_files_and_entries_changes_nothing(tmp_path: Path) -> None:
    case = example("nstemi", tmp_path)
    before = assessed(case)
    files = sorted(case.iterdir())
    assert essence(assessed(*files)) == essence(assessed(*reversed(files))) == essence(before)
    change_chart(case, lambda chart: chart["entry"].reverse())
    assert essence(assessed(case)) == essence(before)


def test_the_notation_of_time_zones_changes_nothing(tmp_path: Path) -> None:
    case = example("nstemi", tmp_path)
    before = essence(assessed(case))

    def in_utc(chart: dict[str, Any]) -> None:
        for item in resources(chart, "Observation"):
            local = item["effectiveDateTime"]
            hour = int(local[11:13]) - 1
            item["effectiveDateTime"] = f"{local[:11]}{hour:02d}{local[13:19]}Z"

    change_chart(case, in_utc)
    assert essence(assessed(case)) == before


@pytest.mark.parametrize(
    ("old", "factor", "unit"),
    [
        ("ng/L", 1.0, "pg/mL"),
        ("ng/L", 0.001, "ng/mL"),
        ("ng/L", 0.001, "ug/L"),
        ("ng/L", 0.001, "µg/L"),
        ("umol/L", 1.0, "µmol/L"),
        ("mg/L FEU", 1000.0, "ng/mL FEU"),
    ],
)
def test_the_spelling_of_a_unit_changes_nothing(
    tmp_path: Path, old: str, factor: float, unit: str
) -> None:
    case = example("nstemi", tmp_path)
    before = essence(assessed(case))

    def respell(chart: dict[str, Any]) -> None:
        hit = 0
        for item in resources(chart, "Observation"):
            quantity = item.get("valueQuantity", {})
            if quantity.get("unit") == old:
                quantity["value"] = round(quantity["value"] * factor, 9)
                quantity["unit"] = unit
                hit += 1
        assert hit

    change_chart(case, respell)
    assert essence(assessed(case)) == before


@pytest.mark.parametrize("unit", ["K/uL", "furlong", "mmol/L", ""])
def test_an_unknown_unit_of_troponin_is_not_assessed_and_rules_nothing(
    tmp_path: Path, unit: str
) -> None:
    case = example("nstemi", tmp_path)

    def spoil(chart: dict[str, Any]) -> None:
        for item in resources(chart, "Observation"):
            if item["id"].startswith("hs-ctnt"):
                item["valueQuantity"] = {"value": item["valueQuantity"]["value"], "unit": unit}

    change_chart(case, spoil)
    found = assessed(case)
    assert {risk(found, f"ESC 0/{h} h").category for h in (1, 2, 3)} == {"not assessed"}
    assert found.status == "partial"
    texts = [f.not_assessed.detail for f in found.findings if f.not_assessed]
    assert any("unit" in text for text in texts)


def test_removing_any_one_answer_never_turns_a_range_into_a_lower_number(tmp_path: Path) -> None:
    case = example("nstemi", tmp_path)
    full = {r.name: r for r in assessed(case).risks}
    lines = (case / "case.yaml").read_text("utf-8").splitlines()
    answers = [line for line in lines if line.startswith("  ")]
    for dropped in answers:
        text = "\n".join(line for line in lines if line != dropped)
        (case / "case.yaml").write_text(text + "\n", "utf-8")
        for found in assessed(case).risks:
            whole = full[found.name]
            if whole.value is None:
                continue
            if found.range is not None:
                assert found.range[0] <= whole.value <= found.range[1], (dropped, found.name)
            elif found.value is not None:
                assert found.value == whole.value, (dropped, found.name)
