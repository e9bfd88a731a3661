"""``epicrisis reading`` from an empty reading to the exports and back."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from knowledge.errors import (
    ContractError,
    IdentityConflictError,
    InvalidValueError,
    UnavailableError,
    UnreadableError,
)
from serving.commands.reading import register
from tests.data_folder import shared_data
from tests.tools.readings.test_measured import NORM, SCANNER

AT = "2026-03-01T12:00+00:00"


def run(*arguments: object, code: int = 0) -> str:
    app = typer.Typer()
    register(app)
    found = CliRunner().invoke(app, ["reading", *(str(a) for a in arguments)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    assert found.exit_code == code, found.output
    return found.output


def started(folder: Path, form: str, modality: str, name: str = "a.json") -> Path:
    file = folder / name
    run("new", form, "--by", "Dr A", "--patient", "P1", "--study", "1.2.3", "--modality", modality,
        "--done", AT, "--at", AT, "--out", file)  # fmt: skip
    return file


def test_forms_are_listed_with_their_items() -> None:
    assert "thyroid_tirads: Thyroid ultrasound" in run("forms")
    assert "甲状腺" in run("forms", "--lang", "zh")
    assert "effusion: Pleural effusion [present or absent; side; zones" in run(
        "forms", "chest_film"
    )
    assert json.loads(run("forms", "bone_age", "--json"))["id"] == "bone_age"
    with pytest.raises(InvalidValueError, match="no such form"):
        run("forms", "horoscope")


def test_from_new_to_signed_and_back_from_every_export(tmp_path: Path) -> None:
    first = started(tmp_path, "thyroid_tirads", "US")
    assert "not assessed: no entry was stated" in run("check", first)
    second = tmp_path / "b.json"
    run("edit", first, "--by", "Dr A", "--at", AT, "--out", second,
        "--set", "nodules/n1/composition=solid", "--set", "nodules=present;n1",
        "--set", "nodules/n1/echogenicity=hypo", "--set", "nodules/n1/shape=taller",
        "--set", "nodules/n1/margin=smooth", "--set", "nodules/n1/foci=punctate",
        "--set", "nodules/n1/largest_diameter=12 mm", "--sign")  # fmt: skip
    body = json.loads(run("check", second, "--json"))
    assert body["headline"] == "TR5"
    assert body["outcomes"][0]["total"]["low"] == 10  # 2 + 2 + 3 + 0 + 3
    fhir, sr, again = tmp_path / "b.fhir.json", tmp_path / "b.dcm", tmp_path / "c.json"
    run("export", second, "--fhir", fhir, "--sr", sr)
    for file in (fhir, sr):
        run("export", file, "--reading", again)
        assert json.loads(again.read_text()) == json.loads(second.read_text())
    html = tmp_path / "b.html"
    run("report", second, "--format", "html", "--lang", "zh", "--out", html)
    assert "细针穿刺" in html.read_text("utf-8")
    assert "# Thyroid ultrasound" in run("report", second, "--format", "md")
    with pytest.raises(ContractError, match="is signed"):
        run("edit", second, "--by", "Dr A", "--at", AT, "--set", "isthmus=4 mm")


def test_what_does_not_fit_is_printed_with_exit_code_1(tmp_path: Path) -> None:
    file = started(tmp_path, "bone_age", "DX")
    body = json.loads(file.read_text())
    body["items"]["hand"] = {
        "state": "present",
        "said": body["started"],
        "choices": ["third"],
    }
    file.write_text(json.dumps(body))
    assert "has no answer third" in run("check", file, code=1)
    with pytest.raises(InvalidValueError, match="has no answer third"):
        run("report", file)


def test_the_prior_of_another_patient_is_refused(tmp_path: Path) -> None:
    file = started(tmp_path, "bone_age", "DX")
    other = tmp_path / "o.json"
    body = json.loads(file.read_text())
    other.write_text(json.dumps({**body, "subject": {"id": "P2"}}))
    with pytest.raises(IdentityConflictError):
        run("compare", file, other)
    run("edit", file, "--by", "B", "--at", AT, "--set", "assessed_bone_age=99 mo", "--out", file)
    assert "not comparable" in run("compare", file, started(tmp_path, "bone_age", "DX", "p.json"))
    assert "Comparison with the prior" in run("report", file, "--prior", tmp_path / "p.json")
    assert json.loads(run("compare", file, tmp_path / "p.json", "--json"))["days"] == 0


def test_measurements_and_their_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = started(tmp_path, "brain_volumetry", "MR")
    norm, scanner = tmp_path / "norm.json", tmp_path / "scanner.json"
    norm.write_text(json.dumps(NORM))
    scanner.write_text(json.dumps(SCANNER))
    run("edit", file, "--by", "B", "--at", AT, "--set", "icv=1500 mL",
        "--set", "hippocampus_left=2.5 mL", "--out", file)  # fmt: skip
    body = json.loads(run("measure", file, "--norm", norm, "--scanner", scanner, "--at", AT))
    reason = body["items"]["hippocampus_left_z"]["not_assessed"]["detail"]
    assert reason == "sex is not known as female or male"
    run("measure", file, code=2)
    age = started(tmp_path, "bone_age", "DX", "age.json")
    run("edit", age, "--by", "B", "--at", AT, "--set", "assessed_bone_age=99 mo",
        "--set", "chronological_age=90 mo", "--out", age)  # fmt: skip
    assert json.loads(run("measure", age, "--at", AT))["items"]["difference"]["number"] == 9
    monkeypatch.setenv("EPICRISIS_DEVICE_FUNCTIONS", "false")
    with pytest.raises(UnavailableError, match="switched off"):
        run("measure", age, "--at", AT)
    with pytest.raises(UnavailableError, match="switched off"):
        run("edit", age, "--model-result", norm)


def test_of_a_real_mammogram(tmp_path: Path) -> None:
    film = shared_data("dicom-misc") / "GH133.dcm"
    file = tmp_path / "m.json"
    run("new", "mammography_birads", "--by", "Dr A", "--dicom", film, "--at", AT, "--out", file)
    body = json.loads(file.read_text())
    assert body["study"]["modality"] == "MG"
    assert len(body["study"]["images"]) == 1
    run("export", file, "--sr", tmp_path / "m.dcm", "--dicom", film)
    assert "not determined" in run("check", tmp_path / "m.dcm")
    assert "row 1, right MLO" in run("hang", film)
    with pytest.raises(ContractError, match="is not for MG"):
        run("new", "bone_age", "--by", "Dr A", "--dicom", film)


def test_wrong_use_and_unusable_files(tmp_path: Path) -> None:
    run("new", "bone_age", "--by", "A", code=2)
    file = started(tmp_path, "bone_age", "DX")
    run("export", file, code=2)
    run("edit", file, "--set", "hand=left", code=2)
    with pytest.raises(UnreadableError):
        run("check", tmp_path / "nothing.json")
    with pytest.raises(InvalidValueError, match="has no offset"):
        run("edit", file, "--by", "A", "--at", "2026-03-01T12:00", "--set", "hand=left")
    with pytest.raises(InvalidValueError, match="is no time"):
        run("edit", file, "--by", "A", "--at", "noon", "--set", "hand=left")
    with pytest.raises(InvalidValueError, match="is not PATH=STATE"):
        run("edit", file, "--by", "A", "--at", AT, "--set", "hand")
    with pytest.raises(UnreadableError, match="no result of a model"):
        run("edit", file, "--model-result", file)
