"""Gate and measurement in the items of a chest-film reading."""

from datetime import UTC, datetime, timedelta

import pytest
from pydicom.uid import generate_uid

from knowledge.errors import ContractError, IdentityConflictError
from knowledge.finding import State, Why
from knowledge.reading_form import reading_form
from tests.tools.imaging.film.phantoms import chest, dicom
from tools.imaging.film.into_reading import with_film
from tools.imaging.film.read import read_film
from tools.imaging.film.report import FilmReport, measured
from tools.readings.category import outcomes
from tools.readings.check import faults
from tools.readings.model import Reading, Said, Stated, Study, Subject
from tools.readings.outcome import outcome_of
from tools.readings.versions import confirmed, edited, new_reading

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
STUDY = generate_uid(entropy_srcs=["study"])
READER = Said(by="reader", who="Dr Reader", at=AT + timedelta(minutes=1))


def _reading(study: str = STUDY, form: str = "chest_film") -> Reading:
    return new_reading(
        form,
        reading_id="r1",
        subject=Subject(id="77120", age_years=51),
        study=Study(study_uid=study, modality="CR" if form == "chest_film" else "US"),
        started=Said(by="reader", who="Dr Reader", at=AT),
    )


def _report(heart: float = 390, **changes: object) -> FilmReport:
    return measured(read_film(dicom(chest(heart=heart).grey, **changes), file="film.dcm"))


def test_the_items_that_are_answered_are_filled_and_every_sign_is_not_assessed() -> None:
    report = _report()
    assert report.ratio is not None
    found = with_film(_reading(), report, at=AT + timedelta(minutes=5))
    assert list(faults(found)) == []
    ratio = found.items["ctr"]
    assert (ratio.number, ratio.unit) == (report.ratio.ratio, "1")
    assert ratio.said is not None
    assert ratio.said.by == "measurement"
    assert "review the overlay" in ratio.text
    assert found.items["projection"].choices == ("pa",)
    assert found.items["rotation"].state is State.NOT_ASSESSED
    for sign in ("nodule", "effusion", "pneumothorax", "consolidation"):
        why = found.items[sign].not_assessed
        assert why is not None
        assert why.why is Why.NO_MODEL
        assert "no validated model configured" in why.detail
    heart = found.items["cardiomegaly"].not_assessed
    assert heart is not None
    assert "above 0.50" in heart.detail
    assert "a reader decides" in heart.detail


def test_software_makes_no_item_of_the_form_absent() -> None:
    found = with_film(_reading(), _report(), at=AT + timedelta(minutes=5))
    assert not [name for name, s in found.items.items() if s.state is State.ABSENT]


@pytest.mark.parametrize(
    ("number", "possible"),
    [
        (0.42, ("small", "normal")),  # 0.37 to 0.47, limit 0.42
        (0.48, ("normal", "enlarged")),  # 0.43 to 0.53, limit 0.50
        (0.55, ("normal", "enlarged")),  # 0.50 is not above 0.50
        (0.56, ("enlarged",)),  # 0.51 to 0.61
    ],
)
def test_a_measured_ratio_is_on_neither_side_of_a_limit_within_its_margin(
    number: float, possible: tuple[str, ...]
) -> None:
    found = with_film(_reading(), _report(), at=AT + timedelta(minutes=5))
    ratio = found.items["ctr"]
    assert ratio.margin == 0.05, "the margin of the film tool"
    form, items = reading_form("chest_film"), dict(found.items)
    items["ctr"] = ratio.model_copy(update={"number": number})
    heart = outcome_of(outcomes(form, items), "heart_size")
    assert heart.possible == possible
    if len(possible) > 1:
        assert heart.missing == ("ctr",)
        assert f"{number} is known within 0.05 only" in heart.because[0].en
    items["ctr"] = confirmed(items["ctr"], by=READER)
    assert outcome_of(outcomes(form, items), "heart_size").possible == possible
    by_hand = items["ctr"].model_copy(update={"margin": None})
    assert outcome_of(outcomes(form, items | {"ctr": by_hand}), "heart_size").category is not None


def test_a_refused_ratio_is_not_assessed_with_its_reason() -> None:
    report = measured(read_film(dicom(chest(one_lung=True).grey), file="film.dcm"))
    why = with_film(_reading(), report, at=AT + timedelta(minutes=5)).items["ctr"].not_assessed
    assert why is not None
    assert "no dark lung field" in why.detail


def test_a_readers_word_stays() -> None:
    stated = Stated(state=State.PRESENT, said=READER)
    before = edited(_reading(), {"effusion": stated}, by=READER)
    after = with_film(before, _report(), at=AT + timedelta(minutes=5))
    assert after.items["effusion"] == stated
    assert after.items["ctr"].number is not None


def test_a_film_of_another_study_and_another_form_are_refused() -> None:
    report = _report()
    with pytest.raises(IdentityConflictError, match="not shown to be of the study"):
        with_film(_reading("1.2.3"), report, at=AT)
    with pytest.raises(IdentityConflictError):
        with_film(_reading(), _report(StudyInstanceUID="1.2.4"), at=AT)
    with pytest.raises(ContractError, match="thyroid_tirads"):
        with_film(_reading(form="thyroid_tirads"), report, at=AT)
