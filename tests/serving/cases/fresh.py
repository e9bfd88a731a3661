"""Services over an empty folder, with people and a clock that tests choose."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.testclient import TestClient

from knowledge.settings import Settings
from serving.access.principal import Principal, Role
from serving.app import create_app
from serving.assembly import assemble
from serving.services import Services
from tests.agent.cases import EXAMPLES
from tests.serving.storage.databases import database_of

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ANNA = Principal(subject="anna", name="Dr Anna", roles=frozenset({Role.CLINICIAN}), via="local")


@dataclass
class Clock:
    """A clock that goes on when it is told to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, **much: float) -> None:
        self.now += timedelta(**much)


@dataclass
class Fresh:
    """Services, their clock and who is logged in."""

    services: Services
    clock: Clock
    who: list[Principal] = field(default_factory=lambda: [ANNA])

    def client(self) -> TestClient:
        return TestClient(create_app(self.services), raise_server_exceptions=False)


@contextmanager
def fresh(folder: Path, kind: str = "sqlite", **settings: Any) -> Iterator[Fresh]:
    """Give services over an empty database of a kind."""
    clock = Clock()
    with database_of(kind, folder) as database:
        url = {"database_url": database.url, "data_dir": folder / "data", "llm": "none"}
        services = assemble(Settings.model_validate({**url, **settings}), clock=clock)
        made = Fresh(services, clock)

        def authenticate(request: Request) -> Principal:
            request.state.principal, request.state.csrf = made.who[0], ""
            return made.who[0]

        services.authenticate = authenticate
        try:
            yield made
        finally:
            services.jobs.stop()
            services.database.close()


def example(name: str = "nstemi") -> list[tuple[str, bytes]]:
    """Return the files of a bundled example."""
    return [(path.name, path.read_bytes()) for path in sorted((EXAMPLES / name).iterdir())]


def parts(files: Sequence[tuple[str, bytes]]) -> list[tuple[str, tuple[str, bytes]]]:
    """Return files as a multipart request takes them."""
    return [("files", file) for file in files]
