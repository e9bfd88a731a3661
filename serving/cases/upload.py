"""Read a multipart upload within its limits: nothing is read before the sender was let through."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import Message

from knowledge.errors import (
    InvalidValueError,
    TooLargeError,
    UnavailableError,
    UnreadableError,
    UnsupportedError,
)
from knowledge.model import Frozen
from knowledge.settings import Settings
from tools.intake.limits import MIB

FILES = "files"
_KIND = "multipart/form-data"
_MOST_FIELDS = 20
_FIELD_BYTES = 16 * 1024
_HEADS_MIB = 2
"""Room for the part headers of `Settings.max_files` files."""

FILE_PART: dict[str, Any] = {
    FILES: {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "format": "binary"},
        "description": "Each with its relative name as file name",
    }
}
SCHEMA: dict[str, Any] = {"type": "object", "required": [FILES], "properties": FILE_PART}
"""JSON schema of an upload's body; an endpoint adds its fields."""


class Upload(Frozen):
    """What was sent.

    Args:
        files: Name as sent, and bytes.
        fields: Every other field.
    """

    files: tuple[tuple[str, bytes], ...]
    fields: Mapping[str, str]

    def field(self, name: str, *, most: int) -> str:
        """Return a field without spaces around it; empty where it was not sent.

        Raises:
            InvalidValueError: It is longer than `most` characters.
        """
        text = self.fields.get(name, "").strip()
        if len(text) > most:
            raise InvalidValueError(name, f"is over {most} characters", "shorten it")
        return text


async def read_upload(request: Request, settings: Settings) -> Upload:
    """Return the files and fields of a multipart request.

    Args:
        request: Whose body nobody has read yet.
        settings: `max_files` and `max_case_mib`.

    Raises:
        UnsupportedError: It is no multipart request.
        UnreadableError: It is cut off or malformed.
        TooLargeError: It is over a limit; no more of it was read.
        UnavailableError: There is no room on the disk to receive it.
    """
    if not request.headers.get("content-type", "").lower().startswith(_KIND):
        raise UnsupportedError("request", f"is not {_KIND}", "send the files as a form does")
    most = (settings.max_case_mib + _HEADS_MIB) * MIB
    if int(request.headers.get("content-length") or 0) > most:
        raise _too_large(settings)
    limited = Request(request.scope, _Limited(request, most, settings))
    parser = MultiPartParser(
        limited.headers,
        limited.stream(),
        max_files=settings.max_files,
        max_fields=_MOST_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _unreadable(error, settings) from error
    except ClientDisconnect as error:
        raise UnreadableError("request", "was cut off", "send it again") from error
    except OSError as error:
        raise UnavailableError(
            "upload", f"cannot be received: {error.strerror}", "free space for temporary files"
        ) from error
    try:
        return await run_in_threadpool(_read, form)
    finally:
        await form.close()


class _Limited:
    """The body of a request, up to a number of bytes."""

    def __init__(self, request: Request, most: int, settings: Settings) -> None:
        self._receive = request.receive
        self._left = most
        self._settings = settings

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _too_large(self._settings)
        return message


def _read(form: FormData) -> Upload:
    files: list[tuple[str, bytes]] = []
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name != FILES:
                raise InvalidValueError("request", "has a file of another name", f"name it {FILES}")
            files.append((value.filename or "", value.file.read()))
        elif name in fields:
            raise InvalidValueError("request", "has a field twice", "send it once")
        else:
            fields[name] = value
    return Upload(files=tuple(files), fields=fields)


def _unreadable(error: MultiPartException, settings: Settings) -> Exception:
    if error.message.startswith("Too many files"):
        return TooLargeError("case", f"over {settings.max_files} files", "send one patient's visit")
    return UnreadableError("request", "is no whole multipart body", "send it again")


def _too_large(settings: Settings) -> TooLargeError:
    return TooLargeError(
        "request", f"is over {settings.max_case_mib} MiB", "send one patient's visit"
    )
