"""The data-quality report: made-up bad cases counted by hand, and real records."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from knowledge.analytes import analytes
from knowledge.clinical_time import parse_fhir
from knowledge.data_quality import QualityKind, data_quality
from knowledge.errors import UnreadableError
from knowledge.settings import Settings
from tests.data_folder import shared_data
from tests.tools.intake.samples import bundle, observation, patient, write
from tools.quality.model import CaseQuality, QualityReport
from tools.quality.report import quality_report

NOW = parse_fhir("2026-11-20T12:00:00Z", clock="test")


def quality(path: Path, *, each: bool = False) -> QualityReport:
    return quality_report(path, settings=Settings(), each=each, now=NOW)


def of(folder: Path, *results: dict[str, Any]) -> CaseQuality:
    """The quality of a case with these results in one bundle."""
    write(folder, "chart.json", bundle(patient(), *results))
    return quality(folder).cases[0]


def found(case: CaseQuality) -> dict[str, int]:
    return {kind: count for kind, count in case.counts.items() if count}


def potassium(name: str, value: Any = 4.1, **changes: Any) -> dict[str, Any]:
    return observation(value, "mmol/L", "2823-3", id=name, **changes)


RANGE = [{"low": {"value": 3.5, "unit": "mmol/L"}, "high": {"value": 5.1, "unit": "mmol/L"}}]


def flagged(code: str) -> list[dict[str, Any]]:
    return [{"coding": [{"code": code}]}]


def test_a_clean_result_has_nothing_to_tell(tmp_path: Path) -> None:
    case = of(tmp_path, potassium("a", referenceRange=RANGE, interpretation=flagged("N")))
    assert found(case) == {}
    assert not case.not_assessed
    assert set(case.counts) == set(data_quality().kinds)


@pytest.mark.parametrize(
    ("kind", "result", "what"),
    [
        (
            "unmapped-code",
            observation(1.0, "mg/L", "99999-9", category=[{"coding": [{"code": "laboratory"}]}]),
            "LOINC 99999-9",
        ),
        ("unknown-unit", observation(4.1, "furlong", "2823-3"), "unit not recognised"),
        ("impossible-value", potassium("a", 410), "value impossible"),
        ("value-not-read", potassium("a", "4,1"), "not a JSON number"),
        ("no-collection-time", potassium("a", effectiveDateTime=None), "no time of collection"),
        ("no-time-zone", potassium("a", effectiveDateTime="2026-11-20T10:00:00"), "no zone"),
        ("future-result", potassium("a", effectiveDateTime="2026-11-21T10:00:00Z"), "later than"),
        (
            "flag-disagrees",
            potassium("a", 5.9, referenceRange=RANGE, interpretation=flagged("L")),
            "flagged low, but above its interval",
        ),
        (
            "flag-disagrees",
            potassium("a", 5.9, referenceRange=RANGE, interpretation=flagged("N")),
            "flagged normal, but above its interval",
        ),
        (
            "flag-disagrees",
            potassium("a", 4.1, referenceRange=RANGE, interpretation=flagged("HH")),
            "flagged critical-high, but inside its interval",
        ),
        (
            "interval-not-read",
            potassium("a", referenceRange=[{"text": "M 3.5-5.0; F 3.4-5.1"}]),
            "more than one interval",
        ),
    ],
)
def test_each_kind_is_found_once(
    tmp_path: Path, kind: QualityKind, result: dict[str, Any], what: str
) -> None:
    case = of(tmp_path, result)
    assert found(case).get(kind) == 1
    (item,) = [i for i in case.items if i.kind == kind]
    assert item.file == "chart.json"
    assert what in item.what
    assert item.way_out == data_quality().kinds[kind].way_out.en


@pytest.mark.parametrize(
    ("value", "code"), [(5.9, "H"), (5.9, "HH"), (3.1, "LL"), (3.1, "A"), (4.1, "N"), (5.9, None)]
)
def test_a_flag_that_agrees_or_is_not_given_is_no_disagreement(
    tmp_path: Path, value: float, code: str | None
) -> None:
    said = flagged(code) if code else None
    case = of(tmp_path, potassium("a", value, referenceRange=RANGE, interpretation=said))
    assert case.counts["flag-disagrees"] == 0


def test_the_same_result_twice_and_two_values_at_one_time(tmp_path: Path) -> None:
    case = of(tmp_path, potassium("a"), potassium("b"), potassium("c", 6.0))
    assert found(case) == {"duplicate-result": 1, "conflicting-result": 1}
    apart = of(tmp_path, potassium("a"), potassium("b", effectiveDateTime="2026-11-20T10:30:00Z"))
    assert found(apart) == {}
    days = (potassium(n, effectiveDateTime="2026-11-19") for n in "ab")
    assert "duplicate-result" not in found(of(tmp_path, *days))


def test_unknown_tests_are_counted_by_occurrence(tmp_path: Path) -> None:
    lab = [{"coding": [{"code": "laboratory"}]}]
    times = ("08", "09", "10")
    case = of(
        tmp_path,
        *(
            observation(
                1.0, "mg/L", "99999-9", id=f"x{t}", category=lab,
                effectiveDateTime=f"2026-11-20T{t}:00:00Z",
            )
            for t in times
        ),
    )  # fmt: skip
    assert found(case) == {"unmapped-code": 3}
    assert [i.times for i in case.items] == [3]


def test_a_folder_of_cases_counted_by_hand(tmp_path: Path) -> None:
    clean = bundle(patient(), potassium("a"))
    write(tmp_path, "clean/chart.json", clean)
    # the file twice; a text nobody reads
    write(tmp_path, "twice/one.json", clean)
    write(tmp_path, "twice/two.json", clean)
    write(tmp_path, "twice/letter.txt", "Dear colleague, thank you.")
    # two patients
    write(tmp_path, "mixed/one.json", clean)
    other = patient(identifier=[{"system": "urn:oid:1.2.3", "value": "0099"}])
    write(tmp_path, "mixed/two.json", bundle(other))
    # nothing of a result
    write(tmp_path, "empty/chart.json", bundle(patient()))
    report = quality(tmp_path)
    cases = {case.case: case for case in report.cases}
    assert found(cases["clean"]) == {}
    assert found(cases["twice"]) == {"duplicate-file": 1, "unread-file": 1}
    assert found(cases["mixed"]) == {"identity-doubt": 2}
    assert "0099" not in orjson.dumps(report.to_json()).decode()
    # what could not be looked for is not counted as nothing found
    assert "impossible-value" not in cases["mixed"].counts
    assert {m.reason for m in cases["mixed"].not_assessed} == {"the case is refused"}
    assert {m.reason for m in cases["empty"].not_assessed} == {
        "the case holds no result that was read"
    }
    assert dict(report.counts)["duplicate-file"] == 1
    assert dict(report.counts)["identity-doubt"] == 2
    assert report.not_assessed["impossible-value"] == 2
    # the other two cases have results without a printed interval
    assert report.not_assessed["flag-disagrees"] == 4


def test_a_stated_override_stays_in_doubt(tmp_path: Path) -> None:
    write(tmp_path, "one.json", bundle(patient(), potassium("a")))
    write(tmp_path, "two.json", bundle(patient(birthDate="1956-07-21"), potassium("b", 4.2)))
    stated = "schema: epicrisis/case/1\nattach: [{file: two.json, patient: same}]\n"
    write(tmp_path, "case.yaml", stated)
    items = [i for i in quality(tmp_path).cases[0].items if i.kind == "identity-doubt"]
    assert [i.what for i in items] == [
        "stated to be of this patient (the attach line of the case file) although it differs in "
        "birth date"
    ]


def test_results_of_documents_are_named(tmp_path: Path) -> None:
    head = "Name: Clara Muster  DOB: 1955-07-21\n"
    text = head + "Potassium 5.9 mmol/L\nSodium 138 mmol/L\nGlucose 5,1\n"
    write(tmp_path, "report.txt", text)
    case = quality(tmp_path).cases[0]
    assert found(case) == {"entry-not-used": 1, "no-collection-time": 2, "from-document": 2}
    assert case.items[0].where == "line 4"


def test_rows_of_a_table_are_named(tmp_path: Path) -> None:
    write(tmp_path, "labs.csv", "test,value,unit\nK,4.1,mmol/L\nNa,=1,mmol/L\nFoo,3,mg/L\n")
    case = quality(tmp_path).cases[0]
    assert found(case) == {"entry-not-used": 1, "unmapped-code": 1, "no-collection-time": 2}
    assert [i.where for i in case.items if i.kind == "entry-not-used"] == ["row 3"]


@pytest.mark.parametrize("name", ["absent", "nothing"])
def test_a_path_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UnreadableError):
        quality(tmp_path / name)


def test_the_same_input_gives_the_same_report(tmp_path: Path) -> None:
    write(tmp_path, "chart.json", bundle(patient(), potassium("a"), potassium("b", 410)))
    assert quality(tmp_path).to_json() == quality(tmp_path).to_json()


# ---- real records


def _real(folder: Path) -> list[dict[str, Any]]:
    resources = []
    for file in sorted(folder.glob("*.json")):
        data = orjson.loads(file.read_bytes())
        resources += [e.get("resource", {}) for e in data.get("entry", [])] or [data]
    return resources


def test_synthetic_bundles_counted_against_their_json() -> None:
    # Synthea writes every result with a UCUM unit, an offset and a time; its impossible values are
    # total proteins of 60 to 80 with the unit g/dL (they are g/L): counted here from the JSON
    folder = shared_data("synthea-fhir-r4")
    impossible = [
        r
        for r in _real(folder)
        if r.get("resourceType") == "Observation"
        and any(c.get("code") == "2885-2" for c in r["code"]["coding"])
        and r.get("valueQuantity", {}).get("unit") == "g/dL"
        and r["valueQuantity"]["value"] > 20
    ]
    assert len(impossible) == 10
    report = quality(folder, each=True)
    assert report.counts["impossible-value"] == len(impossible)
    assert report.counts["no-collection-time"] == 0
    assert report.counts["unknown-unit"] == 0
    assert report.counts["identity-doubt"] == 0
    # 9 files: 6 patients; the licence and two bundles of hospitals hold no result
    assert len(report.cases) == 9
    assert report.not_assessed["impossible-value"] == 3


def test_the_examples_of_the_standard_each_as_a_case() -> None:
    report = quality(shared_data("fhir-r4-examples"), each=True)
    by_case = {case.case: case for case in report.cases}
    glucose = by_case["Observation-f001.json"]
    # f001: glucose 6.3 mmol/L, flag H, interval 3.1 to 6.2, with a period and an offset
    assert found(glucose) == {}
    bundle_ghp = by_case["Bundle-ghp.json"]
    # the members of its panels state no time of their own: counted from the JSON, by known codes
    # and by what makes a result without a category one of a laboratory
    untimed = {
        f"Observation/{r['id']}"
        for r in _real_bundle(shared_data("fhir-r4-examples") / "Bundle-ghp.json")
        if r["resourceType"] == "Observation"
        and not {"effectiveDateTime", "effectivePeriod", "hasMember"} & set(r)
        and (
            {"referenceRange", "interpretation", "specimen"} & set(r)
            or any(analytes().for_loinc(c["code"]) for c in r["code"]["coding"])
        )
    }
    assert len(untimed) > 20
    told = {i.where for i in bundle_ghp.items if i.kind == "no-collection-time"}
    assert told == untimed


def _real_bundle(file: Path) -> list[dict[str, Any]]:
    return [e["resource"] for e in orjson.loads(file.read_bytes())["entry"]]
