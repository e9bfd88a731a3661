"""A listener on a free port inside a test, and the client of another project that talks to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import hl7.mllp  # type: ignore[import-untyped]

from serving.hl7_in.listener import listen
from serving.hl7_in.store import MessageStore
from serving.services import Services


@dataclass(frozen=True)
class Address:
    """Where a listener is."""

    host: str
    port: int


@dataclass(frozen=True)
class Ack:
    """An acknowledgement as the client reads it."""

    code: str
    control_id: str
    error: str


class Client:
    """The `hl7.mllp` client of the package `hl7`."""

    def __init__(self, reader: Any, writer: Any) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, content: bytes) -> Ack:
        self.writer.writeblock(content)
        await self.writer.drain()
        return await self.read()

    async def read(self) -> Ack:
        answer = await asyncio.wait_for(self.reader.readmessage(), 30)
        msa = answer.segment("MSA")
        errors = [s for s in answer if str(s[0]) == "ERR"]
        error = str(errors[0][3][0]) if errors else ""
        return Ack(str(msa[1]), str(msa[2]), error.partition("^")[0])

    def close(self) -> None:
        self.writer.close()


@asynccontextmanager
async def listening(services: Services, *, files: bool = False) -> AsyncIterator[Address]:
    stop = asyncio.Event()
    found: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        listen(
            services,
            ready=lambda host, port: found.set_result(Address(host, port)),
            stop=stop,
            files=files,
        )
    )
    try:
        yield await asyncio.wait_for(found, 60)
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


@asynccontextmanager
async def client(at: Address, tls: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    reader, writer = await hl7.mllp.open_hl7_connection(
        "localhost" if tls else at.host, at.port, encoding="utf-8", limit=1 << 20, ssl=tls
    )
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


def store_of(services: Services) -> MessageStore:
    return MessageStore(services.database, clock=services.clock)
