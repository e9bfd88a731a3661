"""A process that stands in for the local model's server, as the supervisor starts it.

Usage: ``python served.py MODE``; it obeys the same orders over the same pipes.
"""

import asyncio
import os
import sys

from agent.llm.fake_server import completion, fake_server, refusal
from agent.llm.local.server import Listening, Orders


async def main(mode: str) -> None:
    """Serve until standard input ends, or misbehave as told."""
    orders = Orders.model_validate_json(sys.stdin.buffer.readline())
    if mode == "dies":
        sys.exit("no such weights: broken.gguf")
    answers = [refusal(500)] if mode == "mute" else [completion("ok")] * 50
    async with fake_server(*answers, kind="llama.cpp", port=orders.port) as server:
        said = Listening(url=server.url.removesuffix("/v1"))
        sys.stdout.write(said.model_dump_json() + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.buffer.read)
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
