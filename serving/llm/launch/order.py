"""What is asked for: a model, how many accelerators, in which form."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from knowledge.model import Frozen
from serving.llm.launch.errors import OrderError
from serving.llm.launch.options import known_options
from serving.llm.profiles.model import Dtype, ModelProfile, Weights

Form = Literal["process", "systemd", "compose", "kubernetes"]
Executor = Literal["mp", "ray"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,127}")
_ADDRESS = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_NUMBER = re.compile(r"-[0-9.]+")
_OTHER_FILES = ("--config",)
"""Options in a file may be any, a key among them."""
_SECRET = ("--api-key", "--hf-token", "--ssl-keyfile-password")
_LEAST_OF_A_NAME = 5
_LAST_PORT = 65535
_MOST = 4096
_MOST_RAM = float(1 << 50)
_HERE = ("127.0.0.1", "localhost", "0.0.0.0")  # noqa: S104 - compared with, not listened on
COMPUTED = frozenset(
    {
        *("--host", "--port", "--served-model-name", "--model", "--device-ids"),
        *("--tensor-parallel-size", "--pipeline-parallel-size", "--data-parallel-size"),
        *("--data-parallel-size-local", "--data-parallel-backend", "--enable-expert-parallel"),
        *("--enable-eplb", "--eplb-config", "--nnodes", "--node-rank", "--master-addr"),
        *("--headless", "--distributed-executor-backend", "--max-model-len", "--dtype"),
        *("--quantization", "--kv-cache-dtype", "--kv-cache-memory-bytes"),
        *("--gpu-memory-utilization", "--speculative-config", "--shutdown-timeout"),
        *("-tp", "-pp", "-dp", "-dpl", "-dpb", "-ep", "-q", "-n", "-r"),
    }
)
"""Options that layout, memory and the time to end are computed with: not for ``--extra``."""


class Order(Frozen):
    """One order.

    Args:
        gpus: Accelerators of one replica, all its nodes together.
        gpu: Kind of accelerator, as the capacity planner names it.
        nodes: Nodes of one replica.
        replicas: Independent copies; more than one stand behind vllm-router.
        cpu: Whether the CPU build serves it.
        cores: Cores of the CPU build, as its OMP binding names them (``0-31`` or ``0-31|32-63``).
        ram_bytes: Memory of the machine, for the CPU build.
        dtype: Precision; None for the recommended one.
        kv_dtype: Precision of keys and values.
        context_tokens: Prompt and reply together; None for the default.
        balance_experts: Whether experts are balanced; None for the rules to say.
        speculate: Whether the draft layers of the model propose tokens.
        executor: How processes of several nodes find each other.
        head: Address of the first node, as the others reach it.
        weights: Folder of the weights, as the server sees it.
        chat_template: File of the chat template; None for the profile's.
        name: Under which the server offers the model; None for the profile's id.
        host: Address that the server listens on.
        port: Of the first replica; the next ones follow.
        router_port: Of the router.
        key_file: File with the line ``VLLM_API_KEY=...``, as the server's starter sees it.
        extra: Further words for ``vllm serve``.
    """

    gpus: PositiveInt = 1
    gpu: str = "h100"
    nodes: PositiveInt = 1
    replicas: PositiveInt = 1
    cpu: bool = False
    cores: str | None = None
    ram_bytes: PositiveFloat | None = None
    dtype: Dtype | None = None
    kv_dtype: Literal["auto", "fp8"] = "auto"
    context_tokens: PositiveInt | None = None
    balance_experts: bool | None = None
    speculate: bool = False
    executor: Executor = "mp"
    head: str = "node-0"
    weights: str
    chat_template: str | None = None
    name: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    router_port: int = Field(default=8080, ge=1, le=65535)
    key_file: str
    extra: tuple[str, ...] = ()


def weights_of(profile: ModelProfile, order: Order) -> Weights:
    """Return the precision that is served.

    On a CPU it is bfloat16 unless another is asked for; elsewhere the profile's first.

    Raises:
        OrderError: The profile has none of that name.
    """
    wanted = order.dtype or ("bfloat16" if order.cpu else None)
    if wanted is None:
        return profile.weights[0]
    for one in profile.weights:
        if one.dtype == wanted:
            return one
    known = ", ".join(weights.dtype for weights in profile.weights)
    raise OrderError(
        f"{profile.id}: {wanted}", "has no weights of this precision", f"it has {known}"
    )


def check(profile: ModelProfile, order: Order) -> None:
    """Refuse counts that do not go together.

    Raises:
        OrderError: Which, and what would.
    """
    for option, number in (
        ("--gpus", order.gpus), ("--nodes", order.nodes), ("--replicas", order.replicas),
    ):  # fmt: skip
        if number > _MOST:
            raise OrderError(f"{option} {number}", f"is above {_MOST:,}", "give a number that is")
    if order.ram_bytes is not None and not order.ram_bytes <= _MOST_RAM:
        raise OrderError("--ram", "is no memory of a machine", "give it in GiB")
    if order.replicas > 1 and order.host not in _HERE:
        raise OrderError(
            f"--host {order.host} --replicas {order.replicas}",
            "replicas answer on this machine alone, the router before them",
            "leave --host out, and put what others reach before the router",
        )
    if order.cpu and (order.nodes > 1 or order.gpus > 1):
        raise OrderError(
            "--cpu", "serves on one machine, without accelerators", "use --replicas for more"
        )
    if order.gpus & (order.gpus - 1):
        below = 1 << (order.gpus.bit_length() - 1)
        raise OrderError(
            f"--gpus {order.gpus}",
            "heads and experts divide by powers of two only",
            f"use {below} or {below * 2}, or several replicas",
        )
    if order.gpus % order.nodes:
        raise OrderError(
            f"--gpus {order.gpus} --nodes {order.nodes}",
            "every node has as many accelerators as the others",
            "give a multiple of the nodes",
        )
    if order.speculate and (profile.shape is None or not profile.shape.draft_layers):
        raise OrderError(
            f"{profile.id}: --speculate", "the model has no draft layers", "leave it out"
        )
    if order.key_file.strip() == "":
        raise OrderError("--key-file", "is empty", "name a file; it is made where it is missing")
    _check_words(order)
    _check_ports(order)
    _check_extra(order)


def option_names(words: tuple[str, ...]) -> Iterator[str]:
    """Yield the options among words as vLLM reads them: without value, underscores as dashes."""
    for word in words:
        if word.startswith("-") and not _NUMBER.fullmatch(word):
            yield word.split("=")[0].split(".")[0].replace("_", "-")


def _check_words(order: Order) -> None:
    """Refuse what would become more than one word or line of a file that is written."""
    if order.name is not None and not _NAME.fullmatch(order.name):
        raise OrderError(
            "--name",
            "has other characters than a name of a model, or more than 128",
            "letters, digits and . _ / : @ + -, the first a letter or digit",
        )
    for option, value in (("--host", order.host), ("--head", order.head)):
        if not _ADDRESS.fullmatch(value):
            raise OrderError(option, "is no address", "give a name or a number of a machine")
    texts = {
        "--key-file": order.key_file,
        "--weights": order.weights,
        "--chat-template": order.chat_template or "",
        "--cores": order.cores or "",
        "--extra": "".join(order.extra),
    }
    for option, value in texts.items():
        if not value.isprintable():
            raise OrderError(option, "has a line break or another control character")


def _check_ports(order: Order) -> None:
    last = order.port + order.replicas - 1
    if last > _LAST_PORT:
        raise OrderError(
            f"--port {order.port} --replicas {order.replicas}",
            f"would need port {last}",
            f"begin at {_LAST_PORT - order.replicas + 1} or below",
        )
    if order.replicas > 1 and order.port <= order.router_port <= last:
        raise OrderError(
            f"--router-port {order.router_port}",
            f"is a port of the replicas ({order.port} to {last})",
            "give another one",
        )


def _check_extra(order: Order) -> None:
    for name in option_names(order.extra):
        long_enough = len(name) >= _LEAST_OF_A_NAME
        if any(name == secret or (long_enough and secret.startswith(name)) for secret in _SECRET):
            raise OrderError(
                f"--extra {name}",
                "would show a secret to everybody who lists processes",
                f"write it as a variable, as VLLM_API_KEY=... or HF_TOKEN=..., in {order.key_file}",
            )
        if name in COMPUTED:
            raise OrderError(
                f"--extra {name}",
                "is set by launch, which computes memory, layout or times with it",
                "use the option of launch, or leave it out",
            )
        if name not in _known_to_vllm():
            raise OrderError(
                f"--extra {name}",
                f"is no option of vLLM {known_options().vllm} by its whole name, or one that could "
                "set what launch computes with",
                "write it whole; see `vllm serve --help=all`",
            )


@cache
def _known_to_vllm() -> frozenset[str]:
    names = [name for name in known_options().options if name not in _OTHER_FILES]
    return frozenset([*names, *(f"--no-{name.removeprefix('--')}" for name in names)])
