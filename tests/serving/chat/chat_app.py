"""The real application over a real database, with a clock, users and a model that tests choose."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from agent.llm.choice import Choice
from agent.llm.seam import LLM
from knowledge.passages import Language
from knowledge.settings import Settings
from serving.access.errors import UnauthenticatedError
from serving.access.principal import Principal, Role
from serving.app import create_app
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.cases.store import CaseStore
from serving.chat.service import ChatService
from serving.jobs.seam import Job, JobEvent
from serving.services import Services
from serving.storage.database import Database
from serving.storage.files import FileStore
from serving.storage.schema import prepare

NOW = datetime(2026, 11, 20, 13, 45, tzinfo=UTC)
"""Five minutes after the moment that the bundled examples state."""

EXAMPLES = Path(str(files("serving").joinpath("examples")))

ANNA = Principal(subject="anna", name="Dr Anna", roles=frozenset({Role.CLINICIAN}), via="oidc")
BEN = Principal(subject="ben", name="Dr Ben", roles=frozenset({Role.CLINICIAN}), via="oidc")
VERA = Principal(subject="vera", name="Vera", roles=frozenset({Role.VIEWER}), via="oidc")
OTHER_PATIENT = Principal(
    subject="smart",
    name="SMART user",
    roles=frozenset({Role.CLINICIAN}),
    patient="https://fhir.example|Patient/2",
    via="smart",
)
PEOPLE = {p.subject: p for p in (ANNA, BEN, VERA, OTHER_PATIENT)}


class KeptAudit:
    """An audit that keeps what it is told in a list."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str | None, Mapping[str, Any]]] = []
        self.refusals: list[tuple[str, str | None]] = []

    def used(
        self,
        principal: Principal,
        action: str,
        *,
        case: Case | None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an event."""
        named = None if case is None else case.id
        self.events.append((principal.subject, action, named, dict(detail or {})))

    def within(
        self,
        session: Session,
        principal: Principal,
        action: str,
        *,
        case: Case | None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an event."""
        self.used(principal, action, case=case, detail=detail)

    def listed(
        self,
        principal: Principal,
        action: str,
        *,
        cases: Sequence[Case],
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep one event for each case of a list."""
        for case in cases:
            self.used(principal, action, case=case, detail=detail)

    def refused(self, principal: Principal | None, action: str, *, case: str | None) -> None:
        """Keep a refusal."""
        self.refusals.append((action, case))


class NoJobs:
    """A queue that takes nothing: no test here asks for long work."""

    def submit(self, case: str, *, by: str, language: Language, key: str) -> Job:
        """Refuse."""
        raise AssertionError("no job is asked for here")

    def get(self, job: str) -> Job | None:
        """Return none."""
        return None

    def of_case(self, case: str) -> tuple[Job, ...]:
        """Return none."""
        return ()

    def events(self, job: str, *, after: int = -1) -> tuple[JobEvent, ...]:
        """Return none."""
        return ()

    def cancel(self, job: str) -> bool:
        """Return that there was nothing."""
        return False

    def start(self) -> None:
        """Start nothing."""

    def stop(self) -> None:
        """Stop nothing."""


def by_header(request: Request) -> Principal:
    """Return the user that a header names."""
    found = PEOPLE.get(request.headers.get("x-user", ""))
    if found is None:
        raise UnauthenticatedError
    request.state.principal = found
    request.state.csrf = "csrf-of-the-test"
    return found


def make_services(folder: Path, *, authenticate: Any = by_header, **settings: Any) -> Services:
    """Return services over a new SQLite file below `folder`; no language model is looked for."""
    chosen = Settings(**{"data_dir": folder, "llm": "none", "time_zone": None, **settings})
    database = Database.of(chosen)
    prepare(database)
    store = FileStore(folder)
    return Services(
        settings=chosen,
        database=database,
        files=store,
        cases=CaseStore(database, store, clock=lambda: NOW),
        audit=KeptAudit(),
        jobs=NoJobs(),
        authenticate=authenticate,
        clock=lambda: NOW,
    )


def with_model(services: Services, llm: LLM | None, *, reason: str = "") -> Services:
    """Let the chat use this model."""

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncIterator[Choice]:
        yield Choice(llm=llm, reason=reason)

    services.chat = ChatService(services, open_llm=opened)
    return services


def example_case(
    services: Services, name: str = "nstemi", *, extra: Mapping[str, bytes] | None = None
) -> Case:
    """Return a case of a bundled example, assessed."""
    found = [(p.name, p.read_bytes()) for p in sorted((EXAMPLES / name).iterdir())]
    named = {**dict(found), **(extra or {})}
    case, _ = CaseService(services).open(list(named.items()), label=name, principal=ANNA)
    return case


@contextmanager
def client(services: Services, *routers: APIRouter) -> Iterator[TestClient]:
    """Give a client of the application; it ends with its worker and its database."""
    app = create_app(services)
    known = {getattr(route, "path", "") for route in app.routes}
    for router in routers:
        if not any(getattr(route, "path", None) in known for route in router.routes):
            app.include_router(router)
    with TestClient(app, base_url="http://127.0.0.1") as opened:
        yield opened
    services.database.close()


@contextmanager
def running(services: Services, *routers: APIRouter) -> Iterator[str]:
    """Give the address of the application on a free port of this machine; stopped at the end."""
    import threading
    import time

    import uvicorn

    app = create_app(services)
    for router in routers:
        app.include_router(router)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 20
        while not server.started:
            if time.monotonic() > until or not thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        services.database.close()


def as_user(name: str) -> dict[str, str]:
    """Return the header of a user."""
    return {"x-user": name}
