"""Everything a request may use, put together once when the service starts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from knowledge.passages import Searcher
from knowledge.settings import Settings
from serving.storage.database import Database
from serving.storage.files import FileStore

if TYPE_CHECKING:
    from serving.access.principal import Principal
    from serving.access.recent import Recent
    from serving.audit.seam import Audit
    from serving.cases.model import Case, StoredAssessment
    from serving.cases.outcomes import OutcomeCache
    from serving.cases.store import CaseStore
    from serving.cds.runtime import CdsRuntime
    from serving.chat.service import ChatService
    from serving.images.desk import ImageDesk
    from serving.jobs.seam import Jobs
    from serving.llm.gateway.gateway import Gateway


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
        closing: Set when the process is told to stop: what streams to a browser ends then.
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
    closing: Event = field(default_factory=Event)
    listeners: list["Listener"] = field(default_factory=list)

    @cached_property
    def index(self) -> tuple[Searcher | None, str]:
        """The index of guideline knowledge, or the reason why there is none."""
        from serving.agent_runs import open_index

        return open_index(self.settings)

    @cached_property
    def cds(self) -> "CdsRuntime":
        """What CDS Hooks calls share: clients, assessments of the last minute, cards shown."""
        from serving.cds.runtime import CdsRuntime

        return CdsRuntime(self)

    @cached_property
    def chat(self) -> "ChatService":
        """Questions and answers of every user, with the language model they share."""
        from serving.chat.service import ChatService

        return ChatService(self)

    @cached_property
    def gateway(self) -> "Gateway":
        """The pool of language-model servers that runs and conversations share, where set up."""
        from serving.llm.gateway.gateway import Gateway

        return Gateway(self.settings)

    @cached_property
    def pictures_seen(self) -> "Recent":
        """Whose use of a case's pictures is in the audit already, for five minutes."""
        from serving.access.recent import Recent

        return Recent(minutes=5)

    @cached_property
    def images(self) -> "ImageDesk":
        """What draws the images of cases, with what it decoded last."""
        from serving.images.desk import ImageDesk

        return ImageDesk(self.settings, self.files)

    @cached_property
    def outcomes(self) -> "OutcomeCache":
        """The last few assessments with what their pictures are drawn from."""
        from serving.cases.outcomes import OutcomeCache

        return OutcomeCache()


def services_of(request: Request) -> Services:
    """Return the services of the application a request came to."""
    services = request.app.state.services
    if not isinstance(services, Services):
        raise TypeError("the application was made without its services")
    return services


ServicesDep = Annotated[Services, Depends(services_of)]
