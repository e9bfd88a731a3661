"""Released readings on their way to the archive: kept with the release, tried until they are there.

What goes is the reading as a DICOM structured report, into the study that was read, by the way that
the results of what arrived go (`Settings.dicom_results`). A report that cannot be placed, since its
images state no patient or study, is refused with that reason and never sent to a guess.
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
from serving.reading.model import Release
from serving.reading.sources import are_of, images_read
from serving.reading.store import RoundStore
from serving.reading.tables import DeliveryRow
from serving.reading.written import written
from serving.services import Services

logger = logging.getLogger(__name__)

DeliveryState = Literal["waiting", "sent", "refused"]
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
        state: Waiting for its next try, there, or refused, for a person to decide.
        tries: How often it was tried.
        problem: Why it is not there; empty where it is, or was not tried yet.
        due_at: When it is tried next.
        sent_at: When the archive said that it has it.
    """

    release: str
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
    def is_on(self) -> bool:
        """Whether the settings name an archive."""
        return self._services.settings.dicom_results != "none"

    def start(self) -> None:
        """Begin, where there is an archive, with what an earlier process left."""
        if self.is_on and self._thread is None:
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
        if self.is_on:
            session.add(_fresh(release, self._services.clock()))

    def of_round(self, identity: str) -> Delivery | None:
        """Return how far the release of a round is; None where it is not to be sent."""
        query = select(DeliveryRow).where(DeliveryRow.round_id == identity)
        with self._services.database.reading() as session:
            row = session.scalar(query)
            return None if row is None else _delivery(row)

    def again(self, case: Case, identity: str) -> Delivery:
        """Send a release now, also one that was refused, or released before there was an archive.

        Raises:
            NotFoundError: The case has no such round.
            ConflictError: Nothing was released, there is no archive, or it is there already.
        """
        self._rounds.find(case.id, identity)
        release = self._rounds.release(identity)
        if release is None:
            raise ConflictError("reading", "was not released: nothing unsigned leaves", "release")
        if not self.is_on:
            raise ConflictError("archive", "is not set", "set EPICRISIS_DICOM_RESULTS")
        with self._services.database.transaction() as session:
            row = session.get(DeliveryRow, release.id)
            if row is None:
                row = _fresh(release, self._services.clock())
                session.add(row)
            if row.state == "sent":
                raise ConflictError("reading", "is in the archive already", "see its log")
            row.state, row.due_at = "waiting", self._services.clock()
            return _delivery(row)

    def look(self) -> int:
        """Send what is due, and return how many were tried.

        Raises:
            UnavailableError: The database cannot be used.
        """
        if not self.is_on:
            return 0
        now = self._services.clock()
        query = (
            select(DeliveryRow.release_id, DeliveryRow.case_id, DeliveryRow.tries)
            .where(DeliveryRow.state == "waiting", DeliveryRow.due_at <= now)
            .order_by(DeliveryRow.due_at)
            .limit(_AT_ONCE)
        )
        with self._services.database.reading() as session:
            due = [(one, case, tries) for one, case, tries in session.execute(query)]
        return sum(self._try(one, case, tries, now) for one, case, tries in due)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the next look may succeed
                logger.error("released readings were not looked at: %s", type(error).__name__)
            self._stopping.wait(_LOOK_S)

    def _try(self, release: str, case_id: str, tries: int, now: datetime) -> bool:
        if self._stopping.is_set() or not self._taken(release, tries, now):
            return False
        state: DeliveryState = "waiting"
        problem = ""
        try:
            self._send(release, case_id)
            state = "sent"
        except (UnavailableError, _NotTakenError) as error:
            problem = str(error)
        except EpicrisisError as error:
            state, problem = "refused", str(error)
        except Exception as error:  # the outermost handler: a person decides
            logger.exception("a released reading was not sent")
            state, problem = "refused", f"a mistake of the service ({type(error).__name__})"
        if problem:
            logger.warning("release %s is not in the archive (%s)", release, state)
        self._noted(release, state, problem, wait=min(_FIRST * 2 ** min(tries, 10), _LAST))
        return True

    def _taken(self, release: str, tries: int, now: datetime) -> bool:
        """Take a try, which no other process then takes."""
        with self._services.database.transaction() as session:
            done = session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.release_id == release, DeliveryRow.tries == tries)
                .where(DeliveryRow.state == "waiting", DeliveryRow.due_at <= now)
                .values(tries=tries + 1, due_at=now + _TAKES)
            )
            return getattr(done, "rowcount", 0) == 1

    def _send(self, identity: str, case_id: str) -> None:
        services = self._services
        release, case = self._rounds.release_by_id(identity), services.cases.find(case_id)
        if case is None:
            raise ContractError("case", "is not there any more", "nothing to do")
        content = self._report(release, case)
        services.audit.used(SERVICE, "reading.sent", case=case, detail=self._detail(release))
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

    def _noted(self, release: str, state: DeliveryState, problem: str, *, wait: timedelta) -> None:
        now = self._services.clock()
        found = self._rounds.release_by_id(release)
        with self._rounds.step(found.case, found.round, TOOLS) as step:
            row = step.session.get(DeliveryRow, release)
            if row is None:
                return
            row.state, row.problem, row.due_at = state, problem[:500], now + wait
            if state == "sent":
                row.sent_at = now
                step.log("written out", **self._detail(found))

    def _detail(self, release: Release) -> dict[str, Any]:
        return {"release": release.id, "number": release.number, "way": self._way()}

    def _way(self) -> str:
        settings = self._services.settings
        return "STOW-RS" if settings.dicom_results == "stow" else "C-STORE"


class _NotTakenError(EpicrisisError):
    """The archive did not take it; it may at the next try."""


def _fresh(release: Release, now: datetime) -> DeliveryRow:
    return DeliveryRow(
        release_id=release.id,
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
            "state": row.state,
            "tries": row.tries,
            "problem": row.problem,
            "due_at": row.due_at,
            "sent_at": row.sent_at,
        }
    )
