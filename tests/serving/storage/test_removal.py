import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from agent.graph.checkpoints import open_checkpoints
from agent.graph.journal import Journal
from agent.ledger import Entry
from knowledge.settings import Settings
from serving.access.errors import ConflictError, NotFoundError
from serving.assembly import assemble
from serving.audit.tables import AuditRow
from serving.jobs.checkpoints import checkpoint_place
from serving.services import Services
from serving.storage.removal import remove

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def noon() -> datetime:
    return NOON


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return assemble(Settings(data_dir=tmp_path), clock=noon)


def gone(services: Services, case: str) -> None:
    remove(services.settings, services.database, services.files, case, by="ada", clock=noon)


async def journal_of(services: Services, run: str, *, write: bool) -> int:
    async with open_checkpoints(checkpoint_place(services.settings, services.database)) as kept:
        journal = Journal(kept.store, run)
        if write:
            await journal.add_tool_call(Entry(key="k", tool="heart", version="1.0.0"))
        return len(await journal.tool_calls())


def test_what_a_run_was_told_goes_with_its_case_and_the_audit_says_who_did_it(
    services: Services,
) -> None:
    case = services.cases.create(label="bed 7", source="upload", by="bob").id
    job = services.jobs.submit(case, by="bob", language="en", key="k")
    services.jobs.cancel(job.id)
    with services.database.transaction() as session:
        session.execute(text("UPDATE jobs SET state = 'cancelled'"))
    assert asyncio.run(journal_of(services, job.id, write=True)) == 1
    gone(services, case)
    assert asyncio.run(journal_of(services, job.id, write=False)) == 0
    assert services.cases.find(case) is None
    with services.database.reading() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "case.delete")).all()
    assert [(row.subject, row.case_id) for row in rows] == [("ada", case)]
    services.database.close()


def test_a_case_with_a_run_going_on_is_not_deleted(services: Services) -> None:
    case = services.cases.create(label="bed 7", source="upload", by="bob").id
    services.jobs.submit(case, by="bob", language="en", key="k")
    with pytest.raises(ConflictError, match="cancel it"):
        gone(services, case)
    assert services.cases.find(case) is not None
    services.database.close()


def test_a_case_that_is_not_there_is_not_deleted(services: Services) -> None:
    with pytest.raises(NotFoundError):
        gone(services, "case-none")
    services.database.close()
