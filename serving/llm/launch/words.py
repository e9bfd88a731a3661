"""What a launch comes to, for a person: memory, layout, choices with reasons, command lines."""

import shlex
from collections.abc import Iterator

from serving.llm.launch.command import Process
from serving.llm.launch.plan import Launch


def lines(planned: Launch) -> Iterator[str]:
    """Yield the lines that `--dry-run` prints before the files of the form."""
    order, layout = planned.order, planned.layout
    where = "the CPU" if order.cpu else f"{order.gpus} x {order.gpu}"
    nodes = f" on {order.nodes} nodes" if order.nodes > 1 else ""
    yield f"{planned.profile} in {planned.dtype} on {where}{nodes}, {order.replicas} replica(s)"
    yield f"weights: {planned.weights} (published as {planned.repository or 'nothing: made here'})"
    yield f"memory: {planned.memory.words}"
    if planned.memory.requests:
        held = (
            f"{planned.memory.tokens:,} tokens, {planned.memory.requests} requests of full length"
        )
        yield f"  a replica holds keys and values of {held}"
    yield f"layout: tensor {layout.tensor}, data {layout.data}, pipeline {layout.pipeline}" + (
        ", experts spread" if layout.experts else ""
    )
    yield f"  {layout.reason}"
    if layout.balance_reason:
        yield f"  {layout.balance_reason}"
    for choice in planned.choices:
        yield f"{choice.option}\n  {choice.reason}"
    for note in planned.notes:
        yield f"note: {note}"
    yield f"key: {order.key_file}, read by the starter (VLLM_API_KEY)"
    for one in planned.processes:
        yield from _process(planned, one)
    if planned.router:
        yield f"\n# router\n{shlex.join(planned.router)}"


def _process(planned: Launch, one: Process) -> Iterator[str]:
    yield f"\n# replica {one.replica}, node {one.node}"
    for words in one.before:
        yield shlex.join(words)
    if not one.argv:
        return
    values = " ".join(f"{name}={shlex.quote(value)}" for name, value in one.environment)
    yield f"set -a; . {shlex.quote(planned.order.key_file)}; set +a"
    yield f"env {values} \\\n  {shlex.join(one.argv)}"
