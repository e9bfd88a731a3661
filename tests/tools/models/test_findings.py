"""A model's numbers become findings that no rule can take for a disease."""

from pathlib import Path

import pytest

from knowledge.evidence import DicomEvidence
from knowledge.finding import State, Why
from knowledge.quantity import Quantity
from tests.tools.models.builders import classifier, film, image_input, output
from tests.tools.models.test_tasks import detector, segmenter
from tools.models.findings import PLUGGED, findings_of
from tools.models.loaded import load_model
from tools.models.run import ask, ask_or_say_why

PNEUMOTHORAX = {"system": "http://snomed.info/sct", "code": "36118008", "display": "Pneumothorax"}


def test_a_score_is_a_number_of_the_model_and_not_the_disease(tmp_path: Path) -> None:
    described = output(labels=("pneumothorax",), codes=[PNEUMOTHORAX])
    model = load_model(classifier(tmp_path, outputs=[described]))
    result = ask(model, film()).result
    assert result.scores[0].code is not None  # the label's code stays in the result
    (found,) = findings_of(result)
    assert found.value == Quantity(value=0.5, unit="1")
    assert [c.system for c in found.concept.codings] == [PLUGGED]
    assert found.concept.text == "A model for a test: score of pneumothorax"
    assert {"model-said", "not-confirmed", "demonstration", "no-threshold"} == set(found.flags)
    assert found.method is not None
    assert "test-model 1.0" in found.method
    assert found.evidence == (DicomEvidence(file="film.dcm", sop_instance_uid="1.2.3"),)


def test_out_of_spec_is_not_assessed_with_the_reason(tmp_path: Path) -> None:
    model = load_model(classifier(tmp_path))
    (found,) = findings_of(ask_or_say_why(model, film(view="LL")).result)
    assert found.state is State.NOT_ASSESSED
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.OUTSIDE_CONTRACT
    assert "views: LL" in found.not_assessed.detail


def test_a_box_says_where_and_a_mask_how_large(tmp_path: Path) -> None:
    (box,) = findings_of(ask(detector(tmp_path / "d", [[1, 2, 3, 6]], [0.9]), film()).result)
    (place,) = box.evidence
    assert isinstance(place, DicomEvidence)
    assert place.region == pytest.approx((2, 4, 6, 12))  # left, top, right, bottom
    model = segmenter(tmp_path / "s", input=image_input(fit={"kind": "slide"}))
    (area,) = findings_of(ask(model, film(spacing_mm=(0.5, 2.0))).result)
    assert area.value == Quantity(value=128.0, unit="mm2")  # 16 x 8 pixels of 1 mm2
    (count,) = findings_of(ask(model, film()).result)
    assert count.value == Quantity(value=128.0, unit="1")
    assert "spacing-missing" in count.flags
