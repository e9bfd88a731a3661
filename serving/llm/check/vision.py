"""Whether the model sees: two small pictures of one colour each."""

import base64
import struct
import zlib

from serving.llm.check.answer import quoted
from serving.llm.check.row import Found, no, open_, yes
from serving.llm.check.subject import Subject

_SIDE = 64
"""Pixels; the encoders of today's models take patches of 14 to 32."""
_COLOURS = {"red": (220, 20, 20), "blue": (20, 40, 220)}


async def sees(subject: Subject) -> Found:
    """Find out whether pictures are taken, and seen."""
    said = []
    for colour, rgb in _COLOURS.items():
        answer = await subject.probe.chat(_body(subject, rgb))
        if not answer.ok:
            return _refused(answer.refusal, subject)
        said.append((colour, answer.content))
    told = ", ".join(f"{colour}: {quoted(reply, 24)}" for colour, reply in said)
    if all(colour in reply.lower() for colour, reply in said):
        return yes(told)
    return no(f"pictures are taken, their colours not seen: {told}")


def picture(rgb: tuple[int, int, int], side: int = _SIDE) -> bytes:
    """Return a PNG of one colour.

    Args:
        rgb: Of every pixel, 0 to 255.
        side: Width and height in pixels.
    """
    rows = (b"\0" + bytes(rgb) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    sum_ = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + sum_


def _body(subject: Subject, rgb: tuple[int, int, int]) -> dict[str, object]:
    url = "data:image/png;base64," + base64.b64encode(picture(rgb)).decode()
    asked = "Which colour has this picture? Answer with one word."
    content = [
        {"type": "text", "text": asked},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    return {
        **subject.body("", max_tokens=16),
        "messages": [{"role": "user", "content": content}],
    }


def _refused(refusal: str, subject: Subject) -> Found:
    if subject.profile is not None and subject.profile.vision:
        return no(f"its profile says that it sees, and a picture was refused: {refusal}")
    if subject.profile is not None:
        return open_(f"a model of text by its profile; a picture was refused: {refusal}")
    return no(f"a picture was refused: {refusal}")
