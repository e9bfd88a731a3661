"""The same images measured once in one process, however often a case is assessed again.

A measurement depends on nothing but its images, what is stated of them, and the tool's version; an
answer typed in afterwards makes a new assessment of the same pixels. What failed is tried again.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import orjson

from tools.imaging.in_case.model import StudyImages
from tools.imaging.model import StudyMeasures

_MOST = 256
"""Results kept: some kilobytes each."""

_kept: OrderedDict[str, StudyMeasures] = OrderedDict()
_lock = Lock()


def once(
    images: StudyImages, *, tool: str, version: str, make: Callable[[StudyImages], StudyMeasures]
) -> StudyMeasures:
    """Return what `make` returns for these images, made once.

    Args:
        images: What is measured.
        tool: By which.
        version: Of the tool.
        make: The measurement.
    """
    body = orjson.dumps([tool, version, images.key()], option=orjson.OPT_SORT_KEYS)
    key = hashlib.sha256(body).hexdigest()
    with _lock:
        found = _kept.get(key)
    if found is None:
        found = make(images)
    with _lock:
        _kept[key] = found
        _kept.move_to_end(key)
        while len(_kept) > _MOST:
            _kept.popitem(last=False)
    return found


def forget() -> None:
    """Forget every result, so that the next call measures again."""
    with _lock:
        _kept.clear()
