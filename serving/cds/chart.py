"""The data of one call as one FHIR Bundle: the file of a case that an assessment reads.

Equal data give equal bytes, whatever order and page they came in, so that the same chart is
recognised without being read.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from knowledge.errors import InvalidValueError
from serving.storage.base import canonical

FILE = "ehr-chart.json"
"""Its name in a case."""

PART = "ehr-chart.of-this-call.json"
"""Name of one that is not whole, while it is read beside the files of a case."""

_ADDED_BY_SERVERS = ("text",)


def bundle_of(resources: Sequence[dict[str, Any]]) -> bytes:
    """Return a collection Bundle of these resources, each once, in a fixed order.

    Args:
        resources: Of one patient.

    Raises:
        InvalidValueError: A value that JSON cannot hold.
    """
    try:
        found = {
            canonical({k: v for k, v in resource.items() if k not in _ADDED_BY_SERVERS}): None
            for resource in resources
        }
        entries = [b'{"resource":' + text + b"}" for text in sorted(found)]
    except (orjson.JSONEncodeError, TypeError) as error:
        raise InvalidValueError(
            "prefetch", "holds a value that is not JSON", "send FHIR JSON"
        ) from error
    body = b",".join(entries)
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + body + b"]}"


def hash_of(content: bytes) -> str:
    """Return the SHA-256 of a chart."""
    return hashlib.sha256(content).hexdigest()
