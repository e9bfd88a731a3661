"""``epicrisis llm pull|serve|status|check|bench|plan|...``: the language model of this machine."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import orjson
import typer
from rich.console import Console

from agent.llm.errors import LLMError
from agent.llm.seam import ChatRequest, Message
from knowledge.errors import UnavailableError
from knowledge.model import Frozen
from knowledge.settings import Settings, load_settings
from knowledge.weights_source import Progress
from serving.cli import fail
from serving.commands import (
    llm_bench,
    llm_check,
    llm_experts,
    llm_launch,
    llm_plan,
    llm_pool,
    llm_profiles,
)
from serving.llm.train_router.command import train_router

NOT_AVAILABLE = 5
_EXIT = "Exit code: 0 usable, 5 not available (the reason is on standard error), 4 a wrong setting."
_SPEED_TOKENS = 16
_ORDERS = {
    "urgency": "emergencies first, if the server was started with --scheduling-policy priority",
    "arrival": "by arrival; this server takes no urgency, so an emergency waits its turn",
}
_SPEED_S = 60.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    llm = typer.Typer(
        help="The language model: fetch, serve and check it. Everything works without one.",
        no_args_is_help=True,
    )
    llm.command("pull", epilog=_EXIT)(pull)
    llm.command("serve", epilog=_EXIT)(serve)
    llm.command("status", epilog=_EXIT)(status)
    llm.command("check", epilog=llm_check.EXIT)(llm_check.check)
    llm.command("plan", epilog=llm_plan.EXIT)(llm_plan.plan)
    llm.command("pool", epilog=llm_pool.EXIT)(llm_pool.pool)
    llm.command("bench", epilog=llm_bench.EXIT)(llm_bench.bench)
    llm.command("profiles")(llm_profiles.show_profiles)
    llm.command("launch", epilog=llm_launch.EPILOG)(llm_launch.launch)
    llm.command("upcycle", epilog=llm_experts.EXIT)(llm_experts.upcycle)
    llm.command("routing", epilog=llm_experts.EXIT)(llm_experts.routing)
    llm.command("train-router")(train_router)
    app.add_typer(llm, name="llm")


class Status(Frozen):
    """What ``epicrisis llm status`` found.

    Args:
        source: ``pool``, ``endpoint``, ``local`` or ``none``.
        weights: Name of the local weights; None where they are not needed or not here.
        weights_sha256: Of the local weights.
        packaged: Whether the weights are those of the manifest.
        running: Whether a local server was running before.
        model: As the server names it.
        server: Kind and version.
        context_tokens: Most tokens of prompt and reply, where the server says it.
        order: What its waiting requests can be told apart by: ``urgency`` or ``arrival``.
        tokens_per_second: Of one short completion, the reading of the prompt included.
        problem: Why it cannot be used; empty where it can.
    """

    source: str
    weights: str | None = None
    weights_sha256: str | None = None
    packaged: bool | None = None
    running: bool = False
    model: str | None = None
    server: str | None = None
    context_tokens: int | None = None
    order: str | None = None
    tokens_per_second: float | None = None
    problem: str = ""


def pull(
    allow_download: Annotated[
        bool, typer.Option("--allow-download", help="Ask the model hub if the packages fail")
    ] = False,
) -> None:
    """Fetch the weights of the local model (1.1 GB), check them, and say where they are.

    They come as packages from the configured package index, one at a time; an interrupted fetch
    goes on where it ended. EPICRISIS_LLM_GGUF names a file to use instead.
    """
    from agent.llm.local.gguf import pulled_gguf

    settings = load_settings()
    try:
        with progress_bar() as progress:
            gguf = pulled_gguf(settings, progress=progress, allow_download=allow_download)
    except UnavailableError as error:
        fail(error, NOT_AVAILABLE)
    console = Console()
    console.print(f"{gguf.name}: {gguf.path}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"SHA-256 {gguf.sha256}", markup=False, highlight=False, soft_wrap=True)
    if not gguf.packaged:
        console.print("These are not the packaged weights: their behaviour was not evaluated here.")


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="On 127.0.0.1; 0 for a free one")] = 0,
) -> None:
    """Serve the local model on 127.0.0.1 until interrupted, and restart it if it crashes.

    Other commands of this user find it by themselves. Its key is in the file that is named, which
    only its owner can read.
    """
    try:
        asyncio.run(_serve(load_settings(), port))
    except UnavailableError as error:
        fail(error, NOT_AVAILABLE)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Hash the weights again")] = False,
) -> None:
    """Say which model would be used, and measure one short completion by it."""
    found = asyncio.run(_status(load_settings(), verify=verify))
    if as_json:
        typer.echo(orjson.dumps(found.to_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console()
        for line in _lines(found):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if found.problem:
        if as_json:
            raise typer.Exit(NOT_AVAILABLE)
        fail(UnavailableError("language model", found.problem), NOT_AVAILABLE)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Give a function that shows how far a fetch is, on standard error."""
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("weights", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield show


async def _serve(settings: Settings, port: int) -> None:
    from agent.llm.choice import run_folder, running_client
    from agent.llm.local.gguf import required_gguf
    from agent.llm.local.running import announced
    from agent.llm.local.supervisor import LocalServer, orders_for, require_engine

    gguf = required_gguf(settings)
    other = await running_client(settings, gguf)
    if other is not None:
        await other.close()
        raise UnavailableError("local language model", "is served already by another process")
    require_engine()
    server = LocalServer(orders_for(gguf, settings, port=port), sha256=gguf.sha256)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await server.start()
    folder = run_folder(settings)
    orders = server.orders
    try:
        with announced(
            folder, url=server.url, model=gguf.name, api_key=orders.api_key, sha256=gguf.sha256
        ):
            typer.echo(f"{gguf.name} at {server.url}")
            typer.echo(f"{orders.threads} threads, {orders.context_tokens} tokens of context")
            typer.echo(f"The key is in {folder / 'llm-server.json'}. Interrupt to stop.")
            ended = [asyncio.create_task(stopped.wait()), asyncio.create_task(server.ended())]
            await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.cancel()
    finally:
        await server.stop()
    if not stopped.is_set():
        raise UnavailableError("local language model", "crashed too often and stays down")


async def _status(settings: Settings, *, verify: bool) -> Status:
    from agent.llm.choice import llm_from

    try:
        found = await _local_facts(settings, verify=verify)
    except UnavailableError as error:
        return Status(source="local", problem=str(error))
    async with llm_from(settings) as choice:
        if choice.llm is None:
            return found.model_copy(update={"problem": choice.reason})
        try:
            reply = await choice.llm.chat(
                ChatRequest(
                    purpose="health",
                    messages=(Message(role="user", content="Count from one to twenty in words."),),
                    max_tokens=_SPEED_TOKENS,
                    timeout_s=_SPEED_S,
                )
            )
        except LLMError as error:
            return found.model_copy(update={"problem": str(error)})
        identity = choice.llm.identity
        tokens = reply.usage.completion_tokens
        return found.model_copy(
            update={
                "model": identity.name,
                "server": identity.server,
                "context_tokens": getattr(choice.llm, "context_tokens", None),
                "order": getattr(choice.llm, "order", None),
                "tokens_per_second": round(tokens / reply.seconds, 1) if tokens else None,
            }
        )


async def _local_facts(settings: Settings, *, verify: bool) -> Status:
    from agent.llm.choice import running_client
    from agent.llm.local.gguf import found_gguf

    if settings.llm == "none":
        return Status(source="none")
    if settings.llm_pool is not None:
        return Status(source="pool")
    if settings.llm_url is not None:
        return Status(source="endpoint")
    gguf = found_gguf(settings, again=verify)
    if gguf is None:
        return Status(source="local")
    client = await running_client(settings, gguf)
    if client is not None:
        await client.close()
    return Status(
        source="local",
        weights=gguf.name,
        weights_sha256=gguf.sha256,
        packaged=gguf.packaged,
        running=client is not None,
    )


def _lines(found: Status) -> Iterator[str]:
    yield f"source: {found.source}"
    if found.source == "local":
        if found.weights is None:
            yield "weights: not here"
        else:
            kind = "the packaged ones" if found.packaged else "a file of your own, not evaluated"
            yield f"weights: {found.weights} ({kind}), SHA-256 {found.weights_sha256}"
            running = "running" if found.running else "not running; started for this check"
            yield f"server: {running}"
    if found.model is not None:
        context = f", {found.context_tokens} tokens of context" if found.context_tokens else ""
        yield f"model: {found.model} by {found.server}{context}"
    if found.order is not None:
        yield f"waiting requests: {_ORDERS[found.order]}"
    if found.tokens_per_second is not None:
        yield f"speed: {found.tokens_per_second:g} tokens per second over one short reply"
