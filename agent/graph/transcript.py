"""The recorded calls to the model, as one hash."""

import hashlib
from collections.abc import Iterable

import orjson

from agent.llm.seam import Exchange


def transcript_hash(exchanges: Iterable[Exchange]) -> str:
    """Return the SHA-256 of all calls to the model, without their timings."""
    body = [e.model_dump(mode="json", exclude={"reply": {"seconds"}}) for e in exchanges]
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
