"""Whose a resource is: a contradiction refuses, what cannot be compared is not used."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from knowledge.errors import IdentityConflictError
from tests.tools.intake.samples import MRN, bundle, observation, patient, read, report, write
from tools.intake.result import InputFile

HEAD = "schema: epicrisis/case/1\n"


def chart(folder: Path, *resources: dict[str, Any], url: str | None = None) -> None:
    made = bundle(patient(), observation(id="own"), *resources)
    if url is not None:
        made["entry"][0]["fullUrl"] = url
    write(folder, "chart.json", made)


CONTRADICTING: dict[str, dict[str, Any]] = {
    "another server": {"reference": "https://b.example/fhir/Patient/p1"},
    "another patient": {"reference": "Patient/p9"},
    "another number": {"identifier": {"system": MRN, "value": "0099"}},
    "the right reference with another number": {
        "reference": "Patient/p1",
        "identifier": {"system": MRN, "value": "0099"},
    },
    "an empty reference with another number": {
        "reference": "",
        "identifier": {"system": MRN, "value": "0099"},
    },
}


@pytest.mark.parametrize("subject", CONTRADICTING.values(), ids=CONTRADICTING)
@pytest.mark.parametrize("within", [False, True], ids=["", "contained"])
def test_a_subject_that_contradicts_the_patient_refuses_the_case(
    tmp_path: Path, subject: dict[str, Any], within: bool
) -> None:
    other = observation(subject=subject)
    if within:
        other = observation(id="outer", contained=[other])
    chart(tmp_path, other, url="https://a.example/fhir/Patient/p1")
    with pytest.raises(IdentityConflictError, match="patient reference"):
        read(tmp_path)


SAME: dict[str, dict[str, Any]] = {
    "relative": {"reference": "Patient/p1"},
    "same server": {"reference": "https://A.example:443/fhir/Patient/p1"},
    "http": {"reference": "http://a.example/fhir/Patient/p1/_history/4"},
    "number": {"identifier": {"system": MRN, "value": " 0012"}},
    "both": {"reference": "Patient/p1", "identifier": {"system": MRN, "value": "0012"}},
    "number of another assigner": {
        "reference": "Patient/p1",
        "identifier": {"system": "urn:other", "value": "9"},
    },
    "name": {"display": "MUSTER, Clara"},
    "nothing": {},
}


@pytest.mark.parametrize("subject", SAME.values(), ids=SAME)
def test_a_subject_that_is_the_patient_is_used(tmp_path: Path, subject: dict[str, Any]) -> None:
    chart(tmp_path, observation(subject=subject), url="https://a.example/fhir/Patient/p1")
    assert len(read(tmp_path).timeline.facts) == 2


def test_a_relative_reference_is_of_the_server_of_its_resource(tmp_path: Path) -> None:
    chart(tmp_path, url="https://a.example/fhir/Patient/p1")
    other = bundle(observation())
    other["entry"][0]["fullUrl"] = "https://b.example/fhir/Observation/o1"
    write(tmp_path, "lab.json", other)
    with pytest.raises(IdentityConflictError, match="patient reference"):
        read(tmp_path)


UNREADABLE = "the subject cannot be read, so that it is not shown to be of this patient"
NOT_SHOWN: dict[str, tuple[Any, str]] = {
    "text": ("Patient/p9", UNREADABLE),
    "list": ([{"reference": "Patient/p9"}], UNREADABLE),
    "number as reference": ({"reference": 9}, UNREADABLE),
    "text as identifier": ({"identifier": "0099"}, UNREADABLE),
    "number as value": ({"identifier": {"system": MRN, "value": 12}}, UNREADABLE),
    "another name": (
        {"display": "Erika Other"},
        "the subject is given by a name alone, which is not shown to be this patient's",
    ),
    "number of an unknown assigner": (
        {"identifier": {"value": "0012"}},
        "the subject is given by a number that cannot be compared with the patient's",
    ),
}


@pytest.mark.parametrize(("subject", "reason"), NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_a_subject_that_cannot_be_compared_is_listed_and_not_used(
    tmp_path: Path, subject: Any, reason: str
) -> None:
    chart(tmp_path, observation(subject=subject))
    case = read(tmp_path)
    assert [f.finding.evidence[0].resource for f in case.timeline.facts] == ["Observation/own"]  # type: ignore[union-attr]
    assert report(case, "chart.json").problems == (f"Observation/o1: {reason}",)


def test_a_contained_resource_of_an_unreadable_subject_is_not_used(tmp_path: Path) -> None:
    chart(tmp_path, observation(id="outer", contained=[observation(id="c", subject="Patient/p9")]))
    case = read(tmp_path)
    assert len(case.timeline.facts) == 2
    assert report(case, "chart.json").problems == (f"Observation/outer#c: {UNREADABLE}",)


def test_a_file_said_to_be_of_the_patient_may_name_the_patient_otherwise(tmp_path: Path) -> None:
    chart(tmp_path)
    write(tmp_path, "lab.json", observation(subject={"display": "Anonymous"}))
    assert len(read(tmp_path, same_patient=["lab.json"]).timeline.facts) == 2


def test_two_names_without_any_patient_are_both_not_used(tmp_path: Path) -> None:
    named = [observation(id=n, subject={"display": n}) for n in ("Anna", "Berta")]
    write(tmp_path, "lab.json", bundle(*named))
    case = read(tmp_path)
    assert case.timeline.facts == ()
    assert len(report(case, "lab.json").problems) == 2


@pytest.mark.parametrize("change", [{"birthDate": 19600101}, {"gender": 7}, {"id": 5}], ids=str)
def test_a_second_patient_with_an_unreadable_element_is_still_compared(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    number = [{"system": MRN, "value": "0099"}]
    chart(tmp_path, patient(**{"id": "p2", "identifier": number, **change}))
    with pytest.raises(IdentityConflictError, match="differ in identifier"):
        read(tmp_path)


def test_an_unreadable_element_of_the_patient_is_told_and_the_rest_is_used(tmp_path: Path) -> None:
    write(tmp_path, "chart.json", bundle(patient(birthDate=19550721), observation()))
    case = read(tmp_path)
    assert case.timeline.patient.sex == "female"
    assert report(case, "chart.json").problems == (
        "Patient/p1: birthDate: Input should be a valid string (compared without it)",
    )


def test_each_unreadable_element_of_the_patient_is_told(tmp_path: Path) -> None:
    made = patient(birthDate=19550721, name=[{"family": 7}])
    write(tmp_path, "chart.json", bundle(made, observation()))
    case = read(tmp_path)
    assert case.timeline.patient.sex == "female"
    assert set(report(case, "chart.json").problems) == {
        "Patient/p1: birthDate: Input should be a valid string (compared without it)",
        "Patient/p1: name.0.family: Input should be a valid string (compared without it)",
    }


# ---- the refusal


def test_a_refusal_names_its_files_and_lists_every_file_with_its_hash(tmp_path: Path) -> None:
    chart(tmp_path)
    write(tmp_path, "other.json", patient(birthDate="1960-01-01"))
    write(tmp_path, "case.yaml", HEAD)
    write(tmp_path, "cut.json", b'{"resourceType":')
    with pytest.raises(IdentityConflictError) as caught:
        read(tmp_path)
    assert caught.value.files == ("chart.json", "other.json")
    told = [i for i in caught.value.inputs if isinstance(i, InputFile)]
    assert [(i.file, i.status, i.reason) for i in told if i.file != "cut.json"] == [
        ("case.yaml", "ignored", "not used: the case is refused"),
        ("chart.json", "ignored", "identity conflict"),
        ("other.json", "ignored", "identity conflict"),
    ]
    assert [i.file for i in told] == ["case.yaml", "chart.json", "cut.json", "other.json"]
    assert all(len(i.sha256 or "") == 64 for i in told)


@pytest.mark.parametrize("bare", [False, True], ids=["named", "bare"])
@pytest.mark.parametrize("number", [150, 5000])
def test_a_population_is_refused_without_comparing_every_pair(
    tmp_path: Path, bare: bool, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tools.intake.belonging
    import tools.intake.identity

    asked = 0
    really = tools.intake.identity.compare

    def counted(*pair: Any) -> Any:
        nonlocal asked
        asked += 1
        return really(*pair)

    monkeypatch.setattr(tools.intake.identity, "compare", counted)
    monkeypatch.setattr(tools.intake.belonging, "compare", counted)
    people = [
        {"resourceType": "Patient", "id": f"p{i}"}
        | ({} if bare else {"birthDate": f"{1900 + i % 99}"})
        for i in range(number)
    ]
    write(tmp_path, "all.ndjson", b"\n".join(orjson.dumps(p) for p in people))
    with pytest.raises(IdentityConflictError):
        read(tmp_path)
    assert asked < 10


def test_many_files_of_one_patient_are_no_conflict(tmp_path: Path) -> None:
    for index in range(80):
        write(tmp_path, f"{index}.json", bundle(patient(), observation(id=f"o{index}")))
    assert len(read(tmp_path).timeline.facts) == 80
