"""Runs are kept in a file or in PostgreSQL, and nowhere that was not asked for."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from agent.graph.checkpoints import open_checkpoints
from agent.graph.journal import Journal
from agent.graph.run import AgentOutcome, resume_run, start_run
from agent.ledger import Entry
from knowledge.errors import InvalidValueError, UnavailableError
from tests.agent.graph.scripts import fake, session
from tests.postgresql import postgresql


async def signed_after_reopening(where: str) -> AgentOutcome:
    async with open_checkpoints(where) as runs:
        await start_run(session(llm=fake(), sign_off="wait"), runs, run="r")
    async with open_checkpoints(where) as runs:
        answer = {"signed_by": "Dr A", "decision": "reject"}
        return await resume_run(session(llm=fake()), runs, run="r", answer=answer)


def test_a_file_keeps_a_run_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "new" / "runs.sqlite"
    done = asyncio.run(signed_after_reopening(str(file)))
    assert done.outcome.assessment.agent is not None
    assert done.outcome.assessment.agent.signed.startswith("rejected by Dr A (")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("which", ["saver", "store"])
def test_a_statement_cut_off_by_a_cancelled_run_holds_no_lock(tmp_path: Path, which: str) -> None:
    file = tmp_path / "runs.sqlite"

    async def cut_off() -> object:
        async with open_checkpoints(file) as runs:
            connection = getattr(runs, which).conn
            await connection.execute("BEGIN IMMEDIATE")
            await connection.execute("CREATE TABLE other (number)")
            return await connection.execute("INSERT INTO other VALUES (1), (2) RETURNING number")

    held = asyncio.run(cut_off())
    with closing(sqlite3.connect(file, timeout=0)) as next_one:
        next_one.execute("BEGIN IMMEDIATE")
        assert not next_one.execute("SELECT 1 FROM sqlite_schema WHERE name = 'other'").fetchall()
    assert held is not None


def test_postgresql_keeps_a_run() -> None:
    with postgresql() as address:
        done = asyncio.run(signed_after_reopening(address))
    assert done.outcome.assessment.agent is not None
    assert done.outcome.assessment.agent.signed.startswith("rejected by Dr A (")


def test_one_run_does_not_see_the_calls_of_another() -> None:
    async def work() -> int:
        async with open_checkpoints("memory") as runs:
            await Journal(runs.store, "a").add_tool_call(
                Entry(key="k", tool="heart", version="1.0.0")
            )
            return len(await Journal(runs.store, "b").tool_calls())

    assert asyncio.run(work()) == 0


def test_more_calls_than_a_page_come_back_whole() -> None:
    async def work() -> int:
        async with open_checkpoints("memory") as runs:
            journal = Journal(runs.store, "a")
            for number in range(205):
                await journal.add_tool_call(Entry(key=f"{number:03}", tool="heart", version="1"))
            return len({entry.key for entry in await journal.tool_calls()})

    assert asyncio.run(work()) == 205


def test_another_kind_of_url_is_refused() -> None:
    async def work() -> None:
        async with open_checkpoints("mysql://host/db"):
            pass

    with pytest.raises(InvalidValueError, match="postgresql"):
        asyncio.run(work())


def test_a_file_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    async def work() -> None:
        async with open_checkpoints(str(tmp_path)):
            pass

    with pytest.raises(UnavailableError, match="cannot be opened"):
        asyncio.run(work())
