"""The tables of a plan: memory, context against requests, speed against requests."""

from pydantic import NonNegativeFloat, NonNegativeInt

from knowledge.model import Frozen
from serving.llm.capacity.layout import Layout
from serving.llm.capacity.memory import most_sequences, most_tokens, rank_memory
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.pool import Pool
from serving.llm.capacity.roofline import decode_step, prompt_rate
from serving.llm.capacity.span import Span
from serving.llm.capacity.workload import Workload

_GIB = float(1 << 30)
_CONTEXTS = (2048, 8192, 32768, 131072)
_BATCHES = (1, 4, 16, 64, 256)


class MemoryTable(Frozen):
    """One accelerator, GiB.

    Args:
        memory: What a server takes of it and the reserve leaves; both ends of the assumptions.
        weights: Its part of the weights.
        free: For keys and values; negative where the weights do not fit.
        kv_tokens: Tokens of keys and values over all accelerators of the layout.
        kv_kib_per_token: Of one token, all layers, nothing kept twice.
        kv_mib_per_sequence: Beside that, of a long sequence.
    """

    memory: Span
    weights: NonNegativeFloat
    free: Span
    kv_tokens: Span
    kv_kib_per_token: NonNegativeFloat
    kv_mib_per_sequence: NonNegativeFloat


class ContextRow(Frozen):
    """How many requests of a length are held at once."""

    tokens: NonNegativeInt
    requests: Span


class SpeedRow(Frozen):
    """Replies written at once by one copy.

    Args:
        batch: Replies.
        touched: Share of the routed experts that a step reads.
        step_ms: Of one token of each.
        per_user: Tokens per second of one reply.
        together: Tokens per second of all.
        bound: What most of the time goes to, at the worse and the better end.
    """

    batch: NonNegativeInt
    touched: NonNegativeFloat
    step_ms: Span
    per_user: Span
    together: Span
    bound: tuple[str, ...]


def memory_table(model: ModelNumbers, layout: Layout, pool: Pool) -> MemoryTable:
    """Return what one accelerator of a layout holds."""
    ends = (pool.worse, pool.better)
    ranks = [rank_memory(model, layout, end) for end in ends]
    tokens = [most_tokens(model, layout, end) for end in ends]
    sequence = model.kv_window_bytes_per_token * model.kv_window + model.kv_state_bytes
    return MemoryTable(
        memory=Span.of(*(end.usable_bytes / _GIB for end in ends)),
        weights=ranks[0].weights / _GIB,
        free=Span.of(*(rank.free / _GIB for rank in ranks)),
        kv_tokens=Span.of(*tokens),
        kv_kib_per_token=model.kv_bytes_per_token / 1024,
        kv_mib_per_sequence=sequence / (1 << 20),
    )


def context_table(
    model: ModelNumbers, layout: Layout, pool: Pool, work: Workload
) -> tuple[ContextRow, ...]:
    """Return how many requests are held, for the work's own length and some others."""
    lengths = {round(work.longest), *(n for n in _CONTEXTS if n <= model.context_tokens)}
    ends = (pool.worse, pool.better)
    return tuple(
        ContextRow(
            tokens=length,
            requests=Span.of(*(most_sequences(model, layout, end, tokens=length) for end in ends)),
        )
        for length in sorted(lengths)
    )


def speed_table(
    model: ModelNumbers, layout: Layout, pool: Pool, work: Workload
) -> tuple[SpeedRow, ...]:
    """Return how fast one copy writes, for numbers of replies that it can hold."""
    room = most_sequences(
        model, layout.model_copy(update={"replicas": 1}), pool.better, tokens=work.longest
    )
    return tuple(
        speed_row(model, layout, pool, batch=batch, context=work.mean_context)
        for batch in _BATCHES
        if batch <= max(room, 1)
    )


def speed_row(
    model: ModelNumbers, layout: Layout, pool: Pool, *, batch: int, context: float
) -> SpeedRow:
    """Return how fast one copy writes so many replies at once."""
    steps = [
        decode_step(model, layout, end, batch=batch, context=context)
        for end in (pool.worse, pool.better)
    ]
    return SpeedRow(
        batch=batch,
        touched=steps[0].touched,
        step_ms=Span.of(*(step.seconds * 1e3 for step in steps)),
        per_user=Span.of(*(1 / step.seconds for step in steps)),
        together=Span.of(*(batch / step.seconds for step in steps)),
        bound=tuple(dict.fromkeys(step.bound for step in steps)),
    )


def prompt_span(model: ModelNumbers, layout: Layout, pool: Pool, work: Workload) -> Span:
    """Return the new prompt tokens per second that one copy reads."""
    return Span.of(
        *(
            prompt_rate(model, layout, end, new=work.new_tokens, cached=work.cached_tokens)
            for end in (pool.worse, pool.better)
        )
    )
