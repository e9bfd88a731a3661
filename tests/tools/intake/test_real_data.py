"""Real records of others: nothing fails in an untyped way, nothing is dropped unsaid."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from knowledge.analytes import analytes
from knowledge.codes import ANALYTE
from knowledge.errors import EpicrisisError
from knowledge.finding import Finding, State, Why
from knowledge.settings import Settings
from knowledge.timeline import Timeline
from tests.data_folder import shared_data
from tests.tools.intake.samples import bundle, observation, read, report, write
from tools.intake.folder import read_case


def test_synthea_patients_are_read_without_a_failed_entry() -> None:
    files = [
        p for p in shared_data("synthea-fhir-r4").glob("*.json") if "Information" not in p.name
    ]
    assert files
    for path in files:
        stated = json.loads(path.read_bytes())["entry"]
        case = read_case([path], at=None, settings=Settings())
        (item,) = case.inputs
        assert (item.status, item.problems) == ("read", ())
        assert sum(item.counts.values()) + sum(item.ignored.values()) == len(stated)
        kinds = Counter(entry["resource"]["resourceType"] for entry in stated)
        assert item.counts["Observation"] == kinds["Observation"]
        _no_known_analyte_is_lost(case.timeline)
        assert Timeline.model_validate_json(case.timeline.model_dump_json()) == case.timeline


def _no_known_analyte_is_lost(timeline: Timeline) -> None:
    found = [f.finding for f in timeline.facts if _analyte(f.finding)]
    assert found
    for finding in found:
        if finding.not_assessed is not None and finding.concept.has(ANALYTE, "total_protein"):
            # the generator writes g/L under g/dL: 74 g/dL of protein are impossible
            assert finding.not_assessed.why is Why.VALUE_IMPOSSIBLE
            continue
        assert finding.state is State.PRESENT
        assert finding.quantity is not None
        assert finding.quantity.unit == analytes().analytes[_analyte(finding)].unit


def _analyte(finding: Finding) -> str:
    return next((c.code for c in finding.concept.codings if c.system == ANALYTE), "")


def test_every_official_example_is_read_or_has_a_typed_reason() -> None:
    outcomes: Counter[str] = Counter()
    files = sorted(shared_data("fhir-r4-examples").glob("*.json"))
    for path in files:
        try:
            (item,) = read_case([path], at=None, settings=Settings()).inputs
        except EpicrisisError as error:
            outcomes[type(error).__name__] += 1
            continue
        assert item.status == "read" or item.reason
        outcomes[item.status] += 1
    assert len(files) == 333  # 332 examples and the package description
    assert outcomes["read"] > 150
    assert set(outcomes) <= {"read", "ignored", "failed", "IdentityConflictError"}
    assert outcomes["failed"] < 10


@pytest.mark.parametrize(
    "name",
    [
        "ecg-sierra-xml/129DYPRG.XML",
        "ecg-sierra-xml/2020-5-18_15-48-11.xml",
        "ecg-sierra-xml/3191723_ZZDEMOPTONLY_1-04_orig.xml",
        "ecg-sierra-xml/ad4d3d80-d165_1-04_orig.xml",
        "ecg-dicom/waveform_ecg.dcm",
    ],
)
def test_a_real_recording_attached_to_an_invented_chart_is_read_and_the_override_told(
    tmp_path: Path, name: str
) -> None:
    path = shared_data(name.partition("/")[0]) / name.partition("/")[2]
    write(tmp_path, path.name, path.read_bytes())
    invented = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Invented"}]}
    write(tmp_path, "chart.json", bundle({**invented, "birthDate": "1901-01-01"}, observation()))
    head = "schema: epicrisis/case/1\nsynthetic: true\n"
    write(tmp_path, "case.yaml", head + f"attach: [{{file: {path.name}, patient: same}}]\n")
    case = read(tmp_path)
    assert len(case.recordings) == 1
    assert case.synthetic
    (override,) = case.overrides
    assert override.file == path.name
    assert [i.family for i in case.timeline.patient.identities] == ["Invented"]


def test_the_ptb_record_belongs_by_its_line(tmp_path: Path) -> None:
    folder = shared_data("ecg-wfdb-samples")
    for name in ("s0010_re.hea", "s0010_re.dat", "s0010_re.xyz"):
        write(tmp_path, name, (folder / name).read_bytes())
    head = "schema: epicrisis/case/1\ntime_zone: Europe/Berlin\n"
    write(tmp_path, "case.yaml", head + "attach: [{file: s0010_re.hea, patient: same}]\n")
    case = read(tmp_path)
    (recording,) = case.recordings.values()
    assert recording.sampling_rate_hz == 1000
    assert report(case, "s0010_re.xyz").kind == "signal file of s0010_re.hea"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_laboratory_tables_of_real_patients_become_facts(tmp_path: Path) -> None:
    folder = shared_data("smart-sample-patients")
    by_patient: dict[str, list[dict[str, str]]] = {}
    for row in _rows(folder / "labs.txt"):
        by_patient.setdefault(row["PID"], []).append(row)
    states: Counter[State] = Counter()
    for number, rows in by_patient.items():
        subject = {"reference": f"Patient/{number}"}
        made = [{"resourceType": "Patient", "id": number}, *(_result(r, subject) for r in rows)]
        path = write(tmp_path, f"{number}.json", bundle(*made))
        case = read(path)
        assert report(case, path.name).problems == ()
        assert len(case.timeline.facts) == len(rows)
        states.update(f.finding.state for f in case.timeline.facts if _analyte(f.finding))
    assert len(by_patient) == 31
    assert states[State.PRESENT] > 500
    assert states[State.NOT_ASSESSED] < 0.05 * states[State.PRESENT]


def _result(row: dict[str, str], subject: dict[str, str]) -> dict[str, Any]:
    made = observation(
        loinc=row["LOINC"], id=row["ID"], subject=subject, effectiveDateTime=row["DATE"]
    )
    try:
        made["valueQuantity"] = {"value": float(row["VALUE"]), "unit": row["UNITS"]}
    except ValueError:
        del made["valueQuantity"]
        made["valueString"] = row["VALUE"] or " "
    return made
