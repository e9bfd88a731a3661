"""One tool call, guarded: a result, or the reason there is none."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from knowledge.errors import EpicrisisError, UnavailableError
from knowledge.finding import NotAssessed, Why

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Called:
    """What came of one tool call: a result, or the reason there is none."""

    result: Any = None
    problem: NotAssessed | None = None
    seconds: float = 0.0


def guarded(name: str, make: Callable[[], Any]) -> Called:
    """Return what `make` returns, or the reason it could not: the outermost handler of a call."""
    start = time.perf_counter()
    try:
        result = make()
        return Called(result=result, seconds=time.perf_counter() - start)
    except UnavailableError as error:
        problem = NotAssessed(why=Why.FAILED, detail=str(error))
    except EpicrisisError as error:
        problem = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=str(error))
    except Exception as error:
        # The outermost handler of a tool call: logged, and shown as a failure, never as a result.
        logger.exception("tool %s failed", name)
        problem = NotAssessed(why=Why.FAILED, detail=f"the tool broke ({type(error).__name__})")
    return Called(problem=problem, seconds=time.perf_counter() - start)
