"""What the seam to a language model costs beside a raw client, on identical requests.

    python bench/llm_seam.py                     # both servers with SmolLM2-135M, started here
    python bench/llm_seam.py URL [KEY_FILE]      # a server that runs

llama.cpp has the dense model in four bits, vLLM a mixture of four experts in bfloat16; vLLM only
where its environment is (``make .venv-vllm/.vllm``).

The requests are those that the agent makes of a bundled case, recorded with a model that answers at
once; their replies are cut at a number of tokens, so that every round takes as long. Each set is
sent through the product's client and, with the same bodies, through the package openai, in turn and
in another order each round, at the same number of requests in flight. The first round warms up and
is not counted. A ratio is one round of the seam over that of the raw client: 1 is no cost.

A second server answers at once, from a thread of this process: there the milliseconds of a call are
those of the clients alone, and bare httpx is a third.
"""

import asyncio
import json
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
from agent_overhead import run_agent
from openai import AsyncOpenAI
from pydantic import SecretStr
from vllm_cpu import MIXTURE, NO_VLLM, PYTHON, checkpoint, served

from agent.llm.client import OpenAIChat
from agent.llm.dialect import Dialect, chat_body
from agent.llm.errors import LLMIncoherentError
from agent.llm.local.gguf import Gguf
from agent.llm.local.machine import machine, threads_for
from agent.llm.local.supervisor import LocalServer, orders_for, require_engine
from agent.llm.schema_instance import Words, instance
from agent.llm.seam import ChatRequest
from knowledge.errors import UnavailableError
from knowledge.packaged_weights import fetch, weights
from knowledge.settings import Settings, load_settings
from serving.llm.measure.bench import Load, measured
from serving.llm.measure.figures import Target

EXAMPLE = "half_missing"
WEIGHTS = "smollm2-135m-instruct-q4_1"
TOKENS = 24
ROUNDS = 4
CONCURRENCY = (1, 2)
AT_ONCE_CALLS = 60
TIMEOUT_S = 300.0
Send = Callable[[ChatRequest], Awaitable[None]]


async def recorded() -> list[ChatRequest]:
    """Return the requests of the agent on one case, their replies cut."""
    folder = Path(str(files("serving").joinpath("examples", EXAMPLE)))
    with tempfile.TemporaryDirectory() as data:
        settings = Settings(data_dir=Path(data))
        _, model = await run_agent(folder, settings, f"{data}/runs.sqlite")
    update = {"max_tokens": TOKENS, "timeout_s": TIMEOUT_S}
    return [request.model_copy(update=update) for request in model.requests]


@asynccontextmanager
async def clients(url: str, key: str, dialect: Dialect) -> Any:
    """Give the three ways to send one request."""
    seam = OpenAIChat(url, dialect.model, SecretStr(key))
    await seam.connect()
    package = AsyncOpenAI(base_url=url, api_key=key, timeout=TIMEOUT_S, max_retries=0)
    bare = httpx.AsyncClient(
        headers={"Authorization": f"Bearer {key}"}, timeout=TIMEOUT_S, trust_env=False
    )

    async def by_seam(request: ChatRequest) -> None:
        with suppress(LLMIncoherentError):  # cut within its JSON: finding that out is its work
            await seam.chat(request)

    async def by_package(request: ChatRequest) -> None:
        await package.chat.completions.create(**chat_body(request, dialect, stream=False))

    async def by_httpx(request: ChatRequest) -> None:
        body = chat_body(request, dialect, stream=False)
        answer = await bare.post(f"{url}/chat/completions", json=body)
        answer.raise_for_status()
        answer.json()

    try:
        yield {"seam": by_seam, "openai": by_package, "httpx": by_httpx}
    finally:
        await seam.close()
        await package.close()
        await bare.aclose()


async def seconds(send: Send, requests: Sequence[ChatRequest], at_once: int) -> float:
    """Return how long a set takes with so many in flight."""
    left = list(reversed(requests))

    async def worker() -> None:
        while left:
            await send(left.pop())

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return time.perf_counter() - start


async def compared(
    ways: dict[str, Send], requests: Sequence[ChatRequest], at_once: int
) -> dict[str, Any]:
    """Return seconds and ratios over the rounds."""
    names, times = list(ways), {name: list[float]() for name in ways}
    for number in range(ROUNDS + 1):
        turn = number % len(names)
        order = names[turn:] + names[:turn]
        for name in order if number % 2 else reversed(order):
            took = await seconds(ways[name], requests, at_once)
            times[name] += [took] if number else []
    calls = len(requests)
    result: dict[str, Any] = {"in_flight": at_once, "calls_a_round": calls, "rounds": ROUNDS}
    for name, values in times.items():
        result[f"{name}_ms_a_call"] = summary([1000 * value / calls for value in values])
    for name in names[1:]:
        ratios = [a / b for a, b in zip(times["seam"], times[name], strict=True)]
        result[f"seam_over_{name}"] = summary(ratios)
    return result


def summary(values: Sequence[float]) -> dict[str, float]:
    """Return least, median and most."""
    three = (min(values), statistics.median(values), max(values))
    return {k: round(v, 3) for k, v in zip(("min", "median", "max"), three, strict=True)}


@contextmanager
def answering_at_once(requests: Sequence[ChatRequest]) -> Iterator[str]:
    """Give the address of a server that answers with a valid reply that was made before."""
    made = {request.purpose: _reply(request) for request in requests}
    ready, over = threading.Event(), threading.Event()
    where: list[str] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.lower().split(b"\r\n")
                sizes = [x.split(b":")[1] for x in lines if x.startswith(b"content-length")]
                body = await reader.readexactly(int(sizes[0])) if sizes else b""
                name = json.loads(body)["response_format"]["json_schema"]["name"] if body else ""
                content = made.get(name, b'{"data": [{"id": "at-once"}]}')
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                    + str(len(content)).encode() + b"\r\n\r\n" + content
                )  # fmt: skip
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.transport.abort()

    async def main() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        where.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        ready.set()
        await asyncio.to_thread(over.wait)
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    ready.wait()
    try:
        yield where[0]
    finally:
        over.set()
        thread.join()


def _reply(request: ChatRequest) -> bytes:
    text = json.dumps(instance(request.json_schema or {}, Words(prose="no change")))
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
    answer = {"id": "c", "object": "chat.completion", "created": 0, "model": "at-once"}
    return json.dumps({**answer, "choices": [choice], "usage": usage}).encode()


async def alone(requests: Sequence[ChatRequest]) -> dict[str, Any]:
    """Return what the clients cost where the server costs nothing."""
    one = {request.purpose: request for request in requests}
    many = (list(one.values()) * AT_ONCE_CALLS)[:AT_ONCE_CALLS]
    with answering_at_once(list(one.values())) as url:
        async with clients(url, "none", Dialect(model="at-once")) as ways:
            return await compared(ways, many, 1)


@asynccontextmanager
async def small_model() -> Any:
    """Give address, key and name of llama.cpp with SmolLM2-135M, started as the product does."""
    require_engine()
    settings = load_settings().model_copy(update={"llm_context_tokens": 4096})
    folder = fetch(weights(WEIGHTS), cache=settings.data_dir / "weights")
    file = weights(WEIGHTS).files[0]
    gguf = Gguf(path=folder / file.name, sha256=file.sha256, name=WEIGHTS, packaged=False)
    server = LocalServer(orders_for(gguf, settings), sha256=gguf.sha256)
    await server.start()
    try:
        yield server.url, server.orders.api_key.get_secret_value(), WEIGHTS
    finally:
        await server.stop()


async def with_model(
    url: str, key: str, model: str | None, requests: Sequence[ChatRequest]
) -> dict[str, Any]:
    """Return ratios and tokens per second on one server."""
    known = OpenAIChat(url, model, SecretStr(key))
    identity = await known.connect()
    context = known.context_tokens
    await known.close()
    if identity.server.startswith("vllm"):
        dialect = Dialect(kind="vllm", model=identity.name, order="urgency")
    else:
        dialect = Dialect(kind="llama.cpp", model=identity.name)
    async with clients(url, key, dialect) as ways:
        del ways["httpx"]
        rows = [await compared(ways, requests, at_once) for at_once in CONCURRENCY]
    load = Load(concurrency=CONCURRENCY, prompts=12, tokens_in=128, tokens_out=32)
    speed = await measured(url, load, target=Target(), model=identity.name, api_key=SecretStr(key))
    return {
        "server": identity.server,
        "model": identity.name,
        "context_tokens": context,
        "reply_tokens_at_most": TOKENS,
        "compared": rows,
        "speed": {
            f"{run.concurrency} in flight": {
                "output_tokens_per_s": run.output_tokens_per_s,
                "first_token_ms_p50": run.first.p50,
                "answered": f"{run.answered} of {run.requests}",
            }
            for run in speed.runs
        },
    }


async def with_vllm(requests: Sequence[ChatRequest]) -> dict[str, Any] | str:
    """Return the same on vLLM with a mixture of four experts, or why there is none."""
    if not PYTHON.with_name("vllm").is_file():
        return f"skipped: {NO_VLLM}"
    key = secrets.token_urlsafe(16)
    options = ["--max-model-len", "4096", "--scheduling-policy", "priority"]
    options += ["--structured-outputs-config"]
    options += ['{"backend":"xgrammar","disable_any_whitespace":true}']
    with tempfile.TemporaryDirectory() as folder:
        model = checkpoint(PYTHON, MIXTURE, Path(folder))
        with served(PYTHON, model, options, threads_for(machine(), wanted=None), key) as address:
            return await with_model(f"{address}/v1", key, None, requests)


async def main(arguments: Sequence[str]) -> None:
    """Print one JSON object."""
    requests = await recorded()
    purposes = sorted({request.purpose for request in requests})
    result: dict[str, Any] = {"what": __doc__.splitlines()[0], "requests": ", ".join(purposes)}
    result["answered_at_once"] = await alone(requests)
    try:
        if arguments:
            key = Path(arguments[1]).read_text().strip() if len(arguments) > 1 else "none"
            result["real"] = await with_model(arguments[0], key, None, requests)
        else:
            async with small_model() as (url, key, model):
                result["real"] = await with_model(url, key, model, requests)
    except UnavailableError as error:
        result["real"] = f"skipped: {error}"
    if not arguments:
        result["vllm"] = await with_vllm(requests)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
