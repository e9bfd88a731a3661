"""The model card of an upcycled checkpoint."""

from serving.llm.upcycle.record import Record


def card(record: Record) -> str:
    """Return the card in Markdown: what it is, what it is not, what was checked."""
    plan, sizes = record.plan, record.parameters
    rows = "\n".join(
        f"| {d.dtype} | {d.top_k} | {d.largest:.3g} | {d.tolerance:.3g} "
        f"| {d.same_first} of {d.tokens} |"
        for d in record.differences
    )
    form = f"{plan.experts} experts ({plan.form}), top-{plan.top_k}"
    active = f"{sizes.active:,} ({sizes.active_share:.1%})"
    return f"""# {record.source.name}, upcycled to {form}

For research and for tests of serving. Not for clinical decisions.

A mixture of experts made by sparse upcycling (Komatsuzaki et al. 2022, arXiv:2212.05055): every
expert is a copy of the dense model's feed-forward part and the router is random (seed {plan.seed}).
**Nothing was trained**, so it knows exactly what the dense model knows, and its routing carries no
meaning.

- Made of: {record.source.name}, SHA-256 `{record.source.sha256}`, licence
  {record.source.licence or "not stated"}
- Parameters: {sizes.total:,}, of which {active} work on one token
  (dense: {sizes.dense:,})
- Weights: {plan.dtype}; the router's too
- Chat template: ChatML with tools, for vLLM's parser `hermes`

Differences from the dense model in float32, over {record.differences[0].tokens} positions
(in bfloat16 twice the dense model's own rounding is allowed):

| type | experts per token | largest difference of a logit | allowed | same next token |
| --- | --- | --- | --- | --- |
{rows}

Made with transformers {record.versions["transformers"]} and torch {record.versions["torch"]}.
"""
