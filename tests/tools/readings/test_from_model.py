"""What a plugged model says fills slots, flagged as a model's; it never replaces a reader."""

from typing import Any

import pytest

from knowledge.finding import NotAssessed, State, Why
from knowledge.reading_form import reading_form, reading_form_ids
from tests.tools.readings.made import NOON, reading
from tools.models.result import LabelScore, MaskPart, ModelRef, ModelResult
from tools.models.sample import InputRef
from tools.readings.category import outcomes
from tools.readings.from_model import from_model
from tools.readings.outcome import outcome_of
from tools.readings.versions import unconfirmed

REF = ModelRef(
    id="finder", version="1.2", title="Finder", onnx_sha256="0" * 64, contract_sha256="1" * 64,
    where="here", status="demonstration", regulatory_status="none", calibration="none",
)  # fmt: skip


def said(label: str, verdict: Any, score: float = 0.7, probability: float | None = None) -> Any:
    return LabelScore(label=label, score=score, probability=probability, verdict=verdict)


def result(*scores: LabelScore, **changes: Any) -> ModelResult:
    return ModelResult.model_validate(
        {
            "model": REF,
            "task": "multi-label",
            "applicability": "in-spec",
            "scores": scores,
            "inputs": (InputRef(file="f.dcm", sha256="2" * 64),),
            **changes,
        }
    )


def test_labels_fill_their_slots_as_a_models_word() -> None:
    found = from_model(
        reading("chest_film"),
        result(
            said("Pleural_Effusion", "at-or-above", probability=0.83),
            said("Pneumothorax", "at-or-above"),
            said("Cardiomegaly", "below"),
            said("Consolidation", "undecided"),
            said("Edema", "no-threshold"),
            said("Infiltration", "at-or-above"),
        ),
        at=NOON,
    )
    items = found.reading.items
    assert items["effusion"].state is State.PRESENT
    assert items["effusion"].certainty == 0.83
    assert items["pneumothorax"].certainty is None, "an uncalibrated score is no certainty"
    assert items["cardiomegaly"].state is State.ABSENT
    for item in ("consolidation", "pulmonary_oedema"):
        reason = items[item].not_assessed
        assert reason is not None
        assert reason.why is Why.UNCONFIRMED
    assert found.without_slot == ("Infiltration",)
    assert set(unconfirmed(found.reading)) == {"effusion", "pneumothorax", "cardiomegaly"}
    urgent = outcome_of(outcomes(reading_form("chest_film"), items), "urgent")
    assert (urgent.category, urgent.unconfirmed) == ("urgent-sign", ("pneumothorax",))


def test_a_reader_is_never_replaced() -> None:
    before = reading("chest_film", {"effusion": "absent"})
    found = from_model(before, result(said("effusion", "at-or-above")), at=NOON)
    assert found.reading == before
    assert found.kept == ("effusion",)


def test_a_model_that_refuses_leaves_its_slots_not_assessed_with_its_reason() -> None:
    why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="lateral view")
    silent = result(applicability="out-of-spec", not_assessed=why)
    items = from_model(reading("chest_film"), silent, at=NOON).reading.items
    assert items["effusion"].not_assessed == why


def test_answers_of_a_choice_and_volumes() -> None:
    mammogram = reading("mammography_birads")
    one = from_model(mammogram, result(said("Density C", "at-or-above")), at=NOON)
    assert one.reading.items["density"].choices == ("c",)
    two = result(said("Density C", "at-or-above"), said("Density D", "at-or-above"))
    several = from_model(mammogram, two, at=NOON).reading.items["density"].not_assessed
    assert several is not None
    assert several.why is Why.CONFLICTING
    none = from_model(mammogram, result(said("Density C", "below")), at=NOON)
    assert none.reading.items["density"].state is State.NOT_ASSESSED
    parts = (MaskPart(label="Left Hippocampus", pixels=3000, volume_ml=3.1),
             MaskPart(label="brain", pixels=1))  # fmt: skip
    brain = from_model(reading("brain_volumetry"), result(mask=parts), at=NOON).reading.items
    assert (brain["hippocampus_left"].number, brain["hippocampus_left"].unit) == (3.1, "mL")
    assert brain["brain"].state is State.NOT_ASSESSED


@pytest.mark.parametrize("form_id", reading_form_ids())
def test_no_label_fills_two_items(form_id: str) -> None:
    labels = [label for slot in reading_form(form_id).slots for label in slot.labels]
    assert len(labels) == len(set(labels))
    assert labels == [label.lower() for label in labels]
