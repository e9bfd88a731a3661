"""Readings that were released for a case and whose form has changed since."""

from datetime import UTC, datetime
from types import SimpleNamespace

from evals.phantoms.readings import READER, reading
from knowledge.clinical_time import ClinicalTime
from tools.intake.content import Content
from tools.intake.readings import read_readings
from tools.intake.readings_known import fitting, in_time, released_reading, released_reports
from tools.readings.in_case import standing
from tools.readings.model import NOBODY, Reading
from tools.readings.versions import signed

SIGNED = signed(reading("chest_film", {"projection": "pa", "pneumothorax": "present"}), by=READER)


def _status(one: Reading) -> tuple[str, str]:
    released = (released_reading(one, "r1"),)
    (report,) = released_reports(released, standing(fitting(released)))
    assert report.file == "released reading r1"
    return report.status, report.reason or ""


def test_one_that_fits_a_newer_version_of_its_form_still_counts() -> None:
    older = SIGNED.model_copy(update={"form_version": "0.1", "form_sha256": "0" * 64})
    assert fitting((released_reading(older, "r1"),))
    assert _status(older) == ("read", "")


def test_a_file_of_a_newer_version_that_it_fits_counts_and_one_that_it_does_not_is_named() -> None:
    older = SIGNED.model_copy(update={"form_version": "0.1", "form_sha256": "0" * 64})
    gone = older.model_copy(update={"items": {**SIGNED.items, "no_such_sign": NOBODY}})
    files = {
        f"{name}.json": Content(
            file=f"{name}.json",
            kind="FHIR JSON",
            data=one.model_dump_json(by_alias=True).encode(),
            sha256="0" * 64,
        )
        for name, one in (("fits", older), ("gone", gone))
    }
    read = read_readings(files)
    assert set(read.read) == {"fits.json"}
    (failed,) = read.failed
    assert "no_such_sign" in (failed.reason or "")


def test_one_whose_item_is_gone_is_told_and_nothing_of_it_is_used() -> None:
    gone = SIGNED.model_copy(update={"items": {**SIGNED.items, "no_such_sign": NOBODY}})
    assert fitting((released_reading(gone, "r1"),)) == ()
    status, reason = _status(gone)
    assert status == "failed"
    assert "no_such_sign" in reason
    assert "nothing of it is used" in reason


def test_one_whose_whole_form_is_gone_is_told_too() -> None:
    gone = SIGNED.model_copy(update={"form": "a_form_of_yesterday"})
    status, reason = _status(gone)
    assert status == "failed"
    assert "a_form_of_yesterday" in reason


def test_a_reading_without_a_time_has_that_of_its_images_in_the_case() -> None:
    """The earliest of one study; images of another study give none."""
    untimed = SIGNED.model_copy(update={"study": SIGNED.study.model_copy(update={"done": None})})
    times = [datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in (17, 16, 15)]
    studies = (untimed.study.study_uid, untimed.study.study_uid, "1.2.999")
    images = {
        str(hour): SimpleNamespace(study=study, time=ClinicalTime(at=hour))
        for study, hour in zip(studies, times, strict=True)
    }
    (found,) = in_time((released_reading(untimed, "r1"),), images, None)  # type: ignore[arg-type]
    assert found.time == ClinicalTime(at=times[1])
    (alone,) = in_time((released_reading(untimed, "r1"),), {}, None)
    assert alone.time is None
