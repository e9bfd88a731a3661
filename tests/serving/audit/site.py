"""A whole service for tests: real database, real files, real audit, a clock the test sets.

Who asks is named in a header, in place of a login; the queue is one that has nothing in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from knowledge.passages import Language
from knowledge.settings import Settings
from serving import problem
from serving.access.errors import UnauthenticatedError
from serving.access.principal import Principal, Role
from serving.audit import origin
from serving.audit.anchor import Anchor
from serving.audit.log import AuditLog
from serving.audit.router import router as audit
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.cases.store import CaseStore
from serving.jobs.seam import Job, JobEvent
from serving.services import Services
from serving.signing.router import router as sign_offs
from serving.storage.files import FileStore
from serving.worklist.router import router as worklist
from tests.serving.audit.fresh import fresh_database

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
EXAMPLES = Path("serving/examples")


def person(name: str, *roles: Role, **more: Any) -> Principal:
    """Return a principal who came by OIDC."""
    return Principal(
        **{"subject": name, "name": f"Dr {name}", "roles": frozenset(roles), "via": "oidc"} | more
    )


ADA = person("ada", Role.CLINICIAN)
BOB = person("bob", Role.CLINICIAN)
VIEWER = person("vera", Role.VIEWER)
ADMIN = person("root", Role.ADMIN)
SYSTEM = person("ehr", Role.INTEGRATOR, Role.CLINICIAN, via="service")


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        """Move on, for example ``minutes=5``; back where it is negative."""
        self.now += timedelta(**span)


class Queue:
    """A queue in which a test puts jobs; nothing runs."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def submit(self, case: str, *, by: str, language: Language, key: str) -> Job:
        raise NotImplementedError("these tests run nothing")

    def get(self, job: str) -> Job | None:
        return next((one for one in self.jobs if one.id == job), None)

    def of_case(self, case: str) -> tuple[Job, ...]:
        return tuple(one for one in self.jobs if one.case == case)

    def events(self, job: str, *, after: int = -1) -> tuple[JobEvent, ...]:
        return ()

    def cancel(self, job: str) -> bool:
        return False

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


class Site:
    """A service and what a test does to it."""

    def __init__(self, services: Services, clock: Clock, queue: Queue) -> None:
        self.services = services
        self.clock = clock
        self.queue = queue
        self.cases = CaseService(services)
        self.people: dict[str, Principal] = {}
        self.client = TestClient(application(services), raise_server_exceptions=False)

    def as_(self, principal: Principal) -> dict[str, str]:
        """Return the headers of a request by this principal."""
        self.people[principal.subject] = principal
        return {"x-test-subject": principal.subject}

    def open_example(self, name: str) -> Case:
        """Make a case of one of the packaged examples, assessed at the moment it states."""
        files = [(path.name, path.read_bytes()) for path in sorted((EXAMPLES / name).iterdir())]
        case, _ = self.cases.open(files, label=f"bed {name}", principal=ADA)
        return case

    def get(self, path: str, principal: Principal, **query: Any) -> Any:
        """Return the answer to GET."""
        return self.client.get(path, headers=self.as_(principal), params=query)

    def post(self, path: str, principal: Principal, body: Any) -> Any:
        """Return the answer to POST."""
        return self.client.post(path, headers=self.as_(principal), json=body)

    def put(self, path: str, principal: Principal, body: Any) -> Any:
        """Return the answer to PUT."""
        return self.client.put(path, headers=self.as_(principal), json=body)


def application(services: Services) -> FastAPI:
    """Return the audit, the sign-off and the worklist alone, as the whole service has them."""
    app = FastAPI()
    app.state.services = services
    problem.install(app)
    origin.install(app)
    for router in (audit, sign_offs, worklist):
        app.include_router(router)
    return app


@contextmanager
def site(folder: Path, kind: str = "sqlite") -> Iterator[Site]:
    """Open a service on an empty database of a kind."""
    clock, queue = Clock(), Queue()
    with fresh_database(kind, folder) as database:
        files = FileStore(folder)
        people: dict[str, Principal] = {}

        def authenticate(request: Request) -> Principal:
            found = people.get(request.headers.get("x-test-subject", ""))
            if found is None:
                raise UnauthenticatedError
            return found

        log = AuditLog(database, clock, anchor=Anchor(folder / "audit.anchor"))
        services = Services(
            settings=Settings(data_dir=folder),
            database=database,
            files=files,
            cases=CaseStore(database, files, clock=clock, audit=log),
            audit=log,
            jobs=queue,
            authenticate=authenticate,
            clock=clock,
        )
        made = Site(services, clock, queue)
        made.people = people
        yield made
