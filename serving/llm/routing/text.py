"""The routing report as a person reads it, and as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from serving.llm.routing.measure import Measured
from serving.llm.upcycle.record import Record

INSTRUMENT_CHECK = "instrument check"
MEASUREMENT = "measurement"


def label(measured: Measured, record: Record | None) -> tuple[str, str]:
    """Return what the report is, and why.

    Experts that are all the same give the same outputs whichever works: then the counts show that
    the counting works, and nothing about the model.
    """
    if measured.identical:
        return INSTRUMENT_CHECK, (
            "all experts of every layer have the same weights, so the routing carries no meaning"
        )
    if record is not None and not record.tuned:
        return INSTRUMENT_CHECK, "nothing was trained since the mixture was made (upcycle.json)"
    return MEASUREMENT, "the experts differ"


def report_json(measured: Measured, record: Record | None) -> dict[str, Any]:
    """Return the report for ``--json``."""
    kind, why = label(measured, record)
    counted = measured.routing
    return {
        "kind": kind,
        "why": why,
        "form": measured.form,
        "experts": counted.experts,
        "top_k": counted.top_k,
        "prompts": measured.prompts,
        "prompts_cut": measured.cut,
        "tokens": counted.tokens,
        "parameters": {
            "total": measured.total,
            "active": measured.active,
            "active_share": round(measured.active / measured.total, 4),
        },
        "balance": round(counted.balance, 4),
        "layers": [_rounded(layer.model_dump()) for layer in counted.layers],
        "touched": [_rounded(one.model_dump()) for one in counted.touched],
    }


def report_lines(measured: Measured, record: Record | None) -> Iterator[str]:
    """Yield the lines of the report."""
    kind, why = label(measured, record)
    counted = measured.routing
    yield f"{kind}: {why}"
    yield (
        f"{measured.form}: {counted.experts} experts, {counted.top_k} for a token; "
        f"{measured.active / 1e6:.1f} of {measured.total / 1e6:.1f} million parameters active "
        f"({measured.active / measured.total:.1%})"
    )
    cut = f", {measured.cut} of them cut" if measured.cut else ""
    read = f"{counted.tokens} tokens of {measured.prompts} prompts{cut}"
    yield f"{read}; balance {counted.balance:.3f}"
    yield "layer  balance  busiest  unused  first weight  load per expert, %"
    for layer in counted.layers:
        load = " ".join(f"{share:5.1%}"[:-1] for share in layer.load)
        yield (
            f"{layer.layer:5d}  {layer.balance:7.3f}  {layer.largest_to_mean:6.2f}x  "
            f"{layer.unused:6d}  {layer.confidence:12.3f}  {load}"
        )
    yield "experts of a layer that a batch of tokens reads (without preference: 1 - (1 - k/N)^B)"
    for one in counted.touched:
        yield f"{one.tokens:5d} tokens: {one.share:.3f} ({one.expected:.3f})"


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _round(value) for key, value in values.items()}


def _round(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_round(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value
