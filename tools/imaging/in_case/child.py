"""The process in which a CT series or a slide is measured: it reads once and answers once."""

import os
import resource
import sys
from collections.abc import Mapping
from typing import Any

import orjson

from knowledge.errors import EpicrisisError
from tools.imaging.in_case.apart import MEMORY
from tools.imaging.in_case.model import ImageBytes, MeasureLimits, StatedImage, StudyImages
from tools.imaging.model import Study, StudyMeasures


def main() -> None:
    """Measure what stands on standard input and write the result, or why there is none."""
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    said = answer()
    with os.fdopen(out, "wb") as stream:
        stream.write(orjson.dumps(said))


def answer() -> dict[str, Any]:
    """Return the result of what stands on standard input as JSON, or the error."""
    try:
        head = orjson.loads(sys.stdin.buffer.readline())
        images = _images(head)
        return {"result": _measured(head["kind"], images).model_dump(mode="json")}
    except MemoryError:
        return {"error": MEMORY}
    except EpicrisisError as error:
        return {
            "error": type(error).__name__, "item": error.item, "reason": error.reason,
            "way_out": error.way_out,
        }  # fmt: skip


def _measured(kind: str, images: StudyImages) -> StudyMeasures:
    """Return the measurement; its libraries are loaded before the limit counts."""
    if kind == "ct":
        from tools.imaging.in_case.ct import ct_measures as measures
    else:
        from tools.imaging.in_case.slide import slide_measures as measures
    _limit(images.limits.memory_mib << 20)
    return measures(images)


def _images(head: Mapping[str, Any]) -> StudyImages:
    stream = sys.stdin.buffer
    contents = {
        name: ImageBytes(data=stream.read(size), sha256=sha256)
        for name, sha256, size in head["contents"]
    }
    stated = head["stated"]
    return StudyImages(
        study=Study.model_validate_json(orjson.dumps(head["study"])),
        files=tuple(head["files"]),
        contents=contents,
        stated=None if stated is None else StatedImage.model_validate_json(orjson.dumps(stated)),
        limits=MeasureLimits.model_validate(head["limits"]),
    )


def _limit(more_bytes: int) -> None:
    """Let this process take so much memory beyond what it has now; on Linux alone."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
    except FileNotFoundError:  # another system: the time is limited there, the memory is not
        return
    most = pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
