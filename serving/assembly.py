"""The real parts of the service, put together."""

from collections.abc import Callable
from datetime import UTC, datetime

from knowledge.settings import Settings
from serving.services import Services


def utc_now() -> datetime:
    """Return the current moment: the only clock of the service."""
    return datetime.now(UTC)


def assemble(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> Services:
    """Return the services of this installation, its database at the tables of this version.

    Args:
        settings: Of this process.
        clock: The current moment, zoned.

    Raises:
        InvalidValueError: A setting names nothing that can be used.
        UnavailableError: The database or the data folder cannot be used.
    """
    from serving.access.authentication import authenticator
    from serving.audit.log import AuditLog
    from serving.cases.store import CaseStore
    from serving.jobs.queue import JobQueue
    from serving.reading.arrival import read_arrivals
    from serving.signing.service import flag_signed
    from serving.storage.opening import open_storage
    from serving.worklist.acknowledge import raise_critical

    database, files = open_storage(settings)
    jobs = JobQueue(database, settings, clock=clock)
    audit = AuditLog.of(settings, database, clock)
    services = Services(
        settings=settings,
        database=database,
        files=files,
        cases=CaseStore(database, files, clock=clock, audit=audit),
        audit=audit,
        jobs=jobs,
        authenticate=authenticator(settings, database, clock),
        clock=clock,
    )
    flag_signed(services)
    raise_critical(services)
    read_arrivals(services)
    jobs.works_for(services)
    return services
