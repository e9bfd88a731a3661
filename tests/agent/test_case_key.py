"""Answers belong to one case of one patient, whatever the case is called."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from agent.case_key import answers_of, case_key
from agent.given import NAME, AnswerStore
from knowledge.clinical_time import parse_fhir
from knowledge.errors import InvalidValueError
from knowledge.settings import Settings
from tests.agent.cases import EXAMPLES
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles

NOW = parse_fhir("2026-11-20T12:00:00+01:00", clock="test")


def read(folder: Path) -> CaseFiles:
    return read_case([folder], at=None, now=NOW, settings=Settings())


@pytest.fixture
def bed(tmp_path: Path) -> Path:
    folder = tmp_path / "bed"
    shutil.copytree(EXAMPLES / "half_missing", folder)
    return folder


def other_patient(folder: Path) -> Path:
    """Return a copy of a case that is of somebody else, under the same case id."""
    copy = folder.with_name("other")
    shutil.copytree(folder, copy)
    text = (copy / "chart.json").read_text()
    for entry in json.loads(text)["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            for name in resource["name"]:
                text = text.replace(f'"{name["family"]}"', '"Someone"')
            for identifier in resource.get("identifier", ()):
                text = text.replace(f'"{identifier["value"]}"', '"9999999"')
    (copy / "chart.json").write_text(text)
    (copy / "ecg.dcm").unlink()
    return copy


def test_answers_of_another_patient_under_the_same_id_are_not_used(
    bed: Path, tmp_path: Path
) -> None:
    one, other = read(bed), read(other_patient(bed))
    assert one.case == other.case
    store = AnswerStore(tmp_path / "data")
    store.give(case_key(one), "diaphoresis", "yes", author="Dr A", at=NOW)
    given, notice = answers_of(store, one)
    assert ([g.input for g in given], notice) == (["diaphoresis"], "")
    given, notice = answers_of(store, other)
    assert given == ()
    assert "another patient" in notice


def test_answers_stay_when_a_file_is_added(bed: Path, tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "data")
    store.give(case_key(read(bed)), "diaphoresis", "yes", author="Dr A", at=NOW)
    (bed / "new.json").write_text(json.dumps({"resourceType": "Bundle", "type": "collection"}))
    given, _ = answers_of(store, read(bed))
    assert [g.input for g in given] == ["diaphoresis"]


def test_a_case_without_an_id_of_its_own_takes_no_answers(bed: Path) -> None:
    text = (bed / "case.yaml").read_text()
    (bed / "case.yaml").write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith("case:"))
    )
    with pytest.raises(InvalidValueError, match="states no id"):
        case_key(read(bed))


def test_only_the_owner_reads_the_answers(bed: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    AnswerStore(data).give(case_key(read(bed)), "diaphoresis", "no", author="Dr A", at=NOW)
    assert stat.S_IMODE((data / NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
