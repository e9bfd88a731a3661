"""Everything a request may use, put together once when the service starts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from knowledge.passages import Searcher
from knowledge.settings import Settings
from serving.storage.database import Database
from serving.storage.files import FileStore

if TYPE_CHECKING:
    from serving.access.principal import Principal
    from serving.audit.seam import Audit
    from serving.cases.model import Case, StoredAssessment
    from serving.cases.store import CaseStore
    from serving.jobs.seam import Jobs


Listener = Callable[["Case", "StoredAssessment", "StoredAssessment | None"], None]


@dataclass(kw_only=True, eq=False)
class Services:
    """What the service is made of; a test puts in its own.

    Args:
        settings: Of this process.
        database: Where everything is kept.
        files: Uploaded bytes.
        cases: Cases, assessments and answers.
        audit: Who did what.
        jobs: Long work.
        authenticate: Who a request comes from; raises `UnauthenticatedError`.
        clock: The current moment, zoned: nothing else reads the clock.
        listeners: Told of every newly kept assessment, with the version before it.
    """

    settings: Settings
    database: Database
    files: FileStore
    cases: "CaseStore"
    audit: "Audit"
    jobs: "Jobs"
    authenticate: Callable[[Request], "Principal"]
    clock: Callable[[], datetime]
    listeners: list["Listener"] = field(default_factory=list)

    @cached_property
    def index(self) -> tuple[Searcher | None, str]:
        """The index of guideline knowledge, or the reason why there is none."""
        from serving.agent_runs import open_index

        return open_index(self.settings)


def services_of(request: Request) -> Services:
    """Return the services of the application a request came to."""
    services = request.app.state.services
    if not isinstance(services, Services):
        raise TypeError("the application was made without its services")
    return services


ServicesDep = Annotated[Services, Depends(services_of)]
