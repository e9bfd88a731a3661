"""``epicrisis llm launch``: the exact ``vllm serve`` command, and what runs it."""

import asyncio
import os
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console

from knowledge.errors import UnavailableError
from knowledge.model import Frozen
from knowledge.settings import load_settings
from serving.cli import fail
from serving.commands.llm_launch_options import (
    As,
    AsJson,
    Balance,
    Between,
    Context,
    Cores,
    Cpu,
    DryRun,
    Executable,
    Extra,
    Force,
    Gpu,
    Gpus,
    Head,
    Host,
    KeyFile,
    Kv,
    Name,
    Nodes,
    Out,
    Port,
    Precision,
    Ram,
    Replicas,
    RouterPort,
    Served,
    Speculate,
    Template,
    Verify,
    Wait,
    Weights,
)
from serving.llm.launch import compose, kubernetes, systemd
from serving.llm.launch.command import chat_template
from serving.llm.launch.errors import OrderError, ServerDiedError
from serving.llm.launch.key import ensure_key, read_key
from serving.llm.launch.machine import cores_of, memory_bytes, this_accelerator
from serving.llm.launch.order import Executor, Form, Order, weights_of
from serving.llm.launch.plan import Launch, plan
from serving.llm.launch.process import Running
from serving.llm.launch.weights import check_weights, verify_weights
from serving.llm.launch.words import lines
from serving.llm.profiles.load import profile as profile_of
from serving.llm.profiles.model import Dtype, ModelProfile

NOT_AVAILABLE = 5
EPILOG = (
    "Exit code: 0 done or printed, 2 an option that is unknown or not of its type or range, 4 "
    "refused before starting (the reason and the sizes are on "
    "standard error), 5 something needed is not there or the server died."
)
_STANDARD_KEY = "/etc/epicrisis/llm.env"
_GIB = 1 << 30


class Asked(Frozen):
    """The options of the command, by the names of its parameters."""

    name: str
    gpus: int
    gpu: str | None
    nodes: int
    replicas: int
    precision: Dtype | None
    kv: Literal["auto", "fp8"]
    tokens: int | None
    balance: bool | None
    speculate: bool
    form: Form
    between: Executor
    head: str
    cpu: bool
    cores: str | None
    ram: float | None
    weights: str | None
    template: str | None
    served: str | None
    host: str
    port: int
    router_port: int
    key_file: str | None
    extra: str
    executable: str
    wait: float
    verify: bool
    force: bool
    out: Path | None
    dry_run: bool
    as_json: bool


def launch(
    context: typer.Context,
    name: Name,
    gpus: Gpus = 1,
    gpu: Gpu = None,
    nodes: Nodes = 1,
    replicas: Replicas = 1,
    precision: Precision = None,
    kv: Kv = "auto",
    tokens: Context = None,
    balance: Balance = None,
    speculate: Speculate = False,
    form: As = "process",
    between: Between = "mp",
    head: Head = "node-0",
    cpu: Cpu = False,
    cores: Cores = None,
    ram: Ram = None,
    weights: Weights = None,
    template: Template = None,
    served: Served = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    router_port: RouterPort = 8080,
    key_file: KeyFile = None,
    extra: Extra = "",
    executable: Executable = "vllm",
    wait: Wait = 1800,
    verify: Verify = False,
    force: Force = False,
    out: Out = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Serve a model on vLLM, or write what serves it; each choice is printed with its reason.

    Parallelism follows the model and the accelerators; what does not fit is refused before anything
    is started, with the sizes. The key stands in a file that the starter of the server reads: it is
    in no command line and in nothing that is printed or written.
    """
    asked = _asked(context.params)
    chosen = profile_of(asked.name)
    planned = plan(chosen, _order(chosen, asked), asked.form, force=asked.force)
    try:
        if asked.verify and asked.dry_run:
            typer.echo("not verified: a dry run reads no weights", err=True)
        elif asked.verify and asked.form != "process":
            _verify(chosen, planned)
        if asked.dry_run:
            _print(planned, asked)
        elif asked.form == "process":
            _run(chosen, planned, asked)
        else:
            _write(planned, asked)
    except UnavailableError as error:
        fail(error, NOT_AVAILABLE)


def _asked(given: Mapping[str, Any]) -> Asked:
    fields = {name: given[name] for name in Asked.model_fields}
    try:
        return Asked.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        names = {"form": "--as", "between": "--executor", "precision": "--quantization"}
        field = str(first["loc"][0])
        raise OrderError(
            names.get(field, f"--{field.replace('_', '-')}"), f"{first['input']!r}", first["msg"]
        ) from error


def _order(chosen: ModelProfile, asked: Asked) -> Order:
    gpu = asked.gpu or ("none" if asked.cpu else this_accelerator())
    cores = asked.cores or cores_of(os.cpu_count() or 1, asked.replicas)
    ram = asked.ram * _GIB if asked.ram is not None else memory_bytes()
    order = Order(
        gpus=asked.gpus,
        gpu=gpu,
        nodes=asked.nodes,
        replicas=asked.replicas,
        cpu=asked.cpu,
        cores=cores if asked.cpu else None,
        ram_bytes=ram if asked.cpu else None,
        dtype=asked.precision,
        kv_dtype=asked.kv,
        context_tokens=asked.tokens,
        balance_experts=asked.balance,
        speculate=asked.speculate,
        executor=asked.between,
        head=asked.head,
        weights=asked.weights or "",
        chat_template=asked.template,
        name=asked.served,
        host=asked.host,
        port=asked.port,
        router_port=asked.router_port,
        key_file=asked.key_file or _key_file(asked.form),
        extra=_words(asked.extra),
    )
    published = weights_of(chosen, order).repository or chosen.repository
    folder = order.weights or f"/models/{published.rsplit('/', 1)[-1]}"
    return order.model_copy(update={"weights": folder})


def _words(extra: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(extra))
    except ValueError as error:
        raise OrderError("--extra", f"is not words: {error}", "close the quote") from error


def _key_file(form: Form) -> str:
    return str(load_settings().data_dir / "llm.env") if form == "process" else _STANDARD_KEY


def _files(planned: Launch, form: Form) -> Mapping[str, str]:
    if form == "systemd":
        return systemd.units(planned)
    if form == "compose":
        return compose.files(planned)
    return kubernetes.files(planned)


def _print(planned: Launch, asked: Asked) -> None:
    files = {} if asked.form == "process" else _files(planned, asked.form)
    if asked.as_json:
        body = {**planned.to_json(), "fits": planned.memory.fits, "files": dict(files)}
        typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
        return
    for line in lines(planned):
        typer.echo(line)
    for name, text in files.items():
        typer.echo(f"\n---- {name}\n{text}", nl=False)


def _write(planned: Launch, asked: Asked) -> None:
    folder = asked.out or Path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in _files(planned, asked.form).items():
            (folder / name).write_text(text, encoding="utf-8")
            typer.echo(f"written: {folder / name}")
    except OSError as error:
        raise UnavailableError(str(folder), f"cannot be written: {error.strerror}") from error
    typer.echo(f"needed beside it: {planned.order.key_file} with one line VLLM_API_KEY=...")
    for note in planned.notes:
        typer.echo(f"note: {note}")


def _check(chosen: ModelProfile, planned: Launch) -> Path:
    template = chat_template(chosen, planned.order)
    folder = Path(planned.weights)
    check_weights(folder, chosen, template=None if template is None else Path(template))
    return folder


def _verify(chosen: ModelProfile, planned: Launch) -> None:
    """Hash the weights as they lie on this machine, whatever is written for another one."""
    console = Console(stderr=True)
    folder = _check(chosen, planned)
    count = verify_weights(folder, lambda name: console.print(f"hashing {name}", markup=False))
    typer.echo(f"{count} files have the hashes of their manifest", err=True)


def _run(chosen: ModelProfile, planned: Launch, asked: Asked) -> None:
    _check(chosen, planned)
    if asked.verify:
        _verify(chosen, planned)
    key_file = Path(planned.order.key_file)
    if ensure_key(key_file):
        typer.echo(f"a new key was written to {key_file}")
    running = Running(
        planned,
        key=read_key(key_file),
        inherited=os.environ,
        log=load_settings().data_dir / "llm-logs",
        executable=asked.executable,
    )
    asyncio.run(_until_stopped(running, planned, asked.wait))


async def _until_stopped(running: Running, planned: Launch, wait_s: float) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    typer.echo(f"starting {planned.name}: {planned.memory.words}")
    stop = asyncio.create_task(stopped.wait())
    try:
        await running.start()
        ready = asyncio.create_task(running.ready(wait_s, typer.echo))
        await asyncio.wait([ready, stop], return_when=asyncio.FIRST_COMPLETED)
        if stopped.is_set():
            ready.cancel()
            return
        await ready
        typer.echo("Interrupt to stop.")
        ended = asyncio.create_task(running.ended())
        await asyncio.wait([ended, stop], return_when=asyncio.FIRST_COMPLETED)
        if not stopped.is_set():
            code = ended.result()
            raise ServerDiedError(
                planned.name, f"a process ended with {code}", f"see {running.log}"
            )
        ended.cancel()
    finally:
        await running.stop()
