"""Released readings on their ways out: kept with the release, tried until they are there.

To the archive goes the reading as a DICOM structured report, into the study that was read, by the
way that the results of what arrived go (`Settings.dicom_results`); to a FHIR server a
DiagnosticReport (`Settings.reading_fhir_url`, `serving.reading.fhir_way`). Each way has its own
tries. A report that cannot be placed, since its images state no patient or study or the server has
not one such patient, is refused with that reason and never sent to a guess.
"""

import logging
import threading
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from knowledge.errors import ContractError, EpicrisisError, UnavailableError
from knowledge.model import Frozen
from serving.access.errors import ConflictError, ServiceError
from serving.audit.seam import SERVICE
from serving.cases.model import Case
from serving.dicom_in.delivery import deliver
from serving.reading.arrival import TOOLS
from serving.reading.fhir_way import FhirWay
from serving.reading.model import Release
from serving.reading.sources import are_of, images_read
from serving.reading.store import RoundStore
from serving.reading.tables import DeliveryRow
from serving.reading.written import written
from serving.services import Services

logger = logging.getLogger(__name__)

DeliveryState = Literal["waiting", "sent", "refused"]
Way = Literal["archive", "fhir"]
_AT_ONCE = 20
_LOOK_S = 2.0
_FIRST, _LAST = timedelta(minutes=1), timedelta(hours=1)
"""Between two tries; doubled after each, up to the second: an archive is away for minutes or a
weekend."""

_TAKES = timedelta(minutes=10)
"""How long a try may take before another process may think that it died."""


class Delivery(Frozen):
    """How far a release is on its way.

    Args:
        release: Its id.
        way: Where to: the archive of the images, or a FHIR server.
        state: Waiting for its next try, there, or refused, for a person to decide.
        tries: How often it was tried.
        problem: Why it is not there; empty where it is, or was not tried yet.
        due_at: When it is tried next.
        sent_at: When it was said to be there.
    """

    release: str
    way: Way = "archive"
    state: DeliveryState
    tries: int
    problem: str
    due_at: datetime
    sent_at: datetime | None


class Outbox:
    """Sends what was released.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rounds = RoundStore(services.database, services.clock)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def ways(self) -> tuple[Way, ...]:
        """Where to the settings send; none unless they name an archive or a FHIR server."""
        settings = self._services.settings
        archive: tuple[Way, ...] = () if settings.dicom_results == "none" else ("archive",)
        return (*archive, "fhir") if settings.reading_fhir_url is not None else archive

    def start(self) -> None:
        """Begin, where there is somewhere to send, with what an earlier process left."""
        if self.ways and self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="reading-outbox", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End after the one that is being sent."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join()

    def put(self, session: Session, release: Release) -> None:
        """Keep that a release is to be sent, in the transaction that releases it."""
        for way in self.ways:
            session.add(_fresh(release, way, self._services.clock()))

    def of_round(self, identity: str, way: Way = "archive") -> Delivery | None:
        """Return how far the release of a round is; None where it is not to be sent."""
        query = select(DeliveryRow).where(DeliveryRow.round_id == identity, DeliveryRow.way == way)
        with self._services.database.reading() as session:
            row = session.scalar(query)
            return None if row is None else _delivery(row)

    def again(self, case: Case, identity: str) -> Delivery:
        """Send a release now on every way that it did not go, also where one was refused or new.

        Returns:
            The first of them.

        Raises:
            NotFoundError: The case has no such round.
            ConflictError: Nothing was released, there is nowhere to send, or it is there already.
        """
        self._rounds.find(case.id, identity)
        release = self._rounds.release(identity)
        if release is None:
            raise ConflictError("reading", "was not released: nothing unsigned leaves", "release")
        if not self.ways:
            raise ConflictError(
                "archive",
                "is not set, and no FHIR server is",
                "set EPICRISIS_DICOM_RESULTS or EPICRISIS_READING_FHIR_URL",
            )
        with self._services.database.transaction() as session:
            found = [self._of(session, release, way) for way in self.ways]
            due = [row for row in found if row.state != "sent"]
            if not due:
                where = {"archive": "in the archive", "fhir": "at the FHIR server"}
                there = " and ".join(where[way] for way in self.ways)
                raise ConflictError("reading", f"is {there} already", "see its log")
            for row in due:
                row.state, row.due_at = "waiting", self._services.clock()
            return _delivery(due[0])

    def look(self) -> int:
        """Send what is due, and return how many were tried.

        Raises:
            UnavailableError: The database cannot be used.
        """
        now = self._services.clock()
        query = (
            select(DeliveryRow)
            .where(DeliveryRow.way.in_(self.ways))
            .where(DeliveryRow.state == "waiting", DeliveryRow.due_at <= now)
            .order_by(DeliveryRow.due_at)
            .limit(_AT_ONCE)
        )
        with self._services.database.reading() as session:
            due = [(_delivery(row), row.case_id) for row in session.scalars(query)]
        return sum(self._try(one, case, now) for one, case in due)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the next look may succeed
                logger.error("released readings were not looked at: %s", type(error).__name__)
            self._stopping.wait(_LOOK_S)

    def _of(self, session: Session, release: Release, way: Way) -> DeliveryRow:
        row = session.get(DeliveryRow, (release.id, way))
        if row is None:
            row = _fresh(release, way, self._services.clock())
            session.add(row)
        return row

    def _try(self, one: Delivery, case_id: str, now: datetime) -> bool:
        if self._stopping.is_set() or not self._taken(one, now):
            return False
        state: DeliveryState = "waiting"
        problem = ""
        try:
            self._send(one, case_id)
            state = "sent"
        except (UnavailableError, _NotTakenError) as error:
            problem = str(error)
        except EpicrisisError as error:
            state, problem = "refused", str(error)
        except Exception as error:  # the outermost handler: a person decides
            logger.exception("a released reading was not sent")
            state, problem = "refused", f"a mistake of the service ({type(error).__name__})"
        if problem:
            logger.warning("release %s is not there (%s): %s", one.release, one.way, state)
        self._noted(one, state, problem, wait=min(_FIRST * 2 ** min(one.tries, 10), _LAST))
        return True

    def _taken(self, one: Delivery, now: datetime) -> bool:
        """Take a try, which no other process then takes."""
        with self._services.database.transaction() as session:
            done = session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.release_id == one.release, DeliveryRow.way == one.way)
                .where(DeliveryRow.tries == one.tries)
                .where(DeliveryRow.state == "waiting", DeliveryRow.due_at <= now)
                .values(tries=one.tries + 1, due_at=now + _TAKES)
            )
            return getattr(done, "rowcount", 0) == 1

    def _send(self, one: Delivery, case_id: str) -> None:
        services = self._services
        release, case = self._rounds.release_by_id(one.release), services.cases.find(case_id)
        if case is None:
            raise ContractError("case", "is not there any more", "nothing to do")
        if one.way == "fhir":
            self._to_fhir(release, case)
        else:
            self._to_archive(release, case)

    def _to_fhir(self, release: Release, case: Case) -> None:
        sources = images_read(self._services, case, release.round)
        if sources is not None and not are_of(sources, release):
            raise ContractError(
                "report", "its images are of another patient or study", "see the case"
            )
        if release.follows:
            with self._services.database.reading() as session:
                before = session.get(DeliveryRow, (release.follows, "fhir"))
                if before is not None and before.state == "waiting":
                    raise UnavailableError("the report that it corrects", "is not there yet")
        detail = self._detail(release, "fhir")
        self._services.audit.used(SERVICE, "reading.sent", case=case, detail=detail)
        FhirWay(self._services.settings).send(release, sources)

    def _to_archive(self, release: Release, case: Case) -> None:
        services = self._services
        content = self._report(release, case)
        detail = self._detail(release, "archive")
        services.audit.used(SERVICE, "reading.sent", case=case, detail=detail)
        try:
            deliver({"reading": content}, services.settings)
        except (UnavailableError, ServiceError):
            raise
        except EpicrisisError as error:
            raise _NotTakenError(error.item, error.reason, "see the archive's log") from error

    def _report(self, release: Release, case: Case) -> bytes:
        sources = images_read(self._services, case, release.round)
        if not are_of(sources, release):
            raise ContractError(
                "report",
                "its images do not state the patient and study it is of, or are no longer there",
                "hand it on by its download",
            )
        return written(release, "sr", sources)

    def _noted(self, one: Delivery, state: DeliveryState, problem: str, *, wait: timedelta) -> None:
        now = self._services.clock()
        found = self._rounds.release_by_id(one.release)
        with self._rounds.step(found.case, found.round, TOOLS) as step:
            row = step.session.get(DeliveryRow, (one.release, one.way))
            if row is None:
                return
            row.state, row.problem, row.due_at = state, problem[:500], now + wait
            if state == "sent":
                row.sent_at = now
                step.log("written out", **self._detail(found, one.way))

    def _detail(self, release: Release, way: Way) -> dict[str, Any]:
        return {"release": release.id, "number": release.number, "way": self._how(way)}

    def _how(self, way: Way) -> str:
        if way == "fhir":
            return "FHIR"
        return "STOW-RS" if self._services.settings.dicom_results == "stow" else "C-STORE"


class _NotTakenError(EpicrisisError):
    """The archive did not take it; it may at the next try."""


def _fresh(release: Release, way: Way, now: datetime) -> DeliveryRow:
    return DeliveryRow(
        release_id=release.id,
        way=way,
        case_id=release.case,
        round_id=release.round,
        state="waiting",
        tries=0,
        problem="",
        due_at=now,
        sent_at=None,
    )


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery.model_validate(
        {
            "release": row.release_id,
            "way": row.way,
            "state": row.state,
            "tries": row.tries,
            "problem": row.problem,
            "due_at": row.due_at,
            "sent_at": row.sent_at,
        }
    )
