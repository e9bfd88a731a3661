"""``epicrisis llm profiles``: the models that may be served, with the source of every number."""

from collections.abc import Iterator
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from serving.llm.capacity.accelerator import accelerator
from serving.llm.launch.plan import least_accelerators
from serving.llm.profiles.derive import KvCache, Parameters, kv_cache, parameters, weight_bytes
from serving.llm.profiles.load import profile, profiles
from serving.llm.profiles.model import ModelProfile, Weights
from serving.llm.profiles.sourced import REVIEW_WORDS, NotKnown

_GIB = float(1 << 30)
_MIB = float(1 << 20)
_KIB = 1024.0
_UNKNOWN = "not known"
_WIDEST = 400
_SIZED_FOR = ("h100", "h200")


def show_profiles(
    name: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One model, whole; all of them without it")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """List the models that may be served, or show one with its sources.

    Parameters, active share, weights and keys and values are computed from the configuration
    fields of each profile; what is not known is said.
    """
    if as_json:
        found: Any = (
            [_json(one) for one in profiles().values()] if name is None else _json(profile(name))
        )
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    console = Console()
    if name is None:
        table = _table()
        measuring = Console(width=_WIDEST)
        wide = Measurement.get(measuring, measuring.options, table).maximum
        Console(width=max(console.width, wide)).print(table)
        console.print(
            "Active: what one token passes; all weights must be in memory all the same. KV: keys "
            "and values of one token in bfloat16, and what a long sequence adds. One model whole: "
            "epicrisis llm profiles ID",
            markup=False,
            highlight=False,
        )
        return
    for line in _whole(profile(name)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table() -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    for heading in ("total", "active", "share", "weights GiB", "KV KiB/token"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("context", "vision", "tools", "clinical use"):
        table.add_column(heading, no_wrap=heading != "clinical use")
    for one in profiles().values():
        table.add_row(*_row(one))
    return table


def _row(one: ModelProfile) -> Iterator[str]:
    count, cache = parameters(one), kv_cache(one)
    yield one.id
    if isinstance(count, Parameters):
        yield _billions(count.total)
        yield _billions(count.active)
        yield f"{count.active_share:.1%}"
    else:
        yield from (f"{_billions(one.stated.total)}*", f"{_billions(one.stated.active)}*", _UNKNOWN)
    yield " ".join(_weights(one))
    yield _cache_words(cache, short=True)
    yield f"{one.context.native_tokens // 1024}k"
    yield "yes" if one.vision else "no"
    yield one.habits.tool_parser or "JSON schema"
    yield one.licence.clinical_use


def _weights(one: ModelProfile) -> Iterator[str]:
    short = {"bfloat16": "bf16", "float32": "fp32"}
    for weights in one.weights:
        size = weight_bytes(one, weights)
        words = _UNKNOWN if isinstance(size, NotKnown) else f"{size / _GIB:.3g}"
        yield f"{short.get(weights.dtype, weights.dtype)} {words}"


def _whole(one: ModelProfile) -> Iterator[str]:
    yield f"{one.name} ({one.id})"
    yield one.summary
    yield f"weights: {one.repository}"
    yield ""
    yield from _sizes(one)
    yield ""
    yield f"context: {one.context.native_tokens:,} tokens" + (
        f", up to {one.context.extended_tokens:,} extended" if one.context.extended_tokens else ""
    )
    habits = one.habits
    yield f"tools: {habits.tool_parser or 'no parser'}; arguments by {habits.structured}"
    yield f"reasoning: {habits.reasoning_parser or 'none'}"
    yield f"vision: {'yes' if one.vision else 'no'}"
    yield f"template: {habits.template_note}"
    oldest = habits.minimum_vllm
    yield f"vLLM: {oldest} or newer" if oldest else "vLLM: the oldest version is not known"
    yield ""
    licence = one.licence
    yield f"licence: {licence.name}"
    yield f"clinical use: {licence.clinical_use}. {licence.terms}"
    yield f"how sure: {licence.sure}"
    yield ""
    yield "sources"
    for name, group in one.sourced().items():
        yield f"  {name}: {group.source} ({REVIEW_WORDS[group.review]})"
    for key, origin in one.sources.items():
        yield f"  [{key}] {origin.title}: {origin.where}; {origin.seen_on}"
    for group_name, why in one.not_known.items():
        yield f"  {group_name}: not known. {why}"


def _sizes(one: ModelProfile) -> Iterator[str]:
    count, cache = parameters(one), kv_cache(one)
    stated = one.stated
    yield f"stated: {_billions(stated.total)} in all, {_billions(stated.active)} active"
    if isinstance(count, NotKnown):
        yield f"computed: {_UNKNOWN} ({count.reason})"
        return
    yield f"computed: {count.total:,} in all, {count.active:,} active ({count.active_share:.1%})"
    parts = {
        "experts": count.experts,
        "attention": count.attention,
        "dense": count.dense,
        "shared experts": count.shared,
        "embedding": count.embedding,
        "head": count.head,
        "vision": count.vision,
        "other": count.other,
    }
    yield "  of which " + ", ".join(f"{name} {_billions(n)}" for name, n in parts.items() if n)
    if one.feedforward is not None and one.feedforward.experts is not None:
        experts = one.feedforward.experts
        yield f"experts: {experts.count} a layer, {experts.per_token} for a token" + (
            f", {experts.shared} shared" if experts.shared else ""
        )
    if isinstance(cache, KvCache):
        layers = ", ".join(f"{number} {kind}" for kind, number in cache.layers.items())
        yield f"layers: {layers}"
        yield f"keys and values in bfloat16: {_cache_words(cache, short=False)}"
    for weights in one.weights:
        size = weight_bytes(one, weights)
        words = _UNKNOWN if isinstance(size, NotKnown) else f"{size / _GIB:.1f} GiB"
        yield f"in {weights.dtype}: {words}, {weights.repository or 'made on loading'}"
        yield "  at least " + ", ".join(f"{few} x {name}" for name, few in _least(one, weights))


def _least(one: ModelProfile, weights: Weights) -> Iterator[tuple[str, str]]:
    for name in _SIZED_FOR:
        found = least_accelerators(one, weights, accelerator(name))
        yield name, _UNKNOWN if found is None else str(found)


def _cache_words(cache: KvCache | NotKnown, *, short: bool) -> str:
    if isinstance(cache, NotKnown):
        return _UNKNOWN
    more = cache.bytes_per_sequence / _MIB
    added = "" if not more else f" +{more:.0f}M" if short else f" and {more:.1f} MiB a sequence"
    unit = "" if short else " KiB a token"
    return f"{cache.bytes_per_token / _KIB:.3g}{unit}{added}"


def _billions(number: float) -> str:
    return f"{number / 1e9:.3g}B" if number >= 1e9 else f"{number / 1e6:.4g}M"


def _json(one: ModelProfile) -> dict[str, Any]:
    count, cache = parameters(one), kv_cache(one)
    computed: dict[str, Any] = {"weights_bytes": {}, "least_accelerators": {}}
    for weights in one.weights:
        computed["least_accelerators"][weights.dtype] = {
            name: least_accelerators(one, weights, accelerator(name)) for name in _SIZED_FOR
        }
        size = weight_bytes(one, weights)
        computed["weights_bytes"][weights.dtype] = None if isinstance(size, NotKnown) else size
    if isinstance(count, NotKnown):
        computed["not_known"] = count.reason
    else:
        computed |= {
            "parameters": count.total,
            "active_parameters": count.active,
            "active_share": count.active_share,
            "parts": count.to_json(),
        }
    if isinstance(cache, KvCache):
        computed["kv_cache"] = cache.to_json()
    return {**one.to_json(), "computed": computed}
