"""Studies into the cases of their patients, and so onto the reading worklist.

A study goes into the case of its patient and visit where its images are shown to be of that
patient; where they are not, it gets a case of its own, and the reason is kept. What cannot be put
into any case is held for a person; its images stay in the inbox. Nothing is lost by a kill: a study
that is not filed yet is filed at the next look, and one that is filed changes nothing.
"""

import hashlib
import logging
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import EpicrisisError, TooLargeError, UnavailableError, UnreadableError
from serving.access.principal import Principal, Role
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.dicom_in.inbox import SUFFIX, Inbox
from serving.dicom_in.studies import Arrived, State, StudyStore
from serving.reading.service import ReadingService
from serving.services import Services
from tools.dicom_out.maker import MANUFACTURER
from tools.ecg.readers.dicom import parse_errors, silence_pydicom
from tools.intake.limits import MIB

logger = logging.getLogger(__name__)

PRINCIPAL = Principal(
    subject="dicom", name="DICOM receiver", roles=frozenset({Role.INTEGRATOR}), via="service"
)
"""In whose name cases are opened and changed by images that arrive."""

SYSTEM = "dicom"
"""Begins `Case.patient` and `Case.encounter` of a case that images opened."""

LABEL, APART = "from DICOM", "from DICOM, kept apart from another case of the same number"
_LONGEST = 400
_LOOK_S, _RETRY_S = 1.0, 5.0
_TAGS = (
    "PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "AdmissionID",
    "Manufacturer",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Whose:
    """What the first image of a study says of whose it is; empty for what it does not say."""

    number: str
    issuer: str
    person: bool
    visit: str

    @property
    def patients(self) -> tuple[str, ...]:
        """The patient as cases may name him (`Case.patient`), the best first.

        A number of HL7 v2 messages is the same one only where its giver is stated. Two hospitals
        number from 1: without its giver a number stands for somebody only beside name and birth
        date, which are compared before anything is joined.
        """
        if not self.number or not (self.issuer or self.person):
            return ()
        own = f"{SYSTEM}|{self.issuer}|{self.number}"[:_LONGEST]
        return (own, f"hl7v2|{self.issuer}|{self.number}"[:_LONGEST]) if self.issuer else (own,)

    @property
    def encounter(self) -> str | None:
        """The visit as `Case.encounter`; None where it is not stated."""
        return f"{SYSTEM}|{self.issuer}|{self.visit}"[:_LONGEST] if self.visit else None


class StudyFiling:
    """Puts studies of the inbox into cases.

    Args:
        services: Of the application.
        inbox: What arrived.
    """

    def __init__(self, services: Services, inbox: Inbox) -> None:
        self._services, self._inbox = services, inbox
        self._store = StudyStore(services.database, clock=services.clock)
        self._cases = CaseService(services)
        self._settled: dict[str, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dicom-filing", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._thread.start()

    def stop(self) -> None:
        """End after the study that is being filed."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self) -> list[Arrived]:
        """File every study that is whole, and return what became of those that are new or more.

        Raises:
            UnavailableError: The database or the disk cannot be used; what is left stays.
        """
        for again in self._store.listed("received"):
            self._settled.pop(again.study, None)
        found = []
        for study in self._inbox.studies():
            if self._stopping.is_set():
                break
            changed = self._inbox.changed(study)
            if self._settled.get(study) == changed:
                continue
            images = self._inbox.images_of(study)
            newest = max((path.stat().st_mtime for path in images), default=time.time())
            if time.time() - newest < self._services.settings.dicom_quiet_s:
                continue
            one = self._one(study, images)
            self._settled[study] = changed
            if one is not None:
                found.append(one)
        return found

    def file(self, study: str) -> Arrived | None:
        """File one study now, without waiting for more of it; None where it is not in the inbox.

        Raises:
            UnavailableError: The database or the disk cannot be used; it stays in the inbox.
        """
        images = self._inbox.images_of(study)
        if images:
            self._one(study, images)
        return self._store.find(study)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except EpicrisisError as error:
                logger.error("studies not filed yet: %s: %s", error.item, error.reason)
                self._stopping.wait(_RETRY_S)
            except Exception:  # the outermost handler of this thread: it goes on
                logger.exception("studies not filed yet")
                self._stopping.wait(_RETRY_S)
            self._stopping.wait(_LOOK_S)

    def _one(self, study: str, images: list[Path]) -> Arrived | None:
        """File a study; None where it was filed or held before, with these very images."""
        content, known = _digest(images), self._store.find(study)
        if known is not None and known.content == content and known.state != "received":
            return None
        state, case, reason = self._tried(study, images, known)
        self._store.keep(
            study,
            state,
            case=None if case is None else case.id,
            images=len(images),
            content=content,
            reason=reason,
        )
        if case is not None:
            self._pre_read(case)
        return self._store.find(study)

    def _pre_read(self, case: Case) -> None:
        """Let the tools write into the readings of a case before anybody looks.

        What fails here is done once more when somebody starts to read.
        """
        reading = ReadingService(self._services)
        for round_ in reading.store.of_case(case.id):
            try:
                reading.tools.arrived(case, round_)
            except UnavailableError:
                raise
            except EpicrisisError as error:
                logger.warning("reading %s was not pre-read: %s", round_.id, error.reason)
            except Exception:  # a reading without it is read all the same
                logger.exception("reading %s was not pre-read", round_.id)

    def _tried(
        self, study: str, images: list[Path], known: Arrived | None
    ) -> tuple[State, Case | None, str]:
        before = self._services.cases.find(known.case) if known is not None and known.case else None
        reason = known.reason if known is not None and known.state == "filed" else ""
        try:
            files = self._files(images)
            if before is not None:
                case, why = self._more(before, files), reason
            else:
                case, why = self._placed(study, images, files)
            detail = {"study": study, "images": len(images), "apart": bool(why)}
            self._services.audit.used(PRINCIPAL, "dicom.kept", case=case, detail=detail)
        except UnavailableError:
            raise
        except EpicrisisError as error:
            logger.warning("a study is held: %s; see epicrisis dicom studies", error.reason)
            return "held", before, f"{error.item}: {error.reason}"
        except Exception as error:  # the outermost handler: a person decides
            logger.exception("a study is held; see epicrisis dicom studies")
            return "held", before, f"a mistake of the service ({type(error).__name__})"
        return "filed", case, why

    def _files(self, images: list[Path]) -> list[tuple[str, bytes]]:
        """Return the objects of a study as files of a case, without what we made ourselves."""
        size = sum(path.stat().st_size for path in images)
        most = self._services.settings.max_case_mib
        if size > most * MIB:
            raise TooLargeError(
                "study", f"is over {most} MiB", "raise EPICRISIS_MAX_CASE_MIB, then dicom retry"
            )
        try:
            found = [(file_name(p), p.read_bytes()) for p in images if not _is_ours(p)]
        except OSError as error:
            raise UnavailableError("the inbox", f"cannot be read: {error.strerror}") from error
        if not found:
            raise UnreadableError("study", "holds only what Epicrisis itself made", "nothing to do")
        return found

    def _more(self, case: Case, files: list[tuple[str, bytes]]) -> Case:
        """Put further images of a study into the case it is in."""
        known = {file.name: file.sha256 for file in self._services.cases.files(case.id)}
        fresh = [(n, c) for n, c in files if known.get(n) != hashlib.sha256(c).hexdigest()]
        if fresh:
            self._cases.add_files(case, fresh, principal=PRINCIPAL)
        return case

    def _placed(
        self, study: str, images: list[Path], files: list[tuple[str, bytes]]
    ) -> tuple[Case, str]:
        """Return the case a new study was put into, and why it has one of its own."""
        whose = _whose(next(path for path in images if not _is_ours(path)))
        if not whose.patients:
            return self._apart(
                study, files, LABEL
            ), "states no number of a patient that says whose it is"
        cases = self._services.cases
        found = (cases.visit(patient, whose.encounter) for patient in whose.patients)
        case = next((one for one in found if one is not None), None)
        if case is None:
            case, created = cases.open_visit(
                whose.patients[0],
                whose.encounter,
                label=LABEL,
                source="dicom",
                by=PRINCIPAL.subject,
                files=files,
            )
            if created:
                self._cases.assess(case, principal=PRINCIPAL, why="new file")
                return case, ""
        try:
            return self._more(case, files), ""
        except UnavailableError:
            raise
        except EpicrisisError as error:
            reason = f"not put into case {case.id}: {error.reason}"
        return self._apart(study, files, APART), reason

    def _apart(self, study: str, files: list[tuple[str, bytes]], label: str) -> Case:
        """Return a case of the study alone; the same one, should the process die on the way."""
        case, _ = self._services.cases.open_keyed(
            f"study {study}", (), label=label, source="dicom", by=PRINCIPAL.subject
        )
        return self._more(case, files)


def file_name(path: Path) -> str:
    """Return the name of an object within a case.

    Examples:
        >>> file_name(Path("inbox/1.2/1.2.3/1.2.3.4.dcm"))
        'dicom/1.2.3/1.2.3.4.dcm'
    """
    return f"dicom/{path.parent.name}/{path.stem}{SUFFIX}"


def _digest(images: list[Path]) -> str:
    return hashlib.sha256("\n".join(sorted(map(file_name, images))).encode()).hexdigest()


def _is_ours(path: Path) -> bool:
    return _head(path)["Manufacturer"] == MANUFACTURER


def _whose(path: Path) -> _Whose:
    head = _head(path)
    return _Whose(
        number=head["PatientID"],
        issuer=head["IssuerOfPatientID"],
        person=bool(head["PatientName"].strip("^ ") and head["PatientBirthDate"]),
        visit=head["AdmissionID"],
    )


def _head(path: Path) -> dict[str, str]:
    import pydicom

    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*_TAGS])
            return {keyword: str(ds.get(keyword, "") or "").strip() for keyword in _TAGS}
        except OSError as error:
            raise UnavailableError("the inbox", f"cannot be read: {error.strerror}") from error
        except parse_errors() as error:
            raise UnreadableError("study", "holds no readable DICOM", "send it again") from error
