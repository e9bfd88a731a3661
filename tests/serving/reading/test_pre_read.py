"""What the tools write before a person looks: measured or said by a model, never by a reader."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import ContractError, IdentityConflictError
from knowledge.finding import State, Why
from serving.reading.content import forms_for, named_by
from serving.reading.model import Person
from serving.reading.pre_read import Found, pre_read
from serving.reading.pre_read_models import _fill, answers_of
from serving.reading.service import ReadingService
from tests.peers.test_orthanc import real_film
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.reading.test_reading import ANNA, FILM, Desk
from tests.tools.imaging.ct.phantoms import chest, series
from tests.tools.models.builders import classifier, image_input, output
from tests.tools.models.test_in_case import THRESHOLD, _film
from tests.tools.readings.test_from_model import REF, result, said
from tools.imaging.ct.into_reading import METHOD, with_ct
from tools.imaging.ct.report import CtReport, measured
from tools.imaging.ct.volume import read_files
from tools.models.in_case import CaseModels
from tools.models.store import ModelStore
from tools.pathology.ihc.into_reading import without_region
from tools.readings.check import faults
from tools.readings.model import Image, Reading, Said, Stated, Study, Subject
from tools.readings.report import reading_report
from tools.readings.versions import edited, new_reading

AT = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
READER = Said(by="reader", who="Dr Reader", at=AT)
STUDY = "1.2.3"


def bare(form: str = "chest_ct", modality: str = "CT", **study: Any) -> Reading:
    return new_reading(
        form,
        reading_id="r1",
        subject=Subject(id="p1"),
        study=Study(study_uid=STUDY, modality=modality, **study),
        started=Said(by="measurement", who="Epicrisis", at=AT),
    )


@pytest.fixture(scope="module")
def report() -> CtReport:
    """Return what is measured on a chest of two lungs of known volume."""
    spacing = (4.0, 2.0, 2.0)
    hu = chest(spacing=spacing, shape=(60, 160, 160), vessels=0, noise=10)
    return measured(read_files(series(hu, spacing)), seeds=(), answers={})


def test_the_values_of_a_ct_are_the_measurements_and_no_sign_is_there_or_not(
    report: CtReport,
) -> None:
    found = with_ct(bare(), report, study=STUDY, at=AT)
    assert list(faults(found)) == []
    assert report.lungs is not None
    volume = found.items["lung_volume"]
    assert volume.number == pytest.approx(report.lungs.volume_ml, rel=1e-3)
    assert (volume.unit, volume.said) == ("mL", Said(by="measurement", who=METHOD, at=AT))
    assert volume.unconfirmed
    assert report.lungs.basis in found.items["laa_950"].text
    signs = {path: one for path, one in found.items.items() if one.not_assessed is not None}
    for path in ("pneumothorax", "embolus", "mass", "nodules"):
        why = signs[path].not_assessed
        assert why is not None
        assert why.why is Why.NO_MODEL, path
    emphysema, agatston = signs["emphysema"].not_assessed, signs["agatston"].not_assessed
    assert emphysema is not None
    assert "a reader decides" in emphysema.detail
    assert agatston is not None
    assert (agatston.why, agatston.detail) == (Why.DEPENDS, "no mask of the coronaries given")
    assert all(one.state is not State.ABSENT for one in found.items.values())


def test_lungs_that_are_refused_are_not_assessed_with_the_reason(report: CtReport) -> None:
    from knowledge.finding import NotAssessed

    why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="lungs: not both lungs")
    abdomen = report.model_copy(
        update={"lungs": None, "not_assessed": {**report.not_assessed, "lungs": why}}
    )
    found = with_ct(bare(), abdomen, study=STUDY, at=AT)
    for path in ("lung_volume", "laa_950", "perc15"):
        assert found.items[path].not_assessed == why
        assert found.items[path].number is None
    assert found.items["emphysema"].state is State.NOT_ASSESSED


def test_a_series_of_another_study_fills_nothing(report: CtReport) -> None:
    with pytest.raises(IdentityConflictError, match="not shown to be of the study"):
        with_ct(bare(), report, study="9.9", at=AT)
    other = Image(sop_class_uid="1", series_uid="2", sop_uid="3")
    with pytest.raises(IdentityConflictError):
        with_ct(bare(images=(other,)), report, study=STUDY, at=AT)
    with pytest.raises(ContractError, match="is of the form general_imaging"):
        with_ct(bare("general_imaging"), report, study=STUDY, at=AT)


def test_what_a_reader_or_a_model_said_stays(report: CtReport) -> None:
    mine = Stated(state=State.PRESENT, side="left", said=READER)
    model = Stated(state=State.ABSENT, said=Said(by="model", who="m 1", at=AT))
    before = edited(bare(), {"pneumothorax": mine}, by=READER)
    before = edited(before, {"embolus": model}, by=Said(by="model", who="m 1", at=AT))
    found = with_ct(before, report, study=STUDY, at=AT)
    assert found.items["pneumothorax"] == mine
    assert found.items["embolus"] == model


def test_two_models_that_differ_leave_the_item_open_and_name_both() -> None:
    first = _fill(result(said("Pneumothorax", "at-or-above")))
    other = REF.model_copy(update={"id": "second", "version": "2"})
    second = _fill(result(said("Pneumothorax", "below"), model=other))
    third = _fill(result(said("Pneumothorax", "at-or-above")))
    found = second(first(bare("chest_film", "CR"), AT), AT)
    why = found.items["pneumothorax"].not_assessed
    assert why is not None
    assert why.why is Why.CONFLICTING
    assert why.detail == "models differ: finder 1.2 and second 2"
    again = third(found, AT).items["pneumothorax"].not_assessed
    assert again is not None
    assert again.why is Why.CONFLICTING, "a third does not settle it"


def test_a_model_that_is_undecided_does_not_take_back_what_another_said() -> None:
    first = _fill(result(said("Pneumothorax", "at-or-above")))
    other = REF.model_copy(update={"id": "second"})
    second = _fill(result(said("Pneumothorax", "undecided"), model=other))
    found = second(first(bare("chest_film", "CR"), AT), AT)
    assert found.items["pneumothorax"].state is State.PRESENT


def test_a_model_of_the_installation_fills_its_slot_and_each_refusal_has_its_reason(
    tmp_path: Path,
) -> None:
    """Half of the picture is 1: mean 0.5, sigmoid of 0 is 0.5, below the threshold of 0.6."""
    grey = image_input(normalise={"kind": "range", "low": 0, "high": 2048})
    made = classifier(tmp_path / "made", inputs=[grey], outputs=[output(thresholds=[THRESHOLD])])
    store = ModelStore(tmp_path / "models")
    store.add(made)
    models = CaseModels(store=store, switched_on=True)
    folder = tmp_path / "films"
    folder.mkdir()
    _film(folder, "one.dcm")
    _film(folder, "other.dcm")
    one = (folder / "one.dcm").read_bytes()
    asked = answers_of(models, "DX", {"one.dcm": one})
    assert (len(asked.fills), asked.reasons) == (1, ())
    two = {"one.dcm": one, "other.dcm": (folder / "other.dcm").read_bytes()}
    asked = answers_of(models, "DX", two)
    assert asked.fills == ()
    assert asked.reasons == ("test-model 1.0: it answers for 2 images; look at each",)
    asked = answers_of(models, "DX", {"broken.dcm": b"no image"})
    assert asked.fills == ()
    assert asked.reasons[0].startswith("test-model 1.0: ")
    assert answers_of(models, "CT", {"one.dcm": one}).fills == ()


def test_a_film_without_an_outline_says_in_each_item_why(tmp_path: Path) -> None:
    """A real film whose lung fields are refused: the ratio is not assessed with that reason."""
    with fresh(tmp_path) as made:
        desk = Desk(made, film=real_film()["rg1.dcm"])
        desk.done("start", {"form": "chest_film"}, by=ANNA)
        items = desk.seen()["content"]["items"]
        assert items["ctr"]["not_assessed"]["why"] == "quality"
        assert "too small for a lung" in items["ctr"]["not_assessed"]["detail"]
        assert items["projection"]["said"]["by"] == "measurement"
        assert items["pneumothorax"]["not_assessed"]["why"] == "no-model-configured"


def test_a_share_of_a_stain_waits_for_a_region_of_a_person() -> None:
    found = without_region(bare("pathology_breast", "SM"), at=AT)
    for item in ("ki67_percent", "er_percent", "pr_percent"):
        why = found.items[item].not_assessed
        assert why is not None
        assert why.why is Why.DEPENDS
        assert "a tumour region that a person draws" in why.detail
    assert list(faults(found)) == []
    mine = Stated(state=State.PRESENT, number=12, unit="%", said=READER)
    stated = edited(bare("pathology_breast", "SM"), {"ki67_percent": mine}, by=READER)
    assert without_region(stated, at=AT).items["ki67_percent"] == mine
    assert without_region(bare(), at=AT) == bare(), "a form without a share stays as it is"


def test_a_tool_that_fails_does_not_take_the_others_with_it() -> None:
    def fails(reading: Reading, at: datetime) -> Reading:
        raise ContractError("series", "has a gap")

    good: Callable[[Reading, datetime], Reading] = _fill(result(said("mass", "at-or-above")))
    made = pre_read(bare(), Found(fills=(fails, good), reasons=("m: not in its view",)), at=AT)
    assert made.reasons == ["m: not in its view", "has a gap"]
    assert made.reading is not None
    assert made.reading.items["mass"].state is State.PRESENT
    nothing = pre_read(bare(), Found(fills=(fails,)), at=AT)
    assert nothing.reading is None


@pytest.mark.parametrize(
    ("modality", "title", "first", "named"),
    [
        ("CT", "CT, chest", "chest_ct", True),
        ("CT", "CT, head", "general_imaging", False),
        ("DX", "radiograph (digital), chest", "chest_film", True),
        ("CR", "radiograph (computed radiography), extremity", "general_imaging", False),
    ],
)
def test_the_form_that_a_title_names_comes_first(
    modality: str, title: str, first: str, named: bool
) -> None:
    form = forms_for(modality, title)[0]
    assert (form.id, named_by(form, title)) == (first, named)


def test_both_languages_say_the_measured_values(report: CtReport) -> None:
    found = with_ct(bare(), report, study=STUDY, at=AT)
    for language in ("en", "zh"):
        said = reading_report(found, language=language)
        assert any(row.text for block in said.blocks for row in block.rows), language


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    with fresh(tmp_path_factory.mktemp("pre"), device_functions=False) as found:
        yield found


def test_switched_off_nothing_is_filled_and_that_is_said(made: Fresh) -> None:
    desk = Desk(made)
    desk.done("start", {"form": "chest_film"}, by=ANNA)
    seen = desk.seen()
    told = [one for one in seen["log"] if one["what"] == "pre-read"][-1]["detail"]
    assert told["not_assessed"] == "switched off"
    assert all(one.get("said") is None for one in seen["content"]["items"].values())


def _arrive(desk: Desk) -> bool:
    services = desk.made.services
    case = services.cases.find(desk.case)
    assert case is not None
    reading = ReadingService(services)
    return reading.tools.arrived(case, reading.store.find(case.id, desk.first))


def test_what_was_written_on_arrival_is_what_the_first_reader_starts_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving.reading import pre_reader

    asked: list[str] = []
    fill = _fill(result(said("Pneumothorax", "at-or-above")))

    def say(services: Any, case: Any, round_: Any, form: str) -> Found:
        asked.append(form)
        return Found(fills=(fill,))

    monkeypatch.setattr(pre_reader, "tools_say", say)
    monkeypatch.setattr(pre_reader, "named_by", lambda form, title: True)
    first = forms_for("CR", "radiograph (computed radiography)")[0].id
    monkeypatch.setattr(pre_reader, "forms_for", lambda m, t: [_Form("chest_film")])
    with fresh(tmp_path) as made:
        desk = Desk(made, film=FILM)
        assert _arrive(desk)
        assert not _arrive(desk), "once"
        before = desk.seen()
        assert before["round"]["state"] == "to read"
        assert before["content"]["started"] == {
            "by": "measurement", "who": "Epicrisis", "at": before["content"]["started"]["at"]
        }  # fmt: skip
        assert before["log"][-1]["by"]["name"] == "Epicrisis"
        desk.done("start", {"form": "chest_film"}, by=ANNA)
        assert asked == ["chest_film"], "not measured again"
        content = desk.seen()["content"]
        assert content["items"]["pneumothorax"]["said"]["by"] == "model"
        assert content["started"]["who"] == "Dr Anna"
        assert "no reader has confirmed" in desk.refused("sign", by=ANNA)
        other = Desk(made, film=FILM)
        assert _arrive(other)
        other.done("start", {"form": first}, by=ANNA)
        assert asked[-1] == first, "another form is asked for by itself"
        assert other.seen()["content"]["form"] == first


class _Form:
    """A form as far as an arrival asks it."""

    def __init__(self, name: str) -> None:
        self.id = name


def test_who_the_service_is_in_a_log() -> None:
    from serving.reading.arrival import TOOLS

    assert Person(subject="epicrisis", name="Epicrisis") == TOOLS
