"""A sender of MLLP, to try a listener out: one message at a time, each answer read."""

import asyncio
import ssl
from pathlib import Path

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.model import Frozen
from serving.hl7_in.accept import head_of
from serving.hl7_in.answer import CLOSING
from tools.intake.hl7v2.wire import START, split_file

_ANSWER_S = 60
_LONGEST = 1024 * 1024


class Answer(Frozen):
    """What one message was answered with.

    Args:
        control_id: Of the message.
        code: MSA-1.
        text: ERR-3 and ERR-8, where there are any.
    """

    control_id: str
    code: str
    text: str


async def send_file(
    content: bytes, file: str, *, host: str, port: int, tls_ca: Path | None
) -> list[Answer]:
    """Send the messages of a file and return the answers.

    Raises:
        UnreadableError: The file holds no message.
        InvalidValueError: The authority's file cannot be used.
        UnavailableError: Nobody answers.
    """
    messages = split_file(content, file).messages
    context = None
    if tls_ca is not None:
        try:
            context = ssl.create_default_context(cafile=str(tls_ca))
        except (OSError, ssl.SSLError) as error:
            raise InvalidValueError("--tls-ca", "cannot be used", "give a PEM file") from error
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_LONGEST)
        try:
            return [await _sent(one.data, reader, writer) for one in messages]
        finally:
            writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
        raise UnavailableError(
            f"{host}:{port}", f"gives no answer ({type(error).__name__})", "is it listening?"
        ) from error


async def _sent(data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
    writer.write(START + data + CLOSING)
    await writer.drain()
    async with asyncio.timeout(_ANSWER_S):
        block = await reader.readuntil(CLOSING)
    head = head_of(data)
    lines = block.strip(START + CLOSING).decode("ascii", "replace").split("\r")
    fields = {line[:3]: line.split(line[3:4] or "|") for line in lines if len(line) > 3}
    said = fields.get("MSA", [])
    error = fields.get("ERR", [])
    text = f" {error[3]} {error[-1]}" if len(error) > 3 else ""
    return Answer(
        control_id=head.get(10) if head is not None else "",
        code=said[1] if len(said) > 1 else "?",
        text=text,
    )
