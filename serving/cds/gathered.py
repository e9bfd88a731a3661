"""What was sent or fetched for one call: resources by key, and what could not be had."""

from typing import Any

from knowledge.model import Frozen


class Gap(Frozen):
    """One key whose data are not whole.

    Args:
        key: Prefetch key.
        what: What it is, in words.
        reason: Why it is not whole.
    """

    key: str
    what: str
    reason: str


class Gathered(Frozen):
    """The data of one call.

    Args:
        resources: What an assessment reads.
        beside: What else came; looked at for whose it is, and for nothing else.
        gaps: What could not be had: nothing may be concluded from its silence.
        fetched: Keys that were fetched from the FHIR server.
        nothing: Keys for which the client said that there are no data.
    """

    resources: tuple[dict[str, Any], ...]
    beside: tuple[dict[str, Any], ...] = ()
    gaps: tuple[Gap, ...] = ()
    fetched: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
