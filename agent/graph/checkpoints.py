"""Where runs are kept: a SQLite file by default, PostgreSQL by URL, memory for tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore

from knowledge.errors import InvalidValueError, MissingExtraError, UnavailableError

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.store.sqlite.aio import AsyncSqliteStore

MEMORY = "memory"


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """The two places of one database: steps of the graph, and the journal of its calls."""

    saver: BaseCheckpointSaver[str]
    store: BaseStore


@asynccontextmanager
async def open_checkpoints(where: str | Path) -> AsyncIterator[Checkpoints]:
    """Open the database of runs, and close it at the end.

    Args:
        where: ``memory``, a path of a SQLite file, or a ``postgresql://`` URL.

    Raises:
        InvalidValueError: A URL of another kind.
        MissingExtraError: PostgreSQL is asked for and its driver is not installed.
        UnavailableError: The database cannot be opened.
    """
    text = str(where)
    if text == MEMORY:
        yield Checkpoints(saver=InMemorySaver(), store=InMemoryStore())
        return
    async with AsyncExitStack() as stack:
        if text.startswith(("postgresql://", "postgres://")):
            yield await _postgres(text, stack)
        elif "://" in text:
            raise InvalidValueError(
                "checkpoints", "neither a file nor a postgresql:// URL", "give one of them"
            )
        else:
            yield await _sqlite(Path(text), stack)


async def _sqlite(path: Path, stack: AsyncExitStack) -> Checkpoints:
    import sqlite3

    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.store.sqlite.aio import AsyncSqliteStore

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        sqlite3.connect(path).close()  # fails here, before a thread of the driver waits for it
        saver = AsyncSqliteSaver(await aiosqlite.connect(path))
        stack.push_async_callback(_close, saver)
        await saver.setup()
        store = AsyncSqliteStore(await aiosqlite.connect(path, isolation_level=None))
        stack.push_async_callback(_close, store)
        await store.setup()
    except (OSError, sqlite3.Error) as error:
        raise UnavailableError(
            "checkpoints", f"the file cannot be opened ({type(error).__name__})", "name another one"
        ) from error
    return Checkpoints(saver=saver, store=store)


async def _close(opened: "AsyncSqliteSaver | AsyncSqliteStore") -> None:
    """Roll back what a cancelled run left open, and close.

    SQLite keeps the locks of a closed connection for as long as anything holds an unfinished
    statement of it, as the traceback of a cancelled task does.
    """
    async with opened.lock:
        await opened.conn.rollback()
        await opened.conn.close()


async def _postgres(url: str, stack: AsyncExitStack) -> Checkpoints:
    try:
        import psycopg
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
        from langgraph.store.postgres.aio import AsyncPostgresStore
    except ImportError as error:
        raise MissingExtraError(
            "checkpoints",
            "the PostgreSQL driver is not installed",
            "pip install epicrisis[postgres]",
        ) from error
    try:
        saver = await stack.enter_async_context(AsyncPostgresSaver.from_conn_string(url))
        await saver.setup()
        store = await stack.enter_async_context(AsyncPostgresStore.from_conn_string(url))
        await store.setup()
    except psycopg.Error as error:
        raise UnavailableError(
            "checkpoints",
            f"the database cannot be used ({type(error).__name__})",
            "check its address and that it runs",
        ) from error
    return Checkpoints(saver=saver, store=store)
