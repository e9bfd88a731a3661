"""The scripted server leaves nothing behind that a later test would be blamed for."""

import asyncio
import gc
import socket
import warnings
from urllib.parse import urlsplit

import pytest

from agent.llm.fake_server import Connections, fake_server


@pytest.mark.parametrize("turns", range(8))
def test_no_connection_stays_open_wherever_its_acceptance_is_at_the_end(turns: int) -> None:
    async def main() -> None:
        async with fake_server() as server:
            where = urlsplit(server.url)
            with socket.create_connection((where.hostname, where.port)):
                for _ in range(turns):
                    await asyncio.sleep(0)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(main())
        gc.collect()
    assert [str(one.message) for one in caught] == []


def test_a_fault_of_the_server_itself_fails_the_test() -> None:
    async def wrong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise KeyError("a path")

    async def main() -> None:
        async with Connections(wrong).listening() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()

    with pytest.raises(KeyError, match="a path"):
        asyncio.run(main())
