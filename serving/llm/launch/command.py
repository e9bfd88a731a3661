"""The exact command line and environment of one server process. The key is in neither."""

import json
import shlex
from collections.abc import Iterator

from knowledge.model import Frozen
from serving.llm.capacity.assumed import assumptions
from serving.llm.launch.memory import Memory
from serving.llm.launch.options import DefaultOption, When, defaults, rules
from serving.llm.launch.order import Order, option_names
from serving.llm.launch.strategy import Layout
from serving.llm.profiles.model import ModelProfile, Weights

_RAY_PORT = 6379
_DRAFT_TOKENS = 2


class Choice(Frozen):
    """One choice that a person may ask about.

    Args:
        option: Words of the command line.
        reason: Why.
    """

    option: str
    reason: str


class Process(Frozen):
    """One server process.

    Args:
        replica: Which copy, from 0.
        node: Which node of the copy, from 0.
        argv: Words of the command line; no secret is among them.
        environment: Variables beside the key, which the starter takes from the key file.
        before: Commands that must run on this node first.
        port: Where it answers; None for a node without a front.
    """

    replica: int
    node: int
    argv: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    before: tuple[tuple[str, ...], ...] = ()
    port: int | None = None


class Facts(Frozen):
    """What a command line is made of."""

    profile: ModelProfile
    weights: Weights
    order: Order
    layout: Layout
    memory: Memory


def served_name(profile: ModelProfile, order: Order) -> str:
    """Return the name under which clients ask for the model."""
    return order.name or profile.id


def processes(facts: Facts, *, pick_devices: bool) -> Iterator[Process]:
    """Yield every process, replica by replica and node by node.

    Args:
        facts: What was decided.
        pick_devices: Whether replicas share a machine, so that each is told its accelerators.
    """
    order = facts.order
    fronts = 1 if order.executor == "ray" else order.nodes
    for replica in range(order.replicas):
        for node in range(order.nodes):
            starts = _ray_start(order, node) if order.nodes > 1 and order.executor == "ray" else ()
            argv = tuple(_argv(facts, replica, node, pick_devices)) if node < fronts else ()
            yield Process(
                replica=replica,
                node=node,
                argv=argv,
                environment=tuple(_environment(facts, replica)),
                before=(starts,) if starts else (),
                port=order.port + replica if node == 0 else None,
            )


def choices(facts: Facts) -> Iterator[Choice]:
    """Yield what was chosen beside the layout, with its reason."""
    yield from _own_choices(facts)
    for one in _defaults(facts):
        value = _filled(facts, one.value)
        yield Choice(option=" ".join([one.option, *value]), reason=one.reason)
    if facts.order.extra:
        yield Choice(option=shlex.join(facts.order.extra), reason="asked for by --extra")


def router(facts: Facts, workers: tuple[str, ...], *, host: str) -> tuple[str, ...]:
    """Return the command line of vllm-router before several replicas.

    It gets no key: it passes on the one of each request, and a replica refuses a wrong one.

    Args:
        facts: What was decided.
        workers: Addresses of the replicas.
        host: Address that it listens on.
    """
    return (
        "vllm-router",
        *("--worker-urls", *workers),
        *("--policy", "cache_aware"),
        *("--host", host, "--port", str(facts.order.router_port)),
        *("--health-check-endpoint", "/health", "--health-check-interval-secs", "5"),
        *("--health-check-timeout-secs", "5", "--health-failure-threshold", "2"),
        *("--worker-startup-timeout-secs", "3600"),
        *("--prometheus-host", "127.0.0.1"),
    )


def _argv(facts: Facts, replica: int, node: int, pick_devices: bool) -> Iterator[str]:
    order, profile = facts.order, facts.profile
    yield from ("vllm", "serve", order.weights)
    yield from ("--served-model-name", served_name(profile, order))
    if node == 0:
        yield from ("--host", order.host, "--port", str(order.port + replica))
    yield from _parallel(facts, node)
    yield from _sizes(facts)
    if pick_devices and order.replicas > 1 and not order.cpu:
        first = replica * order.gpus
        devices = ",".join(str(number) for number in range(first, first + order.gpus))
        yield from ("--device-ids", devices)
    yield from _habits(facts)
    for one in _defaults(facts):
        yield from (one.option, *_filled(facts, one.value))
    yield from profile.habits.extra_arguments
    yield from order.extra


def _parallel(facts: Facts, node: int) -> Iterator[str]:
    layout, order = facts.layout, facts.order
    if layout.tensor > 1:
        yield from ("--tensor-parallel-size", str(layout.tensor))
    if layout.pipeline > 1:
        yield from ("--pipeline-parallel-size", str(layout.pipeline))
    if layout.data > 1:
        yield from ("--data-parallel-size", str(layout.data))
    if layout.experts:
        yield "--enable-expert-parallel"
    if layout.redundant:
        rule = rules().eplb
        balance = {
            "window_size": rule.window_size,
            "step_interval": rule.step_interval,
            "num_redundant_experts": layout.redundant,
            "use_async": True,
        }
        yield from ("--enable-eplb", "--eplb-config", json.dumps(balance, separators=(",", ":")))
    if order.nodes > 1 and order.executor == "mp":
        yield from ("--nnodes", str(order.nodes), "--node-rank", str(node))
        yield from ("--master-addr", order.head)
        if node:
            yield "--headless"
    elif order.nodes > 1:
        yield from ("--distributed-executor-backend", "ray")
        if layout.data > 1:
            local = max(layout.data // order.nodes, 1)
            yield from ("--data-parallel-backend", "ray", "--data-parallel-size-local", str(local))


def _sizes(facts: Facts) -> Iterator[str]:
    order, weights = facts.order, facts.weights
    yield from ("--max-model-len", str(facts.memory.context_tokens))
    if weights.dtype == "bfloat16":
        yield from ("--dtype", "bfloat16")
    if weights.quantization is not None:
        yield from ("--quantization", weights.quantization)
    if order.kv_dtype != "auto":
        yield from ("--kv-cache-dtype", order.kv_dtype)
    if order.cpu:
        mib = int(facts.memory.kv * 1024)
        yield from ("--kv-cache-memory-bytes", f"{mib}M")
    else:
        share = assumptions().of("memory_share").low
        yield from ("--gpu-memory-utilization", f"{share:g}")
    if order.speculate:
        draft = {"method": "mtp", "num_speculative_tokens": _DRAFT_TOKENS}
        yield from ("--speculative-config", json.dumps(draft, separators=(",", ":")))


def _habits(facts: Facts) -> Iterator[str]:
    habits = facts.profile.habits
    if habits.tool_parser is not None:
        yield from ("--tool-call-parser", habits.tool_parser)
    if habits.reasoning_parser is not None:
        yield from ("--reasoning-parser", habits.reasoning_parser)
    template = chat_template(facts.profile, facts.order)
    if template is not None:
        yield from ("--chat-template", template)


def chat_template(profile: ModelProfile, order: Order) -> str | None:
    """Return the file of the chat template; None for the one of the weights."""
    if order.chat_template is not None:
        return order.chat_template
    if profile.habits.chat_template is None:
        return None
    return f"{order.weights.rstrip('/')}/{profile.habits.chat_template}"


def _environment(facts: Facts, replica: int) -> Iterator[tuple[str, str]]:
    for one in defaults().environment:
        if _holds(facts, one.when):
            yield one.name, one.value
    if facts.order.cpu:
        cores = facts.order.cores or "auto"
        parts = cores.split("|")
        yield "VLLM_CPU_OMP_THREADS_BIND", parts[replica] if len(parts) > 1 else cores


def _own_choices(facts: Facts) -> Iterator[Choice]:
    order, habits = facts.order, facts.profile.habits
    why = "asked for" if order.context_tokens else defaults().reasons["context_tokens"]
    yield Choice(option=f"--max-model-len {facts.memory.context_tokens}", reason=why)
    asked = "asked for" if order.dtype else "the precision that its profile recommends"
    if order.cpu and not order.dtype:
        asked = "the CPU build computes in it"
    yield Choice(option=f"precision {facts.weights.dtype}", reason=asked)
    if order.cpu:
        mib = f"--kv-cache-memory-bytes {int(facts.memory.kv * 1024)}M"
        yield Choice(
            option=mib, reason="Left to itself the CPU build takes too much or too little."
        )
    else:
        share = f"--gpu-memory-utilization {assumptions().of('memory_share').low:g}"
        yield Choice(option=share, reason="What the memory above was computed with.")
    if habits.tool_parser is not None:
        parser = f"--tool-call-parser {habits.tool_parser}"
        yield Choice(option=parser, reason="How this model writes calls.")
    if habits.reasoning_parser is not None:
        parser = f"--reasoning-parser {habits.reasoning_parser}"
        yield Choice(option=parser, reason="What it thinks aloud is kept apart from its answer.")
    yield Choice(
        option=f"VLLM_API_KEY from {order.key_file}",
        reason="A key in the command line is seen by everybody who lists processes.",
    )


def _defaults(facts: Facts) -> Iterator[DefaultOption]:
    """Yield the options of every server that hold here and are not given otherwise."""
    given = set(option_names(facts.order.extra))
    for one in defaults().options:
        if _holds(facts, one.when) and one.option not in given:
            yield one


def _holds(facts: Facts, when: When) -> bool:
    return {
        "always": True,
        "gpu": not facts.order.cpu,
        "cpu": facts.order.cpu,
        "tools": facts.profile.habits.tool_parser is not None,
        "vision": facts.profile.vision,
        "vision_several": facts.profile.vision and facts.layout.tensor > 1,
    }[when]


def _filled(facts: Facts, value: str | None) -> list[str]:
    if value is None:
        return []
    numbers = defaults().numbers
    load = numbers.cpu if facts.order.cpu else numbers.gpu
    return [value.format(sequences=load.sequences, queued=load.queued, shutdown=numbers.shutdown_s)]


def _ray_start(order: Order, node: int) -> tuple[str, ...]:
    if node == 0:
        return ("ray", "start", "--head", "--port", str(_RAY_PORT))
    return ("ray", "start", "--block", "--address", f"{order.head}:{_RAY_PORT}")
