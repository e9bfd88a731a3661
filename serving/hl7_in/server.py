"""The MLLP server: frames in, acknowledgements out, everything bounded.

Each connection has one message in hand: the next is read when the last was answered. Connections,
bytes of a frame, seconds of a frame and idle seconds have limits; what is beyond is told where the
peer can still hear it, and the connection is closed.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime

from knowledge.errors import EpicrisisError
from knowledge.settings import Settings
from serving.hl7_in.accept import Accepted, Refused, check, head_of
from serving.hl7_in.answer import CLOSING, acknowledgement
from serving.hl7_in.counters import Counters
from serving.hl7_in.store import held_way
from serving.hl7_in.writer import Writer
from tools.intake.hl7v2.wire import START
from tools.intake.limits import MIB

logger = logging.getLogger(__name__)

_HEAR_OUT_S = 2.0
_PART = 1 << 16
_AT_ONCE = 1 << 16
"""Bytes of a message that is looked at without a thread of its own: a millisecond."""

_BUSY = Refused(code="AE", error="207", text="the store is busy or away; send it again later")
_MISTAKE = Refused(code="AE", error="207", text="a mistake of the receiver; see its log")
_TOO_LARGE = "the message is over {mib} MiB (EPICRISIS_HL7_FRAME_MIB)"
_NO_START = Refused(code="AR", error="100", text="the block has no start byte (0x0B)")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a peer may have.

    Args:
        frame_mib: Bytes of a frame, MiB.
        frame_s: Seconds from a frame's first byte to its last.
        idle_s: Seconds without a byte between frames.
        connections: At once.
        store_s: Seconds a message may wait to be kept.
    """

    frame_mib: int
    frame_s: float
    idle_s: float
    connections: int
    store_s: float = 30.0

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """Return the limits of this installation."""
        return cls(
            frame_mib=settings.hl7_frame_mib,
            frame_s=settings.hl7_frame_s,
            idle_s=settings.hl7_idle_s,
            connections=settings.hl7_connections,
        )


class MllpServer:
    """Answers MLLP peers.

    Args:
        writer: Keeps the messages.
        limits: Of each peer.
        processing: Processing ids that are taken.
        clock: The current moment, zoned.
        counters: What is counted.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        limits: Limits,
        processing: tuple[str, ...],
        clock: Callable[[], datetime],
        counters: Counters,
    ) -> None:
        self._writer, self._limits, self._processing = writer, limits, processing
        self._clock, self._counters = clock, counters
        self._open: set[asyncio.Task[None]] = set()

    async def start(
        self, host: str, port: int, *, tls: ssl.SSLContext | None = None
    ) -> asyncio.Server:
        """Return the server, listening.

        Raises:
            OSError: The address is taken.
        """
        limit = self._limits.frame_mib * MIB + len(CLOSING) + 1
        return await asyncio.start_server(self._connected, host, port, limit=limit, ssl=tls)

    async def close(self, server: asyncio.Server) -> None:
        """Stop listening; whoever waits for an acknowledgement still gets it."""
        server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._limits.connections:
            self._counters.closed("too many connections")
            writer.close()
            return
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served by a task")
        self._open.add(task)
        self._counters.connections.set(len(self._open))
        try:
            await self._serve(reader, writer)
        except (ConnectionError, ssl.SSLError):
            self._counters.closed("lost")
        except asyncio.CancelledError:
            self._counters.closed("stopping")
        finally:
            self._open.discard(task)
            self._counters.connections.set(len(self._open))
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                block = await self._block(reader)
            except asyncio.LimitOverrunError:
                text = _TOO_LARGE.format(mib=self._limits.frame_mib)
                await self._say(writer, None, Refused(code="AR", error="207", text=text))
                await self._hear_out(reader)
                self._counters.closed("too large")
                return
            except TimeoutError:
                self._counters.closed("silent too long")
                return
            except asyncio.IncompleteReadError as error:
                self._counters.closed("mid-frame" if error.partial.strip() else "by peer")
                return
            await self._to_its_end(self._answer(block, writer))

    async def _to_its_end(self, answering: Coroutine[None, None, None]) -> None:
        """Answer, also where the listener is told to stop meanwhile: what is kept is said so."""
        task = asyncio.ensure_future(answering)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await task
            raise

    async def _block(self, reader: asyncio.StreamReader) -> bytes:
        """Return one block with what stands before it."""
        async with asyncio.timeout(self._limits.idle_s):
            first = await reader.readexactly(1)
        async with asyncio.timeout(self._limits.frame_s):
            return first + await reader.readuntil(CLOSING)

    async def _hear_out(self, reader: asyncio.StreamReader) -> None:
        """Read on for a moment: a connection closed on unread bytes may lose what was answered."""
        left = 2 * self._limits.frame_mib * MIB
        try:
            async with asyncio.timeout(_HEAR_OUT_S):
                while left > 0 and (part := await reader.read(_PART)):
                    left -= len(part)
        except (TimeoutError, ConnectionError):
            return

    async def _answer(self, block: bytes, writer: asyncio.StreamWriter) -> None:
        begin = block.rfind(START)  # an earlier one began a message that broke off
        if begin < 0:
            await self._say(writer, block, _NO_START)
            return
        content = block[begin + 1 : -len(CLOSING)]
        checked = await self._checked(content)
        if isinstance(checked, Refused):
            await self._say(writer, content, checked)
            return
        refused, said = await self._keep(checked)
        await self._say(writer, content, refused, said=said)

    async def _checked(self, content: bytes) -> Accepted | Refused:
        try:
            if len(content) <= _AT_ONCE:
                return check(content, processing=self._processing)
            return await asyncio.to_thread(check, content, processing=self._processing)
        except Exception:  # the outermost handler: a mistake of ours is told as one
            logger.exception("message not understood")
            return _MISTAKE

    async def _keep(self, message: Accepted) -> tuple[Refused | None, str]:
        """Return why a message was not kept, None where it is on the disk, and what to say of it.

        Of one that is held at once, for a person, the sender and the log are told so.
        """
        limit = self._limits.store_s
        try:
            if self._writer.is_full:
                waiting = await asyncio.to_thread(self._writer.hand_over, message, timeout_s=limit)
            else:
                waiting = self._writer.hand_over(message, timeout_s=0.05)
            done = await asyncio.wrap_future(waiting)
        except EpicrisisError as error:
            logger.error("message not acknowledged: %s: %s", error.item, error.reason)
            return _BUSY, ""
        if isinstance(done, Refused):
            return done, ""
        self._counters.kept(message.type, again=done.again)
        if not message.held:
            return None, ""
        said = f"kept as message {done.number}, held: {message.held}"
        logger.warning("%s; %s", said, held_way(done.number))
        return None, said

    async def _say(
        self,
        writer: asyncio.StreamWriter,
        content: bytes | None,
        refused: Refused | None,
        *,
        said: str = "",
    ) -> None:
        if refused is not None:
            self._counters.refused(refused.code, refused.error)
            logger.warning("message refused: %s/%s %s", refused.code, refused.error, refused.text)
        head = head_of(content) if content is not None else None
        writer.write(acknowledgement(head, refused, at=self._clock(), said=said))
        async with asyncio.timeout(self._limits.frame_s):
            await writer.drain()
