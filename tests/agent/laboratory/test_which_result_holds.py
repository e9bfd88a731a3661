"""What is said where it is not known which result holds: undated, of one minute, later, of a fluid.

The charts are made up; what they must end as follows from the rule that of contradicting or undated
results none is taken silently, and limits from the published lists named in each test.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest

from agent.assess import assess_paths
from agent.laboratory.model import LaboratoryReport
from agent.laboratory.view import laboratory_view
from knowledge.settings import Settings
from tests.agent.laboratory.chart import AT, FIRST, SECOND

_STATUS = "http://terminology.hl7.org/CodeSystem/condition"
LATER = "2026-11-20T12:30:00+01:00"  # the moment is 12:00 in Berlin


def observation(name: str, code: str, value: Any, unit: str, time: str, **more: Any) -> Any:
    found = {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p1"},
        **more,
    }
    if unit:
        coded = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
        found["valueQuantity"] = {"value": value, **coded}
    else:
        found["valueCodeableConcept"] = {"text": value}
    if time:
        found["effectiveDateTime"] = time
    return found


def report_of(folder: Path, *resources: Any, gender: str = "male") -> LaboratoryReport:
    patient = {"resourceType": "Patient", "id": "p1", "gender": gender, "birthDate": "1988-02-03"}
    entries = [{"resource": one} for one in (patient, *resources)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chart.json").write_bytes(orjson.dumps(bundle))
    report = assess_paths([folder], at=AT, now=AT, settings=Settings()).assessment.laboratory
    assert report is not None
    return report


def verdict(report: LaboratoryReport, pattern: str) -> str:
    return next((p.verdict for p in report.patterns if p.id == pattern), "not looked at")


def part(report: LaboratoryReport, key: str) -> str:
    view = laboratory_view(report, "en", time_zone="Europe/Berlin")
    lines = [line for p in (*view.parts, *view.after) if p.key == key for line in p.lines]
    return "\n".join(f"{line.text} {line.english}" for line in lines)


def test_an_undated_result_may_be_the_newest(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        observation("u", "2823-3", 7.2, "mmol/L", ""),
        observation("d", "2823-3", 4.2, "mmol/L", FIRST),
        observation("cu", "2160-0", 5.0, "mg/dL", ""),
        observation("cd", "2160-0", 1.0, "mg/dL", FIRST),
    )
    assert all(result.latest and result.earlier is None for result in report.results)
    assert len(report.results) == 4
    assert verdict(report, "hyperkalaemia") == "not assessed"
    assert "egfr_ckd_epi_2021" not in {index.index for index in report.indices}
    (egfr,) = [i for i in report.indices_open if i.index == "egfr_ckd_epi_2021"]
    assert egfr.value is None
    assert all("without a collection time" in " ".join(r.flag.notes) for r in report.results)


def test_an_undated_result_alone_is_still_compared_with_nothing(tmp_path: Path) -> None:
    report = report_of(tmp_path, observation("u", "2823-3", 7.2, "mmol/L", ""))
    (result,) = report.results
    assert result.latest
    assert not result.flag.notes
    assert result.critical


def test_of_two_values_of_one_minute_none_is_taken(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        observation("a", "2823-3", 6.9, "mmol/L", SECOND),
        observation("b", "2823-3", 3.9, "mmol/L", SECOND),
        observation("c1", "2160-0", 4.0, "mg/dL", SECOND),
        observation("c2", "2160-0", 0.9, "mg/dL", SECOND),
        observation("n1", "2951-2", 140, "mmol/L", SECOND),
        observation("n2", "2951-2", 140, "mmol/L", SECOND),
    )
    assert verdict(report, "hyperkalaemia") == "not assessed"
    told = part(report, "conflict")
    assert "6.9 mmol/L" in told
    assert "3.9 mmol/L" in told
    assert "Sodium" not in told
    # CKD-EPI 2021, a man of 38, by hand: 142 x 0.9938^38 (0.7896) = 112.1 at 0.9 mg/dL,
    # at 4.0 mg/dL (4.0/0.9)^-1.2 = 0.1670, so 18.7
    (egfr,) = [i for i in report.indices if i.index == "egfr_ckd_epi_2021"]
    assert egfr.value is not None
    low, high = egfr.value.interval.low, egfr.value.interval.high
    assert low == pytest.approx(18.7, abs=0.3)
    assert high == pytest.approx(112.1, abs=0.5)


def test_what_is_collected_after_the_moment_is_named(tmp_path: Path) -> None:
    report = report_of(tmp_path, observation("k", "2823-3", 8.0, "mmol/L", LATER))
    assert report.results == ()
    assert not report.urgent
    assert "1 results not used" in part(report, "later")
    assert "Potassium (2026-11-20 12:30)" in part(report, "later")


# knowledge/data/interference.yaml (V:EFLM): triglycerides over 1500 mg/dL reach an indirect sodium;
# platelets over 500 reach the potassium of serum
def test_a_present_cause_with_an_unknown_method_is_told_and_weakens(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        observation("na", "2951-2", 122, "mmol/L", SECOND),
        observation("gl", "2345-7", 100, "mg/dL", SECOND),
        observation("tg", "2571-8", 3500, "mg/dL", SECOND),
        observation("k", "2823-3", 6.9, "mmol/L", SECOND),
        observation("p", "777-3", 950, "10*3/uL", SECOND),
    )
    named = {r.test: r for r in report.results}
    assert [one.interference for one in named["sodium"].suspected] == ["pseudohyponatraemia"]
    assert [one.interference for one in named["potassium"].suspected] == [
        "pseudohyperkalaemia_cells"
    ]
    assert verdict(report, "hyponatraemia_hypotonic") != "supported"
    assert verdict(report, "hyperkalaemia") != "supported"
    assert "Fat or protein displacing plasma water: possible" in part(report, "artefact")
    assert "may be falsified by: Potassium from platelets" in part(report, "urgent")


def test_a_contamination_is_suspected_where_the_method_is_not_stated(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        *(
            observation(f"{code}-{n}", code, value, unit, time)
            for code, unit, *values in (
                ("2823-3", "mmol/L", 4.2, 8.5),
                ("17861-6", "mg/dL", 9.2, 5.0),
                ("6768-6", "U/L", 80, 10),
                ("19123-9", "mg/dL", 2.0, 1.0),
            )
            for n, (value, time) in enumerate(zip(values, (FIRST, SECOND), strict=True))
        ),
    )
    (edta,) = [p for p in report.contamination if p.pattern == "edta_contamination"]
    assert (edta.support, edta.suspected) == ("not assessed", True)
    assert "suspected" in part(report, "artefact")
    urgent = part(report, "urgent").splitlines()
    for name in ("Potassium", "Calcium", "Magnesium"):
        (line,) = [line for line in urgent if line.startswith(name)]
        assert "may be falsified by: Contamination with potassium EDTA" in line


@pytest.mark.parametrize(
    ("code", "specimen"),
    [
        ("2345-7", "Cerebrospinal fluid"),
        ("2823-3", "Urine"),
        ("2532-0", "Pleural fluid"),
        ("6690-2", "Ascitic fluid"),
        ("2703-7", "venous blood"),
    ],
)
def test_a_result_of_another_specimen_is_not_taken_for_its_code(
    tmp_path: Path, code: str, specimen: str
) -> None:
    one = observation("x", code, 30, "mmol/L", SECOND, specimen={"display": specimen})
    (result,) = report_of(tmp_path, one).results
    assert result.test is None
    assert not result.critical
    assert "specimen-contradicts-code" in result.quality


@pytest.mark.parametrize("specimen", ["Serum", "venous blood", "Plasma", "Blue top tube"])
def test_a_specimen_of_blood_is_no_contradiction(tmp_path: Path, specimen: str) -> None:
    one = observation("x", "2823-3", 4.1, "mmol/L", SECOND, specimen={"display": specimen})
    (result,) = report_of(tmp_path, one).results
    assert result.test == "potassium"


def test_no_part_of_the_blood_group_is_stated_where_the_other_differs(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        observation("a", "882-1", "A positive", "", "2026-11-18T23:30:00Z"),
        observation("b", "882-1", "O positive", "", SECOND),
    )
    assert report.blood_group is not None
    assert (report.blood_group.abo, report.blood_group.rh) == (None, None)
    assert "Blood groups differ" in part(report, "urgent")


# the creatinine equations were made without pregnant women (Inker 2021, CKD-EPI)
def test_no_egfr_in_pregnancy(tmp_path: Path) -> None:
    pregnancy = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p1"},
        "recordedDate": "2026-10-01",
        "clinicalStatus": {"coding": [{"system": f"{_STATUS}-clinical", "code": "active"}]},
        "verificationStatus": {
            "coding": [{"system": f"{_STATUS}-ver-status", "code": "confirmed"}]
        },
        "code": {
            "text": "Pregnancy, 30 weeks",
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "Z33.1"}],
        },
    }
    creatinine = observation("cr", "2160-0", 0.9, "mg/dL", SECOND)
    report = report_of(tmp_path, pregnancy, creatinine, gender="female")
    (egfr,) = [i for i in (*report.indices, *report.indices_open) if i.index == "egfr_ckd_epi_2021"]
    assert egfr.value is None
    assert egfr.not_assessed is not None
    assert "pregnancy" in egfr.not_assessed.detail


def test_an_answer_and_an_interpretation_that_differ_are_both_told(tmp_path: Path) -> None:
    said = [{"coding": [{"code": "R"}]}]
    report = report_of(tmp_path, observation("x", "6932-8", "S", "", SECOND, interpretation=said))
    (conflict,) = report.conflicts
    assert [(s.who, s.says) for s in conflict.sides] == [
        ("answer", "susceptible"),
        ("interpretation", "resistant"),
    ]
    assert report.results[0].quality == ("susceptibility-contradicts",)
