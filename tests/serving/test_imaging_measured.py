"""What was measured on images in every form of report, in FHIR and over MCP."""

import io
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from rich.console import Console

from agent.assessment import Assessment
from knowledge.settings import Settings
from serving.fhir_out.observations import _images
from serving.report.pdf import Sheet, report_pdf
from serving.report.render import html, markdown
from serving.report.sections import sections
from serving.report.terminal import show
from serving.web.translation import translations
from tests.tools.imaging.film.phantoms import chest, dicom
from tests.tools.imaging.in_case.made import assessed, case_of, values
from tests.tools.intake.samples import AT, write


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    folder = tmp_path_factory.mktemp("film")
    write(folder, "film.dcm", dicom(chest(heart=300).grey))
    return assessed(case_of(folder, "film.dcm"))


def test_every_report_shows_value_method_accuracy_and_that_it_is_no_diagnosis(
    found: Assessment,
) -> None:
    value = str(values(found)["cardiothoracic-ratio"].value)
    stream = io.StringIO()
    show(found, Console(file=stream, width=200))
    page = BeautifulSoup(html(found), "html.parser").text
    for text in (markdown(found), page, stream.getvalue()):
        flat = " ".join(text.replace("│", " ").split())
        assert f"Cardiothoracic ratio (approximate): {value}; approximate" in flat
        assert "review the overlay" in flat
        assert "chest-film measurement 1" in flat
        assert "A measurement is no diagnosis" in flat
        assert "not assessed: no validated model configured" in flat
    assert "accuracy measured: mean error of the cardiothoracic ratio" in page
    sheet = Sheet(
        state="draft", made_at=AT.at, version=1, sha256="0" * 64, language="zh", patient="x"
    )
    assert report_pdf(found, sheet).startswith(b"%PDF")


def test_the_section_is_told_in_chinese(found: Assessment) -> None:
    value = str(values(found)["cardiothoracic-ratio"].value)
    imaging, *_ = sections(found, translations("zh").gettext, chinese=True)
    lines = " ".join(imaging.items[0].lines)
    assert f"心胸比（近似）：{value}" in lines  # noqa: RUF001
    assert "胸片征象：未评估" in lines  # noqa: RUF001
    assert "测量不是诊断" in imaging.note


def test_switched_off_is_said_and_the_note_claims_no_measurement(tmp_path: Path) -> None:
    write(tmp_path, "film.dcm", dicom(chest().grey))
    off = assessed(case_of(tmp_path, "film.dcm"), Settings(device_functions=False))
    text = markdown(off)
    assert "Cardiothoracic ratio (approximate): not assessed (switched off)" in text
    assert "Nobody and nothing here has looked at the pictures" in text


def test_fhir_carries_the_ratio_as_an_unconfirmed_observation(found: Assessment) -> None:
    made = {m.resource["code"]["text"]: m.resource for m in _images(found)}
    ratio = made["Cardiothoracic ratio (approximate)"]
    assert ratio["valueQuantity"]["value"] == pytest.approx(300 / 640, abs=0.03)
    assert ratio["method"]["text"] == "chest-film measurement 1"
    assert "dataAbsentReason" in made["Signs on the chest film"]
