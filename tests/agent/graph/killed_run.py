"""A process that runs a case in children which are killed at a given point, then goes on.

Usage: ``killed_run.py FOLDER POINT...`` with points such as ``node:plan`` or ``tool done:heart``.
Prints one JSON object: for each point the result after the resume, every tool call that was made in
either process, and every request the model saw.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from agent.graph.checkpoints import open_checkpoints
from agent.graph.run import resume_run, start_run
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatRequest
from tests.agent.graph.scripts import helpful, session, told


def scripted(log: Path) -> FakeLLM:
    """Return a model that lies once, so that a sentence is revised, and writes down its calls."""

    def answer(request: ChatRequest) -> Any:
        note(log, "model", request.purpose)
        if request.purpose == "write":
            return {**told(request), "s1": "Low risk, discharge."}
        return helpful(request)

    return FakeLLM(answer)


def note(log: Path, what: str, name: str) -> None:
    """Write one line that a kill cannot take back."""
    with log.open("a") as file:
        file.write(f"{what}:{name}\n")
        file.flush()
        os.fsync(file.fileno())


def child(folder: Path, log: Path, *, kill_at: str | None, resume: bool) -> None:
    """Run or resume the case; die at `kill_at`, else leave the result in a file."""

    def observe(what: str, name: str) -> None:
        note(log, what, name)
        if f"{what}:{name}" == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async def work() -> None:
        made = session(llm=scripted(log), observe=observe)
        async with open_checkpoints(folder / "runs.sqlite") as checkpoints:
            if resume:
                done = await resume_run(made, checkpoints, run="r")
            else:
                done = await start_run(made, checkpoints, run="r")
        body = done.outcome.assessment.to_json()
        (folder / "result.json").write_text(json.dumps(body))

    asyncio.run(work())


def forked(folder: Path, log: Path, *, kill_at: str | None, resume: bool) -> int:
    """Return how a child ended: 0, or minus the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child(folder, log, kill_at=kill_at, resume=resume)
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status)


def main(root: Path, points: list[str]) -> None:
    """Run every point, then the undisturbed run that they are compared with."""
    found: dict[str, Any] = {}
    for number, point in enumerate(["", *points]):
        folder = root / str(number)
        folder.mkdir()
        log = folder / "log.txt"
        ends = [forked(folder, log, kill_at=point or None, resume=False)]
        if point:
            ends.append(forked(folder, log, kill_at=None, resume=True))
        result = folder / "result.json"
        found[point] = {
            "ends": ends,
            "log": log.read_text().splitlines(),
            "result": json.loads(result.read_text()) if result.is_file() else None,
        }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
