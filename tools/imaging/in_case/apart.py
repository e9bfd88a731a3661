"""A measurement in a process of its own, within a time and a memory.

A CT series takes seconds and a few times its own size, a slide is decoded by a library in C. Past a
limit the process is ended and the study is not assessed, with that reason; the case goes on.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import BinaryIO, Literal, cast

import orjson

from knowledge.errors import (
    ContractError,
    EpicrisisError,
    IdentityConflictError,
    InvalidValueError,
    MissingExtraError,
    TooLargeError,
    UnavailableError,
    UnreadableError,
    UnsupportedError,
)
from tools.imaging.in_case.model import StudyImages
from tools.imaging.model import StudyMeasures

Apart = Literal["ct", "slide"]
MEMORY = "memory"
_MIB = 1 << 20
_ERRORS: Mapping[str, type[EpicrisisError]] = {
    one.__name__: one
    for one in (
        ContractError, IdentityConflictError, InvalidValueError, MissingExtraError, TooLargeError,
        UnreadableError, UnsupportedError,
    )
}  # fmt: skip
_SECONDS = "EPICRISIS_IMAGING_SECONDS is the limit"
_MEMORY = "EPICRISIS_IMAGING_MEMORY_MIB is the limit"


def apart(images: StudyImages, *, kind: Apart) -> StudyMeasures:
    """Return a measurement made in a process of its own.

    Args:
        images: What is measured.
        kind: Which measurement.

    Raises:
        TooLargeError: The files alone are over the limit of memory.
        UnavailableError: No result within the time or the memory.
        InputError: What the measurement refuses.
    """
    limits, item = images.limits, images.study.title
    size = sum(len(one.data) for one in images.contents.values())
    if size > limits.memory_mib * _MIB:
        raise TooLargeError(item, f"{size // _MIB} MiB: too large to be measured here", _MEMORY)
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        "from tools.imaging.in_case import child; child.main()"
    )
    with tempfile.TemporaryFile() as given:
        _send(cast(BinaryIO, given), images, kind)
        given.seek(0)
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter
                [sys.executable, "-c", code],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=limits.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            reason = f"not measured within {limits.seconds:g} s: stopped"
            raise UnavailableError(item, reason, _SECONDS) from error
    return _result(done.stdout, images)


def _send(stream: BinaryIO, images: StudyImages, kind: Apart) -> None:
    head = {
        "kind": kind,
        "study": images.study.model_dump(mode="json"),
        "files": images.files,
        "stated": None if images.stated is None else images.stated.model_dump(mode="json"),
        "limits": images.limits.model_dump(mode="json"),
        "contents": [[n, c.sha256, len(c.data)] for n, c in sorted(images.contents.items())],
    }
    stream.write(orjson.dumps(head) + b"\n")
    for _, content in sorted(images.contents.items()):
        stream.write(content.data)


def _result(answer: bytes, images: StudyImages) -> StudyMeasures:
    item, limits = images.study.title, images.limits
    try:
        said = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        reason = f"its process ended: it broke, or took more than {limits.memory_mib} MiB"
        raise UnavailableError(item, reason, _MEMORY) from error
    if "result" in said:
        return StudyMeasures.model_validate_json(orjson.dumps(said["result"]))
    if said["error"] == MEMORY:
        reason = f"takes more than {limits.memory_mib} MiB of memory: stopped"
        raise UnavailableError(item, reason, _MEMORY)
    kind = _ERRORS.get(said["error"], UnavailableError)
    raise kind(said["item"], said["reason"], said["way_out"])
