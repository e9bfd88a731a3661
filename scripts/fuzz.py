"""Try the doors with changed files of every kind: ``python scripts/fuzz.py``.

The front door takes the files of a case; imaging and pathology have doors of their own.

Every input is made by its kind and number alone, so that a failure is replayed by
``python scripts/fuzz.py --kind KIND --seed NUMBER``, on a machine with the same real records (none
are needed). Exit code 1: something that must hold did not (`tests/fuzzing/front_door.py`,
`doors.py`).
"""

import argparse
import faulthandler
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fuzzing.doors import DOOR_KINDS, DoorInput, made_for, tried_at
from tests.fuzzing.front_door import Input, Outcome, made, quiet, table, tried
from tests.fuzzing.seeds import KINDS as CASE_KINDS

KINDS = (*CASE_KINDS, *DOOR_KINDS)
CHUNK = 25
ADDRESS_SPACE = 6 * 1024**3
"""Bytes a process may map: what asks for more is a MemoryError, and a broken rule."""

Done = list[tuple[int, Outcome, str]]


def main() -> int:
    """Return the exit code."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("--count", type=int, default=10_000, help="inputs, over all kinds")
    ask.add_argument(
        "--kind", choices=KINDS, action="append", help="only this kind; may be repeated"
    )
    ask.add_argument("--seed", type=int, help="only the input with this number, told in full")
    ask.add_argument("--first", type=int, default=0, help="number of the first input of each kind")
    ask.add_argument("--processes", type=int, default=1)
    ask.add_argument(
        "--save", type=Path, help="with --seed: write the changed file into this folder"
    )
    said = ask.parse_args()
    kinds = tuple(said.kind or KINDS)
    if said.seed is not None:
        return _replay(kinds, said.seed, said.save)
    begin = time.monotonic()
    done, broken = _all(kinds, said.count, said.first, said.processes)
    outcomes = {kind: [outcome for _, outcome, _ in done[kind]] for kind in kinds}
    whole = [outcome for found in outcomes.values() for outcome in found]
    print(table(outcomes))
    print(
        f"{len(whole)} inputs in {time.monotonic() - begin:.0f} s, {said.processes} processes; ",
        end="",
    )
    print(f"highest peak memory of a process {max((o.peak_mib for o in whole), default=0):.0f} MiB")
    violations = sum(bool(o.violations) for o in whole) + broken
    print(f"{violations} inputs broke a rule" if violations else "everything that must hold held")
    return 1 if violations or len(whole) < said.count else 0


def _all(
    kinds: tuple[str, ...], count: int, first: int, processes: int
) -> tuple[dict[str, Done], int]:
    """Return the outcomes by kind, and how many chunks ended with their process."""
    waiting = list(_chunks(kinds, count, first))
    done: dict[str, Done] = {kind: [] for kind in kinds}
    broken = 0
    while waiting:
        with _pool(processes) as pool:
            running: dict[Future[Done], tuple[str, int, int]] = {}
            try:
                while waiting or running:
                    while waiting and len(running) < processes:
                        chunk = waiting.pop(0)
                        running[pool.submit(_chunk, *chunk)] = chunk
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        kind, *_ = running[future]
                        done[kind] += _told(kind, future.result())
                        del running[future]
            except BrokenProcessPool:
                broken += 1
                told = [f"{kind} {a} to {a + n - 1}" for kind, a, n in running.values()]
                print(f"A PROCESS ENDED, with one of: {'; '.join(told)}", flush=True)
    return done, broken


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
    )


def _begin() -> None:
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    quiet()


def _chunks(kinds: tuple[str, ...], count: int, first: int) -> Iterator[tuple[str, int, int]]:
    """Yield kind, first number and length, the kinds in turn, as many of each as of the others."""
    shares = {k: count // len(kinds) + (at < count % len(kinds)) for at, k in enumerate(kinds)}
    for begin in range(0, max(shares.values()), CHUNK):
        for kind, share in shares.items():
            if begin < share:
                yield kind, first + begin, min(CHUNK, share - begin)


def _chunk(kind: str, first: int, count: int) -> Done:
    found: Done = []
    for number in range(first, first + count):
        one, outcome = _tried(kind, number)
        found.append((number, outcome, str(one) if outcome.violations else ""))
    return found


def _tried(kind: str, number: int) -> tuple[Input | DoorInput, Outcome]:
    """Return an input of a kind and what became of it: in a case, or at its own door."""
    if kind in DOOR_KINDS:
        at_door = made_for(kind, number)
        return at_door, tried_at(at_door)
    one = made(kind, number)
    return one, tried(one)


def _told(kind: str, found: Done) -> Done:
    for number, outcome, words in found:
        for violation in outcome.violations:
            print(f"--kind {kind} --seed {number}: {words}\n    {violation}", flush=True)
    return found


def _replay(kinds: tuple[str, ...], number: int, folder: Path | None) -> int:
    _begin()
    worst = 0
    for kind in kinds:
        one, outcome = _tried(kind, number)
        if folder is not None:
            path = folder / one.seed.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(one.content)
        print(f"--kind {kind} --seed {number}: {one}")
        print(f"    {outcome.status}, {outcome.seconds:.2f} s, {outcome.peak_mib:.0f} MiB")
        for violation in outcome.violations:
            print(f"    {violation}")
        worst |= bool(outcome.violations)
    return worst


if __name__ == "__main__":
    sys.exit(main())
