"""Models of the installation in a case and in the list of tools."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from agent.assess import assess_paths
from knowledge.clinical_time import parse_fhir
from knowledge.finding import Finding, State, Why
from knowledge.settings import Settings, load_settings
from knowledge.timeline import Category
from serving.fhir_out.observations import observations
from serving.fhir_out.subject import Subject
from serving.report.imaging import imaging_section
from tests.tools.imaging.ct.phantoms import dicom_slice
from tests.tools.models.builders import classifier, image_input, output
from tools.imaging.model import Study
from tools.intake.folder import read_case
from tools.models.as_tools import GROUP
from tools.models.findings import PLUGGED
from tools.models.reading import read_sample
from tools.models.store import ModelStore
from tools.toolbox import discover

THRESHOLD = {"label": "opacity", "value": 0.6, "basis": "chosen on the maker's data"}
NOW = parse_fhir("2026-02-01T10:00:00Z", clock="test")


def _film(folder: Path, name: str, **changes: Any) -> None:
    pixels = np.full((16, 16), -1024, np.int16)
    pixels[:, :8] = 1024  # stored as 2048 and 0
    stated = {
        "Modality": "DX", "ViewPosition": "PA", "PatientAge": "050Y", "RescaleSlope": None,
        "RescaleIntercept": None, "RescaleType": None, "SOPInstanceUID": f"1.2.9.{len(name)}",
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "ImageType": ["ORIGINAL", "PRIMARY"],
        "BitsStored": 12, "HighBit": 11,
    }  # fmt: skip
    (folder / name).write_bytes(dicom_slice(pixels, **{**stated, **changes}))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation with one model for films of adults."""
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path / "data"))
    settings = load_settings()
    grey = image_input(normalise={"kind": "range", "low": 0, "high": 2048})
    given = output(thresholds=[THRESHOLD])
    made = classifier(tmp_path / "made", inputs=[grey], outputs=[given])
    ModelStore(settings.data_dir / "models").add(made)
    discover.cache_clear()
    yield settings
    discover.cache_clear()


def _study(case: Path, settings: Settings) -> Study:
    (study,) = read_case([case], at=NOW, settings=settings, now=NOW).studies
    return study


def _one(study: Study) -> Finding:
    (said,) = study.said
    return said


def test_what_a_model_says_stands_in_the_case_with_its_name_and_its_validation(
    tmp_path: Path, site: Settings
) -> None:
    """Half of the picture is 1: mean 0.5, logit (0.5 - 0.5) x 4 = 0, sigmoid 0.5."""
    case = tmp_path / "case"
    case.mkdir()
    _film(case, "film.dcm")
    found = read_case([case], at=NOW, settings=site, now=NOW)
    (study,) = found.studies
    said = _one(study)
    assert said.state is State.PRESENT
    assert str(said.value) == "0.5"
    assert {"model-said", "not-confirmed", "demonstration", "below"} <= set(said.flags)
    assert said.method is not None
    assert said.method.startswith("test-model 1.0 (")
    assert said.note == "not validated; measured on: difference 0, n 1: worked out by hand; none"
    assert "did not say" in study.not_assessed.detail
    told = [f.finding for f in found.timeline.in_category(Category.IMAGING)]
    assert said.concept in [f.concept for f in told]
    assert State.NOT_ASSESSED in {one.state for one in told}  # the study itself still is not


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"PatientAge": "012Y"}, "age_years: 12"),
        ({"ViewPosition": "LL"}, "views: LL; it takes PA"),
        ({"PatientAge": None, "PatientBirthDate": ""}, "age_years: not known"),
    ],
)
def test_an_image_it_was_not_made_for_gets_the_reason_and_no_number(
    tmp_path: Path, site: Settings, changes: dict[str, Any], reason: str
) -> None:
    case = tmp_path / "case"
    case.mkdir()
    _film(case, "film.dcm", **changes)
    said = _one(_study(case, site))
    assert said.not_assessed is not None
    assert said.not_assessed.why is Why.OUTSIDE_CONTRACT
    assert reason in said.not_assessed.detail
    assert said.value is None


def test_a_model_that_breaks_in_an_unknown_way_is_a_failure_and_the_case_goes_on(
    tmp_path: Path, site: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tools.models.in_case.ask_or_say_why", broken)
    case = tmp_path / "case"
    case.mkdir()
    _film(case, "film.dcm")
    said = _one(_study(case, site))
    assert said.value is None
    assert said.not_assessed is not None
    assert said.not_assessed.why is Why.FAILED
    assert said.not_assessed.detail == "failed (ZeroDivisionError)"


def test_an_image_of_another_modality_is_not_its_business(tmp_path: Path, site: Settings) -> None:
    case = tmp_path / "case"
    case.mkdir()
    _film(case, "film.dcm", Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1")
    study = _study(case, site)
    assert study.said == ()
    assert study.not_assessed.detail == "no validated model configured"


def test_switched_off_and_unusable_models_are_said(tmp_path: Path, site: Settings) -> None:
    case = tmp_path / "case"
    case.mkdir()
    _film(case, "film.dcm")
    off = _one(_study(case, site.model_copy(update={"device_functions": False})))
    assert off.not_assessed is not None
    assert off.not_assessed.why is Why.SWITCHED_OFF
    place = site.data_dir / "models" / "test-model" / "1.0"
    (place / "model.onnx").write_bytes(b"changed")
    broken = _one(_study(case, site))
    assert broken.not_assessed is not None
    assert broken.not_assessed.why is Why.FAILED
    assert "SHA-256" in broken.not_assessed.detail


def test_a_model_is_a_tool_with_its_contract(tmp_path: Path, site: Settings) -> None:
    tool = discover()["model_test_model_1_0"]
    card = tool.card
    assert (card.group, card.topic, card.on_request) == (GROUP, "classification", True)
    assert card.regulatory == "device-function"
    assert "view PA" in card.needs[0]
    assert "age 18 to 120 years" in card.needs[0]
    assert "Any patient." in card.refuses
    assert any(line.startswith("demonstration; not a medical device") for line in card.limits)
    assert card.accuracy == ("difference 0, n 1: worked out by hand; none",)
    assert set(tool.input_schema()["properties"]) == {"sample"}
    json.dumps(tool.output_schema())
    case = tmp_path / "case"
    case.mkdir()
    _film(case, "film.dcm")
    assert tool(read_sample(case / "film.dcm", "image2d")).scores[0].score == pytest.approx(0.5)


def test_without_models_nothing_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path / "none"))
    discover.cache_clear()
    try:
        assert not [t for t in discover().values() if t.card.group == GROUP]
    finally:
        discover.cache_clear()


def test_the_report_says_it_as_a_models_word(tmp_path: Path, site: Settings) -> None:
    case = tmp_path / "case"
    case.mkdir()
    _film(case, "film.dcm")
    found = assess_paths([case], at=NOW, now=NOW, settings=site).assessment
    section = imaging_section(found, lambda text: text, chinese=False)
    assert section is not None
    assert section.note == "What plugged models say is no finding until a reader has confirmed it."
    (item,) = section.items
    assert item.open == "not assessed: what the plugged models did not say"
    assert any("A model for a test: score of opacity: 0.5; model test-model 1.0" in line
               for line in item.lines)  # fmt: skip


def test_it_leaves_as_an_observation_of_imaging_and_never_of_a_laboratory(
    tmp_path: Path, site: Settings
) -> None:
    case = tmp_path / "case"
    case.mkdir()
    _film(case, "film.dcm")
    _film(case, "child.dcm", PatientAge="012Y")
    found = assess_paths([case], at=NOW, now=NOW, settings=site).assessment
    made = [
        one.resource
        for one in observations(found, cast(Subject, None))
        if any(c.get("system") == PLUGGED for c in one.resource["code"].get("coding", ()))
    ]
    assert len(made) == 2
    assert {one["category"][0]["coding"][0]["code"] for one in made} == {"imaging"}
    (said,) = [one for one in made if "valueQuantity" in one]
    assert said["valueQuantity"]["value"] == 0.5
    assert "test-model 1.0" in said["method"]["text"]
    assert any("not confirmed by a reader" in note["text"] for note in said["note"])
    (refused,) = [one for one in made if "dataAbsentReason" in one]
    assert "valueQuantity" not in refused
