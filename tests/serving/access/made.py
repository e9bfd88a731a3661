"""What the tests of access stand on: a clock, a database with its tables, keys, settings."""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.testclient import TestClient

from knowledge.errors import UnavailableError
from knowledge.passages import Language
from knowledge.settings import Settings
from serving.access.authentication import authenticator
from serving.audit.log import AuditLog
from serving.cases.store import CaseStore
from serving.jobs.seam import Job, JobEvent
from serving.services import Services
from serving.storage.database import Database
from serving.storage.files import FileStore
from serving.storage.schema import prepare

NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
EC = ECKey.generate_key("P-384", parameters={"kid": "ec"})
RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa"})
OTHER = ECKey.generate_key("P-384", parameters={"kid": "ec"})


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_(self, **much: float) -> None:
        self.now += dt.timedelta(**much)


def database(folder: Path) -> Database:
    file = folder / "test.sqlite3"
    file.write_bytes(_empty())
    return Database(f"sqlite:///{file}")


@cache
def _empty() -> bytes:
    """Return a database with its tables and nothing in them; they are made once."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.sqlite3"
        made = Database(f"sqlite:///{file}")
        prepare(made)
        made.close()
        return file.read_bytes()


def public(*keys: ECKey | RSAKey) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def signed(
    claims: dict[str, Any],
    *,
    key: ECKey | RSAKey = EC,
    alg: str = "ES384",
    header: dict[str, Any] | None = None,
    at: dt.datetime = NOW,
) -> str:
    """Return a token; what `claims` leaves out is right, and None takes a claim out."""
    now = int(at.timestamp())
    full = {"iss": "ehr", "sub": "ehr", "iat": now, "exp": now + 240, "jti": str(uuid.uuid4())}
    body = {name: value for name, value in (full | claims).items() if value is not None}
    top = {"alg": alg, "kid": key.kid, "typ": "JWT", **(header or {})}
    top = {name: value for name, value in top.items() if value is not None}
    return jwt.encode(top, body, key, algorithms=[alg])


class NoJobs:
    """A queue that takes nothing: no test of access asks for long work."""

    def submit(self, case: str, *, by: str, language: Language, key: str) -> Job:
        raise UnavailableError("queue", "takes nothing in this test")

    def get(self, job: str) -> Job | None:
        return None

    def of_case(self, case: str) -> tuple[Job, ...]:
        return ()

    def events(self, job: str, *, after: int = -1) -> tuple[JobEvent, ...]:
        return ()

    def cancel(self, job: str) -> bool:
        return False

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


def services(folder: Path, clock: Clock, **settings: object) -> Services:
    """Return real services over a real database, but for the queue."""
    chosen = Settings.model_validate({"data_dir": folder, "llm": "none", **settings})
    made = database(folder)
    files = FileStore(folder)
    return Services(
        settings=chosen,
        database=made,
        files=files,
        cases=CaseStore(made, files, clock=clock),
        audit=AuditLog(made, clock),
        jobs=NoJobs(),
        authenticate=authenticator(chosen, made, clock),
        clock=clock,
    )


@contextmanager
def browsing(
    made: Services, *, base: str = "http://127.0.0.1:8080", peer: str = "127.0.0.1"
) -> Iterator[TestClient]:
    """Return a client of the whole application, as somebody at an address would be."""
    from serving.app import create_app

    with TestClient(
        create_app(made), base_url=base, client=(peer, 50000), follow_redirects=False
    ) as client:
        yield client
