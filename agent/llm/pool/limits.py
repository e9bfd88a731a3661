"""What the pool file limits: tenants, waiting, breakers, looks, shadows; every number in a range.

Numbers are strict (`at_once: true` is no number) and bounded: an infinite weight ends fairness, an
infinite time ends every bound on waiting, and one near zero asks a server without a pause.
"""

from typing import Annotated

from pydantic import Field

from knowledge.model import Frozen

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,127}$")]
Fraction = Annotated[float, Field(strict=True, ge=0.0, le=1.0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(strict=True, ge=0.05, le=86400.0, allow_inf_nan=False)]
"""Shorter than 50 ms no server can be asked; a day is longer than anybody waits for an answer."""
Weight = Annotated[float, Field(strict=True, ge=0.01, le=100.0, allow_inf_nan=False)]
"""A share up to 10,000 times another's: beyond that fair turns are lost in rounding."""
Reserve = Annotated[float, Field(strict=True, ge=0.0, le=0.9, allow_inf_nan=False)]
"""At 1 every request that is no emergency would be refused."""
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Places = Annotated[int, Field(strict=True, ge=1, le=4096)]
"""More than any one server answers at a time."""
Tokens = Annotated[int, Field(strict=True, ge=1, le=10**12)]
"""Ten million tokens a second for a day."""


class TenantRow(Frozen):
    """What one tenant may use.

    Args:
        match: FHIR base addresses whose patients are its own; an exact name matches too.
        weight: Its share while others wait as well.
        tokens_per_hour, tokens_per_day: Most tokens of prompts and replies; None for no limit.
        at_once: Most requests at one time, over all models; None for no limit. Emergencies have 16
            more.
        waiting: Most requests that wait, of those at least as urgent as the next.
    """

    match: tuple[str, ...] = ()
    weight: Weight = 1.0
    tokens_per_hour: Tokens | None = None
    tokens_per_day: Tokens | None = None
    at_once: Places | None = None
    waiting: Count = 64


class BreakerRow(Frozen):
    """When a server is no longer asked, and when it is tried again.

    Args:
        failures: Failures in a row that open the breaker.
        rate: Share of failures that opens it, among the calls of `window_s`.
        least_calls: Calls below which the share says nothing.
        window_s: Seconds that the share looks back.
        open_s: Seconds it stays open the first time; they double with every trial that fails.
        longest_open_s: Most of them.
        trials: Trials in a row that must succeed before it is closed.
    """

    failures: Count = 3
    rate: Annotated[float, Field(strict=True, ge=0.01, le=1.0, allow_inf_nan=False)] = 0.5
    least_calls: Count = 10
    window_s: Seconds = 60.0
    open_s: Seconds = 5.0
    longest_open_s: Seconds = 300.0
    trials: Count = 1


class HealthRow(Frozen):
    """How servers are looked after: by a real short completion.

    Args:
        every_s: Seconds between two looks at a server that has answered nothing meanwhile.
        answer_s: Longest time for that completion.
    """

    every_s: Seconds = 15.0
    answer_s: Seconds = 10.0


class QueueRow(Frozen):
    """How long a request waits for a free place.

    Args:
        emergency_s, routine_s, batch_s: Longest wait by urgency; never past the request's own
            timeout.
        emergency_reserve: Share of every tenant's tokens that is left to emergencies, which are
            counted and never refused for tokens.
        emergency_places: Free places of each server that are left to emergencies. One place always
            stays for other work, so a server with one place keeps none; nor does one that is being
            tried after an outage.
        attempts: Servers that one request may be sent to in all: one that breaks servers must not
            break all of them.
    """

    emergency_s: Seconds = 60.0
    routine_s: Seconds = 30.0
    batch_s: Seconds = 20.0
    emergency_reserve: Reserve = 0.2
    emergency_places: Annotated[int, Field(strict=True, ge=0, le=64)] = 1
    attempts: Count = 3


class ShadowRow(Frozen):
    """Requests that a candidate is sent as well; its answer is compared and never shown.

    Args:
        backend: Name of a backend with ``candidate: true``.
        share: Of the answered requests.
        at_once: Most at one time; what is beyond is left out and counted.
        answer_s: Longest time for its answer.
    """

    backend: Name
    share: Fraction
    at_once: Places = 1
    answer_s: Seconds = 60.0
