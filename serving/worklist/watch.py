"""Looks again and again: what nobody acknowledged, what a killed process did not get to do."""

import logging
import threading
from datetime import timedelta

from sqlalchemy import and_, exists, func, select

from knowledge.errors import EpicrisisError
from serving.access.errors import AlteredError
from serving.access.principal import Permission
from serving.audit.seam import SERVICE
from serving.cases.service import CaseService
from serving.cases.tables import AssessmentRow, CaseFileRow, CaseRow
from serving.services import Services
from serving.signing.service import SignOffService
from serving.worklist.acknowledge import escalate, raise_of

logger = logging.getLogger(__name__)

_AT_ONCE = 50
_ASSESSED_AT_ONCE = 5
"""Assessments made in one look: each takes seconds."""

_BEGUN = timedelta(minutes=1)
"""A case that young may be one whose request is still being answered, here or by another process;
an assessment takes seconds."""


class Watch:
    """A thread that escalates, and catches up with versions whose keeping was cut short.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._checked: set[str] = set()
        self._tried: set[str] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="epicrisis-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, and wait for the look that is under way."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join()

    def look(self) -> None:
        """Look once.

        Raises:
            UnavailableError: The database cannot be used.
        """
        escalate(self._services)
        self.catch_up()
        self.assess_left()

    def assess_left(self) -> int:
        """Assess cases whose files were taken and that have no assessment; return how many.

        That is what a process leaves that was killed between the two: nobody would be told of what
        is critical in them. Each is tried once in the life of a process; the list shows one that
        could not be assessed as failed.
        """
        left = [case for case in self._unassessed() if case not in self._tried]
        for case_id in left[:_ASSESSED_AT_ONCE]:
            if self._stopping.is_set():
                break
            self._tried.add(case_id)
            self._assess(case_id)
        return min(len(left), _ASSESSED_AT_ONCE)

    def _assess(self, case_id: str) -> None:
        case = self._services.cases.find(case_id)
        if case is None:
            return
        logger.warning("case %s has files and no assessment: it is assessed now", case_id)
        self._services.audit.used(SERVICE, Permission.ASSESS.value, case=case)
        try:
            CaseService(self._services).assess(case, principal=SERVICE, why="new file")
        except EpicrisisError as error:
            logger.error("case %s cannot be assessed: %s", case_id, error.reason)

    def _unassessed(self) -> list[str]:
        """Return the ids of cases with files and without any version, oldest first."""
        before = self._services.clock() - _BEGUN
        query = (
            select(CaseRow.id)
            .where(CaseRow.deleted_at.is_(None), CaseRow.created_at < before)
            .where(exists().where(AssessmentRow.case_id == CaseRow.id).is_(False))
            .where(
                exists()
                .where(CaseFileRow.case_id == CaseRow.id, CaseFileRow.removed_at.is_(None))
                .where(CaseFileRow.received_at < before)
            )
            .order_by(CaseRow.created_at)
        )
        with self._services.database.reading() as session:
            return list(session.scalars(query))

    def catch_up(self) -> int:
        """Raise and flag what the newest versions call for; return how many were looked at.

        Nothing is done twice: this is for what was kept when the process was killed before its
        listeners were told. Each version is looked at once in the life of a process.
        """
        found = [one for one in self._newest() if one[1] not in self._checked][:_AT_ONCE]
        for case_id, identity in found:
            try:
                self._compare(case_id, identity)
            except AlteredError as error:
                logger.error("version %s could not be compared: %s", identity, error.reason)
                self._checked.add(identity)
            except EpicrisisError as error:
                logger.error("version %s could not be compared: %s", identity, error.reason)
            else:
                self._checked.add(identity)
        return len(found)

    def _compare(self, case_id: str, identity: str) -> None:
        case = self._services.cases.find(case_id)
        stored = self._services.cases.assessment(case_id)
        if case is not None and stored is not None and stored.id == identity:
            raise_of(self._services, case, stored)
            SignOffService(self._services).compare(case, stored)

    def _newest(self) -> list[tuple[str, str]]:
        last = (
            select(AssessmentRow.case_id, func.max(AssessmentRow.version).label("version"))
            .group_by(AssessmentRow.case_id)
            .subquery()
        )
        query = (
            select(AssessmentRow.case_id, AssessmentRow.id)
            .join(
                last,
                and_(
                    AssessmentRow.case_id == last.c.case_id,
                    AssessmentRow.version == last.c.version,
                ),
            )
            .join(CaseRow, CaseRow.id == AssessmentRow.case_id)
            .where(CaseRow.deleted_at.is_(None))
            .order_by(AssessmentRow.made_at.desc())
        )
        with self._services.database.reading() as session:
            return [(case, identity) for case, identity in session.execute(query)]

    def _run(self) -> None:
        """Look at the start and then again and again."""
        while True:
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the next look may succeed
                logger.error("the watch over critical results failed: %s", type(error).__name__)
            if self._stopping.wait(self._services.settings.worklist_check_s):
                return
