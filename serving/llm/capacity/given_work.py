"""The work that is planned for: given, from traces, or as it was measured once."""

from collections.abc import Mapping
from pathlib import Path

from knowledge.errors import InvalidValueError
from serving.llm.capacity.bounds import (
    MOST_CALLS,
    MOST_CASES_PER_HOUR,
    MOST_TOKENS,
    MOST_USERS,
    require_within,
)
from serving.llm.capacity.measured_work import measured_work
from serving.llm.capacity.traces import read_traces
from serving.llm.capacity.workload import Slides, Workload, require

_SLIDE_TOKENS = 100_000 * 80_000 / 224**2 * 256 * 0.3
_SLIDE_SOURCE = (
    "default: 100000 x 80000 pixels at 40x, tiles of 224, patches of 14, 30 % tissue (assumed)"
)
_ENCODER_PARAMS = 632e6
_ENCODER_SOURCE = "default: ViT-H/14, 632 M (Dosovitskiy 2021, table 1)"

_MOST: Mapping[str, float] = {
    "users": MOST_USERS,
    "cases_per_hour": MOST_CASES_PER_HOUR,
    "calls_per_case": MOST_CALLS,
    "tokens_in": MOST_TOKENS,
    "tokens_out": MOST_TOKENS,
}


def hourly(users: int | None, cases_per_hour: float | None) -> dict[str, float]:
    """Return the size of the site.

    Raises:
        InvalidValueError: It is not given, or nothing is asked.
    """
    found = require(users=users, cases_per_hour=cases_per_hour)
    if not any(found.values()):
        raise InvalidValueError("--users 0 --cases-per-hour 0", "ask for nothing", "give one")
    return found


def given_work(
    site: Mapping[str, float], given: Mapping[str, float | None], traces: Path | None
) -> Workload:
    """Return the work of the busiest hour, each figure with where it is from.

    Args:
        site: Users and cases an hour.
        given: Requests and tokens of a case as the user gives them; None where not.
        traces: Recorded runs for those that are not given; None for the packaged record.

    Raises:
        UnreadableError: A trace is not JSON.
        InvalidValueError: The traces hold no run of the agent that called a model, or a figure is
            above what is planned with.
    """
    figures: dict[str, float] = dict(site)
    sources: dict[str, str] = dict.fromkeys(site, "given")
    known: dict[str, tuple[float, str]] = {}
    if traces is not None:
        known = _from_traces(traces)
    elif any(value is None for value in given.values()):
        known = _measured()
    for name, value in given.items():
        figures[name], sources[name] = known[name] if value is None else (value, "given")
    for name, most in _MOST.items():
        require_within(name.replace("_", " "), figures[name], most)
    return Workload.model_validate({**figures, "sources": sources})


def given_slides(per_hour: float, tokens: float | None, params: float | None) -> Slides:
    """Return the slides of the busiest hour, each figure with where it is from."""
    return Slides(
        per_hour=per_hour,
        tokens=tokens or _SLIDE_TOKENS,
        encoder_params=params or _ENCODER_PARAMS,
        sources={
            "tokens of a slide": "given" if tokens else _SLIDE_SOURCE,
            "encoder": "given" if params else _ENCODER_SOURCE,
        },
    )


def _from_traces(path: Path) -> dict[str, tuple[float, str]]:
    found = read_traces(path)
    hit = (
        (found.cache_hit, found.words)
        if found.cache_hit is not None
        else (0.0, "no server reported cached tokens: none are counted, which asks for more")
    )
    return {
        "calls_per_case": (found.calls, found.words),
        "tokens_in": (found.tokens_in, found.words),
        "tokens_out": (found.tokens_out, found.words),
        "cache_hit": (min(hit[0], 0.99), hit[1]),
    }


def _measured() -> dict[str, tuple[float, str]]:
    own = measured_work()
    figures = {
        "calls_per_case": own.calls_per_case,
        "tokens_in": own.tokens_in,
        "tokens_out": own.tokens_out,
        "cache_hit": own.cache_hit,
    }
    return {name: (value, own.words) for name, value in figures.items()}
