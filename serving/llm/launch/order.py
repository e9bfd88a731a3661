"""What is asked for: a model, how many accelerators, in which form."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from knowledge.model import Frozen
from serving.llm.launch.errors import OrderError
from serving.llm.profiles.model import Dtype, ModelProfile, Weights

Form = Literal["process", "systemd", "compose", "kubernetes"]
Executor = Literal["mp", "ray"]


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
    for word in order.extra:
        if word.split("=")[0] == "--api-key":
            raise OrderError(
                "--api-key",
                "would show the key to everybody who lists processes",
                f"write VLLM_API_KEY=... into {order.key_file}",
            )
