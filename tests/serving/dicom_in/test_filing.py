"""A study that arrives is in a case and on the worklist: once, of one patient, never lost."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from knowledge.errors import UnavailableError
from serving.access.errors import NotFoundError
from serving.audit.tables import AuditRow
from serving.dicom_in.filing import APART, LABEL, StudyFiling
from serving.dicom_in.inbox import Inbox
from serving.dicom_in.studies import Arrived, StudyStore
from serving.reading.store import RoundStore
from serving.storage.removal import remove
from tests.serving.cases.fresh import Fresh, fresh
from tests.tools.imaging.view.made import CR, image, ramp
from tools.dicom_out.maker import MANUFACTURER

STUDY = "1.2.826.0.1.9"
ANNA = {
    "PatientID": "A-1", "IssuerOfPatientID": "HOSP", "PatientName": "Frei^Anna",
    "PatientBirthDate": "19600102", "PatientSex": "F",
}  # fmt: skip


def film(number: int = 1, *, study: str = STUDY, **changes: Any) -> bytes:
    """Return one film of a study."""
    stated = {
        **ANNA, "Modality": "CR", "StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1",
        "SOPInstanceUID": f"{study}.1.{number}", "StudyDate": "20261119", "StudyTime": "101500",
        "BodyPartExamined": "CHEST",
    }  # fmt: skip
    return image(ramp(), sop_class=CR, RescaleSlope=1, **{**stated, **changes})


class Ward:
    """A service, its inbox and what files into it."""

    def __init__(self, made: Fresh, folder: Path) -> None:
        self.made, self.services = made, made.services
        self.inbox = Inbox(folder, object_bytes=1 << 24, total_bytes=1 << 28)
        self.filing = StudyFiling(self.services, self.inbox)
        self.store = StudyStore(self.services.database, clock=self.services.clock)
        self.rounds = RoundStore(self.services.database, self.services.clock)

    def receive(self, *contents: bytes) -> None:
        for content in contents:
            kept = self.inbox.keep(content)
            os.utime(kept.path, (0, 0))  # long enough ago: the study is whole

    def restarted(self) -> StudyFiling:
        self.filing = StudyFiling(self.services, self.inbox)
        return self.filing

    def known(self, study: str = STUDY) -> Arrived:
        found = self.store.find(study)
        assert found is not None
        return found

    def cases(self) -> list[str]:
        return [case.label for case in self.services.cases.list()]

    def audited(self) -> list[str]:
        """Return the events of studies that were put into a case, as text."""
        query = select(AuditRow.body).where(AuditRow.action == "dicom.kept")
        with self.services.database.reading() as session:
            return [str(one) for one in session.scalars(query.order_by(AuditRow.sequence))]


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with fresh(tmp_path, dicom_quiet_s=5) as made:
        yield Ward(made, tmp_path / "data" / "dicom")


def test_a_study_is_in_a_case_and_on_the_worklist_once(ward: Ward) -> None:
    ward.receive(film())
    (found,) = ward.filing.look()
    assert (found.state, found.images, found.reason) == ("filed", 1, "")
    (case,) = ward.services.cases.list()
    assert (case.source, case.label, case.patient) == ("dicom", LABEL, "dicom|HOSP|A-1")
    (round_,) = ward.rounds.of_case(case.id)
    assert (round_.state, round_.modality) == ("to read", "CR")
    (event,) = ward.audited()
    assert STUDY in event
    assert "Frei" not in event
    ward.receive(film())  # the very same image again
    assert ward.filing.look() == []
    assert ward.restarted().look() == []
    assert len(ward.rounds.of_case(case.id)) == 1


def test_what_is_not_whole_waits_and_can_be_filed_at_once(ward: Ward) -> None:
    ward.inbox.keep(film())
    assert ward.filing.look() == []
    found = ward.filing.file(STUDY)
    assert found is not None
    assert found.state == "filed"
    assert ward.filing.file("1.2.3") is None


def test_a_further_image_is_noted_and_makes_no_second_round(ward: Ward) -> None:
    ward.receive(film())
    ward.filing.look()
    ward.receive(film(2, ViewPosition="LL"))
    (more,) = ward.filing.look()
    assert (more.images, more.case) == (2, ward.services.cases.list()[0].id)
    (round_,) = ward.rounds.of_case(str(more.case))
    assert len(round_.files) == 2
    assert "images changed" in [one.what for one in ward.rounds.log(round_.id)]


def test_another_study_of_the_same_patient_comes_into_the_case_of_the_visit(ward: Ward) -> None:
    ward.receive(film(), film(study="1.2.826.0.1.10", StudyTime="150000"))
    ward.filing.look()
    (case,) = ward.services.cases.list()
    assert {one.case for one in ward.store.listed()} == {case.id}
    assert len(ward.rounds.of_case(case.id)) == 2
    ward.made.clock.later(days=30)
    ward.receive(film(study="1.2.826.0.1.11", StudyDate="20261219"))
    ward.filing.look()
    assert len(ward.cases()) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"PatientBirthDate": "19710203"},
        {"PatientName": "Other^Person", "PatientBirthDate": "19710203", "PatientSex": "M"},
    ],
)
def test_the_same_number_of_another_person_is_never_fused(
    ward: Ward, changes: dict[str, Any]
) -> None:
    ward.receive(film())
    ward.filing.look()
    other = "1.2.826.0.1.12"
    ward.receive(film(study=other, **changes))
    (found,) = ward.filing.look()
    assert found.state == "filed"
    assert "not put into case" in found.reason
    assert ward.known().case != found.case
    assert sorted(ward.cases()) == [LABEL, APART]
    assert len(ward.rounds.of_case(str(found.case))) == 1
    (first,) = ward.services.cases.files(str(ward.known().case))
    assert first.name.startswith(f"dicom/{STUDY}.1/")


def test_a_number_without_its_giver_joins_nobody_who_is_not_shown_to_be_the_same(
    ward: Ward,
) -> None:
    bare: dict[str, Any] = {"IssuerOfPatientID": "", "PatientName": "", "PatientBirthDate": ""}
    ward.receive(film(**bare), film(study="1.2.826.0.1.13", **bare))
    ward.filing.look()
    assert len({one.case for one in ward.store.listed()}) == 2
    whole: dict[str, Any] = {"IssuerOfPatientID": ""}
    ward.receive(film(study="1.2.826.0.1.16", **whole), film(study="1.2.826.0.1.17", **whole))
    ward.filing.look()
    assert len({one.case for one in ward.store.listed()}) == 3
    assert ward.known("1.2.826.0.1.16").case == ward.known("1.2.826.0.1.17").case


def test_a_study_without_a_number_has_a_case_of_its_own(ward: Ward) -> None:
    ward.receive(film(PatientID="", IssuerOfPatientID=""))
    (found,) = ward.filing.look()
    assert found.reason.startswith("states no number of a patient")
    assert len(ward.rounds.of_case(str(found.case))) == 1


@pytest.mark.parametrize("number", ["A-1", ""])
def test_a_process_that_dies_between_case_and_note_makes_no_second_case(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    ward.receive(film(PatientID=number))

    def died(*_: Any, **__: Any) -> None:
        raise UnavailableError("the database", "is away")

    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, "keep", died)
        with pytest.raises(UnavailableError):
            ward.filing.look()
    (found,) = ward.restarted().look()
    assert found.state == "filed"
    assert len(ward.cases()) == 1
    assert len(ward.rounds.of_case(str(found.case))) == 1


def test_what_is_over_a_limit_is_held_and_tried_again_when_told(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward.receive(film())
    small = ward.services.settings.model_copy(update={"max_case_mib": 0})
    with monkeypatch.context() as patch:
        patch.setattr(ward.services, "settings", small)
        (found,) = ward.filing.look()
    assert (found.state, found.case) == ("held", None)
    assert "is over 0 MiB" in found.reason
    assert ward.filing.look() == []
    assert ward.inbox.images_of(STUDY)
    ward.store.again(STUDY)
    (found,) = ward.filing.look()
    assert (found.state, found.reason) == ("filed", "")
    with pytest.raises(NotFoundError):
        ward.store.again(STUDY)


def test_a_mistake_of_ours_holds_the_study_and_not_the_others(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "1.2.826.0.1.14"
    ward.receive(film(), film(study=other, PatientID="B-2", PatientName="Gross^Bea"))
    right = ward.filing._placed

    def wrong(study: str, *more: Any) -> Any:
        if study == STUDY:
            raise RuntimeError(study)
        return right(study, *more)

    monkeypatch.setattr(ward.filing, "_placed", wrong)
    ward.filing.look()
    assert ward.known().state == "held"
    assert ward.known(other).state == "filed"


def test_what_we_made_ourselves_is_no_further_image(ward: Ward) -> None:
    ward.receive(film(), film(7, Manufacturer=MANUFACTURER))
    ward.filing.look()
    assert len(ward.services.cases.files(str(ward.known().case))) == 1
    ward.receive(film(8, study="1.2.826.0.1.15", Manufacturer=MANUFACTURER))
    (found,) = ward.filing.look()
    assert "only what Epicrisis itself made" in found.reason


def test_a_deleted_case_does_not_come_back_from_the_inbox(ward: Ward) -> None:
    ward.receive(film())
    ward.filing.look()
    services = ward.services
    remove(
        services.settings,
        services.database,
        services.files,
        str(ward.known().case),
        by="operator",
        clock=services.clock,
    )
    assert ward.inbox.images_of(STUDY) == []
    assert ward.store.find(STUDY) is None
    assert ward.restarted().look() == []
    assert ward.cases() == []


def test_the_thread_files_what_an_earlier_process_left(ward: Ward) -> None:
    ward.receive(film())
    ward.filing.start()
    for _ in range(600):
        if ward.store.find(STUDY) is not None:
            break
        ward.filing._stopping.wait(0.1)
    ward.filing.stop()
    assert ward.known().state == "filed"
    assert date(2026, 11, 20) == ward.known().arrived_at.date()
