"""Messages into the cases of their patients: one case for each patient and visit, assessed anew.

What a message says of who the patient is, is compared with the case before it is taken, as for any
other file. Nothing here is lost by a kill: a message that is not filed yet is filed at the start.
"""

import logging
import re
import threading
from collections.abc import Sequence

from knowledge.errors import EpicrisisError, InvalidValueError, UnavailableError
from serving.access.principal import Principal, Role
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.hl7_in.accept import is_merge, numbers_in, patients_in
from serving.hl7_in.revision import Revision, orders_in, revision_of
from serving.hl7_in.store import (
    DECIDE,
    HELD,
    MERGE,
    UNMATCHED,
    WAITING,
    MessageStore,
    Waiting,
    held_way,
)
from serving.services import Services

logger = logging.getLogger(__name__)

PRINCIPAL = Principal(
    subject="hl7v2", name="HL7 v2 feed", roles=frozenset({Role.INTEGRATOR}), via="service"
)
"""In whose name cases are opened and changed by messages."""

_NOT_HELD = "takes back or corrects a result that no case of this patient holds"
_OTHER_NUMBER = "states a number of a known patient beside one that no message of that patient has"
_OF_SEVERAL = "states a number of the patient that messages of several patients state"
_NO_CASE = "its patient has no case: it is put into the next one of the last three days"
_TOGETHER = 50
"""Messages of one visit that are put into its case at once."""

_RETRY_S = 5.0
_LOOK_S = 1.0


class Filing:
    """Puts received messages into cases.

    Args:
        services: Of the application.
        store: Where the messages are.
    """

    def __init__(self, services: Services, store: MessageStore) -> None:
        self._services, self._store = services, store
        self._cases = CaseService(services)
        self._more, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hl7-filing", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._thread.start()

    def wake(self) -> None:
        """Tell that there is more."""
        self._more.set()

    def stop(self) -> None:
        """End after the message that is being filed."""
        self._stopping.set()
        self._more.set()
        self._thread.join()

    def file_all(self) -> int:
        """File every message that is to be filed now, and return how many there were.

        Those of one visit that have come together are taken together and assessed once.

        Raises:
            UnavailableError: The database or the disk cannot be used; what is left stays.
        """
        done = 0
        while not self._stopping.is_set() and (found := self._store.next(most=_TOGETHER)):
            if len(found) == 1 or not self._together(found):
                for message in found:
                    self._one(message)
            done += len(found)
        return done

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.file_all()
            except EpicrisisError as error:
                logger.error("messages not filed yet: %s: %s", error.item, error.reason)
                self._stopping.wait(_RETRY_S)
                continue
            except Exception:  # the outermost handler of this thread: it goes on
                logger.exception("messages not filed yet")
                self._stopping.wait(_RETRY_S)
                continue
            self._more.wait(_LOOK_S)
            self._more.clear()

    def _together(self, messages: Sequence[Waiting]) -> bool:
        """Put messages of one visit into its case at once; False where each is to be tried alone.

        A message that is not of the patient, or that cannot be read, must not hold up the others.
        """
        files = [(file_name(m), self._store.content(m.number)) for m in messages]
        if any(is_merge(m.type) for m in messages) or any(revision_of(c) for _, c in files):
            return False
        try:
            case = self._visit(messages[0], self._known_as(messages[0], files[0][1]))
            if case is None:
                return False
            self._cases.add_files(case, files, principal=PRINCIPAL)
        except UnavailableError:
            raise
        except EpicrisisError:
            return False
        for message in messages:
            self._note(message, case)
        return True

    def _one(self, message: Waiting) -> None:
        try:
            case = self._filed(message)
        except UnavailableError:
            raise
        except EpicrisisError as error:
            name, way = type(error).__name__, held_way(message.number)
            logger.warning("message %d held: %s; %s", message.number, name, way)
            self._store.set_aside(message.number, HELD, f"{error.item}: {error.reason}")
            return
        except Exception as error:  # the outermost handler: a person decides
            logger.exception("message %d held; %s", message.number, held_way(message.number))
            reason = f"a mistake of the service ({type(error).__name__})"
            self._store.set_aside(message.number, HELD, reason)
            return
        if case is None:
            self._store.set_aside(message.number, WAITING, _NO_CASE)
            return
        self._note(message, case)

    def _note(self, message: Waiting, case: Case) -> None:
        """Note that a message is in a case; where this fails, it is put there once more."""
        self._services.audit.used(
            PRINCIPAL,
            "hl7.kept",
            case=case,
            detail={"message": message.number, "type": message.type},
        )
        content = self._store.content(message.number)
        numbers = numbers_in(content)
        follow = self._following(content, {message.patient, *numbers}, case)
        self._store.filed(message.number, case.id, patients=numbers, follow=follow)

    def _following(self, content: bytes, numbers: set[str], case: Case) -> list[int]:
        """Return the held messages that take back or correct a result of one that is filed."""
        held = self._store.held_for(_NOT_HELD)
        orders = orders_in(content) if held else frozenset()
        if not orders:
            return []
        known = set(numbers)
        if case.patient is not None:
            known |= {case.patient, *self._store.stated_of(case.patient)}
        found = []
        for message, sent in held:
            revision = revision_of(sent)
            if revision is None or not revision.orders & orders:
                continue
            if known & {message.patient, *patients_in(sent), *numbers_in(sent)}:
                found.append(message.number)
        return found

    def _filed(self, message: Waiting) -> Case | None:
        """Put a message into its case and assess it; None where its patient has no case.

        One that takes back or corrects results goes to every case that holds them, whatever visit
        it names.

        A message that was filed just before the process died has its name there already: the same
        file in the same place changes nothing.
        """
        cases = self._services.cases
        name, content = file_name(message), self._store.content(message.number)
        if is_merge(message.type):
            raise InvalidValueError(f"message {message.number}", MERGE, DECIDE)
        patients = self._known_as(message, content)
        case = self._visit(message, patients)
        revision = revision_of(content)
        theirs = [] if revision is None else self._cases_of(patients)
        holding = [] if revision is None else self._holding(message, theirs, revision)
        if revision is not None and holding:
            if revision.new and case is not None:
                holding = [*holding, *(one for one in (case,) if one not in holding)]
            return self._revised(message, holding, (name, content))
        if revision is not None:
            _may_be_filed(message, revision, known=bool(theirs))
        if case is None and message.type.startswith("ADT"):
            return None
        created = False
        if case is None:
            case, created = cases.open_visit(
                patients[0],
                message.encounter,
                label="from HL7 v2",
                source="hl7",
                by=PRINCIPAL.subject,
                files=[(name, content)],
            )
        if created:
            self._cases.assess(case, principal=PRINCIPAL, why="new file")
        else:
            self._cases.add_files(case, [(name, content)], principal=PRINCIPAL)
        return case

    def _known_as(self, message: Waiting, content: bytes) -> tuple[str, ...]:
        """Return the patient of a message as cases may name them (`Case.patient`), the best first.

        Where no case names one of its numbers, an earlier message that stated it together with
        others tells whose it is; not where this one states another number of the same giver.

        Raises:
            InvalidValueError: Its numbers are of several patients, or one giver has given it a
                number of a known patient and one that is not that patient's; a person decides.
        """
        own = tuple(dict.fromkeys((message.patient, *patients_in(content))))
        if any(self._services.cases.list(patient=one) for one in own):
            return own
        stated = numbers_in(content)
        others = [
            one
            for one in self._store.known_as(stated)
            if self._may_be(one, frozenset((*own, *stated)), message)
        ]
        if len(others) > 1:
            raise InvalidValueError(f"message {message.number}", _OF_SEVERAL, DECIDE)
        return (*others, *own)

    def _may_be(self, patient: str, stated: frozenset[str], message: Waiting) -> bool:
        """Return whether numbers may be those of a patient: of its giver it has every one.

        Raises:
            InvalidValueError: Of its giver it has one of them and not another.
        """
        same = {one for one in stated if _giver(one) == _giver(patient)}
        known = self._store.stated_of(patient)
        if same <= known:
            return True
        if same & known:
            raise InvalidValueError(f"message {message.number}", _OTHER_NUMBER, DECIDE)
        return False

    def _visit(self, message: Waiting, patients: Sequence[str]) -> Case | None:
        """Return the case of the visit, under any of the numbers of the patient."""
        for patient in patients:
            found = self._services.cases.visit(patient, message.encounter)
            if found is not None:
                return found
        return None

    def _cases_of(self, patients: Sequence[str]) -> list[Case]:
        """Return every case of the patient, newest first."""
        found = {c.id: c for p in patients for c in self._services.cases.list(patient=p)}
        return list(found.values())

    def _holding(self, message: Waiting, theirs: list[Case], revision: Revision) -> list[Case]:
        """Return the cases of the patient with results of the orders that a message revises."""
        cases = self._services.cases
        return [
            case
            for case in theirs
            if any(
                file.name != file_name(message)
                and file.name.endswith(".hl7")
                and revision.orders & orders_in(cases.content(file))
                for file in cases.files(case.id)
            )
        ]

    def _revised(self, message: Waiting, holding: list[Case], file: tuple[str, bytes]) -> Case:
        """Put a message into every case that holds what it revises, and return the newest."""
        for case in holding:
            self._cases.add_files(case, [file], principal=PRINCIPAL)
        for case in holding[1:]:
            self._services.audit.used(
                PRINCIPAL,
                "hl7.kept",
                case=case,
                detail={"message": message.number, "type": message.type},
            )
        return holding[0]


def _giver(patient: str) -> str:
    """Return who gave a number as `Case.patient` has it."""
    return patient.partition("|")[2].partition("|")[0]


def _may_be_filed(message: Waiting, revision: Revision, *, known: bool) -> None:
    """Refuse a revision of what no case holds: it would land in a case by guess.

    A correction holds a value of its own: where its patient has no case at all it is used, and told
    as one that corrects nothing that is known. A message that also has new results is used for
    them, unless it says of a result that it was wrong.

    Args:
        message: The message.
        revision: What it takes back or corrects.
        known: Whether its patient has a case.

    Raises:
        InvalidValueError: A person decides.
    """
    bare = not revision.new and not revision.corrects
    if revision.in_error or bare or (revision.corrects and known):
        raise InvalidValueError(f"message {message.number}", _NOT_HELD, UNMATCHED)


def file_name(message: Waiting) -> str:
    """Return the name of a message within a case: its number, type and control id.

    Examples:
        >>> from datetime import UTC, datetime
        >>> file_name(Waiting(number=7, source="LAB|H", control_id="A/1", type="ORU^R01",
        ...     patient="p", encounter=None, received_at=datetime(2026, 1, 1, tzinfo=UTC),
        ...     state="received", reason=""))
        'hl7/00000007-ORU-R01-A-1.hl7'
    """
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{message.type}-{message.control_id}").strip("-")
    return f"hl7/{message.number:08d}-{words[:60]}.hl7"
