"""A folder to a case: identity before fusion, every file accounted for."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.clinical_time import parse_fhir
from knowledge.errors import IdentityConflictError, InvalidValueError, UnreadableError
from knowledge.finding import State, Why
from knowledge.settings import Settings
from knowledge.timeline import Category
from tests.tools.intake.samples import AT, bundle, observation, patient, read, report, write
from tools.intake.folder import read_case

HEAD = "schema: epicrisis/case/1\n"
SIXTEEN_BIT = b"\x01\x00\x02\x00\x03\x00\x04\x00"


def wfdb(folder: Path, name: str = "rec") -> None:
    """Write a WFDB record of one second: 8 leads at 100 Hz, format 16, 1000 adu/mV."""
    leads = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    lines = [
        f"{name} {len(leads)} 100 100",
        *(f"{name}.dat 16 1000/mV 16 0 0 0 0 {x}" for x in leads),
    ]
    write(folder, f"{name}.hea", "\n".join(lines) + "\n")
    write(folder, f"{name}.dat", bytes(len(leads) * 100 * 2))


def chart(folder: Path, **changes: Any) -> Path:
    return write(folder, "chart.json", bundle(patient(**changes), observation()))


def test_a_chart_becomes_facts_with_the_patient(tmp_path: Path) -> None:
    chart(tmp_path)
    case = read(tmp_path)
    assert case.timeline.patient.sex == "female"
    assert case.timeline.patient.birth_date == parse_fhir("1955-07-21", clock="chart.json")
    assert len(case.timeline.facts) == 1
    item = report(case, "chart.json")
    assert (item.status, dict(item.counts)) == ("read", {"Observation": 1, "Patient": 1})


def test_a_single_file_is_a_case(tmp_path: Path) -> None:
    assert len(read(chart(tmp_path)).timeline.facts) == 1


def test_the_case_file_names_case_time_and_zone(tmp_path: Path) -> None:
    body = "case: c-7\nsynthetic: true\ntime_zone: Europe/Berlin\nat: 2026-11-20T14:00:00\n"
    write(tmp_path, "case.yaml", HEAD + body)
    case = read_case([tmp_path], at=None, settings=Settings())
    assert (case.case, case.synthetic, case.time_zone) == ("c-7", True, "Europe/Berlin")
    assert case.at == parse_fhir("2026-11-20T14:00:00", clock="c", zone="Europe/Berlin")


def test_the_moment_asked_for_wins_over_the_case_file(tmp_path: Path) -> None:
    write(tmp_path, "case.yaml", HEAD + "at: 2020-01-01T00:00:00Z\n")
    assert read(tmp_path).at == AT


def test_now_only_tells_what_is_in_the_future(tmp_path: Path) -> None:
    chart(tmp_path)
    early = parse_fhir("2026-11-20T08:00:00Z", clock="c")
    case = read_case([tmp_path], at=None, now=early, settings=Settings())
    assert case.at is None
    finding = case.timeline.facts[0].finding
    assert finding.not_assessed is not None
    assert finding.not_assessed.why is Why.FUTURE_TIME


# ---- identity

MISMATCHES = [
    ({"birthDate": "1955-07-22"}, "birth date"),
    ({"gender": "male"}, "sex"),
    ({"name": [{"family": "Master", "given": ["Clara"]}]}, "name"),
    ({"identifier": [{"system": "urn:oid:1.2.3", "value": "0013"}]}, "identifier"),
]


@pytest.mark.parametrize(("change", "field"), MISMATCHES, ids=[m[1] for m in MISMATCHES])
def test_files_of_two_patients_refuse_the_case_naming_files_and_fields_only(
    tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    chart(tmp_path)
    other = bundle(
        patient(id="p2", **change), observation(id="o2", subject={"reference": "Patient/p2"})
    )
    write(tmp_path, "other.json", other)
    with pytest.raises(IdentityConflictError) as caught:
        read(tmp_path)
    assert caught.value.item == "chart.json and other.json"
    assert field in str(caught.value)
    for value in ("Muster", "Clara", "Master", "1955", "0012", "0013", "female"):
        assert value not in str(caught.value)


def test_the_explicit_override_is_taken_and_recorded(tmp_path: Path) -> None:
    chart(tmp_path)
    other = bundle(
        patient(id="p2", birthDate="1955-07-22"),
        observation(id="o2", subject={"reference": "Patient/p2"}),
    )
    write(tmp_path, "other.json", other)
    case = read(tmp_path, same_patient=["other.json"])
    assert len(case.timeline.facts) == 2
    assert [(o.file, o.by, o.differs) for o in case.overrides] == [
        ("other.json", "--same-patient", ("birth date",))
    ]
    assert case.timeline.patient.birth_date == parse_fhir("1955-07-21", clock="chart.json")


def test_an_override_of_no_file_is_refused(tmp_path: Path) -> None:
    chart(tmp_path)
    with pytest.raises(InvalidValueError, match=r"did you mean chart\.json"):
        read(tmp_path, same_patient=["chart.jsn"])


def test_two_patients_in_one_bundle_are_a_conflict(tmp_path: Path) -> None:
    second = {"resourceType": "Patient", "id": "p2"}
    write(tmp_path, "chart.json", bundle(patient(), {**second, "gender": "male"}, observation()))
    with pytest.raises(IdentityConflictError, match=r"chart\.json differ in sex"):
        read(tmp_path)
    write(tmp_path, "chart.json", bundle(patient(), {**second, "birthDate": "1955"}, observation()))
    with pytest.raises(IdentityConflictError, match=r"chart\.json differ in patient"):
        read(tmp_path)


def test_the_same_patient_twice_in_one_bundle_is_no_conflict(tmp_path: Path) -> None:
    write(tmp_path, "chart.json", bundle(patient(), patient(id="p2"), observation()))
    assert len(read(tmp_path).timeline.facts) == 1


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p9",
        "https://ehr.example/fhir/Patient/p9",
        "urn:uuid:p9",
        "Patient?identifier=urn:oid:1.2.3|0099",
    ],
)
def test_an_observation_of_another_patient_is_a_conflict(tmp_path: Path, reference: str) -> None:
    write(tmp_path, "chart.json", bundle(patient(), observation(subject={"reference": reference})))
    with pytest.raises(IdentityConflictError, match="patient reference"):
        read(tmp_path)


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "https://ehr.example/fhir/Patient/p1"},
        {"reference": "Patient/p1/_history/3"},
        {"reference": "urn:uuid:p1"},
        {"reference": "Patient?identifier=urn:oid:1.2.3|0012"},
        {"identifier": {"system": "urn:oid:1.2.3", "value": "0012"}},
        {"display": "Clara"},
    ],
    ids=str,
)
def test_every_way_to_refer_to_the_patient_is_understood(
    tmp_path: Path, subject: dict[str, Any]
) -> None:
    write(tmp_path, "chart.json", bundle(patient(), observation(subject=subject)))
    assert len(read(tmp_path).timeline.facts) == 1


def test_references_to_two_patients_without_any_patient_resource_conflict(tmp_path: Path) -> None:
    write(tmp_path, "a.json", observation())
    write(tmp_path, "b.json", observation(id="o2", subject={"reference": "Patient/p2"}))
    with pytest.raises(IdentityConflictError, match="patient reference"):
        read(tmp_path)


def test_a_file_that_refers_to_the_charts_patient_belongs_to_it(tmp_path: Path) -> None:
    write(tmp_path, "patient.json", patient())
    write(tmp_path, "lab.json", observation())
    assert len(read(tmp_path).timeline.facts) == 1


def test_a_file_that_names_no_patient_needs_a_statement(tmp_path: Path) -> None:
    chart(tmp_path)
    write(tmp_path, "lab.json", observation(id="o2", subject=None))
    case = read(tmp_path)
    assert len(case.timeline.facts) == 1
    assert "carries no identity" in (report(case, "lab.json").reason or "")
    write(tmp_path, "case.yaml", HEAD + "attach: [{file: lab.json, patient: same}]\n")
    assert len(read(tmp_path).timeline.facts) == 2


def test_the_case_files_patient_is_compared_too(tmp_path: Path) -> None:
    chart(tmp_path)
    write(tmp_path, "case.yaml", HEAD + "patient: {family: Other, given: [Clara]}\n")
    with pytest.raises(IdentityConflictError, match="name"):
        read(tmp_path)


def test_an_older_version_of_the_patient_in_one_file_is_no_second_patient(tmp_path: Path) -> None:
    first = patient(birthDate="1955-07-12", meta={"versionId": "1"})
    history = bundle(first, patient(meta={"versionId": "2"}), observation(), kind="history")
    write(tmp_path, "chart.json", history)
    born = read(tmp_path).timeline.patient.birth_date
    assert born == parse_fhir("1955-07-21", clock="chart.json")


# ---- recordings without identity


def test_a_recording_without_identity_needs_its_line(tmp_path: Path) -> None:
    chart(tmp_path)
    wfdb(tmp_path)
    case = read(tmp_path)
    assert case.recordings == {}
    assert report(case, "rec.hea").status == "failed"
    assert "add to case.yaml" in (report(case, "rec.hea").reason or "")
    assert len(case.timeline.facts) == 1


@pytest.mark.parametrize("folder", ["", "ecg/"])
def test_a_recording_with_its_line_belongs_and_takes_its_stated_start(
    tmp_path: Path, folder: str
) -> None:
    chart(tmp_path)
    wfdb(tmp_path / folder)
    line = f"{{file: {folder}rec.hea, patient: same, recorded_at: 2026-11-20T09:30:00}}"
    write(tmp_path, "case.yaml", HEAD + f"time_zone: Europe/Berlin\nattach: [{line}]\n")
    case = read(tmp_path)
    (recording,) = case.recordings.values()
    assert recording.start == parse_fhir(
        "2026-11-20T09:30:00", clock="case.yaml", zone="Europe/Berlin"
    )
    assert case.timeline.recordings[0].id == recording.id
    assert case.timeline.recordings[0].duration_s == 1.0
    assert report(case, f"{folder}rec.dat").kind == f"signal file of {folder}rec.hea"
    assert [o.file for o in case.overrides] == [f"{folder}rec.hea"]


def test_a_case_file_alone_does_not_attach_a_recording(tmp_path: Path) -> None:
    wfdb(tmp_path)
    assert len(read(tmp_path).recordings) == 1  # nothing to confuse it with
    write(tmp_path, "case.yaml", HEAD + "facts: {diaphoresis: yes}\n")
    assert read(tmp_path).recordings == {}


def test_a_line_for_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    wfdb(tmp_path)
    write(tmp_path, "case.yaml", HEAD + "attach: [{file: record.hea, patient: same}]\n")
    problems = report(read(tmp_path), "case.yaml").problems
    assert "did you mean rec.hea" in problems[0]


def test_a_header_without_its_signal_file_is_failed(tmp_path: Path) -> None:
    wfdb(tmp_path)
    (tmp_path / "rec.dat").unlink()
    item = report(read(tmp_path), "rec.hea")
    assert item.status == "failed"
    assert "signal file" in (item.reason or "")


# ---- the patient


@pytest.mark.parametrize("born", ["1700-01-01", "2099-01-01", "soon"])
def test_an_impossible_date_of_birth_is_told_and_not_used(tmp_path: Path, born: str) -> None:
    chart(tmp_path, birthDate=born)
    case = read(tmp_path)
    assert case.timeline.patient.birth_date is None
    (problem,) = report(case, "chart.json").problems
    assert re.search(r"date of birth is (impossible|not used)", problem)
    assert born not in " ".join(report(case, "chart.json").problems)


def test_the_most_precise_date_of_birth_of_agreeing_sources_is_used(tmp_path: Path) -> None:
    chart(tmp_path, birthDate="1955")
    body = "patient: {family: Muster, given: [Clara], birth_date: 1955-07-21}\n"
    write(tmp_path, "case.yaml", HEAD + body)
    born = read(tmp_path).timeline.patient.birth_date
    assert born == parse_fhir("1955-07-21", clock="case.yaml")


def test_documents_are_kept_whole(tmp_path: Path) -> None:
    words = base64.b64encode(b"Chest pain.").decode()
    note = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "subject": {"reference": "Patient/p1"},
        "content": [{"attachment": {"contentType": "text/plain", "data": words}}],
    }
    write(tmp_path, "chart.json", bundle(patient(), note))
    assert [d.text for d in read(tmp_path).timeline.documents] == ["Chest pain."]


# ---- nothing depends on order or names


@given(st.permutations(["chart.json", "lab.json", "case.yaml", "rec.hea", "rec.dat"]))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None
)
def test_the_order_of_the_files_changes_nothing(tmp_path: Path, order: list[str]) -> None:
    chart(tmp_path)
    wfdb(tmp_path)
    write(tmp_path, "lab.json", observation(id="o2"))
    write(tmp_path, "case.yaml", HEAD + "attach: [{file: rec.hea, patient: same}]\n")
    whole = read(tmp_path)
    given_one_by_one = read(*(tmp_path / name for name in order))
    assert given_one_by_one.timeline == whole.timeline
    assert given_one_by_one.inputs == whole.inputs
    assert given_one_by_one.case == whole.case


@pytest.mark.parametrize("other", ["pg/mL", "PG/ML", "ng/l"])
def test_the_spelling_of_the_unit_changes_no_value(tmp_path: Path, other: str) -> None:
    values = []
    for name, unit in (("a", "ng/L"), ("b", other)):
        write(tmp_path / name, "chart.json", bundle(patient(), observation(12.0, unit)))
        (fact,) = read(tmp_path / name).timeline.facts
        values.append((fact.finding.value, fact.finding.state, fact.finding.time))
    assert values[0] == values[1]


@pytest.mark.parametrize(
    "time", ["2026-11-20T09:00:00Z", "2026-11-20T04:00:00-05:00", "2026-11-20T09:00:00.000+00:00"]
)
def test_the_notation_of_the_time_zone_changes_nothing(tmp_path: Path, time: str) -> None:
    chart(tmp_path)
    first = read(tmp_path).timeline
    write(tmp_path, "chart.json", bundle(patient(), observation(effectiveDateTime=time)))
    assert read(tmp_path).timeline == first


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no such file or folder"):
        read(tmp_path / "nothing")


def test_answers_come_into_the_timeline(tmp_path: Path) -> None:
    write(tmp_path, "case.yaml", HEAD + "facts: {diaphoresis: yes}\nanswers: {known_cad: no}\n")
    stated = read(tmp_path).timeline.in_category(Category.STATED)
    assert {f.finding.state for f in stated} == {State.PRESENT, State.ABSENT}


def test_only_what_was_understood_of_the_case_file_is_counted(tmp_path: Path) -> None:
    answers = "facts: {diaphoresis: yes, chest_pain: maybe, typo_here: yes}\n"
    result = "results: [{analyte: hs_ctnt, value: 12 ng/L}]\n"
    write(tmp_path, "case.yaml", HEAD + answers + result)
    item = report(read(tmp_path), "case.yaml")
    assert dict(item.counts) == {"facts": 1, "results": 1}
    assert len(item.problems) == 2
