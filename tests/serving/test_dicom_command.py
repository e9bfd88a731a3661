"""`epicrisis dicom` as people call it."""

import gc
from pathlib import Path

import orjson
import pydicom
import pytest
from typer.testing import CliRunner

from serving.cli import application
from tests.serving.dicom_in.test_arrivals import files
from tests.tools.imaging.ct.phantoms import write


def _run(*arguments: str) -> tuple[int, str, object]:
    done = CliRunner().invoke(application(), ["dicom", *arguments])
    return done.exit_code, done.output, done.exception


def test_analyse_writes_the_objects_and_says_what_is_missing(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", files())
    code, said, _ = _run("analyse", str(folder), "--out", str(tmp_path / "out"))
    assert code == 0
    assert "Research use only" in said
    assert "seg: not made: lungs" in said
    assert pydicom.dcmread(tmp_path / "out" / "sr.dcm").Modality == "SR"
    bundle = orjson.loads((tmp_path / "out" / "fhir.json").read_bytes())
    assert bundle["resourceType"] == "Bundle"


def test_analyse_says_that_no_rule_fits(tmp_path: Path) -> None:
    folder = write(tmp_path / "mr", files(Modality="MR"))
    code, said, _ = _run("analyse", str(folder), "--out", str(tmp_path / "out"))
    assert code == 4
    assert "no rule fits" in said


def test_a_wrong_seed_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", files())
    _, _, error = _run("analyse", str(folder), "--out", str(tmp_path), "--seed", "1,2")
    assert "is not x,y,z" in str(error)


def test_fetch_without_an_archive_says_what_to_set(tmp_path: Path) -> None:
    _, _, error = _run("fetch", "1.2.3", "--out", str(tmp_path))
    assert "EPICRISIS_DICOM_WEB_URL" in str(error)


@pytest.mark.filterwarnings(  # pynetdicom 3.0.4 leaves the socket of a refused connection open
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_send_to_nowhere_is_said(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", files())
    _, _, error = _run("send", str(folder), "--to", "PACS@127.0.0.1:1")
    assert "did not accept the association" in str(error)
    del error
    gc.collect()


def test_deidentify_writes_images_under_new_names_and_tells_each_refusal(tmp_path: Path) -> None:
    folder = write(tmp_path / "Lindqvist", files(3))
    write(folder, {"burned.dcm": files(1, BurnedInAnnotation="YES")["000.dcm"]})
    (tmp_path / "key").write_bytes(b"k" * 32)
    out = tmp_path / "out"
    code, said, _ = _run(
        "deidentify", str(folder), "--out", str(out), "--key", str(tmp_path / "key")
    )
    assert code == 4
    assert "refused: burned.dcm: text is burned into the pixels" in said
    assert "3 images written, 1 refused" in said
    written = list(out.rglob("*.dcm"))
    assert len(written) == 3
    for path in written:
        assert b"Lindqvist" not in path.read_bytes()
        assert "Lindqvist" not in str(path.relative_to(out))


def test_deidentify_does_not_write_beside_other_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", files(1))
    (tmp_path / "key").write_bytes(b"k" * 32)
    _, _, error = _run(
        "deidentify", str(folder), "--out", str(folder), "--key", str(tmp_path / "key")
    )
    assert "is not empty" in str(error)
