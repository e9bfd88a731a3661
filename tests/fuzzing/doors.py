"""The doors of imaging and pathology: one changed file each, and what must hold of the answer.

What must hold for every input:

- a typed error that names item and reason, or a result; nothing else is raised;
- a result is whole: every number finite, every mask on its series, every reading without a fault,
  nothing of the planted patient in what was de-identified, the bytes kept as they were received;
- time and memory stay within the bounds of the front door.
"""

import random
import resource
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from knowledge.errors import EpicrisisError
from tests.fuzzing.door_kinds import DOORS, Door
from tests.fuzzing.front_door import (
    HANG_SECONDS,
    MAX_GROWTH_MIB,
    MAX_SECONDS,
    HangError,
    Outcome,
)
from tests.fuzzing.mutations import splice
from tests.fuzzing.seeds import Seed

DOOR_KINDS = tuple(DOORS)
"""Every further kind of file that is tried, each at its own door."""


@dataclass(frozen=True, kw_only=True)
class DoorInput:
    """One input.

    Args:
        kind: Name of the door.
        number: Its number: the same number gives the same input.
        seed: The file before the change.
        content: The file after it.
        changes: Names of the changes made.
    """

    kind: str
    number: int
    seed: Seed
    content: bytes
    changes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.seed.name}, {' + '.join(self.changes)}"


def made_for(kind: str, number: int) -> DoorInput:
    """Return the input of a door with a number; always the same one."""
    rng = random.Random(f"{kind}:{number}")  # noqa: S311 - not for secrets
    door = DOORS[kind]
    seed = rng.choice(door.seeds())
    content, changes = seed.content, []
    for _ in range(rng.choice((1, 1, 2, 3))):
        if rng.random() > 0.95:
            other = rng.choice(door.seeds())
            content, name = splice(content, other.content, rng), f"splice with {other.name}"
        else:
            change = rng.choice(door.changes)
            content, name = change(content, rng), change.__name__
        changes.append(name)
    return DoorInput(kind=kind, number=number, seed=seed, content=content, changes=tuple(changes))


def tried_at(one: DoorInput) -> Outcome:
    """Return what became of an input at its door."""
    begin, before = time.process_time(), _peak_mib()
    status, violation = _answer(DOORS[one.kind], one)
    seconds, peak = time.process_time() - begin, _peak_mib()
    violations = [violation] if violation else []
    if seconds > MAX_SECONDS:
        violations.append(f"took {seconds:.1f} s of processor time")
    if peak - before > MAX_GROWTH_MIB:
        violations.append(f"raised the peak memory by {peak - before:.0f} MiB")
    return Outcome(status=status, seconds=seconds, peak_mib=peak, violations=tuple(violations))


def _answer(door: Door, one: DoorInput) -> tuple[str, str]:
    """Return the status of an input and what did not hold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _within_time(lambda: _asked(door, one))


def _asked(door: Door, one: DoorInput) -> tuple[str, str]:
    try:
        fault = door.ask(one.content, one.seed.name)
    except EpicrisisError as error:
        named = error.item and error.reason
        return "failed", "" if named else "an error without item or reason"
    except HangError:
        return "-", f"still at it after {HANG_SECONDS} s\n{traceback.format_exc(limit=-6)}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "-", f"raised\n{traceback.format_exc(limit=-6)}"
    return "read", fault


def _within_time(work: Callable[[], tuple[str, str]]) -> tuple[str, str]:
    before = signal.signal(signal.SIGVTALRM, _hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_SECONDS)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _hangs(_signal: int, _frame: object) -> None:
    raise HangError


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
