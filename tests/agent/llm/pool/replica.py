"""One replica as a process of its own: ``python replica.py SECONDS``; prints its address.

It answers every chat request with "ok" after so many seconds, until its standard input ends.
"""

import asyncio
import os
import sys

from agent.llm.fake_server import Scripted, completion, fake_server

_ANSWERS = 2000


async def main(seconds: float) -> None:
    """Serve until standard input ends."""
    body = [step for step in completion("ok").steps if isinstance(step, bytes)]
    answer = Scripted(steps=(seconds, *body))
    async with fake_server(*[answer] * _ANSWERS, kind="vllm") as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.buffer.read)
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
